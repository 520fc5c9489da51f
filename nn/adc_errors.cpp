#include "nn/adc_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "circuit/error.hpp"
#include "circuit/random.hpp"
#include "nn/operators.hpp"

namespace kirchnet {

namespace {

void check_finite(double value, std::string_view what) {
    if (!std::isfinite(value))
        throw InvalidInput(std::string(what), fmt::format("{} is not finite", value));
}

void check_positive(double value, std::string_view what) {
    if (!(value > 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number above 0", value));
}

void check_not_negative(double value, std::string_view what) {
    if (!(value >= 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number of at least 0", value));
}

std::uint64_t two(std::uint32_t high, std::uint32_t low) {
    return static_cast<std::uint64_t>(high) << 32 | low;
}

/// A stream that no other quantity of the layer has.
std::uint64_t stream_for(std::string_view purpose, std::string_view layer) {
    return stream_of(std::string(purpose) + std::string(layer));
}

DrawnAdc draw(const AdcErrors& errors, std::uint64_t stream, std::size_t tile, std::size_t side,
              std::size_t number) {
    if (errors.offset_deviation == 0 && errors.gain_deviation == 0)
        return {errors.gain, errors.offset};
    const auto z = keyed_normals(errors.seed, stream, {errors.trial, tile, side, number});
    const DrawnAdc drawn{errors.gain * (1 + errors.gain_deviation * z[0]),
                         errors.offset + errors.offset_deviation * z[1]};
    check_positive(drawn.gain, "gain of an ADC (is its deviation too large?)");
    return drawn;
}

}  // namespace

bool AdcErrors::are_there() const {
    return offset != 0 || gain != 1 || !inl.empty() || are_random();
}

bool AdcErrors::are_random() const {
    return noise > 0 || offset_deviation > 0 || gain_deviation > 0;
}

void check(const AdcErrors& errors) {
    check_finite(errors.offset, "ADC offset [LSB]");
    check_positive(errors.gain, "ADC gain");
    check_not_negative(errors.noise, "ADC noise [LSB]");
    check_not_negative(errors.offset_deviation, "deviation of ADC offsets [LSB]");
    check_not_negative(errors.gain_deviation, "deviation of ADC gains");
    for (const double inl : errors.inl) check_finite(inl, "ADC INL [LSB]");
    if (errors.inl.size() == 1)
        throw InvalidInput("ADC INL [LSB]", "a table has two entries or more");
}

LayerAdcs::LayerAdcs(const AdcErrors& errors, std::string_view layer,
                     const LayerOperators& operators, int bits, int columns_per_adc)
    : errors_(errors), noise_stream_(stream_for("ADC noise of ", layer)) {
    check(errors);
    if (!errors.inl.empty())
        entries_per_code_ =
            static_cast<double>(errors.inl.size() - 1) / (std::ldexp(1.0, bits) - 1);
    const std::uint64_t stream = stream_for("ADCs of ", layer);
    for (std::size_t tile = 0; tile < operators.tiles.size(); ++tile) {
        auto& sides = adcs_.emplace_back();
        for (std::size_t side = 0; side < (operators.reads_sides ? 2U : 1U); ++side)
            for (std::size_t j = 0; j < operators.tiles[tile].outputs; ++j)
                sides[side].push_back(draw(errors, stream, tile, side,
                                           j / static_cast<std::size_t>(columns_per_adc)));
    }
}

double LayerAdcs::inl(double place) const {
    const std::vector<double>& table = errors_.inl;
    if (table.empty()) return 0;
    const double last = static_cast<double>(table.size() - 1);
    const double entry = std::clamp(place * entries_per_code_, 0.0, last);
    const auto left = std::min(static_cast<std::size_t>(entry), table.size() - 2);
    const double share = entry - static_cast<double>(left);
    return table[left] * (1 - share) + table[left + 1] * share;
}

std::array<double, 4> LayerAdcs::noise(const ConversionPlace& place) const {
    std::array<double, 4> noise =
        keyed_normals(errors_.seed, noise_stream_,
                      {two(errors_.trial, place.read), place.image,
                       place.position << 1U | place.side, two(place.tile, place.output)});
    for (double& number : noise) number *= errors_.noise;
    return noise;
}

}  // namespace kirchnet
