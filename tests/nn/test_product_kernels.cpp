#include <doctest/doctest.h>

#include <cmath>

#include "nn/detail/product_kernels.hpp"
#include "small_networks.hpp"

using namespace kirchnet;
using detail::available_kernels;

namespace {

/// A tile of odd size; of the columns of its block only some count, in two runs.
struct Case {
    std::size_t outputs;
    std::size_t columns;
    std::size_t rows = 53;
    std::size_t stride = detail::column_block + detail::column_step;
    std::vector<float> weights = test::random_tensor({outputs, rows}, 1).values;
    std::vector<float> packed = detail::pack_weights(weights, outputs, rows);
    std::vector<float> inputs = test::random_tensor({rows, stride}, 2).values;
    std::vector<float> sum = test::random_tensor({outputs, stride}, 3).values;
    std::vector<const float*> row_pointers;
    std::vector<std::int32_t> valid = std::vector<std::int32_t>(stride, -1);

    explicit Case(std::size_t output_count = 23, std::size_t column_count = 91)
        : outputs(output_count), columns(column_count) {
        for (std::size_t k = 0; k < rows; ++k) row_pointers.push_back(inputs.data() + k * stride);
        for (std::size_t i = 0; i < stride; ++i)
            if ((i >= 30 && i < 34) || i >= columns) valid[i] = 0;
    }

    detail::TileProduct product() {
        return {packed.data(), outputs, rows,       row_pointers.data(),
                valid.data(),  columns, sum.data(), stride};
    }
    [[nodiscard]] bool counts(std::size_t i) const { return valid[i] != 0; }
    [[nodiscard]] std::size_t at(std::size_t j, std::size_t i) const { return j * stride + i; }
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
    // Whole and broken blocks of outputs, strips of one, two and three vectors of any set.
    for (const std::size_t outputs : {1U, 2U, 3U, 7U, 8U, 13U, 23U})
        for (const std::size_t columns : {1U, 4U, 9U, 16U, 17U, 32U, 33U, 48U, 49U, 80U, 91U, 112U})
            for (const auto* kernels : available_kernels()) {
                CAPTURE(kernels->instruction_set);
                CAPTURE(outputs);
                CAPTURE(columns);
                Case c(outputs, columns);
                const auto before = c.sum;
                kernels->add(c.product());
                double worst = 0;
                for (std::size_t j = 0; j < outputs; ++j)
                    for (std::size_t i = 0; i < columns; ++i)
                        worst = std::max(worst, std::abs(static_cast<double>(c.sum[c.at(j, i)]) -
                                                         static_cast<double>(before[c.at(j, i)]) -
                                                         c.exact(j, i)));
                CHECK(worst < 2e-5);  // 53 float products of magnitude at most 1
            }
}

TEST_CASE("copied runs lie one after the other in every row, whatever their length") {
    const std::vector<float> planes = test::random_tensor({400}, 4).values;
    const std::vector<std::size_t> offsets{0, 100, 37};
    // Runs of one row of 5, 21 and 7 columns; the last ends where the block does.
    const std::vector<detail::ColumnRun> runs{{0, 3, 5}, {5, 40, 21}, {26, 90, 6}};
    constexpr std::size_t stride = 32 + detail::column_step;
    for (const auto* kernels : available_kernels()) {
        std::vector<float> out(offsets.size() * stride);
        kernels->copy({planes.data(), offsets.data(), offsets.size(), runs.data(), runs.size(),
                       out.data(), stride});
        for (std::size_t k = 0; k < offsets.size(); ++k)
            for (const auto& run : runs)
                for (std::size_t i = 0; i < run.length; ++i)
                    REQUIRE(out[k * stride + run.column + i] == planes[offsets[k] + run.plane + i]);
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
                CHECK(std::abs(static_cast<double>(c.sum[c.at(j, i)]) * 8 - kept) <= 1);
                const double got = static_cast<double>(c.sum[c.at(j, i)]) * 8;
                CHECK(got == std::round(got));
            }
        CHECK(clipped > 0);
        CHECK(std::abs(static_cast<double>(clipped) - static_cast<double>(expected_clipped)) <= 2);
    }
}

TEST_CASE("a sample is clipped from one code above the highest, not before") {
    // One row of weight 1: products are the inputs. The highest code is 15, lsb 1: up to just below
    // 15.5 rounds to 15 and is within range, -16.5 rounds to -16, what is below to a clipped -17.
    const float below = std::nextafter(15.5F, 0.0F);
    const float beyond = std::nextafter(-16.5F, -20.0F);
    std::vector<float> inputs{15.5F, below, 14.5F, 100.0F, -16.5F, beyond, -100.0F, 0.49F};
    const std::vector<float> codes{15, 15, 15, 15, -16, -16, -16, 0};
    inputs.resize(detail::column_step, 0.0F);
    const float* const row = inputs.data();
    const std::vector<float> packed = detail::pack_weights({1.0F}, 1, 1);
    const std::vector<std::int32_t> valid(detail::column_step, -1);
    for (const auto* kernels : available_kernels()) {
        CAPTURE(kernels->instruction_set);
        std::vector<float> sum(detail::column_step, 0.0F);
        const auto clipped = kernels->add_converted({packed.data(), 1, 1, &row, valid.data(),
                                                     codes.size(), sum.data(), detail::column_step},
                                                    {1.0F, 1.0F, -16.0F, 15.0F});
        CHECK(std::vector<float>(sum.begin(), sum.begin() + 8) == codes);
        CHECK(clipped == 4);
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
