#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/detail/map_kernels.hpp"
#include "small_networks.hpp"

using namespace kirchnet;
using detail::available_map_kernels;

namespace {

/// Every plane value against the definition: plane (py, px) holds at (i, j) the input at
/// (i stride + py - padding, j stride + px - padding), zero outside.
void check_spread(std::size_t height, std::size_t width, std::size_t stride, std::size_t padding) {
    const std::vector<float> in = test::random_tensor({height * width}, 1).values;
    const std::size_t rows = (height + 2 * padding + stride - 1) / stride;
    const std::size_t columns = (width + 2 * padding + stride - 1) / stride;
    for (const auto* kernels : available_map_kernels()) {
        std::vector<float> out(stride * stride * rows * columns, 7.0F);
        kernels->spread({in.data(), height, width, stride, padding, stride, stride, out.data(),
                         rows * columns, rows, columns});
        for (std::size_t at = 0; at < out.size(); ++at) {
            const std::size_t plane = at / (rows * columns);
            const auto y =
                static_cast<std::ptrdiff_t>(at / columns % rows * stride + plane / stride) -
                static_cast<std::ptrdiff_t>(padding);
            const auto x = static_cast<std::ptrdiff_t>(at % columns * stride + plane % stride) -
                           static_cast<std::ptrdiff_t>(padding);
            const bool is_inside = y >= 0 && x >= 0 && y < static_cast<std::ptrdiff_t>(height) &&
                                   x < static_cast<std::ptrdiff_t>(width);
            const float expected =
                is_inside ? in[static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)]
                          : 0.0F;
            REQUIRE(out[at] == expected);
        }
    }
}

}  // namespace

TEST_CASE("every instruction set spreads an image over its planes") {
    SUBCASE("stride 1, a margin of one") {
        check_spread(7, 33, 1, 1);
    }
    SUBCASE("stride 2, odd sides, a margin of three") {
        check_spread(23, 41, 2, 3);
    }
    SUBCASE("stride 2 without a margin") {
        check_spread(14, 14, 2, 0);
    }
    SUBCASE("stride 3 beyond a margin of two") {
        check_spread(11, 10, 3, 2);
    }
    SUBCASE("a margin wider than the stride and the input") {
        check_spread(1, 2, 2, 5);
    }
}

TEST_CASE("phases that no kernel position reads are left alone") {
    const std::vector<float> in{1, 2, 3, 4};
    for (const auto* kernels : available_map_kernels()) {
        std::vector<float> out(4, 7.0F);
        kernels->spread({in.data(), 2, 2, 2, 0, 1, 1, out.data(), 1, 1, 1});
        CHECK(out == std::vector<float>{1, 7, 7, 7});
    }
}

TEST_CASE("every instruction set ends outputs alike, within their spans alone") {
    const std::vector<float> sum = test::random_tensor({60}, 2).values;
    const std::vector<float> shared = test::random_tensor({60}, 3).values;
    const std::vector<float> addend = test::random_tensor({200}, 4).values;
    const std::vector<detail::OutputSpan> spans{{0, 100, 37}, {40, 10, 3}, {45, 60, 15}};
    for (const auto* kernels : available_map_kernels())
        for (const int which : {0, 1, 2, 3}) {
            const float* const in_shared = which % 2 == 0 ? nullptr : shared.data();
            const float* const in_addend = which / 2 == 0 ? nullptr : addend.data();
            std::vector<float> expected(200, 7.0F);
            for (const auto& span : spans)
                for (std::size_t i = 0; i < span.length; ++i) {
                    float value = sum[span.column + i] * 3 + 0.25F;
                    if (in_shared != nullptr) value += shared[span.column + i] * 0.5F;
                    if (in_addend != nullptr) value += addend[span.position + i];
                    expected[span.position + i] = std::max(value, 0.0F);
                }
            std::vector<float> out(200, 7.0F);
            kernels->finish({sum.data(), in_shared, in_addend, out.data(), spans.data(),
                             spans.size(), 3, 0.5F, 0.25F, true});
            for (std::size_t i = 0; i < out.size(); ++i)
                REQUIRE(std::abs(out[i] - expected[i]) < 1e-6F);  // rounding of values up to 5
        }
}
