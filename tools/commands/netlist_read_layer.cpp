// An edited deck of a whole layer against the one that the network gives, tile by tile.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "circuit/error.hpp"
#include "data/crossbar_file.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/ngspice_session.hpp"
#include "tools/commands.hpp"
#include "tools/deck_report.hpp"
#include "tools/edited_deck.hpp"
#include "tools/output.hpp"
#include "tools/tile_deck_input.hpp"

namespace kirchnet {
namespace {

struct OriginalLayer {
    std::vector<LayerTile> tiles;
    std::vector<ReadTile> read_tiles;  ///< the same, as messages and files have them
    TileDeckSettings settings;
    std::string deck;

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
    original.settings = source.deck(drive);
    original.deck = is_flat ? write_flat_layer_deck(original.tiles, original.settings)
                            : write_layer_deck(original.tiles, original.settings);
    return original;
}

void check_arguments(const NetlistArguments& arguments) {
    if (!arguments.against.empty())
        throw InvalidInput("--against",
                           "holds one tile; a layer's deck is held against the network: give it "
                           "with --layer and the options of then");
    if (arguments.column) throw InvalidInput("--column", "is an output of one tile");
    if (!arguments.input.empty()) throw InvalidInput("--input", "drives one tile");
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
    const std::string expected = title_of(original.deck);
    if (title.empty() || title == expected) return;
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

/// Sums of the layer's outputs over its tiles, of both decks.
DeckOutputs solve(const OriginalLayer& original, const std::string& edited,
                  const NgspiceSettings& settings) {
    std::set<Index> channels;
    for (const LayerTile& part : original.tiles)
        for (Index j = 0; j < part.tile.outputs(); ++j)
            channels.insert(part.tile.block().first_output_channel + j);
    std::vector<std::string> wanted;
    for (const Index channel : channels) wanted.push_back(fmt::format("y_{}", channel));
    const auto before = run_operating_point(original.deck, wanted, settings);
    const auto after = run_operating_point(edited, wanted, settings);
    DeckOutputs outputs{.engine = "ngspice", .list = {}};
    outputs.title = "sums over the tiles";
    outputs.word = "output";
    if (original.settings.readout == Readout::opamp) outputs.unit = "V";
    for (const std::string& name : wanted)
        outputs.list.push_back({name, before.at(name), after.at(name)});
    return outputs;
}

/// `edited.h5` -> `edited-t0_1.h5`
std::filesystem::path path_of(const std::filesystem::path& path, const TileKey& key) {
    std::filesystem::path result = path;
    result.replace_filename(fmt::format("{}-t{}_{}{}{}", path.stem().string(), key.row, key.column,
                                        key.slice > 0 ? fmt::format("_s{}", key.slice) : "",
                                        path.extension().string()));
    return result;
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
        files.push_back(path_of(arguments.save_crossbar, origin.tile));
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
    const OriginalLayer original = original_layer(arguments, is_flat_deck(edited));
    const NgspiceSettings ngspice{{}, arguments.time_limit_s};
    LayerReading reading;
    try {
        check_title(edited, original);
        reading = read_layer_deck(edited, original.deck, original.tiles, ngspice,
                                  {original.settings.law, original.settings.read_voltage});
    } catch (const InvalidInput& error) {
        refuse_deck(arguments.deck, error.what());
    }
    const auto changes = changes_of(original, reading);
    const auto beyond = beyond_of(original, reading);
    std::optional<DeckOutputs> outputs;
    if (arguments.solve) outputs = solve(original, edited, ngspice);
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
