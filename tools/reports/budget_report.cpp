#include "tools/reports/budget_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/output/output.hpp"
#include "tools/output/plots/waterfall.hpp"

namespace kirchnet {
namespace {

std::string percent(double share) {
    return fmt::format("{:.2f}", 100 * share);
}

std::string interval(const Estimate& estimate) {
    return fmt::format("{} to {}", percent(estimate.low), percent(estimate.high));
}

std::string signed_percent(double share) {
    return fmt::format("{:+.2f}", 100 * share);
}

std::string signed_interval(const Estimate& estimate) {
    return fmt::format("{} to {}", signed_percent(estimate.low), signed_percent(estimate.high));
}

/// Share of samples outside the ADCs' ranges; empty where nothing is converted.
std::string clipped_percent(const BudgetRun& run) {
    AdcCount all;
    for (const AdcCount& layer : run.adc) all += layer;
    if (all.samples == 0) return {};
    return fmt::format("{:.3f}",
                       100 * static_cast<double>(all.clipped) / static_cast<double>(all.samples));
}

/// Of all trials together.
std::string images_per_second(const BudgetRun& run) {
    const double images = static_cast<double>(run.predicted.size() * run.predicted.front().size());
    return run.inference_seconds > 0 ? fmt::format("{:.0f}", images / run.inference_seconds) : "";
}

/// `+ faults`; what the experiment does not have says so.
std::string row_name(std::string_view sign, const BudgetRow& row) {
    return fmt::format("{} {}{}", sign, to_string(row.source), row.is_on ? "" : " (off)");
}

void add_row(TextTable& table, std::string_view sign, const Budget& budget, const BudgetRow& row) {
    table.add({row_name(sign, row), percent(row.accuracy.mean), interval(row.accuracy),
               signed_percent(row.change.mean), signed_interval(row.change),
               fmt::to_string(budget.runs[row.run].predicted.size()),
               clipped_percent(budget.runs[row.run]), images_per_second(budget.runs[row.run]),
               fmt::format("{:.2f}", budget.runs[row.run].operator_seconds)});
}

std::string steps_table(const Budget& budget) {
    TextTable table({"step", "accuracy [%]", "95 % interval", "change [points]",
                     "95 % interval of it", "trials", "ADC clipped [%]", "images/s",
                     "operators [s]"});
    table.add({"ideal", percent(budget.ideal.mean), interval(budget.ideal), "", "", "1"});
    for (const BudgetRow& row : budget.steps) add_row(table, "+", budget, row);
    return table.markdown();
}

std::string left_out_table(const Budget& budget) {
    TextTable table({"everything but", "accuracy [%]", "95 % interval", "gain [points]",
                     "95 % interval of it", "trials", "ADC clipped [%]", "images/s",
                     "operators [s]"});
    for (const BudgetRow& row : budget.left_out) add_row(table, "-", budget, row);
    return table.markdown();
}

nlohmann::json estimate_json(const Estimate& estimate) {
    return {{"mean", estimate.mean},
            {"standard_error", estimate.standard_error},
            {"degrees_of_freedom", estimate.degrees_of_freedom},
            {"low", estimate.low},
            {"high", estimate.high}};
}

/// Samples and those clipped, layer by layer.
nlohmann::json layers_json(const BudgetRun& run) {
    auto list = nlohmann::json::array();
    for (const AdcCount& layer : run.adc)
        list.push_back({{"adc_samples", layer.samples}, {"clipped", layer.clipped}});
    return list;
}

nlohmann::json rows_json(const Budget& budget, const std::vector<BudgetRow>& rows) {
    auto list = nlohmann::json::array();
    for (const BudgetRow& row : rows)
        list.push_back({{"source", to_string(row.source)},
                        {"on", row.is_on},
                        {"trials", budget.runs[row.run].predicted.size()},
                        {"operator_seconds", budget.runs[row.run].operator_seconds},
                        {"inference_seconds", budget.runs[row.run].inference_seconds},
                        {"layers", layers_json(budget.runs[row.run])},
                        {"accuracy", estimate_json(row.accuracy)},
                        {"change", estimate_json(row.change)}});
    return list;
}

EstimateRecord estimate_record(const Estimate& estimate) {
    return {estimate.mean, estimate.standard_error, estimate.degrees_of_freedom, estimate.low,
            estimate.high};
}

BudgetTableRecord table_record(const std::vector<BudgetRow>& rows) {
    BudgetTableRecord table;
    for (const BudgetRow& row : rows) {
        table.source.emplace_back(to_string(row.source));
        table.run.push_back(row.run);
        table.accuracy.push_back(estimate_record(row.accuracy));
        table.change.push_back(estimate_record(row.change));
    }
    return table;
}

BudgetRunRecord run_record(const Budget& budget, std::size_t run) {
    BudgetRunRecord record{{}, budget.runs[run].predicted, {}, {}};
    for (const AdcCount& layer : budget.runs[run].adc) {
        record.adc_samples.push_back(layer.samples);
        record.clipped.push_back(layer.clipped);
    }
    record.operator_seconds = budget.runs[run].operator_seconds;
    record.inference_seconds = budget.runs[run].inference_seconds;
    for (const Source source : all_sources)
        if (budget.runs[run].sources.contains(source))
            record.sources.emplace_back(to_string(source));
    for (const Dac& dac : budget.calibrations[run].dac) record.dac_range.push_back(dac.range);
    for (const auto& layer : budget.calibrations[run].adc)
        for (const Adc& adc : layer) record.adc_range.push_back(adc.range);
    return record;
}

BudgetMappingRecord mapping_record(const Budget& budget) {
    BudgetMappingRecord record{std::string(to_string(budget.mapping)), {}, {}, {}};
    for (std::size_t run = 0; run < budget.runs.size(); ++run)
        record.runs.push_back(run_record(budget, run));
    record.steps = table_record(budget.steps);
    record.left_out = table_record(budget.left_out);
    return record;
}

}  // namespace

std::string budget_tables(const BudgetReport& report) {
    std::string text;
    for (const Budget& budget : report.budgets)
        text += fmt::format("{}{}:\n\n{}\n{}", text.empty() ? "" : "\n", to_string(budget.mapping),
                            steps_table(budget), left_out_table(budget));
    return text;
}

std::string budget_markdown(const BudgetReport& report, const std::vector<std::string>& figures) {
    std::string text = fmt::format(
        "# {}: where accuracy goes\n\n{} images, {} for calibration, {} trials from trial {} of "
        "seed "
        "{} where something is random. Software: {} %. Changes are paired by image and trial; "
        "intervals are of 95 % confidence.\n",
        report.network, report.header.labels.size(), report.calibration_images, report.trials,
        report.experiment.trial, report.experiment.seed, percent(report.header.software_accuracy));
    for (std::size_t i = 0; i < report.budgets.size(); ++i) {
        const Budget& budget = report.budgets[i];
        text += fmt::format(
            "\n## {0}\n\nOne source added after the other:\n\n{1}\nEverything on but one:\n\n{2}\n"
            "![Error budget of {0}]({3})\n",
            to_string(budget.mapping), steps_table(budget), left_out_table(budget), figures.at(i));
    }
    if (!report.complete) text += "\n**Interrupted: only finished mappings are listed.**\n";
    return text + "\n## Experiment\n\n```toml\n" + to_toml(report.experiment) + "```\n";
}

nlohmann::json budget_json(const BudgetReport& report) {
    nlohmann::json object;
    object["network"] = report.network;
    object["images"] = report.header.labels.size();
    object["calibration_images"] = report.calibration_images;
    object["trials"] = report.trials;
    object["complete"] = report.complete;
    object["settings"] = to_toml(report.experiment);
    object["software"] = report.header.software_accuracy;
    object["budget"] = nlohmann::json::object();
    for (const Budget& budget : report.budgets)
        object["budget"][std::string(to_string(budget.mapping))] = {
            {"ideal", estimate_json(budget.ideal)},
            {"steps", rows_json(budget, budget.steps)},
            {"left_out", rows_json(budget, budget.left_out)}};
    return object;
}

std::string budget_figure(const BudgetReport& report, const Budget& budget) {
    Waterfall chart;
    chart.title = fmt::format("Error budget of {}, {}, arrays {}", report.network,
                              to_string(budget.mapping), to_string(report.experiment.array));
    chart.y_label = "accuracy [%]";
    chart.start = "ideal";
    chart.start_level = 100 * budget.ideal.mean;
    chart.end = "all";
    chart.decimals = 2;
    for (const BudgetRow& row : budget.steps)
        chart.steps.push_back({std::string(to_string(row.source)), 100 * row.accuracy.mean,
                               100 * row.change.low, 100 * row.change.high});
    return waterfall(chart);
}

BudgetRecord budget_record(const BudgetReport& report) {
    BudgetRecord record{
        report.header, report.experiment.trial, usual_confidence, {}, report.complete};
    for (const Budget& budget : report.budgets) record.mappings.push_back(mapping_record(budget));
    return record;
}

}  // namespace kirchnet
