// A bin is the upper half of a float's bits: its exponent and 7 bits of its mantissa.
#include "nn/magnitude_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kirchnet {
namespace {

constexpr std::uint32_t dropped_bits = 16;
constexpr std::uint32_t bins_per_octave = 128;
constexpr std::uint32_t octaves = 64;  // 2^-32 to 2^32; what lies beyond goes to the end bins
constexpr std::uint32_t first_key = (127 - octaves / 2) * bins_per_octave;

std::size_t bin_of(float magnitude) {
    const std::uint32_t key = std::bit_cast<std::uint32_t>(magnitude) >> dropped_bits;
    return std::clamp(key, first_key, first_key + octaves * bins_per_octave - 1) - first_key;
}

float upper_edge(std::size_t bin) {
    const auto key = static_cast<std::uint32_t>(bin) + first_key + 1;
    return std::bit_cast<float>(key << dropped_bits);
}

}  // namespace

MagnitudeHistogram::MagnitudeHistogram() : bins_(octaves * bins_per_octave) {}

void MagnitudeHistogram::add(float value) {
    const float magnitude = std::abs(value);
    ++bins_[bin_of(magnitude)];
    ++count_;
    largest_ = std::max(largest_, magnitude);
}

void MagnitudeHistogram::merge(const MagnitudeHistogram& other) {
    for (std::size_t i = 0; i < bins_.size(); ++i) bins_[i] += other.bins_[i];
    count_ += other.count_;
    largest_ = std::max(largest_, other.largest_);
}

double MagnitudeHistogram::quantile(double share) const {
    const double wanted = share * static_cast<double>(count_);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
        below += bins_[i];
        if (static_cast<double>(below) >= wanted && below > 0)
            return static_cast<double>(std::min(upper_edge(i), largest_));
    }
    return static_cast<double>(largest_);
}

}  // namespace kirchnet
