#pragma once

#include <vector>

#include "circuit/tile.hpp"
#include "nn/converters.hpp"
#include "nn/graph.hpp"

namespace kirchnet::test {

/// Arrays of 8 x 6 cells, small enough that layers of `small_network` take several.
inline TileSettings small_tiles(Mapping mapping, double segment, Layout layout = Layout::split) {
    TileSettings settings;
    settings.array = {8, 6};
    settings.mapping = mapping;
    settings.layout = layout;
    settings.wires.word_line_segment = segment;
    settings.wires.bit_line_segment = segment;
    return settings;
}

inline std::vector<Dac> continuous_dacs(const Graph& graph) {
    Dac dac;
    dac.bits = 0;
    return std::vector<Dac>(graph.layers().size(), dac);
}

}  // namespace kirchnet::test
