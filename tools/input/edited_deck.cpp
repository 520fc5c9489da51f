#include "tools/input/edited_deck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/input/cell_law_input.hpp"
#include "tools/input/network_input.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {
namespace {

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

/// What follows words in a comment of the deck, up to `end`; empty: they are not there.
std::string comment_after(const std::string& deck, std::string_view words, std::string_view end) {
    const std::size_t at = deck.find(fmt::format("\n* {}", words));
    if (at == std::string::npos) return {};
    const std::size_t begin = at + 3 + words.size();
    const std::string line = deck.substr(begin, deck.find('\n', begin) - begin);
    return line.substr(0, line.find(end));
}

CellLaw law_of_comments(const std::string& deck, double read_voltage) {
    std::string law = comment_after(deck, "law       ", ", g at ");
    if (law.empty()) law = comment_after(deck, "but cells of law ", "\r");
    while (law.ends_with('\r') || law.ends_with(' ')) law.pop_back();
    if (law.empty()) return {};
    try {
        return named_cell_law(law, "cells.law", read_voltage);
    } catch (const std::exception& error) {
        throw InvalidInput("--cell", fmt::format("the deck's cells are of law {}, which could not "
                                                 "be had ({}); name it",
                                                 law, error.what()));
    }
}

double voltage_of_comments(const std::string& deck, double otherwise) {
    const std::string text = comment_after(deck, "law       ", "\r");
    const std::size_t at = text.rfind(", g at ");
    return at == std::string::npos ? otherwise : std::strtod(text.c_str() + at + 7, nullptr);
}

AccessResistance access_of_comments(const std::string& deck) {
    const std::string ohm = comment_after(deck, "access    ", " ohm in series");
    if (ohm.empty()) return {};
    return {std::strtod(ohm.c_str(), nullptr),
            deck.find(", made up for: cells show g") != std::string::npos};
}

bool names_key(const NetlistArguments& arguments, std::string_view key) {
    return std::any_of(arguments.settings.begin(), arguments.settings.end(),
                       [&](const auto& setting) { return setting.first == key; });
}

}  // namespace

std::string read_edited_deck(const std::string& path) {
    return with_absolute_includes(read_text(path), path);
}

DeckDescription describe_deck(const std::string& deck, const NetlistArguments& arguments) {
    Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (arguments.read_voltage)
        set_key(experiment, "cells.read_voltage", format_exact(*arguments.read_voltage));
    DeckDescription description;
    const bool is_told = arguments.read_voltage || names_key(arguments, "cells.read_voltage");
    description.read_voltage =
        is_told ? experiment.read_voltage : voltage_of_comments(deck, experiment.read_voltage);
    description.law =
        names_key(arguments, "cells.law")
            ? named_cell_law(experiment.cell_law, "cells.law", description.read_voltage)
            : law_of_comments(deck, description.read_voltage);
    description.access = names_key(arguments, "cells.access_resistance")
                             ? experiment.tile_settings(Mapping::two_column).access
                             : access_of_comments(deck);
    description.output = output_to_read(deck, arguments);
    return description;
}

std::optional<Index> output_to_read(const std::string& deck, const NetlistArguments& arguments) {
    const std::optional<Index> told = output_of_deck(deck);
    if (!arguments.column) return told;
    if (told && *told != *arguments.column)
        throw InvalidInput("--column", fmt::format("is {}, but the deck is of output {}",
                                                   *arguments.column, *told));
    return *arguments.column;
}

void refuse_deck(const std::string& path, const std::string& message) {
    constexpr std::string_view subject = "edited deck: ";
    throw InvalidInput(path,
                       message.starts_with(subject) ? message.substr(subject.size()) : message);
}

Tile tile_of_arrays(const TileArraysFile& file, const std::string& path,
                    const AccessResistance& access) {
    const Crossbar& first = file.arrays.front();
    TileSettings settings;
    settings.array = first.shape();
    settings.unused = Unused::pad;
    settings.wires = first.wires();
    settings.weight_bits = 0;
    settings.access = access;
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

std::filesystem::path layer_tile_path(const std::filesystem::path& path, const TileKey& key) {
    std::filesystem::path result = path;
    result.replace_filename(fmt::format("{}-t{}_{}{}{}", path.stem().string(), key.row, key.column,
                                        key.slice > 0 ? fmt::format("_s{}", key.slice) : "",
                                        path.extension().string()));
    return result;
}

std::string name_of(const TileKey& key) {
    return fmt::format("{} tile {},{}{}", key.layer, key.row, key.column,
                       key.slice > 0 ? fmt::format(" slice {}", key.slice) : "");
}

}  // namespace kirchnet
