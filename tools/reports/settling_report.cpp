#include "tools/reports/settling_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "circuit/units.hpp"
#include "tools/output/output.hpp"
#include "tools/output/plots/line_chart.hpp"

namespace kirchnet {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// Places of the outputs, the slowest first.
std::vector<std::size_t> by_time(const SettlingStudy& study) {
    std::vector<std::size_t> order(study.outputs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
        return study.outputs[x].time.value_or(never) > study.outputs[y].time.value_or(never);
    });
    return order;
}

std::string time_text(const SettlingReport& report, const std::optional<double>& time) {
    return time ? format_quantity(*time, "s")
                : "not within " + format_quantity(report.study.stop, "s");
}

std::string table_text(const SettlingReport& report) {
    std::vector<std::string> titles{"output", "settled", "LSB", "settling time", "estimate"};
    if (report.agreement) titles.insert(titles.end(), {"ngspice", "apart [%]", "waveform [%]"});
    TextTable table(titles);
    const SettlingStudy& study = report.study;
    const auto order = by_time(study);
    for (std::size_t k = 0; k < std::min(report.rows, order.size()); ++k) {
        const OutputSettling& output = study.outputs[order[k]];
        std::vector<std::string> row{
            output.signal.name, format_quantity(output.settled, study.unit),
            fmt::format("{:.1f}", output.settled / (2 * study.half_lsb)),
            time_text(report, output.time), format_quantity(output.estimated, "s")};
        if (report.agreement) {
            const auto& theirs = report.agreement->outputs[order[k]];
            row.push_back(time_text(report, theirs.time));
            row.push_back(fmt::format("{:.2f}", 100 * theirs.time_difference));
            row.push_back(fmt::format("{:.3f}", 100 * theirs.waveform));
        }
        table.add(row);
    }
    std::string text = table.markdown();
    if (order.size() > report.rows)
        text += fmt::format("({} faster outputs are not shown; ask with --top)\n",
                            order.size() - report.rows);
    return text;
}

/// The parts of an estimate that are there.
std::string parts_text(const SettlingEstimate& estimate) {
    std::string text;
    const auto add = [&](const char* name, double value) {
        if (value > 0)
            text +=
                fmt::format("{}{} {}", text.empty() ? "" : ", ", name, format_quantity(value, "s"));
    };
    add("word line", estimate.word_line);
    add("bit line", estimate.bit_line);
    add("amplifier", estimate.amplifier);
    add("subtractor", estimate.subtractor);
    return text.empty() ? "none" : text;
}

std::string read_time_text(const SettlingReport& report) {
    const SettlingStudy& study = report.study;
    const OutputSettling& slowest = study.slowest();
    if (!slowest.time)
        return fmt::format(
            "No read time: {} is not within half an LSB of its settled value by {}.\n",
            slowest.signal.name, format_quantity(study.stop, "s"));
    if (*slowest.time == 0)
        return fmt::format(
            "Minimum read time: 0 s, these inputs move no output by more than half an LSB; a "
            "narrower --range tells them apart (estimated {}).\n",
            format_quantity(study.estimated_read_time(), "s"));
    return fmt::format(
        "Minimum read time: {}, when {} is within half an LSB for good; estimated {} "
        "({:.2g} times as long).\n",
        format_quantity(*slowest.time, "s"), slowest.signal.name,
        format_quantity(study.estimated_read_time(), "s"),
        study.estimated_read_time() / *slowest.time);
}

/// What amplifiers near their swing do to the estimate.
std::string swing_text(const SettlingStudy& study) {
    if (study.swing == 0) return {};
    return fmt::format(
        "Transimpedance amplifiers settle at up to {} of a swing of {}; near it a smooth limit "
        "slows them, which the estimate leaves out.\n",
        format_quantity(study.largest_voltage, "V"), format_quantity(study.swing, "V"));
}

std::string terms_text(const SettlingReport& report) {
    const SettlingStudy& study = report.study;
    const SettlingTerms& terms = report.terms;
    const auto farad = [](double value) { return format_quantity(value, "F"); };
    return fmt::format(
               "Half an LSB of {} bits over +-{} is {}. Estimate: rise + (B + 1) ln 2 times {} "
               "(time constants of {}).\n"
               "Read voltages rise from 0 V within {}; capacitance of a wire segment {}, of a cell "
               "{}, of an access device {}.",
               terms.bits, format_quantity(study.range, study.unit),
               format_quantity(study.half_lsb, study.unit), parts_text(study.slowest().estimate),
               study.slowest().signal.name, format_quantity(terms.rise_time, "s"),
               farad(terms.capacitances.wire_segment), farad(terms.capacitances.cell),
               farad(terms.capacitances.access)) +
           (study.feedback > 0
                ? fmt::format(" R_f is {}.\n", format_quantity(study.feedback, "ohm"))
                : " Read-out is ideal: bit lines end at 0 V.\n") +
           swing_text(study) +
           fmt::format("Simulated to {} in {} steps and {:.1f} s.\n",
                       format_quantity(study.stop, "s"), study.steps, study.seconds);
}

std::string agreement_text(const SettlingAgreement& agreement) {
    const auto& wave = agreement.worst_waveform();
    const auto& time = agreement.worst_time();
    return fmt::format(
        "ngspice ({:.1f} s): waveforms at most {:.3f} % of the settled value apart ({}; of an LSB "
        "where that is more), settling times {:.2f} % ({}; of a tenth of the read time where that "
        "is more): {}, tolerances {:g} % and {:g} %\n",
        agreement.seconds, 100 * wave.waveform, wave.name, 100 * time.time_difference, time.name,
        agreement.agrees() ? "ok" : "DISAGREE", 100 * SettlingAgreement::waveform_tolerance,
        100 * SettlingAgreement::time_tolerance);
}

nlohmann::json number_or_null(const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json output_json(const OutputSettling& output) {
    return {{"output", output.signal.name},
            {"column", output.signal.output},
            {"settled", output.settled},
            {"settling_time", number_or_null(output.time)},
            {"estimate", output.estimated},
            {"time_constants",
             {{"word_line", output.estimate.word_line},
              {"bit_line", output.estimate.bit_line},
              {"amplifier", output.estimate.amplifier},
              {"subtractor", output.estimate.subtractor}}}};
}

nlohmann::json agreement_json(const SettlingAgreement& agreement) {
    auto outputs = nlohmann::json::array();
    for (const auto& output : agreement.outputs)
        outputs.push_back({{"output", output.name},
                           {"settling_time", number_or_null(output.time)},
                           {"time_difference", output.time_difference},
                           {"waveform_difference", output.waveform}});
    return {{"agree", agreement.agrees()},
            {"worst_waveform_difference", agreement.worst_waveform().waveform},
            {"worst_time_difference", agreement.worst_time().time_difference},
            {"outputs", outputs}};
}

/// A prefix for numbers up to `largest`: 1e9 and `n`.
std::pair<double, std::string> prefix_of(double largest) {
    if (largest == 0) return {1.0, ""};
    constexpr std::string_view prefixes = "fpnum";
    double scale = 1e15;
    for (const char prefix : prefixes) {
        if (largest * scale < 1000) return {scale, std::string(1, prefix)};
        scale /= 1e3;
    }
    return {1.0, ""};
}

}  // namespace

std::string settling_text(const SettlingReport& report) {
    return fmt::format("{}; {}\n\n", report.subject, report.driven) + table_text(report) + "\n" +
           read_time_text(report) + terms_text(report) +
           (report.agreement ? agreement_text(*report.agreement) : std::string());
}

nlohmann::json settling_json(const SettlingReport& report) {
    const SettlingStudy& study = report.study;
    const SettlingTerms& terms = report.terms;
    auto outputs = nlohmann::json::array();
    for (const OutputSettling& output : study.outputs) outputs.push_back(output_json(output));
    nlohmann::json json{{"subject", report.subject},
                        {"driven", report.driven},
                        {"unit", study.unit},
                        {"bits", terms.bits},
                        {"range", study.range},
                        {"half_lsb", study.half_lsb},
                        {"rise_time", terms.rise_time},
                        {"capacitances",
                         {{"wire_segment", terms.capacitances.wire_segment},
                          {"cell", terms.capacitances.cell},
                          {"access", terms.capacitances.access}}},
                        {"feedback", study.feedback},
                        {"swing", study.swing},
                        {"largest_amplifier_voltage", study.largest_voltage},
                        {"read_time", number_or_null(study.read_time())},
                        {"estimated_read_time", study.estimated_read_time()},
                        {"slowest", study.slowest().signal.name},
                        {"stop", study.stop},
                        {"steps", study.steps},
                        {"seconds", study.seconds},
                        {"outputs", outputs}};
    if (report.agreement) json["ngspice"] = agreement_json(*report.agreement);
    return json;
}

SettlingRecord settling_record(const SettlingReport& report) {
    const SettlingStudy& study = report.study;
    const SettlingTerms& terms = report.terms;
    SettlingRecord record{.settings = report.settings,
                          .subject = report.subject,
                          .driven = report.driven,
                          .unit = study.unit,
                          .bits = static_cast<double>(terms.bits),
                          .half_lsb = study.half_lsb,
                          .rise_time = terms.rise_time,
                          .wire_capacitance = terms.capacitances.wire_segment,
                          .cell_capacitance = terms.capacitances.cell,
                          .access_capacitance = terms.capacitances.access};
    record.time = study.outputs.front().waveform.time;
    for (const OutputSettling& output : study.outputs) {
        record.outputs.push_back(output.signal.name);
        record.settled.push_back(output.settled);
        record.settling_time.push_back(
            output.time.value_or(std::numeric_limits<double>::quiet_NaN()));
        record.estimate.push_back(output.estimated);
        record.waveforms.insert(record.waveforms.end(), output.waveform.value.begin(),
                                output.waveform.value.end());
    }
    return record;
}

std::string settling_csv(const SettlingReport& report) {
    const SettlingStudy& study = report.study;
    std::string text = fmt::format("# {}; {}\n# time [s]", report.subject, report.driven);
    for (const OutputSettling& output : study.outputs)
        text += fmt::format(",{} [{}]", output.signal.name, study.unit);
    text += '\n';
    const auto& times = study.outputs.front().waveform.time;
    for (std::size_t k = 0; k < times.size(); ++k) {
        text += fmt::format("{:.17g}", times[k]);
        for (const OutputSettling& output : study.outputs)
            text += fmt::format(",{:.17g}", output.waveform.value[k]);
        text += '\n';
    }
    return text;
}

std::string settling_chart(const SettlingReport& report) {
    constexpr std::size_t most_curves = 7;  // as many as there are colours
    constexpr int points = 240;
    const SettlingStudy& study = report.study;
    const auto order = by_time(study);
    const double read_time = study.read_time().value_or(0);
    const double end =
        read_time > 0 ? std::min(study.stop, std::max(1.3 * read_time, 2 * report.terms.rise_time))
                      : study.stop;
    double largest = 0;
    for (std::size_t k = 0; k < std::min(most_curves, order.size()); ++k)
        for (int i = 0; i <= points; ++i)
            largest =
                std::max(largest, std::abs(study.outputs[order[k]].waveform.at(end * i / points)));
    const auto [time_scale, time_prefix] = prefix_of(end);
    const auto [scale, prefix] = prefix_of(largest);
    LinePanel panel;
    for (std::size_t k = 0; k < std::min(most_curves, order.size()); ++k) {
        const OutputSettling& output = study.outputs[order[k]];
        LineSeries series{output.signal.name, {}};
        for (int i = 0; i <= points; ++i) {
            const double time = end * i / points;
            const double value = scale * output.waveform.at(time);
            series.points.push_back({time_scale * time, value, value, value});
        }
        panel.series.push_back(std::move(series));
    }
    const std::string title = fmt::format(
        "{}; {}: {}{}", report.subject,
        order.size() > most_curves ? fmt::format("the {} slowest outputs", most_curves) : "outputs",
        study.read_time() ? "settled at " : "not settled by ",
        format_quantity(study.read_time().value_or(study.stop), "s"));
    return line_chart(
        {.title = title,
         .description = fmt::format("Waveforms from 0 s to {}. {}", format_quantity(end, "s"),
                                    read_time_text(report)),
         .x_label = fmt::format("time [{}s]", time_prefix),
         .y_label =
             fmt::format("{} [{}{}]", study.unit == "V" ? "output" : "current", prefix, study.unit),
         .panels = {panel},
         .dots = false});
}

}  // namespace kirchnet
