#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/names.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {

/// A cell by its name in a deck.
struct InstanceName {
    CellPosition position;
    std::optional<TilePlace> tile;  ///< where the name says it, in decks of layers
};

/// `xc_a_3_7`; what ngspice makes of it, `r.xc_a_3_7.rcell`; the flat form's `rxc_a_3_7`; and each
/// in the deck of a layer: `xt0_1.xc_a_3_7`, `rxc_a_3_7_t0_1_s2`. Empty: it is no cell's name.
std::optional<InstanceName> parse_instance(std::string_view name);

/// A physical cell of a layer.
struct CellPlace {
    TilePlace tile;
    CellPosition position;

    friend bool operator==(const CellPlace&, const CellPlace&) = default;
};

/// Every cell that holds a part of one weight: per slice side a, and side b where there are pairs.
/// @throws InvalidInput  when the layer has no such weight
std::vector<CellPlace> cells_of_weight(const Graph& graph, std::size_t layer,
                                       const TileSettings& settings, std::int32_t output_channel,
                                       const KernelPosition& input);

/// Which part of an output's error one cell makes. The error is what the read-out's bit lines give
/// (a - b) less what the intended conductances would give without wires; by Kirchhoff's law at the
/// bit lines it is the sum, over the cells of the output's columns, of the current through each
/// less the current intended for it.
struct CellShare {
    double voltage = 0;           ///< across the cell [V], word line minus bit line
    double current = 0;           ///< through it [A]
    double intended_current = 0;  ///< intended conductance times read voltage [A]
    double output = 0;            ///< of its output, a - b [A]
    double intended_output = 0;   ///< likewise
    std::optional<Index> number;  ///< which output of the tile it serves; empty: padding, reference

    [[nodiscard]] double error() const { return current - intended_current; }
    /// Signed by the cell's polarity.
    [[nodiscard]] double output_error() const { return output - intended_output; }
};

/// @param inputs  read voltages [V], [rows]
CellShare share_of_cell(const Tile& tile, const CellPosition& cell,
                        const Eigen::Ref<const Eigen::VectorXd>& inputs);

}  // namespace kirchnet
