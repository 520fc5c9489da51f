#!/usr/bin/env bash
# From a clean clone to the main job in one command: installs what is missing (root or sudo),
# builds, and shows on the embedded network what crossbars make of it. Results land in demo-output/.
set -euo pipefail
cd "$(dirname "$0")/.."

network=data/embedded/digits.h5
images=data/embedded/digits-images.h5
out=demo-output
chip=(--segment 1 --fault-rate 0.005 --seed 1)

step() { printf '\n== %s\n' "$*"; }

step "Set-up and build"
tools/setup.sh --core
cmake --preset release -DKIRCHNET_TESTS=OFF -DKIRCHNET_BENCH=OFF -DKIRCHNET_TRAINING=OFF >/dev/null
cmake --build --preset release -j "$(tools/jobs.sh)"
kirchnet=build/release/bin/kirchnet
mkdir -p "$out"

step "The network: $network"
"$kirchnet" info "$network"

step "Idealised against circuit-level accuracy, three mappings"
"$kirchnet" compare "$network" --data "$images" "${chip[@]}" --array 64x64 --out "$out/compare.h5"

step "One tile as SPICE, driven by image 0, read by op-amps, and run by ngspice"
"$kirchnet" netlist "$network" --data "$images" "${chip[@]}" --array 64x64 --unused trim \
    --layer conv2 --tile 0,0 --image 0 --readout opamp -o "$out/tile.cir"
(cd "$out" && ngspice -b tile.cir >tile.txt 2>&1)
tail -n 12 "$out/tile.txt"

step "Do our solver and ngspice agree on real tiles?"
"$kirchnet" check "$network" --data "$images" "${chip[@]}" --array 32x32 --tiles 6

step "Where to look"
cat <<END
  $out/compare.md              the comparison in words and tables
  $out/compare-accuracy.svg    accuracy of each mapping, ideal and circuit
  $out/compare-worst-tile.svg  where the wires of the worst tile lose voltage
  $out/compare.h5              the record: predictions, settings, seed (docs/formats.md)
  $out/tile.cir                the tile cell by cell; each line says which weight it is
  $out/tile.txt                what ngspice printed
END
