// Engine against engine: column currents gated at |ΔI_c| / Σ_r |T_cr V_r|, node voltages reported.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/random.hpp"
#include "circuit/read_point.hpp"
#include "data/result_file.hpp"
#include "tools/checks/check_report.hpp"
#include "tools/checks/engine_check.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/crossbar_input.hpp"
#include "tools/input/driven_tiles.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view all = "all";
constexpr double read_voltage = 0.2;  // [V] full scale of a given array's random inputs

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

/// A tile's arrays, their cells' targets exact at the read voltage.
std::vector<NamedArray> arrays_of(const LayerTile& part, const std::string& name,
                                  const CellLaw& law, double full_scale) {
    std::vector<NamedArray> arrays;
    for (const Crossbar& array : part.tile.arrays()) {
        Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(array.shape().word_lines, 1);
        inputs.topRows(part.inputs.size()) = part.inputs;
        arrays.push_back({fmt::format("{} {}", name, array_letters(array.pattern())),
                          exact_at(array, law, full_scale), inputs});
    }
    return arrays;
}

/// Whether whole decks are asked for, of layers or of one output, and not array by array.
bool asks_whole(const CheckArguments& arguments) {
    return arguments.tile == all || arguments.column;
}

void check_scope(const CheckArguments& arguments) {
    if (arguments.layer == all && arguments.tile != all)
        throw InvalidInput("--layer", "'all' goes with --tile all: each layer's deck in turn");
    if (!arguments.tile.empty() && arguments.layer.empty())
        throw InvalidInput("--tile", "needs --layer");
    if (arguments.column && (arguments.tile.empty() || arguments.tile == all))
        throw InvalidInput("--column", "is an output of one tile; name it with --tile R,C");
    if (asks_whole(arguments) && !arguments.engines.empty())
        throw InvalidInput("--engines",
                           "are of single arrays; whole decks are solved as a general circuit and "
                           "by ngspice");
}

/// What every circuit of a network has.
WholeCircuit whole_of(const DrivenTiles& source, const LayerChoice& choice, std::string name,
                      const Experiment& experiment, const EngineCheck& check) {
    WholeCircuit whole{.name = std::move(name), .tiles = {}};
    whole.readout = source.readout(choice);
    whole.law = check.law();
    whole.read_voltage = experiment.read_voltage;
    if (whole.readout) whole.name += " with read-out";
    return whole;
}

std::vector<LayerChoice> choose_layers(const Graph& graph, const Experiment& experiment,
                                       const CheckArguments& arguments) {
    std::vector<LayerChoice> chosen;
    for (const Mapping mapping : experiment.mappings) {
        if (arguments.layer != all) {
            chosen.push_back({mapping, graph.find_layer(arguments.layer)});
            continue;
        }
        for (std::size_t layer = 0; layer < graph.layers().size(); ++layer)
            chosen.push_back({mapping, layer});
    }
    return chosen;
}

/// `--tile all`.
void check_layers(const CheckArguments& arguments, const Experiment& experiment,
                  const DrivenTiles& source, EngineCheck& check) {
    const auto layers = choose_layers(source.graph(), experiment, arguments);
    const Progress progress = show_progress("check", "layers");
    for (std::size_t i = 0; i < layers.size(); ++i) {
        progress(i, layers.size());
        auto tiles = source.layer(layers[i], i);
        std::string name =
            fmt::format("{} {}, {} tile{}", source.graph().layer_name(layers[i].layer),
                        to_string(layers[i].mapping), tiles.size(), tiles.size() == 1 ? "" : "s");
        WholeCircuit whole = whole_of(source, layers[i], std::move(name), experiment, check);
        whole.tiles = std::move(tiles);
        whole.is_layer = true;
        check.check(whole);
    }
    progress(layers.size(), layers.size());
}

/// A tile array by array, and with amplifiers as a whole; of one output as a whole alone.
void check_tile(const CheckArguments& arguments, const Experiment& experiment,
                const DrivenTiles& source, const TileChoice& choice, std::size_t number,
                EngineCheck& check) {
    const LayerTile part = source.tile(choice, number);
    std::string name = source.name_of(choice);
    if (!arguments.column)
        for (const NamedArray& array : arrays_of(part, name, check.law(), experiment.read_voltage))
            check.check(array);
    const bool is_whole = experiment.readout_kind == Readout::opamp && check.asks_ngspice();
    if (!is_whole && !arguments.column) return;
    if (arguments.column) {
        (void)part.tile.column(*arguments.column, Polarity::a);  // says which outputs there are
        name += fmt::format(" output {}", *arguments.column);
    }
    WholeCircuit whole =
        whole_of(source, {choice.mapping, choice.layer}, std::move(name), experiment, check);
    whole.tiles = {part};
    whole.output = arguments.column;
    check.check(whole);
}

void check_network(const CheckArguments& arguments, const Experiment& experiment,
                   EngineCheck& check) {
    check_scope(arguments);
    const DrivenTiles source(experiment);
    if (arguments.tile == all) return check_layers(arguments, experiment, source, check);
    const auto tiles = choose_tiles(source.graph(), experiment, arguments);
    const Progress progress = show_progress("check", "tiles");
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        progress(i, tiles.size());
        check_tile(arguments, experiment, source, tiles[i], i, check);
    }
    progress(tiles.size(), tiles.size());
}

/// `check --conductance`.
CheckArguments for_given_array(CheckArguments arguments) {
    if (!arguments.layer.empty() || !arguments.tile.empty() || arguments.column)
        throw InvalidInput("--layer, --tile and --column",
                           "are of a network; --conductance is one array");
    take_array_settings(arguments.settings, arguments.crossbar);
    return arguments;
}

void check_given_array(const CheckArguments& arguments, const Experiment& experiment,
                       EngineCheck& check) {
    const Crossbar crossbar = load_crossbar(arguments.crossbar);
    Eigen::MatrixXd inputs;
    if (arguments.crossbar.input.empty())
        inputs = random_voltages(crossbar.shape().word_lines, read_voltage, experiment.seed);
    else
        inputs = load_inputs(arguments.crossbar.input, crossbar);
    check.check({arguments.crossbar.conductance, crossbar, inputs});
}

std::vector<AgreementRecord> records_of(const EngineCheck& check) {
    std::vector<AgreementRecord> records;
    for (const Checked& result : check.results()) records.push_back(result.record);
    return records;
}

}  // namespace

int run_check(const CheckArguments& given) {
    const bool given_array = !given.crossbar.conductance.empty();
    CheckArguments arguments = given_array ? for_given_array(given) : given;
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (arguments.crossbar.cell == "linear") arguments.crossbar.cell = experiment.cell_law;
    const ThreadLimit threads(experiment.threads);
    EngineCheck check(arguments);
    if (given_array)
        check_given_array(arguments, experiment, check);
    else
        check_network(arguments, experiment, check);

    if (check.results().empty())
        throw Error("nothing was compared: every circuit is too large for ngspice without --large");
    if (!arguments.out.empty())
        write_agreement(arguments.out, records_of(check), to_toml(experiment));
    if (arguments.json)
        print_json(report_json(check));
    else
        print_text(report_text(check));
    if (check.agree()) return 0;
    print_note(fmt::format("engines disagree by more than {:.0e}", check.worst()->tolerance));
    return 1;
}

}  // namespace kirchnet
