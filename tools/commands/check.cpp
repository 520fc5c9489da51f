// Engine against engine: column currents gated at |ΔI_c| / Σ_r |T_cr V_r|, node voltages reported.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/random.hpp"
#include "circuit/read_point.hpp"
#include "circuit/units.hpp"
#include "data/result_file.hpp"
#include "netlists/ngspice_solver.hpp"
#include "nn/detail/readout_fold.hpp"
#include "nn/tiling.hpp"
#include "tools/commands.hpp"
#include "tools/crossbar_input.hpp"
#include "tools/engines.hpp"
#include "tools/network_input.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"
#include "tools/readout_check.hpp"

namespace kirchnet {
namespace {

constexpr Index largest_for_ngspice = 4096;  // cells; above it ngspice 39 needs minutes
constexpr double whole_circuit_tolerance = 1e-6;
constexpr double read_voltage = 0.2;  // [V] full scale of a given array's random inputs

/// One array with its inputs, and what to call it.
struct Circuit {
    std::string name;
    Crossbar crossbar;
    Eigen::MatrixXd inputs;  ///< [word_lines × batch]
};

std::vector<std::string> split_names(const std::string& text) {
    std::vector<std::string> names;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const auto end = std::min(text.find(',', begin), text.size());
        names.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

double ngspice_limit(const CheckArguments& arguments, const ArrayShape& shape) {
    if (arguments.time_limit_s > 0) return arguments.time_limit_s;
    return std::max(120.0, 8 * expected_ngspice_seconds(shape));
}

std::string default_engines(const CellLaw& law) {
    return law.is_linear() ? "nodal,transfer,ngspice,ideal" : "nodal,nonlinear,ngspice,ideal";
}

/// Largest difference and where it sits.
struct Worst {
    double value = 0;
    Index index = 0;
};

Worst find_worst(const std::vector<double>& differences) {
    Worst worst;
    for (std::size_t i = 0; i < differences.size(); ++i)
        if (!(differences[i] <= worst.value)) worst = {differences[i], static_cast<Index>(i)};
    return worst;
}

/// |ΔI_c| / Σ_r |T_cr V_r| per bit line, the largest over the batch; 0 where no current can flow.
std::vector<double> current_differences(const OperatingPoint& reference,
                                        const OperatingPoint& other, const Eigen::MatrixXd& T,
                                        const Eigen::MatrixXd& inputs) {
    const Eigen::MatrixXd scale = T.cwiseAbs() * inputs.cwiseAbs();
    std::vector<double> worst(static_cast<std::size_t>(T.rows()), 0.0);
    for (Index k = 0; k < inputs.cols(); ++k)
        for (Index c = 0; c < T.rows(); ++c) {
            const double difference = std::abs(reference.current(c, k) - other.current(c, k));
            const double relative = difference == 0 ? 0 : difference / scale(c, k);
            auto& kept = worst[static_cast<std::size_t>(c)];
            if (!(relative <= kept)) kept = relative;
        }
    return worst;
}

/// |ΔU| [V] per node, word lines then bit lines, the largest over the batch; 0 where cut off.
std::vector<double> voltage_differences(const OperatingPoint& reference,
                                        const OperatingPoint& other) {
    std::vector<double> worst;
    const auto append = [&](const std::vector<CellMatrix>& x, const std::vector<CellMatrix>& y) {
        CellMatrix largest = CellMatrix::Zero(x.front().rows(), x.front().cols());
        for (std::size_t k = 0; k < x.size(); ++k) {
            const CellMatrix difference = (x[k] - y[k]).cwiseAbs();
            const auto both_cut_off = x[k].array().isNaN() && y[k].array().isNaN();
            largest = largest.cwiseMax(both_cut_off.select(0, difference.array()).matrix());
        }
        worst.insert(worst.end(), largest.data(), largest.data() + largest.size());
    };
    append(reference.word_line_voltage, other.word_line_voltage);
    append(reference.bit_line_voltage, other.bit_line_voltage);
    return worst;
}

std::string node_name(const Crossbar& crossbar, Index node) {
    const Index cells = crossbar.shape().cells();
    const Index place = node % cells;
    const Index c = place % crossbar.shape().bit_lines;
    const CellPosition at{polarity_of(crossbar.pattern(), c), place / crossbar.shape().bit_lines,
                          c};
    return node < cells ? word_line_node(at) : bit_line_node(at);
}

/// Runs the engines on circuits one after the other and keeps the records.
class Checker {
  public:
    explicit Checker(const CheckArguments& arguments)
        : arguments_(arguments),
          law_(read_cell_law(arguments.crossbar)),
          tolerance_(arguments.tolerance.value_or(law_.is_linear() ? 1e-9 : 1e-6)),
          engines_(
              split_names(arguments.engines.empty() ? default_engines(law_) : arguments.engines)) {
        if (engines_.size() < 2)
            throw InvalidInput("--engines", "name at least two, the first is the reference");
        if (!(tolerance_ > 0)) throw InvalidInput("--tolerance", "must be positive");
        for (const auto& engine : engines_) (void)make_engine(engine);
    }

    void check(const Circuit& given) {
        const Circuit circuit{given.name, given.crossbar.with_law(law_), given.inputs};
        const auto reference = run(engines_.front(), circuit);
        // Differences are relative to what ohmic cells would carry.
        const Eigen::MatrixXd T = make_engine("nodal")->transfer(circuit.crossbar.with_law({}));
        for (std::size_t i = 1; i < engines_.size(); ++i) {
            if (is_too_large(engines_[i], circuit)) continue;
            const auto other = run(engines_[i], circuit);
            records_.push_back(compare(circuit, engines_[i], *reference, *other, T));
        }
    }

    /// The tile with its amplifiers, net by net.
    void check_whole(const std::string& name, const Tile& tile, const Eigen::VectorXd& inputs,
                     const LinearReadout& readout) {
        Index cells = 0;
        for (const Crossbar& array : tile.arrays()) cells += array.shape().cells();
        const double seconds = expected_readout_seconds(tile);
        if (cells > largest_for_ngspice) {
            notes_.push_back(fmt::format("{} with its read-out takes about {:.0f} s in ngspice{}",
                                         name, seconds,
                                         arguments_.large ? "" : ", left out; ask with --large"));
            print_note(notes_.back());
            if (!arguments_.large) return;
        }
        const double limit =
            arguments_.time_limit_s > 0 ? arguments_.time_limit_s : std::max(120.0, 8 * seconds);
        records_.push_back(check_readout(name, tile, inputs, readout, law_, limit));
    }

    [[nodiscard]] bool asks_ngspice() const {
        return std::find(engines_.begin(), engines_.end(), "ngspice") != engines_.end();
    }
    /// Whole circuits are not linear near their swing.
    [[nodiscard]] double tolerance_of(const AgreementRecord& record) const {
        return record.reference == whole_circuit && !arguments_.tolerance ? whole_circuit_tolerance
                                                                          : tolerance_;
    }
    [[nodiscard]] const std::vector<AgreementRecord>& records() const { return records_; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    [[nodiscard]] double tolerance() const { return tolerance_; }
    [[nodiscard]] const CellLaw& law() const { return law_; }

    /// `ideal` is shown, not gated.
    [[nodiscard]] bool agree() const {
        return std::all_of(records_.begin(), records_.end(), [&](const AgreementRecord& record) {
            return is_shown_only(record) || record.worst <= tolerance_of(record);
        });
    }
    static bool is_shown_only(const AgreementRecord& record) {
        return record.engine == "ideal" || record.reference == "ideal";
    }

  private:
    bool is_too_large(const std::string& engine, const Circuit& circuit) {
        const ArrayShape shape = circuit.crossbar.shape();
        if (engine != "ngspice" || shape.cells() <= largest_for_ngspice) return false;
        const std::string expected = fmt::format(
            "{}: {} in ngspice takes about {:.0f} s", circuit.name, to_string(shape),
            expected_ngspice_seconds(shape) * static_cast<double>(circuit.inputs.cols()));
        notes_.push_back(arguments_.large ? expected : expected + ", left out; ask with --large");
        print_note(notes_.back());
        return !arguments_.large;
    }

    std::unique_ptr<OperatingPoint> run(const std::string& name, const Circuit& circuit) {
        const double limit = ngspice_limit(arguments_, circuit.crossbar.shape());
        auto point =
            make_engine(name, limit)->solve(circuit.crossbar, circuit.inputs, Voltages::keep);
        if (name == engines_.front())
            for (const auto& warning : point.warnings)
                print_note(fmt::format("{}: {}", circuit.name, warning));
        return std::make_unique<OperatingPoint>(std::move(point));
    }

    AgreementRecord compare(const Circuit& circuit, const std::string& engine,
                            const OperatingPoint& reference, const OperatingPoint& other,
                            const Eigen::MatrixXd& T) const {
        AgreementRecord record;
        record.circuit = circuit.name;
        record.reference = engines_.front();
        record.engine = engine;
        record.word_lines = static_cast<std::size_t>(circuit.crossbar.shape().word_lines);
        record.bit_lines = static_cast<std::size_t>(circuit.crossbar.shape().bit_lines);
        record.current_difference = current_differences(reference, other, T, circuit.inputs);
        record.voltage_difference = voltage_differences(reference, other);
        const Worst current = find_worst(record.current_difference);
        record.worst = current.value;
        record.worst_column =
            sense_node(polarity_of(circuit.crossbar.pattern(), current.index), current.index);
        const Worst voltage = find_worst(record.voltage_difference);
        record.worst_voltage = voltage.value;
        record.worst_node = node_name(circuit.crossbar, voltage.index);
        return record;
    }

    const CheckArguments& arguments_;
    CellLaw law_;
    double tolerance_;
    std::vector<std::string> engines_;
    std::vector<AgreementRecord> records_;
    std::vector<std::string> notes_;
};

/// A tile of a network.
struct TileChoice {
    Mapping mapping;
    std::size_t layer;
    TilePlace place;
};

std::vector<TileChoice> list_tiles(const Graph& graph, const Experiment& experiment,
                                   const CheckArguments& arguments) {
    std::vector<TileChoice> all;
    for (const Mapping mapping : experiment.mappings)
        for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
            if (!arguments.layer.empty() && graph.layer_name(layer) != arguments.layer) continue;
            const LayerTiling tiling = tile_layer(graph, layer, experiment.tile_settings(mapping));
            for (const TilePlace& place : tile_places(tiling))
                all.push_back({mapping, layer, place});
        }
    return all;
}

/// `count` different tiles, the same for the same seed; all when there are no more.
std::vector<TileChoice> sample_tiles(std::vector<TileChoice> all, std::size_t count,
                                     std::uint64_t seed) {
    if (count >= all.size()) return all;
    for (std::size_t i = 0; i < count; ++i) {
        const double u = keyed_uniform(seed, stream_of("check tiles"), {i, 0, 0, 0});
        const auto offset = static_cast<std::size_t>(u * static_cast<double>(all.size() - i));
        std::swap(all[i], all[i + offset]);
    }
    all.resize(count);
    return all;
}

std::vector<TileChoice> choose_tiles(const Graph& graph, const Experiment& experiment,
                                     const CheckArguments& arguments) {
    if (!arguments.layer.empty()) (void)graph.find_layer(arguments.layer);
    if (arguments.tile.empty())
        return sample_tiles(list_tiles(graph, experiment, arguments), arguments.tiles,
                            experiment.seed);
    if (arguments.layer.empty()) throw InvalidInput("--tile", "needs --layer");
    const auto [row, column] = parse_tile(arguments.tile);
    std::vector<TileChoice> chosen;
    for (const Mapping mapping : experiment.mappings) {
        const int slices = slice_count(experiment.tile_settings(mapping));
        for (int slice = 0; slice < slices; ++slice)
            chosen.push_back(
                {mapping, graph.find_layer(arguments.layer), TilePlace{row, column, slice}});
    }
    return chosen;
}

/// A tile and the read voltages of its word lines in use.
struct DrivenTile {
    std::string name;
    Tile tile;
    Eigen::VectorXd used;
};

/// Driven by a real image where data is given, else by random voltages.
DrivenTile driven_tile(const Graph& graph, const Experiment& experiment,
                       const std::optional<ImageDrive>& drive, const TileChoice& choice,
                       std::size_t number) {
    const TileSettings settings = experiment.tile_settings(choice.mapping);
    const TilePlace& place = choice.place;
    Tile tile(weight_block(graph, choice.layer, settings, place.row, place.column, place.slice),
              settings, experiment.fault_source(), experiment.device_draw(),
              experiment.given_arrays(choice.mapping).get());
    // A prime step spreads the sampled output pixels over the feature map.
    const std::size_t positions = graph.geometry(choice.layer).positions();
    Eigen::VectorXd used =
        drive ? drive->voltages(tile.block(), number % drive->images().test.size(),
                                number * 7919 % positions, experiment.read_voltage,
                                number % drive->reads(tile.block().layer).size())
              : random_voltages(tile.rows(), experiment.read_voltage, experiment.seed + number);
    std::string name = fmt::format("{} tile {} {}", tile.block().layer, to_string(place, settings),
                                   to_string(choice.mapping));
    return {std::move(name), std::move(tile), std::move(used)};
}

/// Its arrays, their cells' targets exact at the read voltage.
std::vector<Circuit> array_circuits(const DrivenTile& driven, const CellLaw& law,
                                    double full_scale) {
    std::vector<Circuit> circuits;
    for (const Crossbar& array : driven.tile.arrays()) {
        Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(array.shape().word_lines, 1);
        inputs.topRows(driven.used.size()) = driven.used;
        circuits.push_back({fmt::format("{} {}", driven.name, array_letters(array.pattern())),
                            exact_at(array, law, full_scale), inputs});
    }
    return circuits;
}

/// The amplifiers of a layer, R_f as inference would take it.
LinearReadout layer_readout(const Graph& graph, const Experiment& experiment, std::size_t layer,
                            Mapping mapping) {
    LinearReadout readout = experiment.linear_readout().value();
    readout.circuit.feedback_resistance =
        detail::layer_feedback(graph, layer, experiment.tile_settings(mapping), readout);
    return readout;
}

void check_network(const CheckArguments& arguments, const Experiment& experiment,
                   Checker& checker) {
    const Graph graph = load_graph(experiment);
    std::optional<ImageDrive> drive;
    if (!experiment.data.empty()) drive.emplace(graph, experiment);
    const auto tiles = choose_tiles(graph, experiment, arguments);
    const bool is_whole = experiment.readout_kind == Readout::opamp && checker.asks_ngspice();
    const Progress progress = show_progress("check", "tiles");
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        progress(i, tiles.size());
        const DrivenTile driven = driven_tile(graph, experiment, drive, tiles[i], i);
        for (const Circuit& circuit :
             array_circuits(driven, checker.law(), experiment.read_voltage))
            checker.check(circuit);
        if (is_whole)
            checker.check_whole(driven.name + " with read-out", driven.tile, driven.used,
                                layer_readout(graph, experiment, tiles[i].layer, tiles[i].mapping));
    }
    progress(tiles.size(), tiles.size());
}

/// `check --conductance`.
CheckArguments for_given_array(CheckArguments arguments) {
    take_array_settings(arguments.settings, arguments.crossbar);
    return arguments;
}

void check_given_array(const CheckArguments& arguments, const Experiment& experiment,
                       Checker& checker) {
    const Crossbar crossbar = load_crossbar(arguments.crossbar);
    Eigen::MatrixXd inputs;
    if (arguments.crossbar.input.empty())
        inputs = random_voltages(crossbar.shape().word_lines, read_voltage, experiment.seed);
    else
        inputs = load_inputs(arguments.crossbar.input, crossbar);
    checker.check({arguments.crossbar.conductance, crossbar, inputs});
}

std::string verdict(const Checker& checker, const AgreementRecord& record) {
    if (Checker::is_shown_only(record)) return "shown";
    return record.worst <= checker.tolerance_of(record) ? "ok" : "DISAGREE";
}

/// The gated record that comes nearest to its tolerance; null where none is gated.
const AgreementRecord* worst_record(const Checker& checker) {
    const AgreementRecord* worst = nullptr;
    const auto share = [&](const AgreementRecord& record) {
        return record.worst / checker.tolerance_of(record);
    };
    for (const auto& record : checker.records())
        if (!Checker::is_shown_only(record) &&
            (worst == nullptr || !(share(record) <= share(*worst))))
            worst = &record;
    return worst;
}

std::string report_text(const Checker& checker) {
    TextTable table({"circuit", "size", "engine", "worst dI / sum(T V)", "column", "worst dU [V]",
                     "node", "verdict"});
    for (const auto& r : checker.records())
        table.add({r.circuit, fmt::format("{}x{}", r.word_lines, r.bit_lines),
                   r.engine + " : " + r.reference, fmt::format("{:.2e}", r.worst), r.worst_column,
                   fmt::format("{:.1e}", r.worst_voltage), r.worst_node, verdict(checker, r)});
    std::string text = table.markdown();
    if (std::any_of(checker.records().begin(), checker.records().end(),
                    [](const auto& r) { return r.reference == whole_circuit; }))
        text +=
            "\nA circuit with its read-out: the worst net or ammeter, of the largest voltage or "
            "current there.\n";
    if (const AgreementRecord* worst = worst_record(checker))
        text += fmt::format("\nworst: {:.2e} at {} of {} ({} against {}); tolerance {:.0e}\n",
                            worst->worst, worst->worst_column, worst->circuit, worst->engine,
                            worst->reference, checker.tolerance_of(*worst));
    return text;
}

nlohmann::json report_json(const Checker& checker) {
    auto list = nlohmann::json::array();
    double worst = 0;
    for (const auto& r : checker.records()) {
        list.push_back({{"circuit", r.circuit},
                        {"word_lines", r.word_lines},
                        {"bit_lines", r.bit_lines},
                        {"reference", r.reference},
                        {"engine", r.engine},
                        {"worst", r.worst},
                        {"worst_column", r.worst_column},
                        {"worst_voltage", r.worst_voltage},
                        {"worst_node", r.worst_node},
                        {"tolerance", checker.tolerance_of(r)},
                        {"gated", !Checker::is_shown_only(r)}});
        if (!Checker::is_shown_only(r) && !(r.worst <= worst)) worst = r.worst;
    }
    return {{"agree", checker.agree()},
            {"worst", worst},
            {"tolerance", checker.tolerance()},
            {"notes", checker.notes()},
            {"records", list}};
}

}  // namespace

int run_check(const CheckArguments& given) {
    const bool given_array = !given.crossbar.conductance.empty();
    CheckArguments arguments = given_array ? for_given_array(given) : given;
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (arguments.crossbar.cell == "linear") arguments.crossbar.cell = experiment.cell_law;
    const ThreadLimit threads(experiment.threads);
    Checker checker(arguments);
    if (given_array)
        check_given_array(arguments, experiment, checker);
    else
        check_network(arguments, experiment, checker);

    if (checker.records().empty())
        throw Error("nothing was compared: every array is too large for ngspice without --large");
    if (!arguments.out.empty())
        write_agreement(arguments.out, checker.records(), to_toml(experiment));
    if (arguments.json)
        print_json(report_json(checker));
    else
        print_text(report_text(checker));
    if (checker.agree()) return 0;
    print_note(fmt::format("engines disagree by more than {:.0e}",
                           checker.tolerance_of(*worst_record(checker))));
    return 1;
}

}  // namespace kirchnet
