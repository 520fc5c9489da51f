#include "tools/reports/comparison_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "circuit/units.hpp"
#include "nn/tiling.hpp"
#include "tools/output/output.hpp"
#include "tools/output/plots/bar_chart.hpp"
#include "tools/output/plots/heat_map.hpp"
#include "tools/reports/run_details.hpp"
#include "tools/reports/tile_maps.hpp"

namespace kirchnet {
namespace {

constexpr double full_drive = 0.2;  // [V] read voltage of the IR-drop map

std::string percent(double share) {
    return fmt::format("{:.2f}", 100 * share);
}

AdcCount total_adc(const ArmResult& arm) {
    AdcCount total;
    for (const AdcCount& count : arm.inference.adc) total += count;
    return total;
}

double clipped_share(const ArmResult& arm) {
    const AdcCount total = total_adc(arm);
    return total.samples == 0
               ? 0
               : static_cast<double>(total.clipped) / static_cast<double>(total.samples);
}

std::string arm_words(const ComparisonReport& report, const ArmResult& arm) {
    std::string words = arm.operators == Operators::ideal ? "ideal crossbar" : "circuit";
    if (arm.faulty && report.experiment.has_faults()) words += " + faults";
    if (arm.faulty && report.experiment.device_laws.is_on()) words += " + device laws";
    if (arm.faulty && !report.experiment.array_files.empty()) words += " + given arrays";
    return words;
}

double images_per_second(const ComparisonReport& report, double seconds) {
    return seconds > 0 ? static_cast<double>(report.images) / seconds : 0;
}

/// What one image costs on the chip; the same for all arms of a mapping.
std::string timing_words(const ArmResult& arm) {
    std::string text =
        fmt::format("{}: {} reads and {} conversions per image", to_string(arm.mapping),
                    arm.timing.reads, arm.timing.conversions);
    if (arm.timing.seconds > 0)
        text += fmt::format(", {} of reading", format_quantity(arm.timing.seconds, "s"));
    return text + ".\n";
}

/// Empty for arrays driven at the left and read at the bottom.
std::string sides_words(const Experiment& e) {
    if (e.drive == DriveSide::left && e.sense_at == SenseSide::bottom) return {};
    return fmt::format(
        "word lines driven {}, bit lines read {}, ",
        e.drive == DriveSide::both ? "at both ends" : fmt::format("at the {}", to_string(e.drive)),
        e.sense_at == SenseSide::both ? "at both ends"
                                      : fmt::format("at the {}", to_string(e.sense_at)));
}

/// Empty where every law is off.
std::string device_words(const Experiment& e) {
    const DeviceLaws& laws = e.device_laws;
    if (!laws.is_on()) return {};
    return fmt::format(
        " Device laws: variation {}, programming error {} + {} G, read noise {}, drift exponent {} "
        "± {} at time ratio {}, seed {}, trial {}.",
        laws.variation, laws.programming_error, laws.programming_slope, laws.read_noise,
        laws.drift_nu, laws.drift_spread, laws.time_ratio, e.seed, e.trial);
}

std::string adc_range_words(const ConverterSettings& converters) {
    switch (converters.adc_range) {
        case AdcRange::full:
            return "of full range";
        case AdcRange::manual:
            return fmt::format("with {} of an array's full range", converters.adc_full_scale);
        case AdcRange::calibrated:
            break;
    }
    const std::string on(to_string(converters.calibrate_on));
    if (converters.adc_percentile >= 100) return "calibrated on " + on;
    return fmt::format("calibrated on {}, percentile {}", on, converters.adc_percentile);
}

/// Empty where ADCs are ideal.
std::string adc_error_words(const Experiment& e) {
    const AdcErrors& errors = e.converters.adc_errors;
    if (!errors.are_there()) return {};
    return fmt::format(
        " ADCs: offset {} ± {} LSB, gain {} ± {}, INL of {} points, noise {} LSB rms, seed {}, "
        "trial {}.",
        errors.offset, errors.offset_deviation, errors.gain, errors.gain_deviation,
        errors.inl.size(), errors.noise, e.seed, e.trial);
}

/// Weights, cells and converters.
std::string precision_words(const Experiment& e) {
    std::string text = fmt::format("{}-bit weights", e.weight_bits);
    if (e.bits_per_cell > 0) text += fmt::format(" in {}-bit cells", e.bits_per_cell);
    if (e.converters.input_bits > 0)
        text += fmt::format(", {}-bit inputs", e.converters.input_bits);
    text += fmt::format(", {}-bit DAC", e.converters.dac_bits);
    if (e.converters.signed_inputs == SignedInputs::two_pass)
        text += " with negative inputs in a second pass";
    text += fmt::format(", {}-bit ADC {}", e.converters.adc_bits, adc_range_words(e.converters));
    if (e.subtraction == Subtraction::after) text += ", pairs subtracted digitally";
    return text;
}

std::string settings_text(const ComparisonReport& report) {
    const Experiment& e = report.experiment;
    std::string text = fmt::format(
        "{} images, {} for calibration. Arrays {} ({}, unused cells: {}), segments {} / {} ohm, "
        "{}cells {} / {}, {}.",
        report.images, report.calibration_images, to_string(e.array), to_string(e.layout),
        to_string(e.unused), e.word_line_segment, e.bit_line_segment, sides_words(e),
        format_quantity(e.device.on, "S"), format_quantity(e.device.off, "S"), precision_words(e));
    if (!e.preset.empty()) text = fmt::format("Preset {}. {}", e.preset, text);
    text += adc_error_words(e);
    if (!e.fault_map.empty())
        text += " Faults: map " + e.fault_map + ".";
    else if (e.fault_law.is_on())
        text +=
            fmt::format(" Faults: {}, seed {}, trial {}.", describe(e.fault_law), e.seed, e.trial);
    if (e.correction.kind != CorrectionKind::none)
        text += fmt::format(
            " Circuit arms corrected: {}, fitted on {}.", to_string(e.correction.kind),
            e.correction.fit_on == CorrectionFit::chip ? "each chip" : "the designed chip");
    return text + device_words(e);
}

std::string worst_tile_words(const ComparisonReport& report, const ArmResult& arm) {
    const auto tiling =
        tile_layer(report.graph, arm.worst_layer, report.experiment.tile_settings(arm.mapping));
    return fmt::format("{} tile {} ({}), read-out off by {:.0f} % of its signal (rms)",
                       tiling.layer,
                       to_string(tile_places(tiling)[arm.worst_tile],
                                 report.experiment.tile_settings(arm.mapping)),
                       to_string(arm.mapping), 100 * arm.worst_deviation);
}

/// Rms error of a network's tiles: the middle one of its layers.
double middle_error(const Correction& correction, double LayerCorrection::*error) {
    std::vector<double> errors;
    for (const LayerCorrection& layer : correction) errors.push_back(layer.*error);
    const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
    std::nth_element(errors.begin(), middle, errors.end());
    return *middle;
}

std::string correction_words(const ComparisonReport& report, Mapping mapping,
                             const Correction& correction) {
    return fmt::format(
        "{}: {} takes the rms error of the designed chip's tiles, median of the layers, from "
        "{:.1f} to {:.1f} % of their signal.\n",
        to_string(mapping), to_string(report.experiment.correction.kind),
        100 * middle_error(correction, &LayerCorrection::error_before),
        100 * middle_error(correction, &LayerCorrection::error_after));
}

nlohmann::json layer_counts(const ComparisonReport& report, const ArmResult& arm) {
    auto layers = nlohmann::json::object();
    for (std::size_t layer = 0; layer < arm.inference.adc.size(); ++layer)
        layers[report.graph.layer_name(layer)] = arm.inference.adc[layer].clipped;
    return layers;
}

}  // namespace

std::string arm_name(const ArmResult& arm) {
    return fmt::format("{}{}", to_string(arm.operators), arm.faulty ? "_faulty" : "");
}

std::string report_table(const ComparisonReport& report) {
    TextTable table({"mapping", "arm", fmt::format("{} [%]", report.metric()),
                     "same as software [%]", "ADC clipped [%]", "worst tile error [%]",
                     "operators [s]", "images/s"});
    table.add({"software", "float32", percent(report.software_accuracy), "100.00", "", "", "",
               fmt::format("{:.0f}", images_per_second(report, report.software_seconds))});
    for (const ArmResult& arm : report.arms)
        table.add({std::string(to_string(arm.mapping)), arm_words(report, arm),
                   percent(report.accuracy(arm)), percent(report.agreement(arm)),
                   fmt::format("{:.3f}", 100 * clipped_share(arm)),
                   arm.operators == Operators::circuit
                       ? fmt::format("{:.1f}", 100 * arm.worst_deviation)
                       : "",
                   fmt::format("{:.2f}", arm.operator_seconds),
                   fmt::format("{:.0f}", images_per_second(report, arm.inference.seconds))});
    return table.markdown();
}

std::string report_notes(const ComparisonReport& report) {
    constexpr double worth_saying = 0.01;
    std::string text;
    for (const ArmResult& arm : report.arms) {
        if (clipped_share(arm) < worth_saying) continue;
        text += fmt::format(
            "{} {}: {:.1f} % of its ADC samples are clipped; ranges were fitted on "
            "the fault-free chip.\n",
            to_string(arm.mapping), arm_words(report, arm), 100 * clipped_share(arm));
    }
    for (const ArmResult& arm : report.arms)
        if (arm.operators == Operators::ideal && !arm.faulty) text += timing_words(arm);
    for (const auto& [mapping, correction] : report.corrections)
        text += correction_words(report, mapping, correction);
    if (report.operator_cache)
        text += fmt::format("Operators: {} transfer matrices from the cache, {} computed.\n",
                            report.operator_cache->hits, report.operator_cache->misses);
    return text + run_summary(report);
}

std::string report_markdown(const ComparisonReport& report, const std::string& accuracy_figure,
                            const std::string& tile_figure) {
    std::string text =
        fmt::format("# {}: idealised against circuit-level accuracy\n\n{}\n\n{}",
                    report.graph.network().name, settings_text(report), report_table(report));
    if (const std::string notes = report_notes(report); !notes.empty()) text += "\n" + notes;
    if (!report.complete) text += "\n**Interrupted: only finished arms are listed.**\n";
    text += fmt::format("\n![Accuracy per mapping]({})\n", accuracy_figure);
    if (const ArmResult* arm = worst_arm(report); arm != nullptr && !tile_figure.empty())
        text +=
            fmt::format("\nThe tile its wires cost most: {}.\n\n![IR drop of the worst tile]({})\n",
                        worst_tile_words(report, *arm), tile_figure);
    if (const std::string clipped = clipped_table(report); !clipped.empty())
        text += "\n## Clipped samples\n\n" + clipped;
    text += "\n## Tiles\n\n" + tile_table(report);
    text += "\n## Time\n\n" + time_table(report);
    text += "\n## Experiment\n\n```toml\n" + to_toml(report.experiment) + "```\n";
    return text;
}

nlohmann::json report_json(const ComparisonReport& report) {
    nlohmann::json object;
    object["network"] = report.graph.network().name;
    object["preset"] = report.experiment.preset;
    object["images"] = report.images;
    object["calibration_images"] = report.calibration_images;
    object["complete"] = report.complete;
    object["settings"] = to_toml(report.experiment);
    object["seconds"] = {{"software", report.software_seconds}};
    if (report.operator_cache) object["operator_cache"] = counts_json(*report.operator_cache);
    object["metric"] = report.metric();
    object["accuracy"] = nlohmann::json::object();
    for (const auto& [stage, seconds] : report.stage_seconds) object["seconds"][stage] = seconds;
    for (const ArmResult& arm : report.arms) {
        const std::string mapping(to_string(arm.mapping));
        const std::string name = arm_name(arm);
        object["accuracy"][mapping]["software"] = report.software_accuracy;
        object["accuracy"][mapping][name] = report.accuracy(arm);
        object["agreement"][mapping][name] = report.agreement(arm);
        object["clipped"][mapping][name] = layer_counts(report, arm);
        object["adc_samples"][mapping][name] = total_adc(arm).samples;
        object["reads_per_image"][mapping] = arm.timing.reads;
        object["conversions_per_image"][mapping] = arm.timing.conversions;
        object["read_seconds_per_image"][mapping] = arm.timing.seconds;
        object["worst_tile_error"][mapping][name] = arm.worst_deviation;
        object["images_per_second"][mapping][name] =
            images_per_second(report, arm.inference.seconds);
    }
    for (const auto& [mapping, correction] : report.corrections)
        for (std::size_t layer = 0; layer < correction.size(); ++layer)
            object["correction"][std::string(to_string(mapping))][report.graph.layer_name(layer)] =
                {{"error_before", correction[layer].error_before},
                 {"error_after", correction[layer].error_after}};
    add_run_details(report, object);
    return object;
}

std::string accuracy_figure(const ComparisonReport& report) {
    BarChart chart;
    chart.title =
        fmt::format("{}, arrays {} {}, {} ohm per segment", report.graph.network().name,
                    to_string(report.experiment.array), to_string(report.experiment.layout),
                    report.experiment.word_line_segment);
    chart.y_label = fmt::format("{} [%]", report.metric());
    chart.y_max = 100;
    for (const ArmResult& arm : report.arms)
        if (const std::string group(to_string(arm.mapping));
            std::find(chart.groups.begin(), chart.groups.end(), group) == chart.groups.end())
            chart.groups.push_back(group);
    const double missing = std::numeric_limits<double>::quiet_NaN();
    chart.series.push_back(
        {"software", std::vector(chart.groups.size(), 100 * report.software_accuracy)});
    for (const ArmResult& arm : report.arms) {
        const std::string words = arm_words(report, arm);
        auto series = std::find_if(chart.series.begin(), chart.series.end(),
                                   [&](const BarSeries& s) { return s.name == words; });
        if (series == chart.series.end())
            series =
                chart.series.insert(series, {words, std::vector(chart.groups.size(), missing)});
        const auto group =
            std::find(chart.groups.begin(), chart.groups.end(), to_string(arm.mapping));
        series->values[static_cast<std::size_t>(group - chart.groups.begin())] =
            100 * report.accuracy(arm);
    }
    return bar_chart(chart);
}

const ArmResult* worst_arm(const ComparisonReport& report) {
    const ArmResult* worst = nullptr;
    for (const ArmResult& arm : report.arms)
        if (arm.operators == Operators::circuit && !arm.faulty &&
            (worst == nullptr || arm.worst_deviation > worst->worst_deviation))
            worst = &arm;
    return worst;
}

CellMatrix worst_tile_drop(const ComparisonReport& report, const ArmResult& arm) {
    const TileSettings settings = report.experiment.tile_settings(arm.mapping);
    const auto tiling = tile_layer(report.graph, arm.worst_layer, settings);
    const TilePlace place = tile_places(tiling)[arm.worst_tile];
    const Tile tile(
        weight_block(report.graph, arm.worst_layer, settings, place.row, place.column, place.slice),
        settings);
    return ir_drop(tile.arrays().front(), tile.rows(), full_drive);
}

std::string drop_figure(const ComparisonReport& report, const ArmResult& arm,
                        const CellMatrix& drop) {
    const HeatMap map{
        .title = fmt::format("IR drop, {}", worst_tile_words(report, arm)),
        .description = {},
        .value_label = fmt::format("voltage lost of {} V", full_drive),
        .unit = "V",
        .values = drop,
        .marks = {},
    };
    return heat_map(map);
}

}  // namespace kirchnet
