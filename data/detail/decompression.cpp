#include "data/detail/decompression.hpp"

#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "circuit/error.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t step = 1U << 20U;                  // output grows by this, not by a header
constexpr std::uint64_t decoder_memory = 256ULL << 20U;  // what `xz -9` needs, four times over

std::ifstream open(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) throw InvalidInput(path.string(), "no such file");
    if (fs::is_directory(path, error)) throw InvalidInput(path.string(), "is a folder");
    std::ifstream file(path, std::ios::binary);
    if (!file) throw InvalidInput(path.string(), "cannot be opened for reading");
    return file;
}

std::size_t read_some(std::ifstream& file, std::uint8_t* into, std::size_t most) {
    file.read(reinterpret_cast<char*>(into), static_cast<std::streamsize>(most));
    return static_cast<std::size_t>(file.gcount());
}

/// Appends what `fill(pointer, size)` delivers until it delivers less than asked.
template <class Fill>
Bytes collect(std::size_t most, const Fill& fill) {
    Bytes bytes;
    while (bytes.size() < most) {
        const std::size_t before = bytes.size();
        const std::size_t wanted = std::min(step, most - before);
        bytes.resize(before + wanted);
        const std::size_t got = fill(bytes.data() + before, wanted);
        bytes.resize(before + got);
        if (got < wanted) break;
    }
    return bytes;
}

Bytes read_plain(const fs::path& path, std::size_t most) {
    std::ifstream file = open(path);
    return collect(
        most, [&](std::uint8_t* into, std::size_t size) { return read_some(file, into, size); });
}

/// An `.xz` file being unpacked.
class XzReader {
  public:
    explicit XzReader(const fs::path& path) : path_(path), file_(open(path)), input_(step) {
        if (lzma_stream_decoder(&stream_, decoder_memory, LZMA_CONCATENATED) != LZMA_OK)
            throw Error("cannot start the xz decoder");
    }
    XzReader(const XzReader&) = delete;
    XzReader& operator=(const XzReader&) = delete;
    ~XzReader() { lzma_end(&stream_); }

    std::size_t read(std::uint8_t* into, std::size_t size) {
        stream_.next_out = into;
        stream_.avail_out = size;
        while (stream_.avail_out > 0 && !ended_) advance();
        return size - stream_.avail_out;
    }

  private:
    void advance() {
        if (stream_.avail_in == 0) {
            stream_.next_in = input_.data();
            stream_.avail_in = read_some(file_, input_.data(), input_.size());
        }
        const lzma_ret status = lzma_code(&stream_, file_.eof() ? LZMA_FINISH : LZMA_RUN);
        ended_ = status == LZMA_STREAM_END;
        if (status != LZMA_OK && !ended_) fail(status);
    }

    [[noreturn]] void fail(lzma_ret status) const {
        if (status == LZMA_BUF_ERROR) throw InvalidInput(path_.string(), "xz data are truncated");
        if (status == LZMA_MEMLIMIT_ERROR)
            throw InvalidInput(path_.string(), "xz data need more memory than is allowed");
        throw InvalidInput(path_.string(), fmt::format("xz data are damaged (liblzma status {})",
                                                       static_cast<int>(status)));
    }

    const fs::path& path_;
    std::ifstream file_;
    Bytes input_;
    lzma_stream stream_ = LZMA_STREAM_INIT;
    bool ended_ = false;
};

Bytes read_xz(const fs::path& path, std::size_t most) {
    XzReader reader(path);
    return collect(most,
                   [&](std::uint8_t* into, std::size_t size) { return reader.read(into, size); });
}

Bytes read_gz(const fs::path& path, std::size_t most) {
    open(path);
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (!file) throw InvalidInput(path.string(), "cannot be opened for reading");
    return collect(most, [&](std::uint8_t* into, std::size_t size) {
        const int got = gzread(file.get(), into, static_cast<unsigned>(size));
        int status = Z_OK;
        gzerror(file.get(), &status);
        if (status == Z_BUF_ERROR) throw InvalidInput(path.string(), "gzip data are truncated");
        if (got < 0 || status != Z_OK) throw InvalidInput(path.string(), "gzip data are damaged");
        return static_cast<std::size_t>(got);
    });
}

}  // namespace

Bytes read_bytes(const fs::path& path, std::size_t most) {
    if (path.extension() == ".xz") return read_xz(path, most);
    if (path.extension() == ".gz") return read_gz(path, most);
    return read_plain(path, most);
}

Bytes read_whole(const fs::path& path, std::size_t limit) {
    Bytes bytes = read_bytes(path, limit + 1);
    if (bytes.size() > limit)
        throw InvalidInput(path.string(), fmt::format("holds more than {} bytes", limit));
    return bytes;
}

}  // namespace kirchnet
