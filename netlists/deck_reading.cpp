#include "netlists/deck_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "circuit/error.hpp"
#include "netlists/detail/deck_parts.hpp"
#include "netlists/detail/deck_scan.hpp"
#include "netlists/detail/deck_source.hpp"
#include "netlists/detail/tile_reader.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet {
namespace {

using detail::DeckParts;
using detail::DeckSource;

/// What ngspice said, without the title of the deck, and what to do about a conductance of 0.
std::string complaint_of(const NgspiceError& error) {
    std::string text = error.what();
    constexpr std::string_view opening = "ngspice, deck '";
    const std::size_t title_end = text.find("': ");
    if (text.starts_with(opening) && title_end != std::string::npos)
        text.replace(0, title_end + 3, "ngspice: ");
    if (text.find("(inf)") != std::string::npos)
        text += " | a cell that is to conduct nothing is left out; g=0 is no resistor";
    return text;
}

}  // namespace

namespace detail {

std::size_t TileLines::line_of(const std::string& name) const {
    if (!label.empty() && !is_flat) return source.line_within("x" + label, name);
    const std::string ending = label.empty() ? "" : "_" + label;
    std::size_t line = source.line_of(name + ending);
    // Elements of a flat deck's cell bear their letter before its name.
    for (const char* letter : {"r", "b", "m"})
        if (line == 0 && is_flat)
            line = source.line_of(fmt::format("{}{}{}", letter, name, ending));
    return line;
}

std::vector<std::string> unfold_edited(const DeckSource& source, const NgspiceSettings& settings) {
    if (const std::string problem = source.find_problem(); !problem.empty())
        throw InvalidInput(source.name(), problem);
    if (const std::string fault = find_silent_fault(source.text()); !fault.empty())
        throw InvalidInput(source.name(), source.with_line(fault));
    return of_edited(source, [&] { return expand_deck(source.text(), settings); });
}

void refuse(const DeckSource& source, const NgspiceError& error) {
    throw InvalidInput(source.name(), source.with_line(complaint_of(error)));
}

DeckParts parts_of(const UnfoldedDeck& unfolded, const std::string& deck,
                   const NgspiceSettings& settings) {
    DeckParts parts(unfolded.lines);
    if (parts.unclear().empty()) return parts;
    std::vector<std::string> wanted;
    for (const std::string& name : parts.unclear())
        wanted.push_back("@" + unfolded.deck_name(name) + "[resistance]");
    const auto found = run_operating_point(deck, wanted, settings);
    std::map<std::string, double> resistance;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        resistance[parts.unclear()[i]] = found.at(wanted[i]);
    parts.settle(resistance);
    return parts;
}

UnfoldedDeck gathered(const UnfoldedDeck& deck, bool is_flat, const CellLaw& law) {
    return is_flat && !law.is_linear() ? detail::gather_flat_cells(deck) : deck;
}

void compare_texts(const DeckSource& original, const DeckSource& edited,
                   std::vector<DeckChange>& changes, std::string_view left_out) {
    const auto tell = [&](DeckChangeKind kind, const detail::NamedTexts& before,
                          const detail::NamedTexts& after) {
        std::set<std::string> names;
        for (const auto* side : {&before, &after})
            for (const auto& entry : *side) names.insert(entry.first);
        for (const std::string& name : names) {
            if (!left_out.empty() && kind == DeckChangeKind::subcircuit &&
                name.starts_with(left_out))
                continue;
            const auto was = before.find(name);
            const auto is = after.find(name);
            const std::string old_text = was == before.end() ? "" : was->second.text;
            const std::string new_text = is == after.end() ? "" : is->second.text;
            if (old_text == new_text) continue;
            changes.push_back({kind,
                               name,
                               {},
                               {},
                               {},
                               old_text,
                               new_text,
                               is == after.end() ? 0 : is->second.line});
        }
    };
    tell(DeckChangeKind::parameter, original.parameters(), edited.parameters());
    tell(DeckChangeKind::subcircuit, original.subcircuits(), edited.subcircuits());
}

}  // namespace detail

std::string_view to_string(DeckChangeKind kind) {
    constexpr std::array<std::string_view, 12> words{
        "cell",    "segment", "driver",  "sense", "source",    "rewired",
        "renamed", "device",  "missing", "added", "parameter", "subcircuit"};
    return words[static_cast<std::size_t>(kind)];
}

bool is_flat_deck(const std::string& deck) {
    constexpr std::array<std::string_view, 3> marks{"\nrxc_", "\nbxc_",
                                                    ": one resistor per element"};
    return std::any_of(marks.begin(), marks.end(),
                       [&](std::string_view mark) { return deck.find(mark) != std::string::npos; });
}

bool is_layer_deck(const std::string& deck) {
    if (deck.find("\nxt0_0") != std::string::npos) return true;
    const std::size_t source = deck.find("\nv_in_");
    if (source == std::string::npos) return false;
    const std::string name = deck.substr(source + 1, deck.find(' ', source) - source - 1);
    return name.find("_t") != std::string::npos;
}

std::optional<Index> output_of_deck(const std::string& deck) {
    constexpr std::string_view words = "\n* scope     output ";
    const std::size_t at = deck.find(words);
    if (at == std::string::npos) return std::nullopt;
    const std::size_t begin = at + words.size();
    const std::string_view number =
        std::string_view(deck).substr(begin, deck.find(' ', begin) - begin);
    Index output = 0;
    const auto [end, status] =
        std::from_chars(number.data(), number.data() + number.size(), output);
    if (status != std::errc{} || end != number.data() + number.size() || output < 0)
        return std::nullopt;
    return output;
}

DeckReading read_deck(const std::string& edited, const std::string& original, const Tile& tile,
                      Compared compared, const NgspiceSettings& settings, const DeckTerms& terms) {
    const DeckSource source("edited deck", edited);
    const bool is_flat = is_flat_deck(edited);
    const auto parts = [&](const std::string& deck, std::vector<std::string> lines) {
        return detail::parts_of(detail::gathered({std::move(lines), {}}, is_flat, terms.law), deck,
                                settings);
    };
    const DeckParts after = detail::of_edited(
        source, [&] { return parts(edited, detail::unfold_edited(source, settings)); });
    const DeckParts before = parts(original, expand_deck(original, settings));
    DeckReading reading =
        detail::read_tile(tile, {source, {}, is_flat}, terms, compared, before, after, settings);
    if (compared == Compared::everything)
        detail::compare_texts(DeckSource("original deck", original), source, reading.changes);
    return reading;
}

}  // namespace kirchnet
