#include "data/detail/cifar.hpp"

#include <fmt/format.h>
#include <webp/decode.h>

#include <algorithm>
#include <memory>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr ImageShape image_shape{3, 32, 32};
constexpr std::size_t side = 32;
constexpr std::size_t record_size = 1 + image_shape.channels * side * side;  // label, then pixels
constexpr int classes = 10;
constexpr std::size_t most_images = 100'000;            // ten batches' worth
constexpr std::size_t largest_sheet_file = 64U << 20U;  // [bytes] a sheet takes 17 MB

void add_label(LabelledImages& images, const fs::path& path, std::uint8_t label) {
    if (label >= classes)
        throw InvalidInput(path.string(), fmt::format("image {} has label {}, CIFAR-10 has 0 to 9",
                                                      images.labels.size(), label));
    images.labels.push_back(label);
}

LabelledImages read_records(const fs::path& path, std::size_t most) {
    const std::size_t wanted = std::min(most, most_images) * record_size;
    const bool whole = most >= most_images;
    const Bytes bytes = whole ? read_whole(path, wanted) : read_bytes(path, wanted);
    if (bytes.empty() || bytes.size() % record_size != 0)
        throw InvalidInput(path.string(),
                           fmt::format("is truncated or no CIFAR-10 batch: {} bytes are not a "
                                       "multiple of {}",
                                       bytes.size(), record_size));
    LabelledImages images{image_shape, {}, {}};
    for (auto record = bytes.begin(); record != bytes.end(); record += record_size) {
        add_label(images, path, *record);
        images.pixels.insert(images.pixels.end(), record + 1, record + record_size);
    }
    return images;
}

/// RGB pixels of a sheet, interleaved.
struct Sheet {
    std::unique_ptr<std::uint8_t, void (*)(void*)> pixels{nullptr, WebPFree};
    std::size_t width = 0;
    std::size_t height = 0;

    [[nodiscard]] std::size_t columns() const { return width / side; }
    [[nodiscard]] std::size_t images() const { return columns() * (height / side); }
};

void check_features(const fs::path& path, const Bytes& bytes) {
    constexpr int lossless = 2;
    WebPBitstreamFeatures found;
    if (WebPGetFeatures(bytes.data(), bytes.size(), &found) != VP8_STATUS_OK)
        throw InvalidInput(path.string(), "is truncated or no WebP image");
    if (found.format != lossless || found.has_animation != 0)
        throw InvalidInput(path.string(), "is no lossless still WebP image");
    if (found.width % int{side} != 0 || found.height % int{side} != 0)
        throw InvalidInput(path.string(),
                           fmt::format("is {} x {} pixels, not a sheet of 32 x 32 images",
                                       found.width, found.height));
}

Sheet decode_sheet(const fs::path& path) {
    const Bytes bytes = read_whole(path, largest_sheet_file);
    check_features(path, bytes);
    Sheet sheet;
    int width = 0;
    int height = 0;
    sheet.pixels.reset(WebPDecodeRGB(bytes.data(), bytes.size(), &width, &height));
    if (!sheet.pixels) throw InvalidInput(path.string(), "is truncated or damaged WebP data");
    sheet.width = static_cast<std::size_t>(width);
    sheet.height = static_cast<std::size_t>(height);
    return sheet;
}

/// One image as three planes.
void add_planes(std::vector<std::uint8_t>& pixels, const Sheet& sheet, std::size_t image) {
    const std::size_t top = image / sheet.columns() * side;
    const std::size_t left = image % sheet.columns() * side;
    for (std::size_t channel = 0; channel < image_shape.channels; ++channel)
        for (std::size_t y = top; y < top + side; ++y)
            for (std::size_t x = left; x < left + side; ++x)
                pixels.push_back(
                    sheet.pixels.get()[(y * sheet.width + x) * image_shape.channels + channel]);
}

LabelledImages read_sheet(const fs::path& path, std::size_t most) {
    const Sheet sheet = decode_sheet(path);
    const fs::path label_file = fs::path(path).replace_extension(".labels");
    const Bytes labels = read_whole(label_file, most_images);
    if (labels.size() != sheet.images())
        throw InvalidInput(label_file.string(), fmt::format("holds {} labels for {} images",
                                                            labels.size(), sheet.images()));
    LabelledImages images{image_shape, {}, {}};
    for (std::size_t i = 0; i < std::min(most, sheet.images()); ++i) {
        add_label(images, label_file, labels[i]);
        add_planes(images.pixels, sheet, i);
    }
    return images;
}

void append(LabelledImages& all, const LabelledImages& more) {
    all.pixels.insert(all.pixels.end(), more.pixels.begin(), more.pixels.end());
    all.labels.insert(all.labels.end(), more.labels.begin(), more.labels.end());
}

}  // namespace

std::optional<fs::path> find_cifar_batch(const fs::path& folder, const std::string& stem) {
    for (const char* ending : {".bin", ".bin.xz", ".webp"})
        if (fs::path path = folder / (stem + ending); fs::is_regular_file(path)) return path;
    return std::nullopt;
}

LabelledImages read_cifar_batch(const fs::path& path, std::size_t most) {
    return path.extension() == ".webp" ? read_sheet(path, most) : read_records(path, most);
}

std::optional<LabelledImages> read_cifar_training(const fs::path& folder, const fs::path& skipped,
                                                  std::size_t count) {
    std::optional<LabelledImages> images;
    for (int batch = 1; batch <= 5; ++batch) {
        const auto path = find_cifar_batch(folder, fmt::format("data_batch_{}", batch));
        if (!path || path->filename() == skipped.filename()) continue;
        if (!images) images = LabelledImages{image_shape, {}, {}};
        if (images->size() < count)
            append(*images, read_cifar_batch(*path, count - images->size()));
    }
    return images;
}

}  // namespace kirchnet
