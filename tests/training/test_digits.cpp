#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "data/dataset.hpp"
#include "data/digits.hpp"

using namespace kirchnet;

namespace {

const std::filesystem::path embedded_images =
    std::filesystem::path(KIRCHNET_EMBEDDED) / "digits-images.h5";
constexpr std::uint64_t embedded_seed = 1;

const std::uint8_t* image(const LabelledImages& images, std::size_t number) {
    return images.pixels.data() + number * images.shape.size();
}

}  // namespace

TEST_CASE("an image depends on seed and index alone, not on where the range begins") {
    const auto all = draw_digits(7, 0, 30);
    CHECK(draw_digits(7, 13, 9) == subset(all, 13, 9));
    CHECK(draw_digits(7, 0, 30) == all);
}

TEST_CASE("another seed draws other images") {
    CHECK(draw_digits(7, 0, 10).pixels != draw_digits(8, 0, 10).pixels);
}

TEST_CASE("indices beyond 32 bits are images of their own") {
    const std::size_t far = std::size_t{1} << 32;
    CHECK(draw_digits(7, 0, 10).pixels != draw_digits(7, far, 10).pixels);
}

TEST_CASE("every ten images hold every digit once") {
    const auto images = draw_digits(3, 100, 200);
    for (std::size_t ten = 0; ten < 20; ++ten) {
        const auto first = images.labels.begin() + static_cast<std::ptrdiff_t>(10 * ten);
        CHECK(std::set<std::int32_t>(first, first + 10).size() == 10);
        CHECK(*std::min_element(first, first + 10) == 0);
        CHECK(*std::max_element(first, first + 10) == 9);
    }
}

TEST_CASE("the order of the digits differs from ten to ten") {
    const auto images = draw_digits(3, 0, 20);
    CHECK_FALSE(
        std::equal(images.labels.begin(), images.labels.begin() + 10, images.labels.begin() + 10));
}

TEST_CASE("a digit is light ink on a dark ground, and no two are alike") {
    const auto images = draw_digits(5, 0, 200);
    REQUIRE(images.shape == ImageShape{1, 28, 28});
    REQUIRE(images.pixels.size() == 200 * 784);
    std::set<std::string> different;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const std::uint8_t* first = image(images, i);
        const auto inked = std::count_if(first, first + 784, [](int p) { return p > 64; });
        CHECK(inked >= 15);   // the shortest thin stroke: a small 1
        CHECK(inked <= 350);  // less than half of the paper
        CHECK(std::count(first, first + 784, std::uint8_t{0}) >= 300);
        different.emplace(first, first + 784);
    }
    CHECK(different.size() == 200);
}

TEST_CASE("no images are an empty set of the right shape") {
    const auto none = draw_digits(1, 5, 0);
    CHECK(none.size() == 0);
    CHECK(none.pixels.empty());
    CHECK(none.shape == ImageShape{1, 28, 28});
}

TEST_CASE("the embedded images are exactly what the generator draws") {
    const auto test = read_test_images(embedded_images);
    REQUIRE(test.size() >= 1000);
    CHECK(test == draw_digits(embedded_seed, 0, test.size()));
}

TEST_CASE("the embedded calibration images follow the test images and are none of them") {
    const auto test = read_test_images(embedded_images);
    const auto calibration = read_calibration_images(embedded_images, 1000000);
    REQUIRE(calibration.has_value());
    CHECK(calibration->size() == 256);
    CHECK(*calibration == draw_digits(embedded_seed, test.size(), calibration->size()));
}
