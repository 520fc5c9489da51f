#include "tools/reports/cell_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <regex>

#include "circuit/error.hpp"
#include "solver/nodal_solver.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t longest_name = 200;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return result;
}

/// Numbers of a `t0_1_s2` that matched, kept short by the pattern.
TilePlace place_of(const std::smatch& found, std::size_t first) {
    return {std::stol(found[first].str()), std::stol(found[first + 1].str()),
            found[first + 2].matched ? std::stoi(found[first + 2].str()) : 0};
}

Eigen::MatrixXd all_voltages(const Crossbar& array, const Eigen::Ref<const Eigen::VectorXd>& used) {
    Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(array.shape().word_lines, 1);
    inputs.topRows(used.size()) = used;
    return inputs;
}

/// The output a cell's bit line serves.
std::optional<Index> output_of(const Tile& tile, const CellPosition& cell) {
    for (Index j = 0; j < tile.outputs(); ++j) {
        if (cell.polarity == Polarity::b && !tile.has_pairs()) return std::nullopt;
        if (tile.column(j, cell.polarity).bit_line == cell.bit_line) return j;
    }
    return std::nullopt;
}

}  // namespace

std::optional<InstanceName> parse_instance(std::string_view name) {
    if (name.size() > longest_name) return std::nullopt;
    const std::string text = lower(name);
    static const std::regex pattern(
        R"((?:[a-z]\.)?(?:xt(\d{1,9})_(\d{1,9})(?:_s(\d{1,4}))?\.)?r?(xc_[ab]_\d{1,9}_\d{1,9}))"
        R"((?:_t(\d{1,9})_(\d{1,9})(?:_s(\d{1,4}))?)?(?:\..*)?)");
    std::smatch found;
    if (!std::regex_match(text, found, pattern)) return std::nullopt;
    const auto position = parse_cell_name(found[4].str());
    if (!position) return std::nullopt;
    InstanceName instance{*position, std::nullopt};
    if (found[1].matched) instance.tile = place_of(found, 1);
    if (found[5].matched) instance.tile = place_of(found, 5);
    return instance;
}

std::vector<CellPlace> cells_of_weight(const Graph& graph, std::size_t layer,
                                       const TileSettings& settings, std::int32_t output_channel,
                                       const KernelPosition& input) {
    std::vector<CellPlace> cells;
    for (const TilePlace& place : tile_places(tile_layer(graph, layer, settings))) {
        const Tile tile(weight_block(graph, layer, settings, place.row, place.column, place.slice),
                        settings);
        const WeightBlock& block = tile.block();
        const Index output = output_channel - block.first_output_channel;
        if (output < 0 || output >= tile.outputs()) continue;
        for (Index r = 0; r < tile.rows(); ++r) {
            if (!(block.inputs[static_cast<std::size_t>(r)] == input) || !block.holds(r, output))
                continue;
            for (const Polarity side : {Polarity::a, Polarity::b})
                if (side == Polarity::a || tile.has_pairs())
                    cells.push_back({place, {side, r, tile.column(output, side).bit_line}});
        }
    }
    if (!cells.empty()) return cells;
    const LayerGeometry shape = graph.geometry(layer);
    throw InvalidInput(
        fmt::format("weight {},{},{},{} of layer {}", output_channel, input.input_channel,
                    input.kernel_y, input.kernel_x, graph.layer_name(layer)),
        fmt::format("is none of its {} outputs x {} input channels x {} x {}{}",
                    shape.output.channels, shape.input.channels, shape.kernel_height,
                    shape.kernel_width,
                    shape.groups > 1 ? fmt::format(" in {} groups", shape.groups) : ""));
}

CellShare share_of_cell(const Tile& tile, const CellPosition& cell,
                        const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    const CellMeaning meaning = tile.meaning(cell);
    CellShare share;
    share.number = output_of(tile, cell);
    NodalSolver solver;
    for (const Crossbar& array : tile.arrays()) {
        const OperatingPoint point =
            solver.solve(array, all_voltages(array, inputs), Voltages::keep);
        const Eigen::VectorXd intended =
            array.intended_conductance().transpose() * all_voltages(array, inputs);
        for (const Polarity side : {Polarity::a, Polarity::b}) {
            if (!share.number || (side == Polarity::b && !tile.has_pairs())) continue;
            const TileColumn column = tile.column(*share.number, side);
            if (&tile.arrays()[column.array] != &array) continue;
            const double sign = side == Polarity::a ? 1 : -1;
            share.output += sign * point.current(column.bit_line, 0);
            share.intended_output += sign * intended(column.bit_line);
        }
        if (polarity_of(array.pattern(), cell.bit_line) != cell.polarity) continue;
        const double drop = point.word_line_voltage.front()(cell.word_line, cell.bit_line) -
                            point.bit_line_voltage.front()(cell.word_line, cell.bit_line);
        share.voltage = drop;
        share.current = meaning.conductance == 0 ? 0 : meaning.conductance * drop;
        if (std::isnan(drop)) share.current = 0;  // cut off
    }
    if (cell.word_line < inputs.size())
        share.intended_current = meaning.intended_conductance * inputs(cell.word_line);
    return share;
}

}  // namespace kirchnet
