#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/crossbar_file.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/transfer_solver.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/tile_deck_input.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t most_told = 20;  // of a kind, in words; --json tells all

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path)) throw InvalidInput(path, "cannot be opened");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// `.include` and `.lib` of relative paths, which mean the deck's folder; ngspice runs elsewhere.
std::string with_absolute_includes(const std::string& text, const std::string& path) {
    const auto folder = std::filesystem::absolute(path).parent_path();
    std::string result;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        static const std::regex include(R"(^\s*(\.inc(?:lude)?|\.lib)\s+["']?([^"'\s]+)["']?(.*)$)",
                                        std::regex::icase);
        std::smatch found;
        if (line.size() < 4096 && !line.empty() && line.find('.') != std::string::npos &&
            (line[line.find_first_not_of(" \t")] == '.') && std::regex_match(line, found, include))
            line =
                fmt::format("{} \"{}\"{}", found[1].str(),
                            (folder / found[2].str()).lexically_normal().string(), found[3].str());
        result += line + "\n";
    }
    return result;
}

/// What an edited deck is held against.
struct Original {
    Tile tile;
    std::string deck;
    Compared compared;
    CrossbarOrigin origin;
    std::string name;  ///< `layer1.0.conv1 tile 0,1`
};

std::string name_of(const TileKey& key) {
    return fmt::format("{} tile {},{}{}", key.layer, key.row, key.column,
                       key.slice > 0 ? fmt::format(" slice {}", key.slice) : "");
}

/// A tile that holds given arrays and nothing else; its weights say nothing.
Tile tile_of(const TileArraysFile& file, const std::string& path) {
    const Crossbar& first = file.arrays.front();
    TileSettings settings;
    settings.array = first.shape();
    settings.unused = Unused::pad;
    settings.wires = first.wires();
    settings.weight_bits = 0;
    const bool is_interleaved = first.pattern() == ColumnPattern::interleaved;
    if (is_interleaved) settings.layout = Layout::interleaved;
    if (file.arrays.size() == 1 && !is_interleaved) settings.mapping = Mapping::offset;
    if (first.pattern() == ColumnPattern::all_b)
        throw InvalidInput(path, "is array b alone; name the file without its -b, beside -a");
    const Index outputs = is_interleaved ? first.shape().bit_lines / 2 : first.shape().bit_lines;
    WeightBlock block;
    if (file.origin) {
        block.layer = file.origin->tile.layer;
        block.tile_row = file.origin->tile.row;
        block.tile_column = file.origin->tile.column;
    } else {
        block.layer = path;
    }
    block.weights = Eigen::MatrixXd::Zero(first.shape().word_lines, outputs);
    block.inputs.resize(static_cast<std::size_t>(first.shape().word_lines));
    GivenArrays given;
    given.set({block.layer, block.tile_row, block.tile_column, 0}, file.arrays);
    return {block, settings, std::nullopt, std::nullopt, &given};
}

std::string write_deck(const Tile& tile, const Eigen::VectorXd& voltages,
                       const TileDeckSettings& settings, bool is_flat) {
    return is_flat ? write_flat_deck(tile, voltages, settings)
                   : write_tile_deck(tile, voltages, settings);
}

Original original_from_file(const std::string& path, bool is_flat) {
    const TileArraysFile file = read_tile_arrays(path);
    Tile tile = tile_of(file, path);
    Eigen::VectorXd voltages = Eigen::VectorXd::Zero(tile.rows());
    CrossbarOrigin origin;  // of no layer
    if (file.origin) {
        origin = *file.origin;
        voltages.head(std::min(origin.read_voltage.size(), voltages.size())) =
            origin.read_voltage.head(std::min(origin.read_voltage.size(), voltages.size()));
    }
    std::string deck = write_deck(tile, voltages, {}, is_flat);
    return {std::move(tile), std::move(deck), Compared::arrays, origin,
            file.origin ? name_of(origin.tile) : path};
}

Original original_from_network(const NetlistArguments& arguments, bool is_flat) {
    if (arguments.layer.empty())
        throw InvalidInput("--read",
                           "what was the deck made from? Name the arrays with --against X.h5, or "
                           "give the network, --layer and --tile with the options of then");
    const TileSource source(arguments);
    const TilePlace place = source.place();
    Tile tile = source.tile(source.graph().find_layer(arguments.layer), place);
    const Drive drive = source.drive(tile.block());
    TileDeckSettings settings = source.deck(drive);
    if (settings.dialect == Dialect::spice3 || arguments.column)
        throw InvalidInput("--read", "takes decks of whole tiles in ngspice's dialect");
    std::string deck = write_deck(tile, drive.voltages, settings, is_flat);
    const TileKey key{tile.block().layer, place.row, place.column, place.slice};
    const CrossbarOrigin origin{key, source.settings().mapping, drive.voltages};
    return {std::move(tile), std::move(deck), Compared::everything, origin, name_of(key)};
}

std::string quantity(double value, const char* unit) {
    return std::isinf(value) ? std::string("open") : fmt::format("{:.6g} {}", value, unit);
}

/// `3.2e-05 -> 1e-06 S`
std::string step_of(const DeckChange& change) {
    const char* unit = change.kind == DeckChangeKind::cell     ? "S"
                       : change.kind == DeckChangeKind::source ? "V"
                                                               : "ohm";
    if (!change.before && change.after) return "now " + quantity(*change.after, unit);
    if (change.before && change.after) {
        const std::string before = quantity(*change.before, "");
        std::string text = fmt::format("{}-> {}", before, quantity(*change.after, unit));
        if (std::isinf(*change.before))
            text = fmt::format("open -> {}", quantity(*change.after, unit));
        return text;
    }
    return fmt::format("now '{}'", change.text_after);
}

/// Where a cell sits and which weight it holds.
std::string cell_words(const Original& original, const CellPosition& at) {
    return fmt::format("{} w{} b{} {}", original.name, at.word_line, at.bit_line,
                       to_char(at.polarity));
}

std::string weight_words(const Original& original, const CellPosition& at) {
    if (original.compared == Compared::arrays) return {};
    const CellMeaning cell = original.tile.meaning(at);
    const auto* address = std::get_if<CellAddress>(&cell.identity);
    if (address == nullptr) return cell.is_reference ? "reference cell, " : "pad, ";
    return fmt::format("oc={} ic={} ky={} kx={}, ", address->output_channel, address->input_channel,
                       address->kernel_y, address->kernel_x);
}

std::string line_words(const DeckChange& change) {
    return change.line == 0 ? std::string("no line any more") : fmt::format("line {}", change.line);
}

std::string describe(const Original& original, const DeckChange& change) {
    const std::string where = line_words(change);
    switch (change.kind) {
        case DeckChangeKind::cell:
            return fmt::format("{}: {} ({}{}, {})", cell_words(original, *change.cell),
                               step_of(change), weight_words(original, *change.cell), change.name,
                               where);
        case DeckChangeKind::segment:
        case DeckChangeKind::driver:
        case DeckChangeKind::sense:
        case DeckChangeKind::source:
            return fmt::format("{} {}: {} ({})", original.name, change.name, step_of(change),
                               where);
        case DeckChangeKind::rewired:
            return fmt::format("{} {}: was between {}, now {} ({})", original.name, change.name,
                               change.text_before, change.text_after, where);
        case DeckChangeKind::renamed:
            return fmt::format("{} {}: is called {} now ({})", original.name, change.name,
                               change.text_after, where);
        case DeckChangeKind::device:
            return fmt::format("{}: '{}' -> '{}' ({})", change.name, change.text_before,
                               change.text_after, where);
        case DeckChangeKind::missing:
            return fmt::format("{}: is gone, was '{}'", change.name, change.text_before);
        case DeckChangeKind::added:
            return fmt::format("{}: '{}' ({})", change.name, change.text_after, where);
        case DeckChangeKind::parameter:
        case DeckChangeKind::subcircuit:
            break;
    }
    return fmt::format("{}: '{}' -> '{}' ({})", change.name, change.text_before, change.text_after,
                       where);
}

std::string counted(DeckChangeKind kind, std::size_t count) {
    static const std::map<DeckChangeKind, std::pair<const char*, const char*>> words{
        {DeckChangeKind::cell, {"cell changed", "cells changed"}},
        {DeckChangeKind::segment, {"wire segment changed", "wire segments changed"}},
        {DeckChangeKind::driver, {"driver changed", "drivers changed"}},
        {DeckChangeKind::sense, {"read-out input changed", "read-out inputs changed"}},
        {DeckChangeKind::source, {"read voltage changed", "read voltages changed"}},
        {DeckChangeKind::rewired, {"part rewired", "parts rewired"}},
        {DeckChangeKind::renamed, {"part renamed", "parts renamed"}},
        {DeckChangeKind::device, {"read-out device changed", "read-out devices changed"}},
        {DeckChangeKind::missing, {"read-out device missing", "read-out devices missing"}},
        {DeckChangeKind::added, {"device added", "devices added"}},
        {DeckChangeKind::parameter, {"parameter changed", "parameters changed"}},
        {DeckChangeKind::subcircuit, {"subcircuit changed", "subcircuits changed"}}};
    const auto& [one, many] = words.at(kind);
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::map<DeckChangeKind, std::vector<const DeckChange*>> by_kind(const DeckReading& reading) {
    std::map<DeckChangeKind, std::vector<const DeckChange*>> kinds;
    for (const DeckChange& change : reading.changes) kinds[change.kind].push_back(&change);
    return kinds;
}

std::string report_text(const Original& original, const DeckReading& reading) {
    if (reading.changes.empty()) return "no difference\n";
    std::string text;
    for (const auto& [kind, changes] : by_kind(reading)) {
        text += counted(kind, changes.size()) + ":\n";
        for (std::size_t i = 0; i < std::min(most_told, changes.size()); ++i)
            text += "  " + describe(original, *changes[i]) + "\n";
        if (changes.size() > most_told)
            text += fmt::format("  and {} more; --json tells all\n", changes.size() - most_told);
    }
    if (!reading.beyond.empty())
        text += fmt::format("{} beyond what arrays can hold: only ngspice can solve this deck\n",
                            reading.beyond.size() == 1
                                ? std::string("one of them is")
                                : fmt::format("{} of them are", reading.beyond.size()));
    return text;
}

struct OutputChange {
    std::string name;
    double before = 0;
    double after = 0;
};

struct Outputs {
    std::string engine;
    std::vector<OutputChange> list;
};

bool is_used(const Tile& tile, const Crossbar& array, Index bit_line) {
    const Index per_output = array.pattern() == ColumnPattern::interleaved ? 2 : 1;
    return bit_line < tile.outputs() * per_output;
}

std::vector<std::string> ammeters_of(const Tile& tile) {
    std::vector<std::string> names;
    for (const Crossbar& array : tile.arrays())
        for (Index c = 0; c < array.shape().bit_lines; ++c)
            if (is_used(tile, array, c))
                names.push_back(
                    fmt::format("vs_{}_{}", to_char(polarity_of(array.pattern(), c)), c));
    return names;
}

/// Column currents of both decks by ngspice, which takes whatever was added.
Outputs solve_by_ngspice(const Original& original, const std::string& edited,
                         const NgspiceSettings& settings) {
    Outputs outputs{"ngspice", {}};
    std::vector<std::string> wanted;
    const auto ammeters = ammeters_of(original.tile);
    for (const std::string& name : ammeters) wanted.push_back(name + "#branch");
    const auto before = run_operating_point(original.deck, wanted, settings);
    const auto after = run_operating_point(edited, wanted, settings);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        outputs.list.push_back({ammeters[i], before.at(wanted[i]), after.at(wanted[i])});
    return outputs;
}

/// The same by the exact solver, where arrays are all there is.
Outputs solve_exactly(const Original& original, const DeckReading& reading) {
    Outputs outputs{"transfer", {}};
    TransferSolver solver;
    for (std::size_t i = 0; i < reading.arrays.size(); ++i) {
        const Crossbar& array = original.tile.arrays()[i];
        Eigen::VectorXd voltages = Eigen::VectorXd::Zero(array.shape().word_lines);
        voltages.head(original.origin.read_voltage.size()) = original.origin.read_voltage;
        const auto before = solver.solve(array, voltages, Voltages::skip).current;
        const auto after =
            solver.solve(reading.arrays[i], reading.voltages[i], Voltages::skip).current;
        for (Index c = 0; c < array.shape().bit_lines; ++c)
            if (is_used(original.tile, array, c))
                outputs.list.push_back(
                    {fmt::format("vs_{}_{}", to_char(polarity_of(array.pattern(), c)), c),
                     before(c, 0), after(c, 0)});
    }
    return outputs;
}

std::string outputs_text(const Outputs& outputs) {
    TextTable table({"column", "was [A]", "is [A]", "change"});
    for (const OutputChange& output : outputs.list)
        table.add({output.name, fmt::format("{:.9g}", output.before),
                   fmt::format("{:.9g}", output.after),
                   output.before == 0
                       ? std::string("-")
                       : fmt::format("{:+.3g} %", 100 * (output.after / output.before - 1))});
    return fmt::format("\ncolumn currents by {}:\n{}", outputs.engine, table.markdown());
}

nlohmann::json number_or_null(const std::optional<double>& value) {
    if (!value) return nullptr;
    if (std::isinf(*value)) return "open";
    return *value;
}

nlohmann::json change_json(const Original& original, const DeckChange& change) {
    nlohmann::json object{{"kind", to_string(change.kind)},
                          {"name", change.name},
                          {"before", number_or_null(change.before)},
                          {"after", number_or_null(change.after)},
                          {"line", change.line},
                          {"words", describe(original, change)}};
    if (!change.text_before.empty()) object["text_before"] = change.text_before;
    if (!change.text_after.empty()) object["text_after"] = change.text_after;
    if (change.cell)
        object["cell"] = {{"word_line", change.cell->word_line},
                          {"bit_line", change.cell->bit_line},
                          {"polarity", std::string(1, to_char(change.cell->polarity))}};
    return object;
}

nlohmann::json report_json(const Original& original, const DeckReading& reading,
                           const std::optional<Outputs>& outputs,
                           const std::vector<std::filesystem::path>& files) {
    auto changes = nlohmann::json::array();
    for (const DeckChange& change : reading.changes)
        changes.push_back(change_json(original, change));
    nlohmann::json counts = nlohmann::json::object();
    for (const auto& [kind, list] : by_kind(reading))
        counts[std::string(to_string(kind))] = list.size();
    nlohmann::json object{{"tile", original.name},
                          {"differences", changes},
                          {"counts", counts},
                          {"beyond_arrays", reading.beyond}};
    object["files"] = nlohmann::json::array();
    for (const auto& file : files) object["files"].push_back(file.string());
    if (!outputs) return object;
    object["engine"] = outputs->engine;
    for (const OutputChange& output : outputs->list)
        object["currents"].push_back(
            {{"column", output.name}, {"before", output.before}, {"after", output.after}});
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
    if (original.origin.tile.layer.empty())
        return write_tile_arrays(arguments.save_crossbar, {reading.arrays, std::nullopt});
    CrossbarOrigin origin = original.origin;
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
    if (edited.find("\n* scope     output ") != std::string::npos)
        throw InvalidInput(
            "edited deck",
            "is a deck of one column (--column); decks of whole tiles are read back");
    const std::string title = title_of(edited);
    const std::string expected = title_of(original.deck);
    if (original.origin.tile.layer.empty() || title.empty() || title == expected) return;
    throw InvalidInput("edited deck",
                       fmt::format("is no deck of this tile: its title is '{}', not '{}'",
                                   title.substr(2), expected.substr(2)));
}

}  // namespace

int run_netlist_read(const NetlistArguments& arguments) {
    const std::string edited = with_absolute_includes(read_text(arguments.deck), arguments.deck);
    const bool is_flat = is_flat_deck(edited);
    const NgspiceSettings ngspice{{}, arguments.time_limit_s};
    const Original original = arguments.against.empty()
                                  ? original_from_network(arguments, is_flat)
                                  : original_from_file(arguments.against, is_flat);
    DeckReading reading;
    try {
        check_title(edited, original);
        reading = read_deck(edited, original.deck, original.tile, original.compared, ngspice);
    } catch (const InvalidInput& error) {
        std::string what = error.what();
        if (what.starts_with("edited deck: ")) what.erase(0, 13);
        throw InvalidInput(arguments.deck, what);
    }
    std::optional<Outputs> outputs;
    if (arguments.solve)
        outputs = reading.beyond.empty() && original.origin.read_voltage.size() > 0
                      ? solve_exactly(original, reading)
                      : solve_by_ngspice(original, edited, ngspice);
    const auto files = save_edited(arguments, original, reading);
    if (arguments.json) {
        print_json(report_json(original, reading, outputs, files));
        return 0;
    }
    print_text(report_text(original, reading) + (outputs ? outputs_text(*outputs) : ""));
    for (const auto& file : files) print_note("wrote " + file.string());
    return 0;
}

}  // namespace kirchnet
