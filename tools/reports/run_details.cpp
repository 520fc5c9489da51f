#include "tools/reports/run_details.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "nn/tiling.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

constexpr double worth_naming = 0.001;  // share of clipped samples of a layer

double total_seconds(const ComparisonReport& report) {
    double total = 0;
    for (const auto& [stage, seconds] : report.stage_seconds) total += seconds;
    return total;
}

double share_of(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

/// Share of the run's time by kind of stage.
std::map<std::string, double> time_shares(const ComparisonReport& report) {
    std::map<std::string, double> shares{
        {"operators", 0}, {"converter ranges", 0}, {"inference", 0}};
    for (const auto& [stage, seconds] : report.stage_seconds) {
        const bool extracts = stage.find("operators") != std::string::npos;
        const bool calibrates = stage.find("ranges") != std::string::npos ||
                                stage.find("correction") != std::string::npos;
        shares[extracts     ? "operators"
               : calibrates ? "converter ranges"
                            : "inference"] += share_of(seconds, total_seconds(report));
    }
    return shares;
}

TileUse use_of(const ComparisonReport& report, std::size_t layer, Mapping mapping) {
    return tile_use(report.graph, layer, report.experiment.tile_settings(mapping));
}

TileUse use_of_network(const ComparisonReport& report, Mapping mapping) {
    TileUse total;
    for (std::size_t layer = 0; layer < report.graph.layers().size(); ++layer) {
        const TileUse use = use_of(report, layer, mapping);
        total.tiles += use.tiles;
        total.weights += use.weights;
        total.weights_per_tile = use.weights_per_tile;
    }
    return total;
}

}  // namespace

std::string run_summary(const ComparisonReport& report) {
    std::string text = fmt::format("Time: {:.1f} s", total_seconds(report));
    for (const auto& [kind, share] : time_shares(report))
        text += fmt::format(", {} {:.1f} %", kind, 100 * share);
    text += ".\nTiles:";
    const char* separator = " ";
    for (const Mapping mapping : report.experiment.mappings) {
        const TileUse use = use_of_network(report, mapping);
        text += fmt::format("{}{} {} ({:.1f} % of their room used)", separator, to_string(mapping),
                            use.tiles, 100 * use.share());
        separator = ", ";
    }
    return text + ".\n";
}

std::string time_table(const ComparisonReport& report) {
    TextTable table({"stage", "seconds", "share [%]"});
    for (const auto& [stage, seconds] : report.stage_seconds)
        table.add({stage, fmt::format("{:.2f}", seconds),
                   fmt::format("{:.1f}", 100 * share_of(seconds, total_seconds(report)))});
    return table.markdown();
}

std::string tile_table(const ComparisonReport& report) {
    std::vector<std::string> heading{"layer"};
    for (const Mapping mapping : report.experiment.mappings) {
        heading.push_back(fmt::format("{} tiles", to_string(mapping)));
        heading.emplace_back("used [%]");
    }
    TextTable table(heading);
    for (std::size_t layer = 0; layer < report.graph.layers().size(); ++layer) {
        std::vector<std::string> row{report.graph.layer_name(layer)};
        for (const Mapping mapping : report.experiment.mappings) {
            const TileUse use = use_of(report, layer, mapping);
            row.push_back(fmt::format("{}", use.tiles));
            row.push_back(fmt::format("{:.1f}", 100 * use.share()));
        }
        table.add(row);
    }
    return table.markdown();
}

std::string clipped_table(const ComparisonReport& report) {
    TextTable table({"mapping", "arm", "layer", "ADC clipped [%]"});
    bool is_empty = true;
    for (const ArmResult& arm : report.arms)
        for (std::size_t layer = 0; layer < arm.inference.adc.size(); ++layer) {
            const AdcCount& count = arm.inference.adc[layer];
            const double share =
                share_of(static_cast<double>(count.clipped), static_cast<double>(count.samples));
            if (share < worth_naming) continue;
            is_empty = false;
            table.add({std::string(to_string(arm.mapping)), arm_name(arm),
                       report.graph.layer_name(layer), fmt::format("{:.2f}", 100 * share)});
        }
    return is_empty ? "" : table.markdown();
}

void add_run_details(const ComparisonReport& report, nlohmann::json& object) {
    for (const auto& [kind, share] : time_shares(report)) object["time_share"][kind] = share;
    for (const Mapping mapping : report.experiment.mappings)
        for (std::size_t layer = 0; layer < report.graph.layers().size(); ++layer)
            object["tile_utilisation"][std::string(to_string(mapping))]
                  [report.graph.layer_name(layer)] = use_of(report, layer, mapping).share();
}

void store_run_details(const ComparisonReport& report, ComparisonFile& file) {
    std::vector<std::string> stages;
    std::vector<double> seconds;
    for (const auto& [stage, time] : report.stage_seconds) {
        stages.push_back(stage);
        seconds.push_back(time);
    }
    file.add_stages(stages, seconds);
    for (const Mapping mapping : report.experiment.mappings) {
        std::vector<double> uses;
        for (std::size_t layer = 0; layer < report.graph.layers().size(); ++layer) {
            const TileUse use = use_of(report, layer, mapping);
            uses.push_back(static_cast<double>(use.tiles));
            uses.push_back(use.share());
        }
        file.add_matrix(fmt::format("tile_utilisation_{}", to_string(mapping)), uses,
                        report.graph.layers().size(), 2, "1");
    }
}

}  // namespace kirchnet
