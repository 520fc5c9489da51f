#include <doctest/doctest.h>

#include <cmath>

#include "nn/detail/product_kernels.hpp"
#include "small_networks.hpp"

using namespace kirchnet;
using detail::available_kernels;

namespace {

/// A tile of odd size; of the columns of its block only some count, in two runs.
struct Case {
    std::size_t outputs = 23;
    std::size_t rows = 53;
    std::vector<float> weights = test::random_tensor({23, 53}, 1).values;
    std::vector<float> packed = detail::pack_weights(weights, outputs, rows);
    std::vector<float> inputs = test::random_tensor({53, detail::column_block}, 2).values;
    std::vector<float> sum = test::random_tensor({23, detail::column_block}, 3).values;
    std::vector<const float*> row_pointers;
    std::vector<std::int32_t> valid = std::vector<std::int32_t>(detail::column_block, -1);
    std::size_t columns = 91;

    Case() {
        for (std::size_t k = 0; k < rows; ++k)
            row_pointers.push_back(inputs.data() + k * detail::column_block);
        for (std::size_t i = 30; i < 34; ++i) valid[i] = 0;
        for (std::size_t i = columns; i < valid.size(); ++i) valid[i] = 0;
    }

    detail::TileProduct product() {
        return {packed.data(), outputs, rows,       row_pointers.data(),
                valid.data(),  columns, sum.data(), detail::column_block};
    }
    [[nodiscard]] bool counts(std::size_t i) const { return valid[i] != 0; }
    [[nodiscard]] static std::size_t at(std::size_t j, std::size_t i) {
        return j * detail::column_block + i;
    }
    /// W X at (j, i), in double.
    [[nodiscard]] double exact(std::size_t j, std::size_t i) const {
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r)
            total +=
                static_cast<double>(weights[j * rows + r]) * static_cast<double>(inputs[at(r, i)]);
        return total;
    }
};

}  // namespace

TEST_CASE("packed weights stand by eight outputs, zeros beyond the last") {
    const std::vector<float> weights{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    const auto packed = detail::pack_weights(weights, 9, 2);
    CHECK(packed == std::vector<float>{1,  3, 5, 7, 9, 11, 13, 15, 2,  4, 6, 8, 10, 12, 14, 16,
                                       17, 0, 0, 0, 0, 0,  0,  0,  18, 0, 0, 0, 0,  0,  0,  0});
}

TEST_CASE("every instruction set adds the same product") {
    for (const auto* kernels : available_kernels()) {
        CAPTURE(kernels->instruction_set);
        Case c;
        const auto before = c.sum;
        kernels->add(c.product());
        for (std::size_t j = 0; j < c.outputs; ++j)
            for (std::size_t i = 0; i < c.columns; ++i) {
                const auto at = Case::at(j, i);
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
                if (c.counts(i)) expected_clipped += code < -16 || code > 15 ? 1 : 0;
                const double kept = std::min(std::max(code, -16.0), 15.0);
                // A product within rounding of a code's edge may fall to either side.
                CHECK(std::abs(static_cast<double>(c.sum[Case::at(j, i)]) * 8 - kept) <= 1);
                const double got = static_cast<double>(c.sum[Case::at(j, i)]) * 8;
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
                if (c.counts(i)) expected = std::max(expected, std::abs(c.exact(j, i)));
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
