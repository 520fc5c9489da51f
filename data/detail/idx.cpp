#include "data/detail/idx.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t largest_file = 1U << 30U;  // [bytes], twenty times MNIST
constexpr std::uint32_t image_magic = 0x0803;    // unsigned bytes, three dimensions
constexpr std::uint32_t label_magic = 0x0801;    // unsigned bytes, one dimension

/// Content of an IDX file: extents, then bytes.
struct IdxArray {
    std::vector<std::size_t> extents;
    Bytes values;
};

std::uint32_t big_endian(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(bytes[at]) << 24U |
           static_cast<std::uint32_t>(bytes[at + 1]) << 16U |
           static_cast<std::uint32_t>(bytes[at + 2]) << 8U |
           static_cast<std::uint32_t>(bytes[at + 3]);
}

std::vector<std::size_t> read_extents(const fs::path& path, std::uint32_t magic) {
    const std::size_t rank = magic & 0xFFU;
    const Bytes header = read_bytes(path, 4 + 4 * rank);
    if (header.size() < 4 + 4 * rank || big_endian(header, 0) != magic)
        throw InvalidInput(path.string(),
                           fmt::format("is truncated or no IDX file of {} (magic number "
                                       "0x{:08x} is needed)",
                                       magic == image_magic ? "images" : "labels", magic));
    std::vector<std::size_t> extents;
    for (std::size_t i = 0; i < rank; ++i) extents.push_back(big_endian(header, 4 + 4 * i));
    return extents;
}

/// @param most  rows wanted; when it covers the file, nothing may follow the last
IdxArray read_array(const fs::path& path, std::uint32_t magic, std::size_t most) {
    IdxArray array{read_extents(path, magic), {}};
    const std::size_t header = 4 + 4 * array.extents.size();
    const bool whole = array.extents[0] <= most;
    array.extents[0] = std::min(array.extents[0], most);
    std::size_t size = 1;
    for (const std::size_t extent : array.extents)
        if (__builtin_mul_overflow(size, extent, &size) || size > largest_file)
            throw InvalidInput(path.string(), "announces more data than is allowed (1 GiB)");
    array.values = read_bytes(path, header + size + (whole ? 1 : 0));
    if (size == 0 || array.values.size() != header + size)
        throw InvalidInput(path.string(),
                           fmt::format("announces {} bytes of data but holds {}", size,
                                       array.values.size() > header + size
                                           ? "more"
                                           : std::to_string(array.values.size() - header)));
    array.values.erase(array.values.begin(),
                       array.values.begin() + static_cast<std::ptrdiff_t>(header));
    return array;
}

std::optional<fs::path> find_part(const fs::path& folder, const std::string& part,
                                  const std::string& what, int rank) {
    for (const char* joint : {"-", "."})
        for (const char* ending : {"", ".gz"}) {
            fs::path path =
                folder / fmt::format("{}-{}{}idx{}-ubyte{}", part, what, joint, rank, ending);
            if (fs::is_regular_file(path)) return path;
        }
    return std::nullopt;
}

}  // namespace

std::optional<IdxFiles> find_idx_files(const fs::path& folder, const std::string& part) {
    const auto images = find_part(folder, part, "images", 3);
    if (!images) return std::nullopt;
    const auto labels = find_part(folder, part, "labels", 1);
    if (!labels)
        throw InvalidInput((folder / (part + "-labels-idx1-ubyte")).string(),
                           fmt::format("is missing beside {}", images->filename().string()));
    return IdxFiles{*images, *labels};
}

LabelledImages read_idx(const IdxFiles& files, std::size_t most) {
    IdxArray images = read_array(files.images, image_magic, most);
    const IdxArray labels = read_array(files.labels, label_magic, most);
    if (images.extents[0] != labels.extents[0])
        throw InvalidInput(
            files.labels.string(),
            fmt::format("holds {} labels for {} images", labels.extents[0], images.extents[0]));
    return {ImageShape{1, images.extents[1], images.extents[2]},
            std::move(images.values),
            {labels.values.begin(), labels.values.end()}};
}

}  // namespace kirchnet
