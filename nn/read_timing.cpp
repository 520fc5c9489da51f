#include "nn/read_timing.hpp"

#include <algorithm>

namespace kirchnet {
namespace {

/// Samples of all tiles of a layer in one read.
std::uint64_t samples_per_read(const LayerOperators& layer) {
    std::uint64_t samples = 0;
    for (const TileOperator& tile : layer.tiles) samples += tile.outputs;
    return layer.reads_sides ? 2 * samples : samples;
}

}  // namespace

ReadTiming read_timing(const Drivers& drivers, const ConverterTiming& timing) {
    ReadTiming result;
    for (const LayerDriver& driver : drivers) {
        const std::uint64_t reads = driver.geometry.positions() * driver.reads.size();
        result.reads += reads;
        result.conversions += reads * samples_per_read(driver.operators);
    }
    const double conversion = timing.adc_rate > 0 ? timing.columns_per_adc / timing.adc_rate : 0.0;
    result.seconds = static_cast<double>(result.reads) * std::max(conversion, timing.cycle_time);
    return result;
}

}  // namespace kirchnet
