#include <cstdlib>
#include <numeric>

#include "data/dataset.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

constexpr std::size_t cifar_image = 3072;
using Labels = std::vector<std::int32_t>;

/// CIFAR-10 records whose byte k of image i is (7 i + k) mod 251.
std::string records(const Labels& labels) {
    std::string bytes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        bytes.push_back(static_cast<char>(labels[i]));
        for (std::size_t k = 0; k < cifar_image; ++k)
            bytes.push_back(static_cast<char>((7 * i + k) % 251));
    }
    return bytes;
}

std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(value >> static_cast<unsigned>(shift)));
    return bytes;
}

/// Three images of 2 x 3 pixels 0, 1, ... 17.
const std::string idx_images = big_endian(0x803) + big_endian(3) + big_endian(2) + big_endian(3) +
                               std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21", 18);
std::string labels_of(std::initializer_list<char> labels) {
    return big_endian(0x801) + big_endian(static_cast<std::uint32_t>(labels.size())) +
           std::string(labels);
}

LabelledImages two_by_three() {
    LabelledImages images{{1, 2, 3}, std::vector<std::uint8_t>(18), {5, 0, 7}};
    std::iota(images.pixels.begin(), images.pixels.end(), std::uint8_t{0});
    return images;
}

void pack(const std::string& program, const fs::path& path) {
    REQUIRE(std::system((program + " '" + path.string() + "'").c_str()) == 0);
}

bool has(const std::string& program) {
    if (std::system(("command -v " + program + " >/dev/null").c_str()) == 0) return true;
    MESSAGE("skipped: needs ", program);
    return false;
}

std::uint64_t sum(const LabelledImages& images, std::size_t image) {
    const std::size_t size = images.shape.size();
    const auto begin = images.pixels.begin() + static_cast<std::ptrdiff_t>(image * size);
    return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(size), std::uint64_t{0});
}

}  // namespace

TEST_CASE("CIFAR-10 records are read from file and folder, plain and xz") {
    const TemporaryFolder folder;
    write_file(folder / "test_batch.bin", records({3, 8, 0}));
    const auto check = [](const LabelledImages& images) {
        CHECK(images.shape == ImageShape{3, 32, 32});
        CHECK(images.labels == Labels{3, 8, 0});
        REQUIRE(images.pixels.size() == 3 * cifar_image);
        CHECK(images.pixels[cifar_image + 1000] == (7 + 1000) % 251);
    };
    check(read_test_images(folder / "test_batch.bin"));
    check(read_test_images(folder / ""));
    if (!has("xz")) return;
    pack("xz", folder / "test_batch.bin");
    check(read_test_images(folder / "test_batch.bin.xz"));
    check(read_test_images(folder / ""));
}

TEST_CASE("calibration images are the first of the training batches beside the test images") {
    const TemporaryFolder folder;
    write_file(folder / "test_batch.bin", records({9}));
    CHECK(!read_calibration_images(folder / "test_batch.bin", 5).has_value());
    write_file(folder / "data_batch_1.bin", records({1, 2}));
    write_file(folder / "data_batch_3.bin", records({4, 5, 6}));
    const auto images = read_calibration_images(folder / "", 4);
    REQUIRE(images.has_value());
    CHECK(images->labels == Labels{1, 2, 4, 5});
    CHECK(images->pixels.size() == 4 * cifar_image);
    CHECK(images->pixels[3 * cifar_image] == 7);
    CHECK(read_calibration_images(folder / "test_batch.bin", 99)->size() == 5);
    // What is tested on is not calibrated on.
    CHECK(read_calibration_images(folder / "data_batch_1.bin", 99)->labels == Labels{4, 5, 6});
}

TEST_CASE("IDX files are read under any of their names") {
    const TemporaryFolder folder;
    const std::pair<const char*, const char*> names[] = {
        {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
        {"t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"}};
    for (const auto& [images, labels] : names) {
        write_file(folder / images, idx_images);
        write_file(folder / labels, labels_of({5, 0, 7}));
        CHECK(read_test_images(folder / "") == two_by_three());
        if (!has("gzip")) return;
        pack("gzip", folder / images);
        pack("gzip", folder / labels);
        CHECK(read_test_images(folder / "") == two_by_three());
        fs::remove(folder / (std::string(images) + ".gz"));
    }
}

TEST_CASE("the training part of an IDX data set calibrates") {
    const TemporaryFolder folder;
    write_file(folder / "train-images-idx3-ubyte", idx_images);
    write_file(folder / "train-labels-idx1-ubyte", labels_of({5, 0, 7}));
    CHECK(*read_calibration_images(folder / "", 2) == subset(two_by_three(), 0, 2));
    CHECK(*read_calibration_images(folder / "", 100) == two_by_three());
}

TEST_CASE("an images file is read back exactly and opens in h5py") {
    const TemporaryFolder folder;
    LabelledImages many{{2, 3, 5}, std::vector<std::uint8_t>(40 * 30), Labels(40)};
    for (std::size_t i = 0; i < many.pixels.size(); ++i)
        many.pixels[i] = static_cast<std::uint8_t>(i % 253);
    std::iota(many.labels.begin(), many.labels.end(), 0);
    write_images(folder / "a.h5", many, two_by_three());
    CHECK(read_test_images(folder / "a.h5") == many);
    CHECK(*read_calibration_images(folder / "a.h5", 2) == subset(two_by_three(), 0, 2));
    const auto output = python(
        "f = h5py.File(sys.argv[1]); t = f['test/pixels']\n"
        "print(t.shape, t.dtype, t.compression, t[7, 1, 2, 4], f['test/labels'][39])\n"
        "print(f['calibration/pixels'][2, 0, 1, 0], t.attrs['units'])",
        folder / "a.h5");
    // Byte 7 * 30 + 1 * 15 + 2 * 5 + 4 = 239; byte 2 * 6 + 3 = 15.
    if (output) CHECK(*output == "(40, 2, 3, 5) uint8 gzip 239 39\n15 1/255\n");
    write_images(folder / "b.h5", many, std::nullopt);
    CHECK(!read_calibration_images(folder / "b.h5", 2).has_value());
}

TEST_CASE("an images file written by h5py is understood") {
    const auto path = fixture("h5py_files/images.h5");
    const LabelledImages test = read_test_images(path);
    CHECK(test.shape == ImageShape{3, 4, 2});
    CHECK(test.labels == Labels{9, 4});
    CHECK(test.pixels[47] == 47);
    CHECK(read_calibration_images(path, 9)->labels == Labels{1, 2, 3});
}

TEST_CASE("wrong image files are refused by name") {
    const TemporaryFolder folder;
    const auto words = [&](const std::string& name) {
        return refusal([&] { read_test_images(folder / name); });
    };
    SUBCASE("missing") {
        CHECK(words("none.bin").find("none.bin: no such file") > 0);
    }
    SUBCASE("nothing known in the folder") {
        CHECK(words("").find("holds no test images") != std::string::npos);
    }
    SUBCASE("unknown kind") {
        write_file(folder / "a.png", "png");
        CHECK(words("a.png").find("a.png: is no kind of image file known") != std::string::npos);
    }
    SUBCASE("label above 9") {
        write_file(folder / "a.bin", records({3, 10}));
        CHECK(words("a.bin").find("a.bin: image 1 has label 10") != std::string::npos);
    }
    SUBCASE("empty batch") {
        write_file(folder / "a.bin", "");
        CHECK(words("a.bin").find("truncated") != std::string::npos);
    }
    SUBCASE("labels missing") {
        write_file(folder / "t10k-images-idx3-ubyte", idx_images);
        CHECK(words("").find("t10k-labels-idx1-ubyte: is missing beside") != std::string::npos);
    }
    SUBCASE("labels of other images") {
        write_file(folder / "t10k-images-idx3-ubyte", idx_images);
        write_file(folder / "t10k-labels-idx1-ubyte", labels_of({5, 0}));
        CHECK(words("").find("holds 2 labels for 3 images") != std::string::npos);
    }
    SUBCASE("more bytes than announced") {
        write_file(folder / "t10k-images-idx3-ubyte", idx_images + "x");
        write_file(folder / "t10k-labels-idx1-ubyte", labels_of({5, 0, 7}));
        CHECK(words("").find("announces 18 bytes of data but holds more") != std::string::npos);
    }
    SUBCASE("header that announces the whole memory") {
        const std::string most = big_endian(0xFFFFFFFF);
        write_file(folder / "t10k-images-idx3-ubyte", big_endian(0x803) + most + most + most);
        write_file(folder / "t10k-labels-idx1-ubyte", labels_of({5, 0, 7}));
        CHECK(words("").find("more data than is allowed") != std::string::npos);
    }
    SUBCASE("sheet that is no picture") {
        write_file(folder / "data_batch_1.webp", "RIFF");
        CHECK(refusal([&] {
                  read_calibration_images(folder / "", 1);
              }).find("data_batch_1.webp: is truncated or no WebP") != std::string::npos);
    }
    SUBCASE("more images than there are") {
        CHECK(refusal([] { subset(two_by_three(), 2, 2); }).find("there are 3") !=
              std::string::npos);
    }
}

TEST_CASE("the CIFAR-10 test set is the published one") {
    const auto folder = external("cifar10");
    if (!folder) return;
    const LabelledImages images = read_test_images(*folder);
    REQUIRE(images.size() == 10000);
    CHECK(Labels(images.labels.begin(), images.labels.begin() + 5) == Labels{3, 8, 8, 0, 6});
    std::vector<int> histogram(10);
    for (const std::int32_t label : images.labels) ++histogram[static_cast<std::size_t>(label)];
    CHECK(histogram == std::vector<int>(10, 1000));
    // Python's lzma and slicing of the records.
    CHECK(images.pixels[0] == 158);
    CHECK(images.pixels[17 * cifar_image + 2 * 1024 + 5 * 32 + 7] == 154);
    CHECK(sum(images, 9999) == 331662);
}

TEST_CASE("the CIFAR-10 training sheets hold the published images") {
    const auto folder = external("cifar10");
    if (!folder) return;
    const auto images = read_calibration_images(*folder, 10001);
    REQUIRE(images.has_value());
    REQUIRE(images->size() == 10001);
    // First and last three bytes of the first images, as many tutorials print data_batch_1:
    // [[59 43 50 ... 140 84 72] [154 126 105 ... 139 142 144] [255 253 253 ... 83 83 84]].
    const std::vector<std::vector<int>> published = {
        {59, 43, 50, 140, 84, 72}, {154, 126, 105, 139, 142, 144}, {255, 253, 253, 83, 83, 84}};
    for (std::size_t i = 0; i < published.size(); ++i) {
        const std::uint8_t* image = images->pixels.data() + i * cifar_image;
        CHECK(std::vector<int>{image[0], image[1], image[2], image[3069], image[3070],
                               image[3071]} == published[i]);
    }
    CHECK(Labels(images->labels.begin(), images->labels.begin() + 5) == Labels{6, 9, 9, 4, 1});
    CHECK(images->labels[10000] == 1);  // first label of the second batch
}

TEST_CASE("MNIST is the published one") {
    const auto folder = external("mnist");
    if (!folder) return;
    const LabelledImages test = read_test_images(*folder);
    CHECK(test.size() == 10000);
    CHECK(test.shape == ImageShape{1, 28, 28});
    CHECK(Labels(test.labels.begin(), test.labels.begin() + 6) == Labels{7, 2, 1, 0, 4, 1});
    // Sums by Python's gzip.
    CHECK(sum(test, 0) == 18454);
    CHECK(sum(test, 4) == 19237);
    const auto train = read_calibration_images(*folder, 5);
    REQUIRE(train.has_value());
    CHECK(train->labels == Labels{5, 0, 4, 1, 9});
    CHECK(sum(*train, 0) == 27525);
    CHECK(sum(*train, 4) == 23214);
}
