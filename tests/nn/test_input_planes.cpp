#include <doctest/doctest.h>

#include "nn/detail/input_planes.hpp"
#include "small_networks.hpp"

using namespace kirchnet;
using detail::ColumnBlock;
using detail::InputPlanes;
using detail::OutputSpan;

namespace {

LayerGeometry convolution(ImageShape input, std::size_t outputs, std::size_t kernel,
                          std::size_t stride, std::size_t padding, std::size_t groups = 1) {
    LayerGeometry g;
    g.input = input;
    g.kernel_height = g.kernel_width = kernel;
    g.stride = stride;
    g.padding = padding;
    g.groups = groups;
    g.output = {outputs, (input.height + 2 * padding - kernel) / stride + 1,
                (input.width + 2 * padding - kernel) / stride + 1};
    return g;
}

FeatureMaps random_maps(const ImageShape& shape, std::size_t images) {
    FeatureMaps maps;
    maps.resize(shape, images);
    maps.values = test::random_tensor({maps.values.size()}, 5).values;
    return maps;
}

/// Every patch value against the patch matrix written out.
void check_rows(const LayerGeometry& geometry, std::size_t images) {
    const FeatureMaps in = random_maps(geometry.input, images);
    InputPlanes planes;
    planes.fill(geometry, in, {0, images}, std::nullopt, 1.0F);
    const std::size_t rows = geometry.rows_per_group();
    const std::size_t columns = images * geometry.positions();
    for (std::size_t group = 0; group < geometry.groups; ++group) {
        std::vector<float> expected;
        gather_patches(geometry, in, group, 0, rows, expected);
        std::vector<int> seen(columns, 0);
        ColumnBlock block;
        for (std::size_t b = 0; b < planes.blocks(); ++b) {
            planes.describe(b, block);
            if (block.positions == 0) continue;
            const float* const* found = planes.rows(group, 0, rows, block);
            for (const OutputSpan& span : block.outputs)
                for (std::size_t i = 0; i < span.length; ++i) {
                    ++seen[span.position + i];
                    REQUIRE(block.valid[span.column + i] == -1);
                    for (std::size_t row = 0; row < rows; ++row)
                        REQUIRE(found[row][span.column + i] ==
                                expected[row * columns + span.position + i]);
                }
        }
        for (const int times : seen) REQUIRE(times == 1);
    }
}

}  // namespace

TEST_CASE("rows of patches are those of the patch matrix, each position once") {
    SUBCASE("long rows, few outputs: read in place") {
        check_rows(convolution({2, 40, 61}, 3, 3, 1, 1), 2);
    }
    SUBCASE("short rows, many outputs: copied") {
        check_rows(convolution({3, 7, 5}, 64, 3, 1, 1), 4);
    }
    SUBCASE("stride 2 with padding") {
        check_rows(convolution({3, 32, 33}, 8, 3, 2, 1), 3);
    }
    SUBCASE("stride 2 with a kernel of one") {
        check_rows(convolution({5, 14, 14}, 16, 1, 2, 0), 2);
    }
    SUBCASE("stride 3, padding 2, kernel 5") {
        check_rows(convolution({2, 23, 20}, 4, 5, 3, 2), 2);
    }
    SUBCASE("stride beyond the kernel") {
        check_rows(convolution({1, 17, 19}, 4, 2, 4, 1), 2);
    }
    SUBCASE("depthwise") {
        check_rows(convolution({6, 12, 12}, 6, 3, 1, 1, 6), 2);
    }
    SUBCASE("a kernel that covers its input") {
        check_rows(convolution({4, 5, 5}, 10, 5, 1, 0), 7);
    }
    SUBCASE("one pixel") {
        check_rows(convolution({9, 1, 1}, 4, 1, 1, 0), 5);
    }
}

TEST_CASE("a pass over some images has their patches alone, at their positions") {
    const LayerGeometry geometry = convolution({3, 9, 8}, 5, 3, 2, 1);
    const FeatureMaps in = random_maps(geometry.input, 5);
    std::vector<float> expected;
    gather_patches(geometry, in, 0, 0, geometry.rows_per_group(), expected);
    const std::size_t columns = 5 * geometry.positions();
    InputPlanes planes;
    planes.fill(geometry, in, {2, 2}, std::nullopt, 1.0F);
    ColumnBlock block;
    std::size_t seen = 0;
    for (std::size_t b = 0; b < planes.blocks(); ++b) {
        planes.describe(b, block);
        const float* const* found = planes.rows(0, 0, geometry.rows_per_group(), block);
        for (const OutputSpan& span : block.outputs)
            for (std::size_t i = 0; i < span.length; ++i, ++seen) {
                REQUIRE(span.position + i >= 2 * geometry.positions());
                REQUIRE(span.position + i < 4 * geometry.positions());
                for (std::size_t row = 0; row < geometry.rows_per_group(); ++row)
                    REQUIRE(found[row][span.column + i] ==
                            expected[row * columns + span.position + i]);
            }
    }
    CHECK(seen == 2 * geometry.positions());
}

TEST_CASE("as many images are taken at once as their planes stay in cache") {
    // 16 channels of 34 x 34 floats are 74 kB of 512 kB; 64 of 58 x 58 are 861 kB.
    CHECK(detail::images_per_pass(convolution({16, 32, 32}, 16, 3, 1, 1), 4) == 4);
    CHECK(detail::images_per_pass(convolution({16, 32, 32}, 16, 3, 1, 1), 100) == 7);
    CHECK(detail::images_per_pass(convolution({64, 56, 56}, 64, 3, 1, 1), 4) == 1);
    // 512 x 4608 weights do not stay there, so all images share one reading of them.
    CHECK(detail::images_per_pass(convolution({512, 7, 7}, 512, 3, 1, 1), 4) == 4);
}

TEST_CASE("inputs go through the DAC on their way") {
    const LayerGeometry geometry = convolution({1, 1, 4}, 1, 1, 1, 0);
    FeatureMaps in;
    in.resize(geometry.input, 1);
    in.values = {0.0F, 0.26F, 0.5F, 9.0F};
    InputPlanes planes;
    planes.fill(geometry, in, {0, 1}, detail::DacCodes{4.0F, 0.25F, 0.0F, 4.0F}, 1.0F);
    ColumnBlock block;
    planes.describe(0, block);
    const float* const row = planes.rows(0, 0, 1, block)[0];
    CHECK(std::vector<float>(row, row + 4) == std::vector<float>{0.0F, 0.25F, 0.5F, 1.0F});
    planes.fill(geometry, in, {0, 1}, std::nullopt, 2.0F);
    planes.describe(0, block);
    const float* const scaled = planes.rows(0, 0, 1, block)[0];
    CHECK(std::vector<float>(scaled, scaled + 4) == std::vector<float>{0.0F, 0.52F, 1.0F, 18.0F});
}
