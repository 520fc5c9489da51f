#include <doctest/doctest.h>

#include <cmath>

#include "nn/detail/product_kernels.hpp"
#include "small_networks.hpp"

using namespace kirchnet;
using detail::available_kernels;

namespace {

/// A tile of odd size, wider than one column block.
struct Case {
    std::size_t outputs = 7;
    std::size_t rows = 53;
    std::size_t columns = 301;
    std::vector<float> weights = test::random_tensor({7, 53}, 1).values;
    std::vector<float> inputs = test::random_tensor({53, 301}, 2).values;
    std::vector<float> sum = test::random_tensor({7, 301}, 3).values;
    std::vector<float> scratch = std::vector<float>(7 * detail::scratch_columns);

    detail::TileProduct product() {
        return {weights.data(), outputs, rows,       inputs.data(),
                columns,        columns, sum.data(), scratch.data()};
    }
    /// W X at (j, i), in double.
    [[nodiscard]] double exact(std::size_t j, std::size_t i) const {
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r)
            total += static_cast<double>(weights[j * rows + r]) *
                     static_cast<double>(inputs[r * columns + i]);
        return total;
    }
};

}  // namespace

TEST_CASE("every instruction set adds the same product") {
    for (const auto* kernels : available_kernels()) {
        CAPTURE(kernels->instruction_set);
        Case c;
        const auto before = c.sum;
        kernels->add(c.product());
        for (std::size_t j = 0; j < c.outputs; ++j)
            for (std::size_t i = 0; i < c.columns; ++i) {
                const auto at = j * c.columns + i;
                // 53 float products of magnitude at most 1
                CHECK(std::abs(static_cast<double>(c.sum[at]) - static_cast<double>(before[at]) -
                               c.exact(j, i)) < 2e-5);
            }
    }
}

TEST_CASE("converted products are whole codes of the ADC, and clipped ones are counted") {
    const detail::AdcCodes adc{8.0F, 0.125F, -16.0F, 15.0F};
    for (const auto* kernels : available_kernels()) {
        CAPTURE(kernels->instruction_set);
        Case c;
        c.sum.assign(c.sum.size(), 0.0F);
        const auto clipped = kernels->add_converted(c.product(), adc);
        std::uint64_t expected_clipped = 0;
        for (std::size_t j = 0; j < c.outputs; ++j)
            for (std::size_t i = 0; i < c.columns; ++i) {
                const double code = std::floor(c.exact(j, i) * 8 + 0.5);
                expected_clipped += code < -16 || code > 15 ? 1 : 0;
                const double kept = std::min(std::max(code, -16.0), 15.0);
                // A product within rounding of a code's edge may fall to either side.
                CHECK(std::abs(static_cast<double>(c.sum[j * c.columns + i]) * 8 - kept) <= 1);
                const double got = static_cast<double>(c.sum[j * c.columns + i]) * 8;
                CHECK(got == std::round(got));
            }
        CHECK(clipped > 0);
        CHECK(std::abs(static_cast<double>(clipped) - static_cast<double>(expected_clipped)) <= 2);
    }
}

TEST_CASE("an observed product is not converted and reports its largest magnitude") {
    for (const auto* kernels : available_kernels()) {
        Case c;
        const float largest = kernels->add_observed(c.product());
        double expected = 0;
        for (std::size_t j = 0; j < c.outputs; ++j)
            for (std::size_t i = 0; i < c.columns; ++i)
                expected = std::max(expected, std::abs(c.exact(j, i)));
        CHECK(static_cast<double>(largest) == doctest::Approx(expected).epsilon(1e-5));
    }
}

TEST_CASE("DAC conversion in the kernels follows floor(x levels / range + 1/2)") {
    const std::vector<float> in{-1.0F, 0.0F, 0.49F, 0.5F, 1.0F, 2.9F, 3.6F, 9.0F};
    const std::vector<float> codes{0, 0, 0, 1, 1, 3, 4, 5};  // range 5, levels 5
    for (const auto* kernels : available_kernels()) {
        std::vector<float> out(in.size());
        kernels->convert(in.data(), in.size(), {1.0F, 0.2F, 0.0F, 5.0F}, out.data());
        for (std::size_t i = 0; i < in.size(); ++i)
            CHECK(out[i] == doctest::Approx(codes[i] * 0.2F));
    }
}
