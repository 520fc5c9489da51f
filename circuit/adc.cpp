#include "circuit/adc.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "circuit/detail/checks.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {

using detail::check_finite;
using detail::check_not_negative;
using detail::check_positive;

namespace {

std::uint64_t two(std::uint32_t high, std::uint32_t low) {
    return static_cast<std::uint64_t>(high) << 32 | low;
}

std::uint64_t tile_of(const ConverterPlace& place) {
    return two(static_cast<std::uint32_t>(place.tile_row),
               static_cast<std::uint32_t>(place.tile_column));
}

/// Slice and side.
std::uint32_t part_of(const ConverterPlace& place) {
    return static_cast<std::uint32_t>(place.slice) << 1U | (place.side == Polarity::b ? 1U : 0U);
}

/// A stream that no other quantity of the layer has.
std::uint64_t stream_for(std::string_view purpose, std::string_view layer) {
    return stream_of(std::string(purpose) + std::string(layer));
}

}  // namespace

double Adc::highest_code() const {
    return std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1;
}

double Adc::lowest_code() const {
    return is_signed ? -std::ldexp(1.0, bits - 1) : 0.0;
}

void check(const Adc& adc) {
    const int fewest = adc.is_signed ? 2 : 1;
    if (adc.bits != 0 && (adc.bits < fewest || adc.bits > 24))
        throw InvalidInput(
            "ADC bits", fmt::format("{} is neither 0 (continuous) nor {} to 24", adc.bits, fewest));
    check_positive(adc.range, "ADC range");
}

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

ConverterDraws::ConverterDraws(std::uint64_t seed, std::uint32_t trial, std::string_view layer)
    : seed_(seed),
      trial_(trial),
      adc_stream_(stream_for("ADCs of ", layer)),
      adc_noise_stream_(stream_for("ADC noise of ", layer)),
      hold_noise_stream_(stream_for("hold noise of ", layer)) {}

DrawnAdc ConverterDraws::adc(const AdcErrors& errors, const ConverterPlace& place,
                             std::size_t number) const {
    if (errors.offset_deviation == 0 && errors.gain_deviation == 0)
        return {errors.gain, errors.offset};
    const auto z =
        keyed_normals(seed_, adc_stream_, {trial_, tile_of(place), part_of(place), number});
    const DrawnAdc drawn{errors.gain * (1 + errors.gain_deviation * z[0]),
                         errors.offset + errors.offset_deviation * z[1]};
    check_positive(drawn.gain, "gain of an ADC (is its deviation too large?)");
    return drawn;
}

std::array<double, outputs_per_noise> ConverterDraws::noise(std::uint64_t stream,
                                                            const ConverterPlace& place,
                                                            const Reading& reading,
                                                            std::size_t k) const {
    return keyed_normals(
        seed_, stream,
        {two(trial_, reading.read), reading.image << 32U | static_cast<std::uint32_t>(k),
         two(part_of(place), static_cast<std::uint32_t>(reading.position)), tile_of(place)});
}

std::array<double, outputs_per_noise> ConverterDraws::adc_noise(const ConverterPlace& place,
                                                                const Reading& reading,
                                                                std::size_t k) const {
    return noise(adc_noise_stream_, place, reading, k);
}

std::array<double, outputs_per_noise> ConverterDraws::hold_noise(const ConverterPlace& place,
                                                                 const Reading& reading,
                                                                 std::size_t k) const {
    return noise(hold_noise_stream_, place, reading, k);
}

}  // namespace kirchnet
