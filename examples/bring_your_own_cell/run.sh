#!/bin/sh
# The commands of the README, in a folder of their own: run.sh PATH/TO/kirchnet
set -eu
kirchnet=$(realpath "${1:-kirchnet}")
here=$(realpath "$(dirname "$0")")
embedded=$here/../../data/embedded
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$kirchnet" characterise "$here/filament.cir" --subckt filament --pins te,be --state w --range 0:1 \
    -o filament.h5
"$kirchnet" info filament.h5
"$kirchnet" check --conductance "$here/G.csv" --input "$here/V.csv" --wl-segment 20 \
    --bl-segment 20 --cell byo:filament.h5
"$kirchnet" netlist "$embedded/digits.h5" --layer fc2 --array 32x32 --g-off 3e-6 \
    --fault-rate 0.02 --cell byo:filament.h5 -o tile.cir
if command -v ngspice >ngspice-path; then ngspice -b tile.cir | grep 'i(vs_a_0)'; fi
"$kirchnet" nonlinear "$embedded/digits.h5" --data "$embedded/digits-images.h5" --array 32x32 \
    --mapping two_column --g-off 3e-6 --cell byo:filament.h5 --layers fc2 --nonlinear-images 1
if "$kirchnet" characterise "$here/bent.cir" --subckt bent --pins te,be --state w --range 0:1 \
    -o bent.h5 2>refusal; then
    echo "a cell that falls was taken"
    exit 1
fi
cat refusal
