// Folders of JPEG images: with a class each, and with objects in boxes.
#include "data/dataset.hpp"
#include "data/detail/image.hpp"
#include "data/detail/jpeg.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

const std::string colour = "jpeg_images/colour.jpg";

/// Largest difference of two pictures' bytes; the pictures have one size.
int largest_difference(const std::vector<std::uint8_t>& pixels, const std::string& expected) {
    REQUIRE(pixels.size() == expected.size());
    int largest = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i)
        largest =
            std::max(largest, std::abs(int{pixels[i]} - static_cast<std::uint8_t>(expected[i])));
    return largest;
}

/// Two images of 21 x 14 pixels with classes 3 and 0.
void make_class_folder(const TemporaryFolder& folder, const std::string& table) {
    fs::create_directory(folder / "images");
    for (const char* name : {"a.jpg", "b.jpg"})
        write_file(folder / "images" / name, read_file(fixture(colour)));
    write_file(folder / "labels.tsv", table);
}

const std::string good_table =
    "class_index\twnid\tname\tfile\n3\tn1\tgreat, white\timages/a.jpg\n0\tn2\tx\timages/b.jpg\n";

/// Images b and a, objects in a alone.
void make_object_folder(const TemporaryFolder& folder, const std::string& labels) {
    for (const char* name : {"images", "labels"}) fs::create_directory(folder / name);
    for (const char* name : {"b.jpg", "a.jpg"})
        write_file(folder / "images" / name, read_file(fixture(colour)));
    write_file(folder / "labels" / "a.txt", labels);
    write_file(folder / "two.names", "cat\ndog\n");
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("JPEG images decode to Pillow's bytes: baseline, progressive and grey") {
    for (const std::string name : {"colour", "progressive", "grey"}) {
        CAPTURE(name);
        const RgbImage image = read_jpeg(fixture("jpeg_images/" + name + ".jpg"));
        CHECK(image.width == 21);
        CHECK(image.height == 14);
        // The same library; 1 allows another version's rounding of colours.
        CHECK(largest_difference(image.pixels,
                                 read_file(fixture("jpeg_images/" + name + ".planes"))) <= 1);
    }
}

TEST_CASE("a JPEG image that cannot be used is refused by the name of its file") {
    const TemporaryFolder folder;
    const fs::path path = folder / "x.jpg";
    const auto message = [&](const std::string& bytes) {
        write_file(path, bytes);
        const std::string text = refusal([&] { read_jpeg(path); });
        CHECK(contains(text, path.string()));
        return text;
    };
    const std::string whole = read_file(fixture(colour));
    CHECK(contains(message(read_file(fixture("jpeg_images/cmyk.jpg"))), "CMYK"));
    CHECK(contains(message(whole.substr(0, whole.size() - 40)), "damaged or truncated"));
    CHECK(contains(message(whole.substr(0, 100)), "no JPEG image"));
    CHECK(contains(message("PNG, perhaps"), "no JPEG image"));
    CHECK(contains(message(""), "no JPEG image"));
    // Height and width in the frame header (marker FFC0, length, precision) become 65000 each.
    std::string huge = whole;
    const std::size_t frame = huge.find("\xFF\xC0");
    REQUIRE(frame != std::string::npos);
    huge.replace(frame + 5, 4, "\xFD\xE8\xFD\xE8");
    CHECK(contains(message(huge), "65000 x 65000 pixels"));
    CHECK(contains(refusal([&] { read_jpeg(folder / "missing.jpg"); }), "missing.jpg"));
}

TEST_CASE("resizing interpolates between pixel centres, and averages where it shrinks") {
    const RgbImage two{2, 1, {0, 100, 10, 10, 7, 9}};
    // Centres of 4 pixels lie at -1/4, 1/4, 3/4 and 5/4 of the 2; rounded to the nearest.
    const RgbImage four = resize_bilinear(two, 4, 1);
    CHECK(four.pixels == std::vector<std::uint8_t>{0, 25, 75, 100, 10, 10, 10, 10, 7, 8, 9, 9});
    // Centres of 1 lie at 1/2.
    CHECK(resize_bilinear(two, 1, 2).pixels == std::vector<std::uint8_t>{50, 50, 10, 10, 8, 8});
    CHECK(resize_bilinear(two, 2, 1).pixels == two.pixels);
    // Shrunk and stretched by Pillow; 1 allows its weights of 22 bits.
    const RgbImage pillow = resize_bilinear(read_jpeg(fixture(colour)), 8, 20);
    CHECK(largest_difference(pillow.pixels, read_file(fixture("jpeg_images/resized.planes"))) <= 1);
}

TEST_CASE("labels.tsv gives images their classes, whatever else it tells") {
    const TemporaryFolder folder;
    make_class_folder(folder, good_table);
    const LabelledImages images = read_test_images(folder / "");
    CHECK(images.shape == ImageShape{3, 14, 21});
    CHECK(images.labels == std::vector<std::int32_t>{3, 0});
    CHECK(images.objects.empty());
    const std::string pixels = read_file(fixture("jpeg_images/colour.planes"));
    CHECK(largest_difference(images.pixels, pixels + pixels) <= 1);
    CHECK(!read_calibration_images(folder / "", 1).has_value());
}

TEST_CASE("a folder of classes is refused by file and line") {
    const TemporaryFolder folder;
    const auto message = [&](const std::string& table, std::optional<ImageShape> input = {}) {
        fs::remove_all(folder / "images");
        make_class_folder(folder, table);
        return refusal([&] { read_test_images(folder / "", input); });
    };
    CHECK(contains(message(good_table, ImageShape{3, 14, 20}),
                   "images/a.jpg: is 21 x 14 pixels, 20 x 14 are needed"));
    CHECK(contains(message("class_index\tname\n1\tx\n"), "labels.tsv:1: has no column 'file'"));
    CHECK(contains(message("class_index\tfile\n1\timages/a.jpg\n-1\timages/b.jpg\n"),
                   "labels.tsv:3: '-1' is no class"));
    CHECK(contains(message("class_index\tfile\n1\n"), "labels.tsv:2: has 1 columns"));
    CHECK(contains(message("class_index\tfile\n1\timages/c.jpg\n"), "c.jpg"));
    CHECK(contains(message("class_index\tfile\n"), "names no image"));
}

TEST_CASE("a folder of objects gives resized images in order of names, with their boxes") {
    const TemporaryFolder folder;
    make_object_folder(folder, "1 0.5 0.25 0.5 0.5\n\n0 0.125 0.5 0.25 1\n");
    const ImageShape input{3, 28, 42};
    const LabelledImages images = read_test_images(folder / "", input);
    CHECK(images.shape == input);
    CHECK(images.labels == std::vector<std::int32_t>(2, LabelledImages::no_class));
    REQUIRE(images.objects.size() == 2);
    CHECK(images.objects[0] ==
          std::vector<LabelledObject>{{1, {0.25F, 0, 0.75F, 0.5F}}, {0, {0, 0, 0.25F, 1}}});
    CHECK(images.objects[1].empty());
    const RgbImage large = resize_bilinear(read_jpeg(fixture(colour)), 42, 28);
    CHECK(std::vector(images.pixels.begin(), images.pixels.begin() + 3528) == large.pixels);
    const LabelledImages second = subset(images, 1, 1);
    CHECK(second.objects == std::vector<std::vector<LabelledObject>>(1));
    CHECK(contains(refusal([&] { write_images(folder / "x.h5", images, std::nullopt); }), "boxes"));
}

TEST_CASE("a folder of objects is refused by file and line") {
    const auto message = [](const std::string& labels) {
        const TemporaryFolder folder;
        make_object_folder(folder, labels);
        return refusal([&] { read_test_images(folder / "", ImageShape{3, 8, 8}); });
    };
    CHECK(contains(message("0 0.5 0.5 1\n"), "a.txt:1: holds 4 numbers"));
    CHECK(
        contains(message("0 0.5 0.5 1 1\n2 0.5 0.5 1 1\n"), "a.txt:2: '2' is no class of 0 to 1"));
    CHECK(contains(message("0 0.5 0.5 1 1.5\n"), "a.txt:1: '1.5' is no fraction"));
    CHECK(contains(message("0 x 0.5 1 1\n"), "'x' is no fraction"));
    const TemporaryFolder folder;
    make_object_folder(folder, "");
    CHECK(contains(refusal([&] { read_test_images(folder / ""); }), "images of any size"));
}
