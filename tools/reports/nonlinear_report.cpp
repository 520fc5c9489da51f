#include "tools/reports/nonlinear_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/output/output.hpp"
#include "tools/output/plots/bar_chart.hpp"

namespace kirchnet {
namespace {

struct OutputDifference {
    double worst = 0;
    double relative_rms = 0;  ///< of the linear outputs' rms
};

OutputDifference difference_of(std::span<const float> linear, std::span<const float> nonlinear) {
    OutputDifference result;
    double squares = 0;
    double signal = 0;
    for (std::size_t k = 0; k < linear.size(); ++k) {
        const double apart = static_cast<double>(nonlinear[k]) - static_cast<double>(linear[k]);
        result.worst = std::max(result.worst, std::abs(apart));
        squares += apart * apart;
        signal += static_cast<double>(linear[k]) * static_cast<double>(linear[k]);
    }
    result.relative_rms = signal > 0 ? std::sqrt(squares / signal) : 0;
    return result;
}

std::string size_of_error(const LayerError& error) {
    // Amplifiers that all saturate leave no difference.
    const std::string relative =
        error.signal > 0 ? fmt::format("{:.2g} % of its signal rms", 100 * error.relative_rms())
                         : std::string("where its outputs are all 0");
    return error.has_adc ? fmt::format("{:.2g} LSB rms, {}", error.rms_lsb, relative) : relative;
}

std::string in_lsb(const LayerError& error, double value) {
    return error.has_adc ? fmt::format("{:.3f}", value) : "";
}

/// Layers that are off, the worst first.
std::vector<const LayerError*> failing(const MappingStudy& study) {
    std::vector<const LayerError*> list;
    for (const LayerError& error : study.layers)
        if (!is_good_enough(error)) list.push_back(&error);
    std::stable_sort(list.begin(), list.end(), [](const LayerError* x, const LayerError* y) {
        return std::pair(x->rms_lsb, x->relative_rms()) > std::pair(y->rms_lsb, y->relative_rms());
    });
    return list;
}

std::size_t changed_predictions(const NonlinearReport& report, const MappingStudy& study) {
    std::size_t changed = 0;
    for (std::size_t i = 0; i < report.labels.size() && !study.nonlinear.empty(); ++i)
        changed +=
            report.predicted(study.linear, i) != report.predicted(study.nonlinear, i) ? 1 : 0;
    return changed;
}

bool has_amplifiers(const NonlinearReport& report) {
    return report.experiment.readout_kind == Readout::opamp;
}

/// What of the chip is not linear: `cells sinh:4`, `amplifiers of 1.2 V hard swing`.
std::string what_is_nonlinear(const NonlinearReport& report) {
    if (!has_amplifiers(report)) return fmt::format("cells {}", report.experiment.cell_law);
    const OpAmp& amplifier = report.experiment.readout.circuit.amplifier;
    return fmt::format("amplifiers of {} V {} swing", amplifier.swing, to_string(amplifier.limit));
}

/// `3 of 640 (0.12 %)`: amplifiers that ever saturate, and the share of all readings that do.
std::string saturated_text(const Saturation& saturation) {
    return fmt::format("{} of {} ({:.2g} %)", saturation.saturated, saturation.amplifiers,
                       100 * saturation.share());
}

std::string layer_table(const NonlinearReport& report, const MappingStudy& study) {
    std::vector<std::string> head{"layer",        "arrays",      "rms [%]",         "worst [%]",
                                  "rms [LSB]",    "worst [LSB]", "off > LSB/2 [%]", "gain",
                                  "left [%]",     "iterations",  "residual",        "solve [s]",
                                  "linear answer"};
    if (has_amplifiers(report)) head.insert(head.end() - 1, "saturated");
    TextTable table(head);
    for (const LayerError& e : study.layers) {
        std::vector<std::string> row{report.graph.layer_name(e.layer),
                                     fmt::to_string(e.arrays),
                                     fmt::format("{:.3f}", 100 * e.relative_rms()),
                                     fmt::format("{:.2f}", 100 * e.relative_worst()),
                                     in_lsb(e, e.rms_lsb),
                                     in_lsb(e, e.worst_lsb),
                                     in_lsb(e, 100 * e.off_share),
                                     fmt::format("{:.3f}", e.gain),
                                     fmt::format("{:.3f}", 100 * e.relative_left()),
                                     fmt::format("{:.1f}", e.effort.mean_iterations()),
                                     fmt::format("{:.0e}", e.effort.residual),
                                     fmt::format("{:.3f}", e.effort.seconds),
                                     is_good_enough(e) ? "good enough" : "NOT good enough"};
        if (has_amplifiers(report)) row.insert(row.end() - 1, saturated_text(e.effort.saturation));
        table.add(std::move(row));
    }
    return table.markdown();
}

std::string image_table(const NonlinearReport& report, const MappingStudy& study) {
    TextTable table(
        {"image", "label", "linear", "nonlinear", "outputs apart, rms [%]", "largest difference"});
    for (std::size_t i = 0; i < report.labels.size(); ++i) {
        const auto difference =
            difference_of(report.of_image(study.linear, i), report.of_image(study.nonlinear, i));
        table.add({fmt::to_string(i), fmt::to_string(report.labels[i]),
                   fmt::to_string(report.predicted(study.linear, i)),
                   fmt::to_string(report.predicted(study.nonlinear, i)),
                   fmt::format("{:.2f}", 100 * difference.relative_rms),
                   fmt::format("{:.3g}", difference.worst)});
    }
    return table.markdown();
}

nlohmann::json saturation_json(const Saturation& saturation) {
    return {{"amplifiers", saturation.amplifiers},
            {"saturated_amplifiers", saturation.saturated},
            {"saturated_share", saturation.share()}};
}

nlohmann::json layer_json(const NonlinearReport& report, const LayerError& e) {
    nlohmann::json object{{"arrays", e.arrays},
                          {"samples", e.samples},
                          {"signal_rms", e.signal},
                          {"relative_rms", e.relative_rms()},
                          {"relative_worst", e.relative_worst()},
                          {"gain", e.gain},
                          {"relative_rms_left", e.relative_left()},
                          {"operating_points", e.effort.points},
                          {"solved", e.effort.solved},
                          {"iterations", e.effort.mean_iterations()},
                          {"residual", e.effort.residual},
                          {"seconds", e.effort.seconds},
                          {"good_enough", is_good_enough(e)},
                          {"verdict", layer_verdict(report, e)}};
    if (e.has_adc) {
        object["rms_lsb"] = e.rms_lsb;
        object["worst_lsb"] = e.worst_lsb;
        object["off_share"] = e.off_share;
    }
    if (has_amplifiers(report)) object.update(saturation_json(e.effort.saturation));
    return object;
}

nlohmann::json image_json(const NonlinearReport& report, const MappingStudy& study, std::size_t i) {
    const auto linear = report.of_image(study.linear, i);
    const auto nonlinear = report.of_image(study.nonlinear, i);
    const auto difference = difference_of(linear, nonlinear);
    return {{"label", report.labels[i]},
            {"linear", report.predicted(study.linear, i)},
            {"nonlinear", report.predicted(study.nonlinear, i)},
            {"linear_outputs", std::vector<float>(linear.begin(), linear.end())},
            {"nonlinear_outputs", std::vector<float>(nonlinear.begin(), nonlinear.end())},
            {"relative_rms", difference.relative_rms},
            {"largest_difference", difference.worst}};
}

NonlinearRecord record_of(const NonlinearReport& report, const MappingStudy& study) {
    NonlinearRecord record;
    record.mapping = to_string(study.mapping);
    record.good_enough = is_good_enough(report, study);
    for (const LayerError& e : study.layers) {
        record.layers.push_back(report.graph.layer_name(e.layer));
        record.arrays.push_back(e.arrays);
        record.samples.push_back(e.samples);
        record.signal.push_back(e.signal);
        record.rms_error.push_back(e.rms);
        record.worst_error.push_back(e.worst);
        record.gain.push_back(e.gain);
        record.rms_left.push_back(e.rms_left);
        record.rms_lsb.push_back(e.rms_lsb);
        record.worst_lsb.push_back(e.worst_lsb);
        record.off_share.push_back(e.off_share);
        record.iterations.push_back(e.effort.mean_iterations());
        record.residual.push_back(e.effort.residual);
        record.seconds.push_back(e.effort.seconds);
        record.amplifiers.push_back(e.effort.saturation.amplifiers);
        record.saturated_amplifiers.push_back(e.effort.saturation.saturated);
        record.saturated_share.push_back(e.effort.saturation.share());
    }
    record.linear_outputs = study.linear;
    record.nonlinear_outputs = study.nonlinear;
    return record;
}

}  // namespace

std::span<const float> NonlinearReport::of_image(const std::vector<float>& outputs,
                                                 std::size_t i) const {
    return std::span(outputs).subspan(i * graph.classes(), graph.classes());
}

std::int32_t NonlinearReport::predicted(const std::vector<float>& outputs, std::size_t i) const {
    return largest_output(of_image(outputs, i));
}

bool is_good_enough(const NonlinearReport& report, const MappingStudy& study) {
    return failing(study).empty() && changed_predictions(report, study) == 0;
}

std::string layer_verdict(const NonlinearReport& report, const LayerError& error) {
    return fmt::format("{}: the linear answer is {}good enough, off by {}",
                       report.graph.layer_name(error.layer), is_good_enough(error) ? "" : "not ",
                       size_of_error(error));
}

std::string verdict(const NonlinearReport& report, const MappingStudy& study) {
    constexpr std::size_t most_named = 5;
    const auto off = failing(study);
    std::string text =
        fmt::format("{}, {} read at {} V: the linear answer is {}good enough",
                    to_string(study.mapping), what_is_nonlinear(report),
                    report.experiment.read_voltage, is_good_enough(report, study) ? "" : "not ");
    for (std::size_t i = 0; i < std::min(off.size(), most_named); ++i)
        text += fmt::format("{} {} is off by {}", i == 0 ? ":" : ";",
                            report.graph.layer_name(off[i]->layer), size_of_error(*off[i]));
    if (off.size() > most_named)
        text += fmt::format("; {} more layers are off", off.size() - most_named);
    if (study.nonlinear.empty()) return text + ".";
    if (has_amplifiers(report))
        text += fmt::format("; {} of {} amplifiers saturate, in {:.2g} % of all readings",
                            study.saturation.saturated, study.saturation.amplifiers,
                            100 * study.saturation.share());
    return text + fmt::format("; {} of {} images classified differently.",
                              changed_predictions(report, study), report.labels.size());
}

std::string nonlinear_text(const NonlinearReport& report) {
    std::string text;
    for (const MappingStudy& study : report.mappings) {
        if (study.layers.empty()) continue;
        text += fmt::format("{}## {}: error of the linear operator at the ADC\n\n",
                            text.empty() ? "" : "\n", to_string(study.mapping));
        text += layer_table(report, study);
        if (!study.nonlinear.empty())
            text += fmt::format("\nThe network with these layers nonlinear ({:.1f} s):\n\n{}",
                                study.network_seconds, image_table(report, study));
        text += "\n" + verdict(report, study) + "\n";
    }
    return text;
}

nlohmann::json nonlinear_json(const NonlinearReport& report) {
    nlohmann::json object{{"network", report.graph.network().name},
                          {"settings", to_toml(report.experiment)},
                          {"cell", report.experiment.cell_law},
                          {"read_voltage", report.experiment.read_voltage},
                          {"complete", report.complete},
                          {"mappings", nlohmann::json::object()}};
    for (const MappingStudy& study : report.mappings) {
        auto& here = object["mappings"][std::string(to_string(study.mapping))];
        here["layers"] = nlohmann::json::object();
        for (const LayerError& error : study.layers)
            here["layers"][report.graph.layer_name(error.layer)] = layer_json(report, error);
        here["images"] = nlohmann::json::array();
        for (std::size_t i = 0; i < report.labels.size() && !study.nonlinear.empty(); ++i)
            here["images"].push_back(image_json(report, study, i));
        here["network_seconds"] = study.network_seconds;
        if (has_amplifiers(report) && !study.nonlinear.empty())
            here.update(saturation_json(study.saturation));
        here["good_enough"] = is_good_enough(report, study);
        here["verdict"] = verdict(report, study);
    }
    return object;
}

std::string nonlinear_figure(const NonlinearReport& report) {
    BarChart chart;
    chart.title =
        fmt::format("{}: linear operators against {}, arrays {}", report.graph.network().name,
                    what_is_nonlinear(report), to_string(report.experiment.array));
    const bool has_adc = report.experiment.converters.adc_bits > 0;
    chart.y_label = has_adc ? "rms error [LSB]" : "rms error [% of the signal]";
    chart.decimals = 2;
    for (const LayerError& error : report.mappings.front().layers)
        chart.groups.push_back(report.graph.layer_name(error.layer));
    for (const MappingStudy& study : report.mappings) {
        std::vector<double> values(chart.groups.size(), std::numeric_limits<double>::quiet_NaN());
        for (std::size_t i = 0; i < study.layers.size(); ++i)
            values[i] = has_adc ? study.layers[i].rms_lsb : 100 * study.layers[i].relative_rms();
        chart.series.push_back({std::string(to_string(study.mapping)), std::move(values)});
    }
    return bar_chart(chart);
}

NonlinearStudyRecord nonlinear_record(const NonlinearReport& report) {
    NonlinearStudyRecord record;
    record.settings = to_toml(report.experiment);
    record.network = fmt::format("{} ({})", report.experiment.network, report.graph.network().name);
    record.data = report.experiment.data;
    record.cell_law = report.experiment.cell_law;
    record.read_voltage = report.experiment.read_voltage;
    record.complete = report.complete;
    record.labels = report.labels;
    for (const MappingStudy& study : report.mappings)
        record.mappings.push_back(record_of(report, study));
    return record;
}

}  // namespace kirchnet
