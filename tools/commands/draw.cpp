// One tile, or a given array, as pictures: its circuit, and heat maps of its operating point.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "data/atomic_file.hpp"
#include "data/matrix_file.hpp"
#include "nn/detail/readout_fold.hpp"
#include "nn/tiling.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/crossbar_input.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/plots/schematic.hpp"
#include "tools/reports/array_maps.hpp"

namespace kirchnet {
namespace {

constexpr double default_voltage = 0.2;  // [V]

/// What is drawn: arrays with what drives them, and how their bit lines are read.
struct Subject {
    std::string name;    ///< `layer1.0.conv1 tile 0,1, two_column`
    std::string driven;  ///< `every word line at 0.2 V`
    std::vector<Crossbar> arrays;
    Eigen::VectorXd inputs;  ///< [V], [word_lines]
    std::vector<SchematicOutput> outputs;
    Readout readout = Readout::ideal;
    SubtractorCircuit circuit;
};

struct Wanted {
    bool schematic = false;
    bool schematic_if_it_fits = false;
    std::vector<CellQuantity> maps;
};

Wanted parse_wanted(const std::string& list) {
    Wanted wanted;
    if (list == "all") {
        wanted.schematic_if_it_fits = true;
        wanted.maps = all_cell_quantities();
        return wanted;
    }
    std::istringstream names(list);
    for (std::string name; std::getline(names, name, ',');) {
        if (name == "schematic")
            wanted.schematic = true;
        else
            wanted.maps.push_back(parse_cell_quantity(name));
    }
    if (!wanted.schematic && wanted.maps.empty())
        throw InvalidInput("--what", "names nothing to draw");
    return wanted;
}

// ---- A tile of a network ----

Eigen::VectorXd used_inputs(const DrawArguments& arguments, const Experiment& experiment,
                            const Graph& graph, const WeightBlock& block, std::string& driven) {
    const Index rows = block.weights.rows();
    if (!arguments.crossbar.input.empty()) {
        const Eigen::MatrixXd values = read_matrix(arguments.crossbar.input);
        if (values.size() != rows)
            throw InvalidInput(arguments.crossbar.input,
                               fmt::format("{} read voltages, but the tile uses {} word lines",
                                           values.size(), rows));
        driven = "read voltages of " + arguments.crossbar.input;
        return values.reshaped();
    }
    const double full = experiment.read_voltage;
    if (experiment.data.empty()) {
        driven = fmt::format("every used word line at {}", format_quantity(full, "V"));
        return Eigen::VectorXd::Constant(rows, full);
    }
    const ImageDrive drive(graph, experiment);
    if (!drive.images().note.empty()) print_note(drive.images().note);
    driven = fmt::format("image {}, output position {}", arguments.image, arguments.position);
    if (drive.reads(block.layer).size() > 1)
        driven += fmt::format(", read {}", arguments.input_read);
    return drive.voltages(block, arguments.image, arguments.position, full, arguments.input_read);
}

std::vector<SchematicOutput> outputs_of(const Tile& tile) {
    const auto place = [](const TileColumn& column) {
        return SchematicColumn{column.array, column.bit_line};
    };
    std::vector<SchematicOutput> outputs;
    if (!tile.has_subtractors()) return outputs;
    for (Index j = 0; j < tile.outputs(); ++j)
        outputs.push_back({fmt::format("sub_{}", j), place(tile.column(j, Polarity::a)),
                           place(tile.column(j, Polarity::b))});
    return outputs;
}

/// R_f as inference would take it.
SubtractorCircuit circuit_of(const Experiment& experiment, const Graph& graph, std::size_t layer,
                             const TileSettings& settings) {
    LinearReadout readout = experiment.readout;
    readout.read_voltage = experiment.read_voltage;
    SubtractorCircuit circuit = readout.circuit;
    circuit.feedback_resistance = detail::layer_feedback(graph, layer, settings, readout);
    return circuit;
}

Subject subject_of_network(const DrawArguments& arguments) {
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (!arguments.crossbar.input.empty() && !experiment.data.empty())
        throw InvalidInput("--input", "give read voltages or an image, not both");
    if (experiment.cell_law != "linear")
        throw InvalidInput("cells.law",
                           "tiles are drawn with linear cells; for others give an array: "
                           "--conductance G.csv --cell " +
                               experiment.cell_law);
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    if (arguments.layer.empty())
        throw InvalidInput("--layer", "name a layer, as 'kirchnet info' lists them");
    const Mapping mapping = choose_mapping(arguments.mapping, experiment);
    const TileSettings settings = experiment.tile_settings(mapping);
    const auto [row, column] = parse_tile(arguments.tile);
    const std::size_t layer = graph.find_layer(arguments.layer);
    const WeightBlock block = weight_block(graph, layer, settings, row, column, arguments.slice);
    Subject subject;
    const Eigen::VectorXd used = used_inputs(arguments, experiment, graph, block, subject.driven);
    const Tile tile(block, settings, experiment.fault_source(), experiment.device_draw(),
                    load_given_arrays(graph, experiment, mapping).get());
    subject.name = fmt::format("{} tile {}, {}", arguments.layer,
                               to_string(TilePlace{row, column, arguments.slice}, settings),
                               to_string(mapping));
    subject.arrays = tile.arrays();
    subject.inputs = Eigen::VectorXd::Zero(tile.arrays().front().shape().word_lines);
    subject.inputs.head(used.size()) = used;
    subject.outputs = outputs_of(tile);
    subject.readout =
        arguments.readout.empty() ? experiment.readout_kind : parse_readout(arguments.readout);
    if (subject.readout == Readout::opamp)
        subject.circuit = circuit_of(experiment, graph, layer, settings);
    return subject;
}

// ---- A given array ----

Subject subject_of_array(DrawArguments arguments) {
    take_array_settings(arguments.settings, arguments.crossbar);
    if (!arguments.layer.empty() || !arguments.mapping.empty() || !arguments.readout.empty())
        throw InvalidInput("--conductance",
                           "a given array has no layer, mapping or read-out to choose");
    Subject subject;
    const Crossbar crossbar = load_crossbar(arguments.crossbar);
    subject.arrays = {crossbar};
    subject.name = arguments.crossbar.conductance;
    if (arguments.crossbar.input.empty()) {
        subject.inputs = Eigen::VectorXd::Constant(crossbar.shape().word_lines, default_voltage);
        subject.driven =
            fmt::format("every word line at {}", format_quantity(default_voltage, "V"));
        return subject;
    }
    const Eigen::MatrixXd inputs = load_inputs(arguments.crossbar.input, crossbar);
    const auto chosen = static_cast<Index>(arguments.input_read);
    if (chosen >= inputs.cols())
        throw InvalidInput(
            "--input-read",
            fmt::format("{}, but {} holds {} input{} (0 to {})", chosen, arguments.crossbar.input,
                        inputs.cols(), inputs.cols() == 1 ? "" : "s", inputs.cols() - 1));
    subject.inputs = inputs.col(chosen);
    subject.driven = fmt::format("input {} of {}", chosen, arguments.crossbar.input);
    return subject;
}

// ---- Pictures ----

struct NamedPicture {
    std::string name;  ///< behind the prefix: `-a-ir_drop`
    std::string svg;
};

std::string draw_schematic(const Subject& subject) {
    return schematic({.title = fmt::format("{}; {}", subject.name, subject.driven),
                      .arrays = subject.arrays,
                      .inputs = subject.inputs,
                      .outputs = subject.outputs,
                      .readout = subject.readout,
                      .circuit = subject.circuit});
}

bool fits_schematic(const Subject& subject) {
    return std::all_of(subject.arrays.begin(), subject.arrays.end(), [](const Crossbar& array) {
        return std::max(array.shape().word_lines, array.shape().bit_lines) <= largest_schematic;
    });
}

std::vector<NamedPicture> draw_maps(const Subject& subject, const Wanted& wanted,
                                    std::optional<Index> bit_line) {
    std::vector<NamedPicture> pictures;
    if (wanted.maps.empty()) return pictures;
    for (const Crossbar& array : subject.arrays) {
        const DrivenArray driven(array, subject.inputs);
        for (const auto& warning : driven.warnings()) print_note(warning);
        const bool is_pair = subject.arrays.size() > 1;
        const std::string letters(array_letters(array.pattern()));
        for (const CellQuantity quantity : wanted.maps) {
            HeatMap map = driven.map(quantity, bit_line.value_or(-1));
            std::string words(to_string(quantity));
            std::replace(words.begin(), words.end(), '_', ' ');
            if (quantity == CellQuantity::ir_drop) words = "IR drop";
            map.title = fmt::format("{} of {}{}; {}", words, subject.name,
                                    is_pair ? ", array " + letters : "", subject.driven);
            map.title.front() = static_cast<char>(std::toupper(map.title.front()));
            pictures.push_back(
                {fmt::format("{}-{}", is_pair ? "-" + letters : "", to_string(quantity)),
                 heat_map(map)});
        }
    }
    return pictures;
}

/// `FILE.svg` of a single picture, else `PREFIX-NAME.svg`.
std::string file_of(const std::string& out, const NamedPicture& picture, bool is_alone) {
    constexpr std::string_view ending = ".svg";
    if (!out.ends_with(ending)) return out + picture.name + std::string(ending);
    if (is_alone) return out;
    return out.substr(0, out.size() - ending.size()) + picture.name + std::string(ending);
}

}  // namespace

int run_draw(const DrawArguments& arguments) {
    const Wanted wanted = parse_wanted(arguments.what);
    const bool is_given = !arguments.crossbar.conductance.empty();
    const Subject subject = is_given ? subject_of_array(arguments) : subject_of_network(arguments);
    std::vector<NamedPicture> pictures;
    if (wanted.schematic || (wanted.schematic_if_it_fits && fits_schematic(subject)))
        pictures.push_back({"-schematic", draw_schematic(subject)});
    for (NamedPicture& picture : draw_maps(subject, wanted, arguments.bit_line))
        pictures.push_back(std::move(picture));
    std::string written;
    for (const NamedPicture& picture : pictures) {
        const std::string file = file_of(arguments.out, picture, pictures.size() == 1);
        write_text_atomically(file, picture.svg);
        written += file + "\n";
    }
    if (arguments.what == "all" && !fits_schematic(subject))
        print_note(fmt::format("no schematic: arrays above {0} x {0} cannot be read in one",
                               largest_schematic));
    print_text(written);
    return 0;
}

}  // namespace kirchnet
