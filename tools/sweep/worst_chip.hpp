#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "circuit/tile.hpp"
#include "tools/sweep/sweep_plan.hpp"
#include "tools/sweep/sweep_summary.hpp"

namespace kirchnet {

/// How far a layer's arrays are from what was intended.
struct LayerDamage {
    std::string layer;
    std::size_t tiles = 0;
    double mean = 0;    ///< over tiles: see `WorstChip::deviation`
    double most = 0;    ///< of the worst tile
    std::string place;  ///< of that tile
};

/// A cell that reads other than intended.
struct WorstCell {
    CellMeaning meaning;
    double scale = 1;  ///< max|W| of the layer: times `meaning.weight` it is the network's weight
    double seen = 0;   ///< entry of the transfer matrix [S]: what it conducts, wires included
};

struct ChipPicture {
    std::string caption;
    std::string svg;
};

/// The chip on which a sweep's worst design does worst, made again from the plan.
struct WorstChip {
    std::size_t point = 0;
    std::uint32_t trial = 0;
    double score = 0;
    std::string missing;  ///< why it cannot be made again; then nothing follows

    std::vector<LayerDamage> layers;
    std::string layer;  ///< of the worst tile
    std::string tile;   ///< its place in the layer
    double deviation = 0;  ///< ‖T - T₀‖ / ‖T₀‖ (Frobenius), T₀ without wires, faults, device laws
    std::vector<ChipPicture> pictures;
    std::vector<WorstCell> cells;  ///< of that tile, worst first
    std::string deck;              ///< lines of its deck: the beginning, and those cells
    std::string deck_command;      ///< that makes the whole deck
};

/// Of circuit points, or of ideal ones where there are no others.
/// @param results  the sweep's file: relative network files may lie beside it
WorstChip examine_worst_chip(const SweepSummary& summary, const SweepPlan& plan,
                             const std::filesystem::path& results);

}  // namespace kirchnet
