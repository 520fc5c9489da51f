// An edited deck of a whole layer against the one that the network gives, or its arrays, tile by
// tile.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "circuit/error.hpp"
#include "circuit/layer_circuit.hpp"
#include "data/crossbar_file.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/circuit_solver.hpp"
#include "tools/checks/circuit_check.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/edited_deck.hpp"
#include "tools/input/tile_deck_input.hpp"
#include "tools/output/output.hpp"
#include "tools/reports/deck_report.hpp"

namespace kirchnet {
namespace {

struct OriginalLayer {
    std::vector<LayerTile> tiles;
    std::vector<ReadTile> read_tiles;  ///< the same, as messages and files have them
    bool has_weights = true;           ///< false: made from arrays alone
    TileDeckSettings settings;
    std::string deck;  ///< as it was written; empty without weights

    [[nodiscard]] const std::string& layer() const { return read_tiles.front().origin.tile.layer; }
};

OriginalLayer original_layer(const NetlistArguments& arguments, bool is_flat) {
    const TileSource source(arguments);
    const std::size_t layer = source.graph().find_layer(arguments.layer);
    OriginalLayer original;
    Drive drive;
    for (const TilePlace& place :
         tile_places(tile_layer(source.graph(), layer, source.settings()))) {
        Tile tile = source.tile(layer, place);
        drive = source.drive(tile.block());
        const TileKey key{tile.block().layer, place.row, place.column, place.slice};
        original.read_tiles.push_back(
            {tile, name_of(key), true, {key, source.settings().mapping, drive.voltages}});
        original.tiles.push_back({std::move(tile), drive.voltages});
    }
    original.settings = source.deck(drive, layer);
    original.deck = is_flat ? write_flat_layer_deck(original.tiles, original.settings)
                            : write_layer_deck(original.tiles, original.settings);
    return original;
}

/// The files that `--tile all --save-crossbar X.h5` wrote: `X-t0_1.h5`, or `-a.h5` and `-b.h5`.
std::vector<std::filesystem::path> files_of_layer(const std::filesystem::path& path) {
    const std::filesystem::path folder =
        path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    static const std::regex ending(R"(-t\d+_\d+(_s\d+)?)");
    std::set<std::filesystem::path> files;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
        std::string stem = entry.path().stem().string();
        if (entry.path().extension() != path.extension()) continue;
        if (stem.ends_with("-a") || stem.ends_with("-b")) stem.resize(stem.size() - 2);
        const std::string start = path.stem().string();
        if (stem.starts_with(start) && std::regex_match(stem.substr(start.size()), ending))
            files.insert(path.parent_path() / (stem + path.extension().string()));
    }
    if (files.empty())
        throw InvalidInput(path.string(),
                           "has no arrays of tiles beside it (-t0_0.h5 and so on), as --tile all "
                           "--save-crossbar writes them with a layer's deck");
    return {files.begin(), files.end()};
}

OriginalLayer layer_of_arrays(const NetlistArguments& arguments, const DeckDescription& deck) {
    OriginalLayer original;
    original.has_weights = false;
    original.settings.law = deck.law;
    original.settings.read_voltage = deck.read_voltage;
    for (const auto& path : files_of_layer(arguments.against)) {
        const TileArraysFile file = read_tile_arrays(path);
        if (!file.origin)
            throw InvalidInput(path.string(), "does not say which tile of which layer it is");
        Tile tile = tile_of_arrays(file, path.string(), deck.access);
        Eigen::VectorXd voltages = Eigen::VectorXd::Zero(tile.rows());
        const Index known = std::min(voltages.size(), file.origin->read_voltage.size());
        voltages.head(known) = file.origin->read_voltage.head(known);
        original.read_tiles.push_back({tile, name_of(file.origin->tile), false, *file.origin});
        original.tiles.push_back({std::move(tile), voltages});
        if (file.origin->tile.layer != original.layer())
            throw InvalidInput(path.string(),
                               fmt::format("is of layer {}, others of {}", file.origin->tile.layer,
                                           original.layer()));
    }
    return original;
}

void check_arguments(const NetlistArguments& arguments) {
    if (arguments.column) throw InvalidInput("--column", "is an output of one tile");
    if (!arguments.input.empty()) throw InvalidInput("--input", "drives one tile");
    if (arguments.solve && !arguments.against.empty())
        throw InvalidInput("--solve",
                           "takes the deck as it was written, which arrays do not tell of a layer; "
                           "give the network with --layer instead of --against");
    if (parse_dialect(arguments.dialect) == Dialect::spice3)
        throw InvalidInput("--read", "takes decks in ngspice's dialect");
}

/// `* kirchnet layer conv2: 6 tiles` and `* layer conv2 flat, 6 tiles; ...`; empty: it was changed.
std::string title_of(const std::string& deck) {
    const std::string title = deck.substr(0, deck.find_first_of("\r\n"));
    if (!title.starts_with("* kirchnet layer ") && !title.starts_with("* layer ")) return {};
    return title.substr(2, title.find(';') - 2);
}

void check_title(const std::string& edited, const OriginalLayer& original) {
    const std::string title = title_of(edited);
    const std::string expected =
        original.has_weights ? title_of(original.deck) : "of layer " + original.layer();
    const bool is_flat = title.starts_with("layer ");
    const bool is_ours =
        original.has_weights
            ? title == expected
            : title.starts_with(fmt::format("{}layer {}{}", is_flat ? "" : "kirchnet ",
                                            original.layer(), is_flat ? " flat," : ":"));
    if (title.empty() || is_ours) return;
    throw InvalidInput("edited deck", fmt::format("is no deck of this layer: its title is '{}', "
                                                  "not '{}'",
                                                  title, expected));
}

std::vector<ReadChange> changes_of(const OriginalLayer& original, const LayerReading& reading) {
    std::vector<ReadChange> changes;
    for (std::size_t i = 0; i < reading.tiles.size(); ++i)
        for (const DeckChange& change : reading.tiles[i].changes)
            changes.push_back({&original.read_tiles[i], &change});
    for (const DeckChange& change : reading.changes) changes.push_back({nullptr, &change});
    return changes;
}

/// What arrays cannot hold, with the tile in front.
std::vector<std::string> beyond_of(const OriginalLayer& original, const LayerReading& reading) {
    std::vector<std::string> beyond;
    for (std::size_t i = 0; i < reading.tiles.size(); ++i)
        for (const std::string& text : reading.tiles[i].beyond)
            beyond.push_back(fmt::format("{}: {}", original.read_tiles[i].name, text));
    beyond.insert(beyond.end(), reading.beyond.begin(), reading.beyond.end());
    return beyond;
}

/// What the deck calls the tiles; slices of weights are numbered where there are several.
std::vector<std::string> labels_of(const OriginalLayer& original) {
    const auto& tiles = original.read_tiles;
    const bool is_sliced = std::any_of(tiles.begin(), tiles.end(), [](const ReadTile& tile) {
        return tile.origin.tile.slice > 0;
    });
    std::vector<std::string> labels;
    labels.reserve(tiles.size());
    for (const ReadTile& tile : tiles) {
        const TileKey& key = tile.origin.tile;
        labels.push_back(fmt::format("t{}_{}{}", key.row, key.column,
                                     is_sliced ? fmt::format("_s{}", key.slice) : ""));
    }
    return labels;
}

/// The layer's sums over its tiles, by name.
std::vector<std::string> sums_of(const OriginalLayer& original) {
    std::set<Index> channels;
    for (const LayerTile& part : original.tiles)
        for (Index j = 0; j < part.tile.outputs(); ++j)
            channels.insert(part.tile.block().first_output_channel + j);
    std::vector<std::string> sums;
    for (const Index channel : channels) sums.push_back(layer_sum_net(channel));
    return sums;
}

/// Both decks by ngspice, which takes whatever was added.
std::vector<DeckOutputChange> solve_by_ngspice(const OriginalLayer& original,
                                               const std::string& edited,
                                               const NgspiceSettings& settings) {
    const auto sums = sums_of(original);
    const auto before = run_operating_point(original.deck, sums, settings);
    const auto after = run_operating_point(edited, sums, settings);
    std::vector<DeckOutputChange> outputs;
    for (const std::string& name : sums) outputs.push_back({name, before.at(name), after.at(name)});
    return outputs;
}

/// The tiles as the edited deck has them.
std::vector<LayerTile> edited_tiles(const OriginalLayer& original, const LayerReading& reading) {
    std::vector<LayerTile> tiles;
    for (std::size_t i = 0; i < original.tiles.size(); ++i) {
        const Tile& tile = original.tiles[i].tile;
        GivenArrays given;
        given.set(original.read_tiles[i].origin.tile, reading.tiles[i].arrays);
        tiles.push_back({Tile(tile.block(), tile.settings(), std::nullopt, std::nullopt, &given),
                         reading.tiles[i].voltages.front().head(tile.rows())});
    }
    return tiles;
}

/// The same by the general solver, where tiles are all there is.
std::vector<DeckOutputChange> solve_exactly(const OriginalLayer& original,
                                            const LayerReading& reading) {
    LayerCircuitSettings how{{}, original.settings.law, original.settings.read_voltage};
    if (original.settings.readout == Readout::opamp) {
        how.readout = original.settings.amplifiers;
        how.readout->circuit.adc = {};
        // An edited deck keeps the R_f that it was written with.
        how.readout->circuit.feedback_resistance =
            shared_feedback(original.tiles, how.readout->circuit);
    }
    const Circuit before = layer_circuit(original.tiles, how);
    const Circuit after = layer_circuit(edited_tiles(original, reading), how);
    const CircuitSolution was = solve_circuit(before);
    const CircuitSolution is = solve_circuit(after);
    std::vector<DeckOutputChange> outputs;
    for (const std::string& name : sums_of(original))
        outputs.push_back({name, voltage_of(before, was, name), voltage_of(after, is, name)});
    return outputs;
}

/// Sums of the layer's outputs over its tiles, of both decks. A flat deck drives each array by
/// itself and gates in a user's table are elsewhere than in decks: both are left to ngspice.
DeckOutputs solve(const OriginalLayer& original, const std::string& edited,
                  const LayerReading& reading, const NgspiceSettings& settings) {
    const bool is_ours = beyond_of(original, reading).empty() && !is_flat_deck(edited) &&
                         !has_gate_in_table(original.settings.law);
    DeckOutputs outputs{.engine = is_ours ? whole_circuit : "ngspice",
                        .list = is_ours ? solve_exactly(original, reading)
                                        : solve_by_ngspice(original, edited, settings)};
    outputs.title = "sums over the tiles";
    outputs.word = "output";
    if (original.settings.readout == Readout::opamp) outputs.unit = "V";
    return outputs;
}

/// The arrays of every tile that was changed.
/// @return  files as `--arrays` takes them
std::vector<std::filesystem::path> save_edited(const NetlistArguments& arguments,
                                               const OriginalLayer& original,
                                               const LayerReading& reading) {
    std::vector<std::filesystem::path> files;
    if (arguments.save_crossbar.empty()) return files;
    const auto beyond = beyond_of(original, reading);
    if (!beyond.empty())
        throw InvalidInput(
            "--save-crossbar",
            fmt::format("arrays cannot hold the deck: {}{}", beyond.front(),
                        beyond.size() == 1 ? std::string()
                                           : fmt::format(", and {} more", beyond.size() - 1)));
    for (std::size_t i = 0; i < reading.tiles.size(); ++i) {
        const ReadTile& tile = original.read_tiles[i];
        if (reading.tiles[i].arrays == tile.tile.arrays()) continue;
        CrossbarOrigin origin = tile.origin;
        origin.read_voltage = reading.tiles[i].voltages.front().head(origin.read_voltage.size());
        files.push_back(layer_tile_path(arguments.save_crossbar, origin.tile));
        (void)write_tile_arrays(files.back(), {reading.tiles[i].arrays, origin});
    }
    return files;
}

void report_files(const NetlistArguments& arguments,
                  const std::vector<std::filesystem::path>& files) {
    if (arguments.save_crossbar.empty()) return;
    if (files.empty()) return print_note("no array was changed, so none was written");
    std::string list;
    for (const auto& file : files) list += (list.empty() ? "" : ",") + file.string();
    print_note(fmt::format("wrote the arrays of {} tile{}: --arrays {}", files.size(),
                           files.size() == 1 ? "" : "s", list));
}

}  // namespace

int run_layer_read(const NetlistArguments& arguments, const std::string& edited) {
    check_arguments(arguments);
    const OriginalLayer original =
        arguments.against.empty() ? original_layer(arguments, is_flat_deck(edited))
                                  : layer_of_arrays(arguments, describe_deck(edited, arguments));
    const NgspiceSettings ngspice{{}, arguments.time_limit_s};
    LayerReading reading;
    try {
        check_title(edited, original);
        const DeckTerms terms{original.settings.law, original.settings.read_voltage};
        reading =
            original.has_weights
                ? read_layer_deck(edited, original.deck, original.tiles, ngspice, terms)
                : read_layer_arrays(edited, original.tiles, labels_of(original), ngspice, terms);
    } catch (const InvalidInput& error) {
        refuse_deck(arguments.deck, error.what());
    }
    const auto changes = changes_of(original, reading);
    const auto beyond = beyond_of(original, reading);
    std::optional<DeckOutputs> outputs;
    if (arguments.solve) outputs = solve(original, edited, reading, ngspice);
    const auto files = save_edited(arguments, original, reading);
    if (!arguments.json) {
        print_text(differences_text(changes, beyond.size()) +
                   (outputs ? outputs_text(*outputs) : ""));
        report_files(arguments, files);
        return 0;
    }
    nlohmann::json object = differences_json(changes, beyond);
    object["layer"] = original.layer();
    object["files"] = nlohmann::json::array();
    for (const auto& file : files) object["files"].push_back(file.string());
    if (outputs) {
        object["engine"] = outputs->engine;
        object["outputs"] = outputs_json(*outputs);
    }
    print_json(object);
    return 0;
}

}  // namespace kirchnet
