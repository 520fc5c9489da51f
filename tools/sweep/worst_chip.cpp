#include "tools/sweep/worst_chip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "data/network_digest.hpp"
#include "data/network_file.hpp"
#include "netlists/netlist_writer.hpp"
#include "nn/tiling.hpp"
#include "solver/transfer_solver.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/plots/heat_map.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/tile_maps.hpp"
#include "tools/settings/toml_input.hpp"

namespace kirchnet {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t listed_cells = 12;

bool is_circuit(const SweepPlan& plan, std::size_t point) {
    return plan.points[point].operators == Operators::circuit;
}

/// Point and trial, without looking at any network.
WorstChip find_worst(const SweepSummary& summary, const SweepPlan& plan) {
    WorstChip worst;
    bool has_any = false;
    double mean = 0;
    for (std::size_t point = 0; point < plan.points.size(); ++point) {
        if (summary.trials(point) == 0) continue;
        const double its_mean = summary.over_chips(point).mean;
        const bool better_kind = is_circuit(plan, point) && !is_circuit(plan, worst.point);
        const bool same_kind = is_circuit(plan, point) == is_circuit(plan, worst.point);
        if (has_any && !better_kind && !(same_kind && its_mean < mean)) continue;
        has_any = true;
        worst.point = point;
        mean = its_mean;
    }
    worst.score = std::numeric_limits<double>::infinity();
    const auto scores = summary.scores(worst.point);
    for (std::size_t trial = 0; trial < scores.size(); ++trial)
        if (scores[trial] < worst.score) {  // false where it is missing
            worst.score = scores[trial];
            worst.trial = static_cast<std::uint32_t>(trial);
        }
    return worst;
}

/// The network file as the sweep named it, from here or from beside the results.
std::filesystem::path find_network(const std::string& file, const std::filesystem::path& results) {
    if (std::filesystem::exists(file)) return file;
    if (const auto beside = results.parent_path() / file; std::filesystem::exists(beside))
        return beside;
    return {};
}

/// Empty where the network at hand is that of the sweep.
std::string why_missing(const SweepNetwork& network, const std::filesystem::path& file) {
    if (file.empty())
        return fmt::format("{} is not there, so the chip could not be made again", network.file);
    if (digest_of(read_network(file)) != network.digest)
        return fmt::format(
            "{} is not the network that the sweep ran, so the chip could not be "
            "made again",
            file.string());
    return {};
}

SolverFactory engine_of(Operators operators) {
    if (operators == Operators::ideal) return [] { return std::make_unique<IdealSolver>(); };
    return [] { return std::make_unique<TransferSolver>(); };
}

/// Entry of T_a - T_b.
double entry(const TileOperator& tile, std::size_t i) {
    return static_cast<double>(tile.weights[i]) -
           (tile.weights_b.empty() ? 0.0 : static_cast<double>(tile.weights_b[i]));
}

/// ‖T - T₀‖ / ‖T₀‖; no value where the tile holds nothing.
double deviation_of(const TileOperator& real, const TileOperator& designed) {
    double difference = 0;
    double whole = 0;
    for (std::size_t i = 0; i < designed.weights.size(); ++i) {
        const double wanted = entry(designed, i);
        difference += (entry(real, i) - wanted) * (entry(real, i) - wanted);
        whole += wanted * wanted;
    }
    return whole > 0 ? std::sqrt(difference / whole) : no_value;
}

/// One chip of one design, looked into.
class ChipExamination {
  public:
    ChipExamination(WorstChip& found, const PlannedPoint& point, const Graph& graph)
        : found_(found),
          point_(point),
          graph_(graph),
          arm_(point.arm(found.trial)),
          tile_settings_(arm_.chip.tile) {}

    void run() {
        compare_operators();
        if (found_.layers.empty()) return;
        draw_layer();
        const Tile tile(weight_block(graph_, worst_layer_, tile_settings_, place_.row,
                                     place_.column, place_.slice),
                        tile_settings_, arm_.chip.faults, arm_.chip.devices);
        for (std::size_t array = 0; array < tile.arrays().size(); ++array)
            examine_array(tile, array);
        keep_worst_cells(tile);
        write_deck(tile);
    }

  private:
    using Deviations = std::vector<std::vector<double>>;  ///< [layers][tiles]

    void compare_operators() {
        const auto real = extract_operators(graph_, arm_.chip, engine_of(arm_.operators),
                                            show_progress("worst chip", "tiles"));
        ChipSettings intended = as_designed(arm_).chip;
        intended.readout.reset();
        const auto designed = extract_operators(graph_, intended, engine_of(Operators::ideal));
        for (std::size_t layer = 0; layer < real.size(); ++layer) {
            auto& tiles = deviations_.emplace_back();
            for (std::size_t tile = 0; tile < real[layer].tiles.size(); ++tile)
                tiles.push_back(deviation_of(real[layer].tiles[tile], designed[layer].tiles[tile]));
            add_layer(layer, tiles);
        }
    }

    void add_layer(std::size_t layer, const std::vector<double>& tiles) {
        const auto places = tile_places(tile_layer(graph_, layer, tile_settings_));
        LayerDamage damage{graph_.layer_name(layer), tiles.size(), 0, 0, ""};
        std::size_t counted = 0;
        for (std::size_t tile = 0; tile < tiles.size(); ++tile) {
            if (std::isnan(tiles[tile])) continue;
            ++counted;
            damage.mean += tiles[tile];
            if (!damage.place.empty() && tiles[tile] <= damage.most) continue;
            damage.most = tiles[tile];
            damage.place = to_string(places[tile], tile_settings_);
            if (!found_.tile.empty() && damage.most <= found_.deviation) continue;
            found_.deviation = damage.most;
            found_.layer = damage.layer;
            found_.tile = damage.place;
            worst_layer_ = layer;
            place_ = places[tile];
        }
        if (counted == 0) return;
        damage.mean /= static_cast<double>(counted);
        found_.layers.push_back(std::move(damage));
    }

    /// Every tile of the worst tile's layer.
    void draw_layer() {
        const LayerTiling tiling = tile_layer(graph_, worst_layer_, tile_settings_);
        const auto places = tile_places(tiling);
        Eigen::MatrixXd values =
            Eigen::MatrixXd::Constant(tiling.row_tiles, tiling.column_tiles, no_value);
        for (std::size_t tile = 0; tile < places.size(); ++tile)
            if (places[tile].slice == place_.slice)
                values(places[tile].row, places[tile].column) =
                    100 * deviations_[worst_layer_][tile];
        found_.pictures.push_back(
            {fmt::format("How far each tile of {} is from its weights.", found_.layer),
             heat_map({.title = fmt::format("{}: error of its tiles", found_.layer),
                       .x_label = "tile column",
                       .y_label = "tile row",
                       .value_label = "error of T",
                       .unit = "%",
                       .values = values,
                       .marks = {}})});
    }

    void examine_array(const Tile& tile, std::size_t number) {
        const Crossbar& array = tile.arrays()[number];
        const Index bit_lines = tile.read_bit_lines();
        CellMatrix seen =
            CellMatrix::Constant(array.shape().word_lines, array.shape().bit_lines, no_value);
        seen.topLeftCorner(tile.rows(), bit_lines) = engine_of(arm_.operators)()
                                                         ->transfer_rows(array, bit_lines)
                                                         .transpose()
                                                         .topRows(tile.rows());
        for (Index r = 0; r < tile.rows(); ++r)
            for (Index c = 0; c < bit_lines; ++c)
                cells_.push_back(
                    {tile.meaning({polarity_of(array.pattern(), c), r, c}), 1, seen(r, c)});
        const auto letters = array_letters(array.pattern());
        found_.pictures.push_back(
            {fmt::format("Array {}: what each cell conducts more or less than intended, as the "
                         "read-out sees it.",
                         letters),
             heat_map({.title = fmt::format("{} tile {}, array {}: error of each cell",
                                            found_.layer, found_.tile, letters),
                       .value_label = "seen - intended",
                       .unit = "S",
                       .values = seen - array.intended_conductance(),
                       .marks = {}})});
        if (arm_.operators != Operators::circuit) return;
        const double voltage = point_.experiment.read_voltage;
        found_.pictures.push_back(
            {fmt::format("Array {}: voltage that wires take from each cell with all word lines at "
                         "full drive.",
                         letters),
             heat_map({.title = fmt::format("{} tile {}, array {}: IR drop", found_.layer,
                                            found_.tile, letters),
                       .value_label = fmt::format("voltage lost of {} V", voltage),
                       .unit = "V",
                       .values = ir_drop(array, tile.rows(), voltage),
                       .marks = {}})});
    }

    void keep_worst_cells(const Tile& tile) {
        const auto error = [](const WorstCell& cell) {
            return std::abs(cell.seen - cell.meaning.intended_conductance);
        };
        const std::size_t kept = std::min(listed_cells, cells_.size());
        std::partial_sort(
            cells_.begin(), cells_.begin() + static_cast<std::ptrdiff_t>(kept), cells_.end(),
            [&](const WorstCell& a, const WorstCell& b) { return error(a) > error(b); });
        cells_.resize(kept);
        const double scale = tile_layer(graph_, worst_layer_, tile.settings()).scale;
        for (WorstCell& cell : cells_) cell.scale = scale;
        found_.cells = std::move(cells_);
    }

    void write_deck(const Tile& tile) {
        const Experiment& e = point_.experiment;
        TileDeckSettings deck;
        deck.readout = e.readout_kind;
        deck.amplifiers = e.readout;
        deck.amplifiers.seed = e.seed;
        deck.amplifiers.trial = found_.trial;
        deck.input_comment = fmt::format("every used word line at {} V", e.read_voltage);
        deck.fault_comment =
            fmt::format("{}, seed {}, trial {}", describe(e.fault_law), e.seed, found_.trial);
        deck.device_comment = fmt::format("seed {}, trial {}", e.seed, found_.trial);
        found_.deck = excerpt(
            write_tile_deck(tile, Eigen::VectorXd::Constant(tile.rows(), e.read_voltage), deck));
        found_.deck_command = command();
    }

    /// The comments and numbers a deck begins with, and the lines of the worst cells.
    [[nodiscard]] std::string excerpt(const std::string& deck) const {
        std::vector<std::string> names;
        for (const WorstCell& cell : found_.cells)
            names.push_back(cell_name(cell.meaning.position) + " ");
        std::string head;
        std::string its_cells;
        std::istringstream lines(deck);
        bool in_head = true;
        for (std::string line; std::getline(lines, line);) {
            in_head = in_head && !line.starts_with("* ---- array");
            if (in_head) head += line + "\n";
            if (std::any_of(names.begin(), names.end(),
                            [&](const std::string& name) { return line.starts_with(name); }))
                its_cells += line + "\n";
        }
        return fmt::format("{}* ...\n{}* ...\n", head, its_cells);
    }

    /// `kirchnet netlist` with every setting that is not as usual.
    [[nodiscard]] std::string command() const {
        const auto settings = [](const Experiment& experiment) {
            return flat_settings(parse_toml_text(to_toml(experiment), "settings"), "settings");
        };
        const auto usual = settings({});
        std::string text = fmt::format(
            "kirchnet netlist {} --layer {} --tile {},{}{} --mapping {} --trial {} "
            "--read-voltage {}",
            point_.experiment.network, found_.layer, place_.row, place_.column,
            place_.slice > 0 ? fmt::format(" --slice {}", place_.slice) : "",
            to_string(point_.mapping), found_.trial, point_.experiment.read_voltage);
        for (const auto& setting : settings(point_.experiment)) {
            const std::string& key = setting.first;
            const bool is_circuit = key.starts_with("array.") || key.starts_with("cells.") ||
                                    key.starts_with("faults.") || key.starts_with("device.") ||
                                    key.starts_with("readout.") || key.starts_with("mapping.");
            if (is_circuit && key != "mapping.names" && key != "faults.trial" &&
                std::find(usual.begin(), usual.end(), setting) == usual.end())
                text += fmt::format(" --set {}={}", key, setting.second);
        }
        return text + " -o tile.cir";
    }

    WorstChip& found_;
    const PlannedPoint& point_;
    const Graph& graph_;
    ArmSettings arm_;
    TileSettings tile_settings_;
    Deviations deviations_;
    std::size_t worst_layer_ = 0;
    TilePlace place_;
    std::vector<WorstCell> cells_;
};

}  // namespace

WorstChip examine_worst_chip(const SweepSummary& summary, const SweepPlan& plan,
                             const std::filesystem::path& results) {
    WorstChip worst = find_worst(summary, plan);
    const SweepRecord& record = summary.record();
    const SweepNetwork& network = record.networks[record.points[worst.point].network];
    const auto file = find_network(network.file, results);
    worst.missing = why_missing(network, file);
    if (!worst.missing.empty()) return worst;
    PlannedPoint point = plan.points[worst.point];
    point.experiment.network = file.string();
    try {
        const Graph graph = load_graph(point.experiment);
        ChipExamination(worst, point, graph).run();
    } catch (const InvalidInput& error) {
        worst.missing = error.what();
    }
    return worst;
}

}  // namespace kirchnet
