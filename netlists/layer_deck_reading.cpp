// A layer's deck by tile: what ngspice unfolded is sorted by tile, and each compared as its own
// deck.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/detail/tile_reader.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet {
namespace {

using detail::DeckPart;
using detail::DeckParts;
using detail::DeckSource;
using detail::is_same_number;
using detail::UnfoldedDeck;

/// A layer's deck by tile, and what tiles share.
struct LayerParts {
    std::map<std::string, DeckParts> tiles;
    DeckParts rest;
};

LayerParts layer_parts(const std::vector<std::string>& lines, const std::string& deck,
                       const std::vector<std::string>& labels, bool is_flat, const CellLaw& law,
                       const NgspiceSettings& settings) {
    detail::SortedDeck sorted = detail::sort_by_tile(lines, labels, is_flat);
    LayerParts parts{{}, detail::parts_of({std::move(sorted.rest), {}}, deck, settings)};
    for (const auto& [label, tile] : sorted.tiles)
        parts.tiles.emplace(label,
                            detail::parts_of(detail::gathered(tile, is_flat, law), deck, settings));
    return parts;
}

/// Devices of the layer itself, which arrays know nothing of but the inputs.
class SharedReader {
  public:
    SharedReader(const DeckSource& source, LayerReading& reading)
        : source_(source), reading_(reading) {}

    void compare(const DeckParts& original, const DeckParts& edited) {
        for (const DeckPart& part : original.list()) {
            const DeckPart* after = edited.find(part.name);
            if (after != nullptr && after->lines == part.lines) continue;
            part.name.starts_with("v_x_") && after != nullptr && after->value
                ? compare_input(part, *after)
                : compare_device(part, after);
        }
        for (const DeckPart& part : edited.list())
            if (original.find(part.name) == nullptr) add(part);
    }

  private:
    DeckChange& report(DeckChangeKind kind, const DeckPart& part) {
        DeckChange& change = reading_.changes.emplace_back();
        change.kind = kind;
        change.name = part.name;
        change.line = source_.line_of(part.name);
        return change;
    }
    void compare_input(const DeckPart& before, const DeckPart& after) {
        if (is_same_number(*before.value, *after.value)) return;
        DeckChange& change = report(DeckChangeKind::source, before);
        change.before = before.value;
        change.after = after.value;
    }
    void compare_device(const DeckPart& before, const DeckPart* after) {
        DeckChange& change =
            report(after == nullptr ? DeckChangeKind::missing : DeckChangeKind::device, before);
        change.text_before = before.lines.front();
        if (after != nullptr) change.text_after = after->lines.front();
        reading_.beyond.push_back(
            fmt::format("{} {}", before.name, after == nullptr ? "is missing" : "differs"));
    }
    void add(const DeckPart& part) {
        report(DeckChangeKind::added, part).text_after = part.lines.front();
        reading_.beyond.push_back(
            fmt::format("{} was added between {}", part.name, fmt::join(part.nodes, " and ")));
    }

    const DeckSource& source_;
    LayerReading& reading_;
};

/// What the layer calls the nets at which its sources drive a tile.
std::map<std::string, std::string> outer_nets(const Tile& tile) {
    std::map<std::string, std::string> nets;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            nets[input_node(array.pattern(), r)] = layer_input_net(tile, r);
    return nets;
}

/// The source of the layer that drives a net; null: none.
const DeckPart* source_at(const DeckParts& shared, const std::string& net) {
    return shared.find("v_" + net);
}

/// Read voltages of a tile whose sources are the layer's.
/// @param nets  by word line's net in the tile's own deck
void take_voltages(DeckReading& reading, const Tile& tile,
                   const std::map<std::string, std::string>& nets, const DeckParts& shared) {
    for (std::size_t i = 0; i < reading.voltages.size(); ++i)
        for (Index r = 0; r < tile.rows(); ++r) {
            const auto net = nets.find(input_node(tile.arrays()[i].pattern(), r));
            const DeckPart* source = net == nets.end() ? nullptr : source_at(shared, net->second);
            reading.voltages[i](r) = source == nullptr ? 0 : source->value.value_or(0);
        }
}

/// A tile's own deck without its sources, as part of a layer.
UnfoldedDeck as_part_of_layer(const std::vector<std::string>& lines,
                              const std::map<std::string, std::string>& nets) {
    UnfoldedDeck deck;
    const auto outer = [&](const std::string& word) {
        const auto found = nets.find(word);
        return found == nets.end() ? word : found->second;
    };
    for (const std::string& line : lines)
        if (!line.starts_with("v_in_")) deck.lines.push_back(detail::with_identifiers(line, outer));
    return deck;
}

/// Inputs of a layer's deck against those that a tile was driven with; each source is told once.
void compare_inputs(const LayerTile& part, const DeckReading& now,
                    const std::map<std::string, std::string>& nets, const DeckSource& source,
                    LayerReading& reading) {
    for (Index r = 0; r < part.tile.rows(); ++r) {
        const auto net = nets.find(input_node(part.tile.arrays().front().pattern(), r));
        const double is = now.voltages.front()(r);
        if (net == nets.end() || is_same_number(part.inputs(r), is)) continue;
        const std::string name = "v_" + net->second;
        const auto is_told = [&](const DeckChange& change) { return change.name == name; };
        if (std::any_of(reading.changes.begin(), reading.changes.end(), is_told)) continue;
        reading.changes.push_back(
            {DeckChangeKind::source, name, {}, part.inputs(r), is, {}, {}, source.line_of(name)});
    }
}

/// Devices of the layer itself that no writer puts there.
void tell_additions(const DeckParts& shared, const DeckSource& source, LayerReading& reading) {
    for (const DeckPart& part : shared.list()) {
        if (part.name.starts_with("v_x_") || part.name.starts_with("by_")) continue;
        reading.changes.push_back({DeckChangeKind::added,
                                   part.name,
                                   {},
                                   {},
                                   {},
                                   {},
                                   part.lines.front(),
                                   source.line_of(part.name)});
        reading.beyond.push_back(
            fmt::format("{} was added between {}", part.name, fmt::join(part.nodes, " and ")));
    }
}

std::vector<std::string> labels_of(const std::vector<LayerTile>& tiles) {
    std::vector<std::string> labels;
    labels.reserve(tiles.size());
    for (const LayerTile& part : tiles) labels.push_back(tile_label(part.tile));
    return labels;
}

void check_is_there(const LayerParts& parts, const std::string& label, const DeckSource& source,
                    bool is_flat) {
    if (!parts.tiles.at(label).list().empty()) return;
    throw InvalidInput(source.name(),
                       fmt::format("has nothing of tile {}: is {} gone?", label.substr(1),
                                   is_flat ? "all that ends in _" + label : "x" + label));
}

}  // namespace

LayerReading read_layer_deck(const std::string& edited, const std::string& original,
                             const std::vector<LayerTile>& tiles, const NgspiceSettings& settings,
                             const DeckTerms& terms) {
    const DeckSource source("edited deck", edited);
    const bool is_flat = is_flat_deck(edited);
    const std::vector<std::string> labels = labels_of(tiles);
    const auto parts = [&](const std::string& deck, const std::vector<std::string>& lines) {
        return layer_parts(lines, deck, labels, is_flat, terms.law, settings);
    };
    const LayerParts after = detail::of_edited(
        source, [&] { return parts(edited, detail::unfold_edited(source, settings)); });
    const LayerParts before = parts(original, expand_deck(original, settings));
    LayerReading reading;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        const std::string& label = labels[i];
        check_is_there(after, label, source, is_flat);
        const auto nets =
            is_flat ? std::map<std::string, std::string>{} : outer_nets(tiles[i].tile);
        reading.tiles.push_back(detail::read_tile(tiles[i].tile, {source, label, is_flat}, terms,
                                                  Compared::everything, before.tiles.at(label),
                                                  after.tiles.at(label), settings, nets));
        if (!is_flat) take_voltages(reading.tiles.back(), tiles[i].tile, nets, after.rest);
    }
    SharedReader(source, reading).compare(before.rest, after.rest);
    detail::compare_texts(DeckSource("original deck", original), source, reading.changes, "tile_");
    return reading;
}

LayerReading read_layer_arrays(const std::string& edited, const std::vector<LayerTile>& tiles,
                               const std::vector<std::string>& labels,
                               const NgspiceSettings& settings, const DeckTerms& terms) {
    const DeckSource source("edited deck", edited);
    const bool is_flat = is_flat_deck(edited);
    assert(labels.size() == tiles.size());
    const LayerParts after = detail::of_edited(source, [&] {
        return layer_parts(detail::unfold_edited(source, settings), edited, labels, is_flat,
                           terms.law, settings);
    });
    const TileDeckSettings how{.law = terms.law, .read_voltage = terms.read_voltage};
    LayerReading reading;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        const LayerTile& part = tiles[i];
        check_is_there(after, labels[i], source, is_flat);
        const auto nets =
            is_flat ? std::map<std::string, std::string>{} : source.pins_of("x" + labels[i]);
        const std::string deck = is_flat ? write_flat_deck(part.tile, part.inputs, how)
                                         : write_tile_deck(part.tile, part.inputs, how);
        const std::vector<std::string> lines = expand_deck(deck, settings);
        const DeckParts before =
            detail::parts_of(is_flat ? detail::gathered({lines, {}}, true, terms.law)
                                     : as_part_of_layer(lines, nets),
                             deck, settings);
        reading.tiles.push_back(detail::read_tile(part.tile, {source, labels[i], is_flat}, terms,
                                                  Compared::arrays, before,
                                                  after.tiles.at(labels[i]), settings, nets));
        if (is_flat) continue;
        take_voltages(reading.tiles.back(), part.tile, nets, after.rest);
        compare_inputs(part, reading.tiles.back(), nets, source, reading);
    }
    tell_additions(after.rest, source, reading);
    return reading;
}

}  // namespace kirchnet
