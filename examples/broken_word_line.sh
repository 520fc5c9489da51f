#!/bin/sh
# A broken word line: write a tile's deck, break one wire of it by hand, read the deck back, and see
# what the break costs the network. Run from the repository:
#
#   cmake --build --preset release && examples/broken_word_line.sh
#
# It prints the difference in words, the column currents before and after, and the accuracy of the
# embedded network on the chip as designed (97.8 %) and on the chip with that tile (91.6 %).
set -eu
kirchnet=${1:-build/release/bin/kirchnet}
network=data/embedded/digits.h5
images=data/embedded/digits-images.h5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

chip="$network --array 64x32 --segment 2 --mapping two_column"
"$kirchnet" netlist $chip --layer conv1 --tile 0,0 -o "$folder/tile.cir" --save-crossbar "$folder/chip.h5"

# Word line 4 of array a, the middle of the 3 x 3 kernel, is open after its first cell: nothing drives
# the cells to the right.
grep -v '^rwl_a_4_1 ' "$folder/tile.cir" > "$folder/edited.cir"

"$kirchnet" netlist --read "$folder/edited.cir" --against "$folder/chip.h5" --solve \
            --save-crossbar "$folder/edited.h5"
"$kirchnet" compare $chip --data "$images" --images 500 --arrays "$folder/edited.h5"
