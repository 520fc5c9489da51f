#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "nn/training/augmentation.hpp"

using namespace kirchnet;

namespace {

constexpr ImageShape shape{2, 2, 3};
// Channel 0, then channel 1, row by row.
const std::vector<std::uint8_t> image{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};

std::vector<std::uint8_t> shown(const ImageView& view, std::size_t padding) {
    std::vector<std::uint8_t> pixels(shape.size(), 99);
    show_image(image.data(), shape, view, padding, pixels.data());
    return pixels;
}

}  // namespace

TEST_CASE("the middle of the frame shows the image as it is") {
    CHECK(shown({0, 0, false}, 0) == image);
    CHECK(shown({1, 1, false}, 1) == image);
}

TEST_CASE("a window at the frame's corner sees black, and the image moved") {
    CHECK(shown({0, 0, false}, 1) ==
          std::vector<std::uint8_t>{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 11, 12});
    CHECK(shown({2, 1, false}, 1) ==
          std::vector<std::uint8_t>{4, 5, 6, 0, 0, 0, 14, 15, 16, 0, 0, 0});
}

TEST_CASE("mirroring swaps left and right of what the window shows") {
    CHECK(shown({0, 0, true}, 0) ==
          std::vector<std::uint8_t>{3, 2, 1, 6, 5, 4, 13, 12, 11, 16, 15, 14});
    CHECK(shown({1, 0, true}, 1) ==
          std::vector<std::uint8_t>{2, 1, 0, 5, 4, 0, 12, 11, 0, 15, 14, 0});
}

TEST_CASE("a view depends on seed, epoch and image, and on nothing else") {
    const Augmentation usual{4, true};
    CHECK(draw_view(usual, 1, 2, 3) == draw_view(usual, 1, 2, 3));
    std::size_t same = 0;
    for (std::size_t i = 0; i < 100; ++i) {
        same += draw_view(usual, 1, 0, i) == draw_view(usual, 1, 1, i) ? 1 : 0;
        same += draw_view(usual, 1, 0, i) == draw_view(usual, 2, 0, i) ? 1 : 0;
    }
    CHECK(same < 10);  // 1 in 162 by chance
}

TEST_CASE("all views are equally likely") {
    constexpr std::size_t draws = 16'200;  // 100 for each of 9 x 9 windows, mirrored or not
    std::map<std::size_t, std::size_t> tops;
    std::map<std::size_t, std::size_t> lefts;
    std::size_t mirrored = 0;
    for (std::size_t i = 0; i < draws; ++i) {
        const ImageView view = draw_view({4, true}, 7, i % 3, i);
        ++tops[view.top];
        ++lefts[view.left];
        mirrored += view.mirrored ? 1 : 0;
    }
    // 1,800 each: 5 standard deviations sqrt(16200 * 1/9 * 8/9) = 40.
    CHECK(tops.size() == 9);
    CHECK(lefts.size() == 9);
    for (const auto& counts : {tops, lefts})
        for (const auto& [offset, count] : counts) {
            CHECK(offset <= 8);
            CHECK(count > 1600);
            CHECK(count < 2000);
        }
    CHECK(mirrored > 7782);  // 8,100 within 5 of 63.6
    CHECK(mirrored < 8418);
}

TEST_CASE("no augmentation shows every image as it is") {
    for (std::size_t i = 0; i < 50; ++i) CHECK(draw_view({}, 1, i, i) == ImageView{});
}
