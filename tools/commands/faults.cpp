#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "data/fault_map_file.hpp"
#include "nn/tiling.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

/// How many of what.
struct Counts {
    std::size_t cells = 0;
    std::array<std::size_t, all_faults.size()> faults{};
    std::array<std::size_t, all_line_defects.size()> lines{};

    void add(const Counts& other) {
        cells += other.cells;
        for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += other.faults[i];
        for (std::size_t i = 0; i < lines.size(); ++i) lines[i] += other.lines[i];
    }
};

/// A defect of a wire in the engineer's words.
struct LineEntry {
    std::string where;
    std::string what;
    std::string consequence;
};

/// Most defects of wires told one by one; the file and --json have them all.
constexpr std::size_t most_told = 20;

/// Walks a network's arrays, recording what is wrong with them.
class FaultRecord {
  public:
    FaultRecord(const Graph& graph, const TileSettings& settings, const FaultSource& source)
        : graph_(graph), settings_(settings), source_(source) {}

    Counts record(std::size_t layer) {
        Counts counts;
        const LayerTiling tiling = tile_layer(graph_, layer, settings_);
        for (const TilePlace& place : tile_places(tiling)) {
            const Tile tile(
                weight_block(graph_, layer, settings_, place.row, place.column, place.slice),
                settings_, source_);
            for (const Crossbar& array : tile.arrays()) record_cells(tile, array, counts);
            for (std::size_t i = 0; i < tile.arrays().size(); ++i)
                record_lines(tile, i, to_string(place, settings_), counts);
        }
        return counts;
    }

    [[nodiscard]] FaultMap map() const {
        FaultMap map = map_;
        if (!lines_.empty()) map.set_array(settings_.array);
        return map;
    }
    [[nodiscard]] const std::vector<LineEntry>& lines() const { return lines_; }
    /// Nets that are cut off by it all, one text per array.
    [[nodiscard]] const std::vector<std::string>& cut_off() const { return cut_off_; }

  private:
    void record_cells(const Tile& tile, const Crossbar& array, Counts& counts) {
        for (Index r = 0; r < array.shape().word_lines; ++r)
            for (Index c = 0; c < array.shape().bit_lines; ++c) {
                const CellMeaning cell = tile.meaning({polarity_of(array.pattern(), c), r, c});
                map_.set(tile.block().layer, cell.identity, {cell.fault, cell.conductance});
                ++counts.cells;
                ++counts.faults[static_cast<std::size_t>(cell.fault)];
            }
    }

    void record_lines(const Tile& tile, std::size_t number, const std::string& place,
                      Counts& counts) {
        const Crossbar& array = tile.arrays()[number];
        const std::vector<LineFault>& faults = tile.line_faults()[number];
        if (faults.empty()) return;
        const std::string where = fmt::format("{} tile {}", tile.block().layer, place);
        for (const LineFault& fault : faults) {
            map_.add(tile.block().layer, fault);
            ++counts.lines[static_cast<std::size_t>(fault.defect)];
            lines_.push_back({where, describe(fault, array.shape(), array.pattern()),
                              consequence(fault, array.shape(), settings_.wires)});
        }
        if (const std::string lost = describe_cut_off(expand(array)); !lost.empty())
            cut_off_.push_back(fmt::format("{}: {}", where, lost));
    }

    const Graph& graph_;
    const TileSettings& settings_;
    const FaultSource& source_;
    FaultMap map_;
    std::vector<LineEntry> lines_;
    std::vector<std::string> cut_off_;
};

std::string in_words(std::string_view name) {
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

/// The columns a table needs: stuck and open cells always, what is rarer where there is any.
class CountsTable {
  public:
    explicit CountsTable(const Counts& total) : table_(heading(total)) {}

    void add(const std::string& name, const Counts& counts) {
        std::vector<std::string> row{name, fmt::to_string(counts.cells)};
        for (const std::size_t i : faults_) row.push_back(fmt::to_string(counts.faults[i]));
        for (const std::size_t i : lines_) row.push_back(fmt::to_string(counts.lines[i]));
        table_.add(std::move(row));
    }
    [[nodiscard]] std::string markdown() const { return table_.markdown(); }

  private:
    std::vector<std::string> heading(const Counts& total) {
        std::vector<std::string> words{"layer", "cells"};
        for (const Fault fault : all_faults) {
            const auto i = static_cast<std::size_t>(fault);
            const bool is_usual =
                fault == Fault::stuck_off || fault == Fault::stuck_on || fault == Fault::open;
            if (fault == Fault::none || (!is_usual && total.faults[i] == 0)) continue;
            faults_.push_back(i);
            words.push_back(in_words(to_string(fault)));
        }
        for (const LineDefect defect : all_line_defects) {
            const auto i = static_cast<std::size_t>(defect);
            if (total.lines[i] == 0) continue;
            lines_.push_back(i);
            words.push_back(in_words(to_string(defect)));
        }
        return words;
    }

    std::vector<std::size_t> faults_;
    std::vector<std::size_t> lines_;
    TextTable table_;
};

std::string describe_origin(const Experiment& e) {
    if (!e.fault_map.empty()) return "copied from " + e.fault_map;
    return fmt::format("{}, seed {}, trial {}", describe(e.fault_law), e.seed, e.trial);
}

nlohmann::json as_json(const Counts& total, const FaultRecord& record, const std::string& file) {
    nlohmann::json object{{"cells", total.cells}, {"file", file}};
    for (const Fault fault : all_faults)
        if (fault != Fault::none)
            object[std::string(to_string(fault))] = total.faults[static_cast<std::size_t>(fault)];
    for (const LineDefect defect : all_line_defects)
        object[std::string(to_string(defect))] = total.lines[static_cast<std::size_t>(defect)];
    object["lines"] = nlohmann::json::array();
    for (const LineEntry& line : record.lines())
        object["lines"].push_back(
            {{"tile", line.where}, {"defect", line.what}, {"consequence", line.consequence}});
    object["cut_off"] = record.cut_off();
    return object;
}

std::string describe_lines(const FaultRecord& record) {
    std::string text;
    const auto& lines = record.lines();
    if (!lines.empty()) text += "\nDefects of wires:\n";
    for (std::size_t i = 0; i < std::min(most_told, lines.size()); ++i)
        text += fmt::format("  {}: {}: {}\n", lines[i].where, lines[i].what, lines[i].consequence);
    if (lines.size() > most_told)
        text += fmt::format("  ... and {} more\n", lines.size() - most_told);
    const auto& lost = record.cut_off();
    if (!lost.empty()) text += "\nCut off:\n";
    for (std::size_t i = 0; i < std::min(most_told, lost.size()); ++i)
        text += fmt::format("  {}\n", lost[i]);
    if (lost.size() > most_told)
        text += fmt::format("  ... and {} more arrays\n", lost.size() - most_told);
    return text;
}

}  // namespace

int run_faults(const FaultsArguments& arguments) {
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    const auto source = experiment.fault_source();
    if (!source)
        throw InvalidInput("--fault-rate",
                           "give a rate above 0, another law (--set faults.word_line_open=1e-4), "
                           "or a map with --faults");
    const Graph graph = load_graph(experiment);
    const TileSettings settings =
        experiment.tile_settings(choose_mapping(arguments.mapping, experiment));

    FaultRecord record(graph, settings, *source);
    std::vector<Counts> layers;
    Counts total;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
        layers.push_back(record.record(layer));
        total.add(layers.back());
    }
    if (!arguments.out.empty())
        write_fault_map(arguments.out, record.map(), describe_origin(experiment));
    if (arguments.json) {
        print_json(as_json(total, record, arguments.out));
        return 0;
    }
    CountsTable table(total);
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
        table.add(graph.layer_name(layer), layers[layer]);
    table.add("total", total);
    print_text(table.markdown() + describe_lines(record));
    return 0;
}

}  // namespace kirchnet
