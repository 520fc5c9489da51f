#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/magnitude_histogram.hpp"
#include "small_networks.hpp"

using namespace kirchnet;

namespace {

/// Magnitudes over five decades, of both signs.
std::vector<float> spread_values(std::size_t count) {
    std::vector<float> values = test::random_tensor({count}, 21).values;
    for (std::size_t i = 0; i < count; ++i) values[i] *= std::pow(10.0F, static_cast<float>(i % 6));
    return values;
}

/// The smallest value that at least this share does not exceed, from the sorted list.
double quantile_of(std::vector<float> values, double share) {
    for (float& value : values) value = std::abs(value);
    std::sort(values.begin(), values.end());
    const double rank = std::ceil(share * static_cast<double>(values.size()));
    return static_cast<double>(values[static_cast<std::size_t>(rank) - 1]);
}

}  // namespace

TEST_CASE("a quantile is that of the sorted list, to a bin's width above it") {
    const auto values = spread_values(5000);
    MagnitudeHistogram histogram;
    for (const float value : values) histogram.add(value);
    CHECK(histogram.count() == 5000);
    for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
        const double exact = quantile_of(values, share);
        CHECK(histogram.quantile(share) >= exact);
        CHECK(histogram.quantile(share) <= exact * (1 + 1.0 / 128));  // 7 bits of mantissa
    }
    CHECK(histogram.quantile(1) == quantile_of(values, 1));
}

TEST_CASE("merged histograms are those of all values") {
    const auto values = spread_values(1000);
    MagnitudeHistogram all;
    MagnitudeHistogram first;
    MagnitudeHistogram second;
    for (std::size_t i = 0; i < values.size(); ++i) {
        all.add(values[i]);
        (i < 300 ? first : second).add(values[i]);
    }
    first.merge(second);
    CHECK(first.count() == all.count());
    for (const double share : {0.2, 0.9, 1.0}) CHECK(first.quantile(share) == all.quantile(share));
}

TEST_CASE("zeros count, and no values have quantile 0") {
    MagnitudeHistogram histogram;
    CHECK(histogram.quantile(0.5) == 0);
    for (int i = 0; i < 9; ++i) histogram.add(0);
    histogram.add(-2);
    CHECK(histogram.quantile(0.9) < 1e-9);
    CHECK(histogram.quantile(0.95) == 2);
}
