// No current of a column exceeds rows G_on V_r: voltages lie between 0 and V_r, and no cell
// conducts more than G_on. In operator entries × inputs that is rows unit G_on / (G_on - G_off)
// times the largest input of a read, and it bounds differences of two columns as well. A reference
// column carries no more.
#include "nn/calibration.hpp"

#include <algorithm>

namespace kirchnet {
namespace {

std::size_t rows_in_use(const LayerDriver& driver) {
    std::size_t rows = 0;
    for (const TileOperator& tile : driver.operators.tiles) rows = std::max(rows, tile.rows);
    return rows;
}

double largest_sample(const LayerDriver& driver, const OperatorSlice& slice,
                      const DeviceRange& device, std::size_t rows) {
    return static_cast<double>(rows) * slice.unit * device.on / device.span() *
           driver.largest_input();
}

/// What shares of the reference column take out of a sample at most, in currents of one column.
double reference_room(const LayerDriver& driver, const TileSettings& tile) {
    const bool has_two_arrays = has_column_pair(tile.mapping) && tile.layout == Layout::split;
    float share = 0;
    for (const TileOperator& of : driver.operators.tiles)
        share = std::max(share, of.reference_share);
    return static_cast<double>(share) * (has_two_arrays ? 2 : 1);
}

/// Smallest difference between samples of ideal cells; 0 where cells or inputs are continuous.
double sample_step(const LayerDriver& driver, const OperatorSlice& slice) {
    if (driver.dac.bits == 0) return 0;
    return driver.samples_once() ? slice.step / driver.dac.levels() : slice.step;
}

double calibrated_range(const SampleRange& samples, double percentile) {
    if (!samples.histogram) return static_cast<double>(samples.largest);
    return samples.histogram->quantile(percentile / 100);
}

Adc make_adc(const LayerDriver& driver, const ConverterSettings& settings,
             const TileSettings& tile) {
    Adc adc;
    adc.bits = settings.adc_bits;
    const bool is_difference = has_column_pair(tile.mapping) && !driver.operators.reads_sides;
    adc.is_signed = is_difference || reference_room(driver, tile) > 0 ||
                    (driver.dac.is_signed && driver.dac.signed_inputs == SignedInputs::bipolar);
    return adc;
}

/// @param range  what the layer's calibration images gave, for `calibrated`
Adc fit_adc(const LayerDriver& driver, std::size_t k, const ConverterSettings& settings,
            const TileSettings& tile, const LayerRange* range) {
    const OperatorSlice& slice = driver.operators.slices[k];
    Adc adc = make_adc(driver, settings, tile);
    const auto word_lines = static_cast<std::size_t>(tile.array.word_lines);
    switch (settings.adc_range) {
        case AdcRange::full:
            // Where there are codes enough, one stands for one level, none for a part of it.
            adc.range = largest_sample(driver, slice, tile.device, rows_in_use(driver)) *
                        (1 + reference_room(driver, tile));
            if (adc.bits > 0)
                adc.range = std::max(adc.range, sample_step(driver, slice) * adc.highest_code());
            break;
        case AdcRange::calibrated:
            adc.range = calibrated_range(range->samples[k], settings.adc_percentile);
            break;
        case AdcRange::manual:
            adc.range =
                settings.adc_full_scale * largest_sample(driver, slice, tile.device, word_lines);
            break;
    }
    // A layer whose outputs are all zero still needs a range to divide by.
    if (!(adc.range > 0)) adc.range = 1;
    check(adc);
    return adc;
}

}  // namespace

std::vector<Dac> calibrate_dacs(const Graph& graph, const LabelledImages& images,
                                const ConverterSettings& settings, const Progress& progress) {
    check(settings);
    std::vector<Dac> dacs;
    for (const LayerRange& range : observe_ranges(graph, software_drivers(graph), images, progress))
        dacs.push_back(settings.dac(range.input > 0 ? static_cast<double>(range.input) : 1,
                                    range.signed_input));
    return dacs;
}

std::vector<std::vector<Adc>> calibrate_adcs(const Graph& graph, const Drivers& drivers,
                                             const LabelledImages& images,
                                             const ConverterSettings& settings,
                                             const TileSettings& tile, const Progress& progress) {
    check(settings);
    std::vector<LayerRange> ranges;
    if (settings.adc_range == AdcRange::calibrated)
        ranges = observe_ranges(
            graph, drivers, images, progress,
            settings.adc_percentile < 100 ? Observed::histograms : Observed::largest);
    std::vector<std::vector<Adc>> adcs;
    for (std::size_t layer = 0; layer < drivers.size(); ++layer) {
        auto& of_layer = adcs.emplace_back();
        for (std::size_t k = 0; k < drivers[layer].operators.slices.size(); ++k)
            of_layer.push_back(fit_adc(drivers[layer], k, settings, tile,
                                       ranges.empty() ? nullptr : &ranges[layer]));
    }
    return adcs;
}

}  // namespace kirchnet
