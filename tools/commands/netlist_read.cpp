#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/crossbar_file.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/transfer_solver.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/edited_deck.hpp"
#include "tools/input/tile_deck_input.hpp"
#include "tools/output/output.hpp"
#include "tools/reports/deck_report.hpp"

namespace kirchnet {
namespace {

/// What an edited deck is held against.
struct Original {
    ReadTile tile;
    std::string deck;
    DeckTerms terms;

    [[nodiscard]] Compared compared() const {
        return tile.has_weights ? Compared::everything : Compared::arrays;
    }
    [[nodiscard]] const CrossbarOrigin& origin() const { return tile.origin; }
};

std::string write_deck(const Tile& tile, const Eigen::VectorXd& voltages,
                       const TileDeckSettings& settings, bool is_flat) {
    return is_flat ? write_flat_deck(tile, voltages, settings)
                   : write_tile_deck(tile, voltages, settings);
}

Original original_from_file(const NetlistArguments& arguments, const std::string& edited) {
    const std::string& path = arguments.against;
    const DeckDescription description = describe_deck(edited, arguments);
    const TileArraysFile file = read_tile_arrays(path);
    Tile tile = tile_of_arrays(file, path, description.access);
    Eigen::VectorXd voltages = Eigen::VectorXd::Zero(tile.rows());
    CrossbarOrigin origin;  // of no layer
    if (file.origin) {
        origin = *file.origin;
        voltages.head(std::min(origin.read_voltage.size(), voltages.size())) =
            origin.read_voltage.head(std::min(origin.read_voltage.size(), voltages.size()));
    }
    const TileDeckSettings settings{.law = description.law,
                                    .read_voltage = description.read_voltage,
                                    .output = description.output};
    std::string deck = write_deck(tile, voltages, settings, is_flat_deck(edited));
    return {{std::move(tile), file.origin ? name_of(origin.tile) : path, false, origin},
            std::move(deck),
            {description.law, description.read_voltage, description.output}};
}

Original original_from_network(const NetlistArguments& arguments, const std::string& edited) {
    const TileSource source(arguments);
    const TilePlace place = source.place();
    const std::size_t layer = source.graph().find_layer(arguments.layer);
    Tile tile = source.tile(layer, place);
    const Drive drive = source.drive(tile.block());
    TileDeckSettings settings = source.deck(drive, layer);
    if (settings.dialect == Dialect::spice3)
        throw InvalidInput("--read", "takes decks in ngspice's dialect");
    settings.output = output_to_read(edited, arguments);
    std::string deck = write_deck(tile, drive.voltages, settings, is_flat_deck(edited));
    const TileKey key{tile.block().layer, place.row, place.column, place.slice};
    const CrossbarOrigin origin{key, source.settings().mapping, drive.voltages};
    return {{std::move(tile), name_of(key), true, origin},
            std::move(deck),
            {settings.law, settings.read_voltage, settings.output}};
}

bool is_used(const Original& original, const Crossbar& array, Index bit_line) {
    const Tile& tile = original.tile.tile;
    const Index per_output = array.pattern() == ColumnPattern::interleaved ? 2 : 1;
    return bit_line < tile.outputs() * per_output &&
           is_kept(tile, array, bit_line, original.terms.output);
}

std::vector<std::string> ammeters_of(const Original& original) {
    std::vector<std::string> names;
    for (const Crossbar& array : original.tile.tile.arrays())
        for (Index c = 0; c < array.shape().bit_lines; ++c)
            if (is_used(original, array, c))
                names.push_back(
                    fmt::format("vs_{}_{}", to_char(polarity_of(array.pattern(), c)), c));
    return names;
}

/// Column currents of both decks by ngspice, which takes whatever was added.
DeckOutputs solve_by_ngspice(const Original& original, const std::string& edited,
                             const NgspiceSettings& settings) {
    DeckOutputs outputs{.engine = "ngspice", .list = {}};
    std::vector<std::string> wanted;
    const auto ammeters = ammeters_of(original);
    for (const std::string& name : ammeters) wanted.push_back(name + "#branch");
    const auto before = run_operating_point(original.deck, wanted, settings);
    const auto after = run_operating_point(edited, wanted, settings);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        outputs.list.push_back({ammeters[i], before.at(wanted[i]), after.at(wanted[i])});
    return outputs;
}

/// The circuit of a deck of one output, or the array.
Crossbar shown(const Original& original, const Crossbar& array) {
    const auto& output = original.terms.output;
    return output ? column_crossbar(original.tile.tile, array, *output) : array;
}

/// The same by the exact solver, where arrays are all there is.
DeckOutputs solve_exactly(const Original& original, const DeckReading& reading) {
    DeckOutputs outputs{.engine = "transfer", .list = {}};
    TransferSolver solver;
    for (std::size_t i = 0; i < reading.arrays.size(); ++i) {
        const Crossbar array = shown(original, original.tile.tile.arrays()[i]);
        Eigen::VectorXd voltages = Eigen::VectorXd::Zero(array.shape().word_lines);
        voltages.head(original.origin().read_voltage.size()) = original.origin().read_voltage;
        const auto before = solver.solve(array, voltages, Voltages::skip).current;
        const auto after =
            solver.solve(shown(original, reading.arrays[i]), reading.voltages[i], Voltages::skip)
                .current;
        for (Index c = 0; c < array.shape().bit_lines; ++c)
            if (is_used(original, array, c))
                outputs.list.push_back(
                    {fmt::format("vs_{}_{}", to_char(polarity_of(array.pattern(), c)), c),
                     before(c, 0), after(c, 0)});
    }
    return outputs;
}

std::vector<ReadChange> changes_of(const Original& original, const DeckReading& reading) {
    std::vector<ReadChange> changes;
    changes.reserve(reading.changes.size());
    for (const DeckChange& change : reading.changes) changes.push_back({&original.tile, &change});
    return changes;
}

nlohmann::json report_json(const Original& original, const DeckReading& reading,
                           const std::optional<DeckOutputs>& outputs,
                           const std::vector<std::filesystem::path>& files) {
    nlohmann::json object = differences_json(changes_of(original, reading), reading.beyond);
    object["tile"] = original.tile.name;
    object["files"] = nlohmann::json::array();
    for (const auto& file : files) object["files"].push_back(file.string());
    if (!outputs) return object;
    object["engine"] = outputs->engine;
    object["currents"] = outputs_json(*outputs);
    return object;
}

std::vector<std::filesystem::path> save_edited(const NetlistArguments& arguments,
                                               const Original& original,
                                               const DeckReading& reading) {
    if (arguments.save_crossbar.empty()) return {};
    if (!reading.beyond.empty())
        throw InvalidInput(
            "--save-crossbar",
            fmt::format("arrays cannot hold the deck: {}{}", reading.beyond.front(),
                        reading.beyond.size() == 1
                            ? std::string()
                            : fmt::format(", and {} more", reading.beyond.size() - 1)));
    if (original.origin().tile.layer.empty())
        return write_tile_arrays(arguments.save_crossbar, {reading.arrays, std::nullopt});
    CrossbarOrigin origin = original.origin();
    if (origin.read_voltage.size() > 0)
        origin.read_voltage = reading.voltages.front().head(origin.read_voltage.size());
    return write_tile_arrays(arguments.save_crossbar, {reading.arrays, origin});
}

/// What a deck's first line says it is, as far as it names the tile; empty: it was changed.
std::string title_of(const std::string& deck) {
    std::string title = deck.substr(0, deck.find('\n'));
    if (!title.starts_with("* kirchnet tile ") && !title.starts_with("* tile ")) return {};
    while (!title.empty() && (title.back() == '\r' || title.back() == ' ')) title.pop_back();
    return title.substr(0, title.find(" flat"));
}

/// A deck of another tile has the same names, and differs in every cell.
void check_title(const std::string& edited, const Original& original) {
    const std::string title = title_of(edited);
    const std::string expected = title_of(original.deck);
    if (original.origin().tile.layer.empty() || title.empty() || title == expected) return;
    throw InvalidInput("edited deck",
                       fmt::format("is no deck of this tile: its title is '{}', not '{}'",
                                   title.substr(2), expected.substr(2)));
}

}  // namespace

int run_netlist_read(const NetlistArguments& arguments) {
    const std::string edited = read_edited_deck(arguments.deck);
    if (arguments.against.empty() && arguments.layer.empty())
        throw InvalidInput("--read",
                           "what was the deck made from? Name the arrays with --against X.h5, or "
                           "give the network, --layer and --tile with the options of then");
    if (is_layer_deck(edited)) return run_layer_read(arguments, edited);
    if (arguments.tile == "all")
        refuse_deck(arguments.deck, "is no deck of a layer; name the tile with --tile R,C");
    const NgspiceSettings ngspice{{}, arguments.time_limit_s};
    const Original original = arguments.against.empty() ? original_from_network(arguments, edited)
                                                        : original_from_file(arguments, edited);
    DeckReading reading;
    try {
        check_title(edited, original);
        reading = read_deck(edited, original.deck, original.tile.tile, original.compared(), ngspice,
                            original.terms);
    } catch (const InvalidInput& error) {
        refuse_deck(arguments.deck, error.what());
    }
    std::optional<DeckOutputs> outputs;
    const bool is_exact = reading.beyond.empty() && original.terms.law.is_linear() &&
                          original.origin().read_voltage.size() > 0;
    if (arguments.solve)
        outputs = is_exact ? solve_exactly(original, reading)
                           : solve_by_ngspice(original, edited, ngspice);
    const auto files = save_edited(arguments, original, reading);
    if (arguments.json) {
        print_json(report_json(original, reading, outputs, files));
        return 0;
    }
    print_text(differences_text(changes_of(original, reading), reading.beyond.size()) +
               (outputs ? outputs_text(*outputs) : ""));
    for (const auto& file : files) print_note("wrote " + file.string());
    return 0;
}

}  // namespace kirchnet
