// One tile of weights with a stuck-on cell, as the SPICE deck a device engineer reads:
//
//   build/release/bin/example_03_stuck_cell_deck > tile.cir && ngspice -b tile.cir
#include <fmt/format.h>

#include "netlists/netlist_writer.hpp"

using namespace kirchnet;

int main() {
    WeightBlock block;
    block.layer = "demo";
    block.weights.resize(2, 2);
    block.weights << 0.5, -1.0,  //
        0.0, 0.25;
    block.inputs = {{0, 0, 0}, {1, 0, 0}};  // two input channels, 1 x 1 kernel

    TileSettings settings;
    settings.array = {2, 2};
    settings.mapping = Mapping::two_column;
    settings.wires.word_line_segment = 1.0;  // [ohm]
    settings.wires.bit_line_segment = 1.0;

    FaultMap faults;  // the positive cell of the zero weight sticks at LRS
    faults.set("demo", CellAddress{0, 1, 0, 0, 0, Polarity::a}, Fault::stuck_on);

    const Tile tile(block, settings, FaultSource{faults});
    TileDeckSettings deck;
    deck.readout = Readout::opamp;
    deck.input_comment = "both word lines at 0.2 V";
    deck.fault_comment = "one stuck-on cell";
    fmt::print("{}", write_tile_deck(tile, Eigen::Vector2d(0.2, 0.2), deck));
}
