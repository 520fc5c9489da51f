#include "data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "circuit/error.hpp"
#include "data/detail/cifar.hpp"
#include "data/detail/file_format.hpp"
#include "data/detail/idx.hpp"
#include "data/detail/image_folder.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

LabelledImages read_image_group(const hdf5::InputGroup& group) {
    auto pixels = group.read<std::uint8_t>("pixels", 4);
    auto labels = group.read_vector<std::int32_t>("labels");
    const auto& shape = pixels.shape;
    if (labels.size() != shape[0] || labels.empty())
        group.fail("labels", fmt::format("holds {} labels for {} images", labels.size(), shape[0]));
    for (const std::int32_t label : labels)
        if (label < 0) group.fail("labels", fmt::format("holds {}, classes count from 0", label));
    return {ImageShape{shape[1], shape[2], shape[3]}, std::move(pixels.values), std::move(labels)};
}

void write_image_group(hdf5::OutputGroup group, const LabelledImages& images) {
    const auto& shape = images.shape;
    group.write("pixels", {images.size(), shape.channels, shape.height, shape.width},
                std::span<const std::uint8_t>(images.pixels), "1/255", hdf5::Storage::packed);
    group.write("labels", images.labels, "class", hdf5::Storage::packed);
}

/// The folder itself, or where the usual archives unpack to.
std::vector<fs::path> folders_of(const fs::path& path) {
    if (!fs::is_directory(path)) return {path.has_parent_path() ? path.parent_path() : "."};
    return {path, path / "cifar-10-batches-bin", path / "MNIST" / "raw"};
}

LabelledImages read_test_folder(const fs::path& path, const std::optional<ImageShape>& input) {
    if (is_class_folder(path)) return read_class_folder(path, input);
    if (is_object_folder(path)) return read_object_folder(path, input);
    for (const fs::path& folder : folders_of(path)) {
        if (const auto batch = find_cifar_batch(folder, "test_batch"))
            return read_cifar_batch(*batch, all);
        if (const auto files = find_idx_files(folder, "t10k")) return read_idx(*files, all);
    }
    throw InvalidInput(path.string(),
                       "holds no test images: neither CIFAR-10's test_batch.bin (or .bin.xz), nor "
                       "IDX files such as t10k-images-idx3-ubyte (or .gz), nor JPEG images with "
                       "labels.tsv, nor images/, labels/ and a .names file");
}

bool is_hdf5_name(const fs::path& path) {
    return path.extension() == ".h5" || path.extension() == ".hdf5";
}

bool is_cifar_name(const fs::path& path) {
    const fs::path packed = path.extension() == ".xz" ? path.stem() : path;
    return packed.extension() == ".bin" || path.extension() == ".webp";
}

}  // namespace

LabelledImages subset(const LabelledImages& images, std::size_t first, std::size_t count) {
    if (first > images.size() || count > images.size() - first)
        throw InvalidInput(fmt::format("images {} to {} are wanted, there are {}", first,
                                       first + count, images.size()));
    const auto at = [&](std::size_t image) {
        return images.pixels.begin() + static_cast<std::ptrdiff_t>(image * images.shape.size());
    };
    const auto label = images.labels.begin() + static_cast<std::ptrdiff_t>(first);
    LabelledImages part{images.shape,
                        {at(first), at(first + count)},
                        {label, label + static_cast<std::ptrdiff_t>(count)}};
    if (images.objects.empty()) return part;
    const auto objects = images.objects.begin() + static_cast<std::ptrdiff_t>(first);
    part.objects.assign(objects, objects + static_cast<std::ptrdiff_t>(count));
    return part;
}

LabelledImages read_test_images(const fs::path& path, const std::optional<ImageShape>& input) {
    if (!fs::exists(path)) throw InvalidInput(path.string(), "no such file or folder");
    if (fs::is_directory(path)) return read_test_folder(path, input);
    if (is_hdf5_name(path))
        return read_image_group(open_format(path, format::images).group("test"));
    if (is_cifar_name(path)) return read_cifar_batch(path, all);
    throw InvalidInput(path.string(),
                       "is no kind of image file known (folder, .bin, .bin.xz or .h5)");
}

std::optional<LabelledImages> read_calibration_images(const fs::path& path, std::size_t count) {
    if (!fs::exists(path)) throw InvalidInput(path.string(), "no such file or folder");
    if (!fs::is_directory(path) && is_hdf5_name(path)) {
        const auto file = open_format(path, format::images);
        if (!file.has("calibration")) return std::nullopt;
        const auto images = read_image_group(file.group("calibration"));
        return subset(images, 0, std::min(count, images.size()));
    }
    for (const fs::path& folder : folders_of(path)) {
        if (auto images = read_cifar_training(folder, path, count)) return images;
        if (const auto files = find_idx_files(folder, "train")) return read_idx(*files, count);
    }
    return std::nullopt;
}

void write_images(const fs::path& path, const LabelledImages& test,
                  const std::optional<LabelledImages>& calibration) {
    if (!test.objects.empty())
        throw InvalidInput(path.string(), "an images file holds classes, not boxes of objects");
    auto file = hdf5::OutputGroup::create(format::images, format::version);
    write_image_group(file.group("test"), test);
    if (calibration) write_image_group(file.group("calibration"), *calibration);
    file.save(path);
}

}  // namespace kirchnet
