#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "circuit/tile.hpp"
#include "data/crossbar_file.hpp"
#include "netlists/deck_reading.hpp"

namespace kirchnet {

/// A tile whose deck was read back.
struct ReadTile {
    Tile tile;
    std::string name;         ///< `layer1.0.conv1 tile 0,1`
    bool has_weights = true;  ///< false: it was made from arrays alone
    CrossbarOrigin origin;    ///< of no layer: a given array of no network
};

/// A difference and the tile it is in; null: what tiles of a layer share.
struct ReadChange {
    const ReadTile* tile = nullptr;
    const DeckChange* change = nullptr;
};

/// `conv2 tile 0,1 w3 b2 a: 1e-06 -> 7e-05 S (oc=10 ic=0 ky=1 kx=0, xc_a_3_2, line 220)`
std::string describe(const ReadChange& read);
/// Differences in the engineer's words, by kind.
/// @param beyond  how many of them arrays cannot hold
std::string differences_text(const std::vector<ReadChange>& changes, std::size_t beyond);
/// Keys `differences`, `counts`, `beyond_arrays`.
nlohmann::json differences_json(const std::vector<ReadChange>& changes,
                                const std::vector<std::string>& beyond);

struct DeckOutputChange {
    std::string name;
    double before = 0;
    double after = 0;
};

/// What a deck delivered as it was written, and as it is.
struct DeckOutputs {
    std::string engine;
    std::vector<DeckOutputChange> list;
    std::string title = "column currents";
    std::string word = "column";  ///< one of them
    std::string unit = "A";
};

/// A table with its title.
std::string outputs_text(const DeckOutputs& outputs);
/// An object per output: its name, `before`, `after`.
nlohmann::json outputs_json(const DeckOutputs& outputs);

}  // namespace kirchnet
