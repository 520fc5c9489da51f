#!/bin/sh
# A subtractor that saturates: differential mapping keeps nearly all cells on, so that both columns of
# a pair carry a large current which says nothing. Amplifiers sized for two columns run into their
# swing, and the difference is lost before it is formed. Run from the repository:
#
#   cmake --build --preset release && examples/subtractor_saturation.sh
#
# It prints the common mode of each mapping with R_f = 12 kohm (two columns use 71 % of the swing,
# differential mapping leaves it in 1,277 of 7,240 columns), and output 21 of a tile in ngspice: 20 mV
# with R_f = 1 kohm, which would be 239 mV with 12 kohm. There both amplifiers of the pair stand at the
# end of their swing, and 0.06 uV are left.
set -eu
kirchnet=${1:-build/release/bin/kirchnet}
network=data/embedded/digits.h5
images=data/embedded/digits-images.h5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$kirchnet" readout "$network" --data "$images" --images 20 --array 32x32 --segment 1 \
            --mapping two_column,differential --set readout.feedback=12k | head -4

for feedback in 1k 12k; do
    "$kirchnet" netlist "$network" --layer conv3 --tile 4,0 --array 32x32 --segment 1 \
                --mapping differential --data "$images" --image 3 --position 25 \
                --readout opamp --set readout.feedback=$feedback -o "$folder/tile.cir"
    echo "R_f = ${feedback}ohm: amplifiers of output 21, and its difference [V]"
    ngspice -b "$folder/tile.cir" 2>/dev/null | grep -E '^v\((tia_._21|sub_21)\)'
done
