#include "tools/sweep/sweep_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "circuit/error.hpp"
#include "data/result_file.hpp"
#include "tools/output/utf8.hpp"
#include "tools/settings/toml_input.hpp"

namespace kirchnet {
namespace {

SweepPlan plan_of(const SweepRecord& record, const std::string& file) {
    for (const auto& [what, text] :
         {std::pair{"plan", &record.plan}, std::pair{"settings", &record.settings},
          std::pair{"name", &record.name}})
        if (find_invalid_utf8(*text))
            throw InvalidInput(file, fmt::format("attribute '{}' is not UTF-8 text", what));
    const std::string settings_name = file + ", settings";
    const toml::table settings = parse_toml_text(record.settings, settings_name);
    Experiment checked;
    apply_toml(checked, settings, settings_name);
    // What the command line set on top of the plan is among the resolved settings alone.
    SweepPlan plan =
        parse_plan(record.plan, file + ", plan", flat_settings(settings, settings_name));
    bool fits = plan.axes == record.axes && plan.points.size() == record.points.size();
    for (std::size_t i = 0; fits && i < plan.points.size(); ++i)
        fits = plan.points[i].values == record.points[i].values;
    if (!fits) throw InvalidInput(file, "attribute 'plan' gives other points than the file holds");
    return plan;
}

std::string files_text(const std::vector<ResultsSource>& sources) {
    std::string text;
    for (const ResultsSource& source : sources) text += (text.empty() ? "" : ", ") + source.file;
    return text;
}

/// Records of one sweep, with the files they are from.
struct ShardGroup {
    std::vector<SweepRecord> records;
    std::vector<ResultsSource> sources;
};

std::vector<ShardGroup> group_shards(const std::vector<std::string>& files) {
    std::vector<ShardGroup> groups;
    for (const std::string& file : files) {
        SweepRecord record = read_sweep(file);
        ResultsSource source{file, summarize_file(file).producer, record.shard};
        auto group = std::find_if(groups.begin(), groups.end(), [&](const ShardGroup& g) {
            return g.records.front().identity == record.identity;
        });
        if (group == groups.end()) group = groups.insert(groups.end(), ShardGroup{});
        group->records.push_back(std::move(record));
        group->sources.push_back(std::move(source));
    }
    return groups;
}

SweepRecord merged(ShardGroup& group) {
    if (group.records.size() == 1) return std::move(group.records.front());
    std::vector<std::string> names;
    for (const ResultsSource& source : group.sources) names.push_back(source.file);
    return merge_sweeps(group.records, names);
}

// Files beside the page.

/// Letters, digits, `-` and `_`: good in any file name.
std::string file_word(const std::string& text) {
    std::string word;
    for (const char letter : text) {
        const bool is_plain = (letter >= 'a' && letter <= 'z') ||
                              (letter >= 'A' && letter <= 'Z') ||
                              (letter >= '0' && letter <= '9') || letter == '_';
        if (is_plain)
            word += letter;
        else if (!word.empty() && word.back() != '-')
            word += '-';
    }
    while (!word.empty() && word.back() == '-') word.pop_back();
    return word.empty() ? "figure" : word;
}

nlohmann::json gates_json(const SweepReport& report) {
    auto gates = nlohmann::json::array();
    for (const GateResult& gate : report.gates())
        gates.push_back({{"name", gate.name}, {"passed", gate.passed}, {"lines", gate.lines}});
    return gates;
}

nlohmann::json pairs_json(const SweepReport& report) {
    auto pairs = nlohmann::json::array();
    for (const PairFinding& pair : report.pairs())
        for (const PairSummary& result : pair.results)
            pairs.push_back({{"name", pair.pair.name},
                             {"from", result.from},
                             {"to", result.to},
                             {"trials", result.trials},
                             {"change", estimate_json(result.change)},
                             {"p", result.p}});
    return pairs;
}

/// Of every series of the figures of changes; null where there is no crossing.
nlohmann::json break_even_json(const SweepReport& report) {
    auto crossings = nlohmann::json::array();
    const auto value = [](double x) {
        return std::isnan(x) ? nlohmann::json() : nlohmann::json(x);
    };
    for (const SweepFigure& figure : report.figures()) {
        if (figure.settings.y != FigureSettings::Quantity::change || !figure.has_chart()) continue;
        for (const FigurePanel& panel : figure.panels)
            for (const FigureSeries& series : panel.series) {
                const BreakEven found = break_even(series, figure.settings.log_x);
                crossings.push_back({{"figure", figure.settings.name},
                                     {"x", figure.settings.x},
                                     {"panel", panel.name},
                                     {"series", series.name},
                                     {"at", value(found.at)},
                                     {"low", value(found.low)},
                                     {"high", value(found.high)}});
            }
    }
    return crossings;
}

}  // namespace

SweepReport::SweepReport(SweepRecord record, std::vector<ResultsSource> sources)
    : record_(std::move(record)),
      sources_(std::move(sources)),
      plan_(plan_of(record_, sources_.front().file)),
      summary_(record_) {
    if (record_.units.empty())
        throw InvalidInput(files_text(sources_),
                           "holds no finished unit yet; let 'kirchnet sweep' go on");
    points_ = summary_.summaries();
    for (const PairedPoints& pair : plan_.pairs) pairs_.push_back({pair, summary_.compare(pair)});
    for (const GateSettings& gate : plan_.gates) gates_.push_back(check_gate(summary_, gate));
    figures_ = sweep_figures(summary_, points_, plan_);
}

bool SweepReport::passed() const {
    return std::all_of(gates_.begin(), gates_.end(), [](const GateResult& g) { return g.passed; });
}

std::size_t SweepReport::planned_units() const {
    std::size_t units = 0;
    for (const SweepPoint& point : record_.points) units += point.is_random ? record_.trials : 1;
    return units;
}

std::vector<std::unique_ptr<SweepReport>> read_sweep_reports(
    const std::vector<std::string>& files) {
    std::vector<std::unique_ptr<SweepReport>> reports;
    for (ShardGroup& group : group_shards(files)) {
        SweepRecord record = merged(group);
        reports.push_back(
            std::make_unique<SweepReport>(std::move(record), std::move(group.sources)));
    }
    return reports;
}

std::vector<std::vector<FigureFiles>> figure_files(
    const std::vector<std::unique_ptr<SweepReport>>& reports, const std::string& stem) {
    std::vector<std::vector<FigureFiles>> all;
    std::set<std::string> taken;
    for (const auto& report : reports) {
        auto& files = all.emplace_back();
        for (const SweepFigure& figure : report->figures()) {
            const std::string wanted = stem + "-" + file_word(figure.settings.name);
            std::string name = wanted;
            for (int number = 2; !taken.insert(name).second; ++number)
                name = fmt::format("{}-{}", wanted, number);
            files.push_back({name,
                             figure.has_chart() ? line_chart(figure_chart(figure)) : std::string(),
                             figure_csv(report->summary(), figure)});
        }
    }
    return all;
}

nlohmann::json report_json(const std::vector<std::unique_ptr<SweepReport>>& reports) {
    auto sweeps = nlohmann::json::array();
    bool passed = true;
    for (const auto& report : reports) {
        nlohmann::json sweep = summary_json(report->summary());
        sweep["gates"] = gates_json(*report);
        sweep["pairs"] = pairs_json(*report);
        sweep["break_even"] = break_even_json(*report);
        for (const ResultsSource& source : report->sources()) sweep["files"].push_back(source.file);
        sweeps.push_back(std::move(sweep));
        passed = passed && report->passed();
    }
    return {{"passed", passed}, {"sweeps", sweeps}};
}

}  // namespace kirchnet
