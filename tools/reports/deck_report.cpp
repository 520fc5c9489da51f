#include "tools/reports/deck_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t most_told = 20;  // of a kind, in words; --json tells all

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
std::string cell_words(const ReadTile& tile, const CellPosition& at) {
    return fmt::format("{} w{} b{} {}", tile.name, at.word_line, at.bit_line, to_char(at.polarity));
}

std::string weight_words(const ReadTile& tile, const CellPosition& at) {
    if (!tile.has_weights) return {};
    const CellMeaning cell = tile.tile.meaning(at);
    const auto* address = std::get_if<CellAddress>(&cell.identity);
    if (address == nullptr) return cell.is_reference ? "reference cell, " : "pad, ";
    return fmt::format("oc={} ic={} ky={} kx={}, ", address->output_channel, address->input_channel,
                       address->kernel_y, address->kernel_x);
}

std::string line_words(const DeckChange& change) {
    return change.line == 0 ? std::string("no line any more") : fmt::format("line {}", change.line);
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

std::map<DeckChangeKind, std::vector<ReadChange>> by_kind(const std::vector<ReadChange>& changes) {
    std::map<DeckChangeKind, std::vector<ReadChange>> kinds;
    for (const ReadChange& change : changes) kinds[change.change->kind].push_back(change);
    return kinds;
}

nlohmann::json number_or_null(const std::optional<double>& value) {
    if (!value) return nullptr;
    if (std::isinf(*value)) return "open";
    return *value;
}

}  // namespace

std::string describe(const ReadChange& read) {
    const DeckChange& change = *read.change;
    const std::string owner = read.tile == nullptr ? std::string() : read.tile->name + " ";
    const std::string where = line_words(change);
    switch (change.kind) {
        case DeckChangeKind::cell:
            return fmt::format("{}: {} ({}{}, {})", cell_words(*read.tile, *change.cell),
                               step_of(change), weight_words(*read.tile, *change.cell), change.name,
                               where);
        case DeckChangeKind::segment:
        case DeckChangeKind::driver:
        case DeckChangeKind::sense:
        case DeckChangeKind::source:
            return fmt::format("{}{}: {} ({})", owner, change.name, step_of(change), where);
        case DeckChangeKind::rewired:
            return fmt::format("{}{}: was between {}, now {} ({})", owner, change.name,
                               change.text_before, change.text_after, where);
        case DeckChangeKind::renamed:
            return fmt::format("{}{}: is called {} now ({})", owner, change.name, change.text_after,
                               where);
        case DeckChangeKind::device:
            return fmt::format("{}{}: '{}' -> '{}' ({})", owner, change.name, change.text_before,
                               change.text_after, where);
        case DeckChangeKind::missing:
            return fmt::format("{}{}: is gone, was '{}'", owner, change.name, change.text_before);
        case DeckChangeKind::added:
            return fmt::format("{}{}: '{}' ({})", owner, change.name, change.text_after, where);
        case DeckChangeKind::parameter:
        case DeckChangeKind::subcircuit:
            break;
    }
    return fmt::format("{}: '{}' -> '{}' ({})", change.name, change.text_before, change.text_after,
                       where);
}

std::string differences_text(const std::vector<ReadChange>& changes, std::size_t beyond) {
    if (changes.empty()) return "no difference\n";
    std::string text;
    for (const auto& [kind, of_kind] : by_kind(changes)) {
        text += counted(kind, of_kind.size()) + ":\n";
        for (std::size_t i = 0; i < std::min(most_told, of_kind.size()); ++i)
            text += "  " + describe(of_kind[i]) + "\n";
        if (of_kind.size() > most_told)
            text += fmt::format("  and {} more; --json tells all\n", of_kind.size() - most_told);
    }
    if (beyond > 0)
        text += fmt::format(
            "{} beyond what arrays can hold: only ngspice can solve this deck\n",
            beyond == 1 ? std::string("one of them is") : fmt::format("{} of them are", beyond));
    return text;
}

namespace {

nlohmann::json change_json(const ReadChange& read) {
    const DeckChange& change = *read.change;
    nlohmann::json object{{"kind", to_string(change.kind)},
                          {"tile", read.tile == nullptr ? "" : read.tile->name},
                          {"name", change.name},
                          {"before", number_or_null(change.before)},
                          {"after", number_or_null(change.after)},
                          {"line", change.line},
                          {"words", describe(read)}};
    if (!change.text_before.empty()) object["text_before"] = change.text_before;
    if (!change.text_after.empty()) object["text_after"] = change.text_after;
    if (change.cell)
        object["cell"] = {{"word_line", change.cell->word_line},
                          {"bit_line", change.cell->bit_line},
                          {"polarity", std::string(1, to_char(change.cell->polarity))}};
    return object;
}

}  // namespace

nlohmann::json differences_json(const std::vector<ReadChange>& changes,
                                const std::vector<std::string>& beyond) {
    auto list = nlohmann::json::array();
    for (const ReadChange& change : changes) list.push_back(change_json(change));
    nlohmann::json counts = nlohmann::json::object();
    for (const auto& [kind, of_kind] : by_kind(changes))
        counts[std::string(to_string(kind))] = of_kind.size();
    return {{"differences", list}, {"counts", counts}, {"beyond_arrays", beyond}};
}

std::string outputs_text(const DeckOutputs& outputs) {
    TextTable table({outputs.word, fmt::format("was [{}]", outputs.unit),
                     fmt::format("is [{}]", outputs.unit), "change"});
    for (const DeckOutputChange& output : outputs.list)
        table.add({output.name, fmt::format("{:.9g}", output.before),
                   fmt::format("{:.9g}", output.after),
                   output.before == 0
                       ? std::string("-")
                       : fmt::format("{:+.3g} %", 100 * (output.after / output.before - 1))});
    return fmt::format("\n{} by {}:\n{}", outputs.title, outputs.engine, table.markdown());
}

nlohmann::json outputs_json(const DeckOutputs& outputs) {
    auto list = nlohmann::json::array();
    for (const DeckOutputChange& output : outputs.list)
        list.push_back(
            {{outputs.word, output.name}, {"before", output.before}, {"after", output.after}});
    return list;
}

}  // namespace kirchnet
