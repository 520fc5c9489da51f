#include "data/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr mode_t permissions = 0666;  // less the user's umask

/// What a link points to, so that renaming replaces the file and not the link.
fs::path resolve(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_symlink(path, ignored)) return path;
    const fs::path target = fs::weakly_canonical(path, ignored);
    return ignored ? path : target;
}

/// Unique in this folder: the process, and a number within it.
fs::path temporary_name(const fs::path& path) {
    static std::atomic<unsigned> count{0};
    return fs::path(fmt::format("{}.{}-{}.tmp", path.native(), ::getpid(), count++));
}

bool is_written_directly(const fs::path& path) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// Makes a rename durable; some file systems cannot sync a folder, which harms nothing.
void sync_folder(const fs::path& path) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path) : path_(resolve(path)) {
    if (is_written_directly(path_)) {
        descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    } else {
        std::error_code ignored;
        if (fs::is_directory(path_, ignored)) fail(EISDIR);
        open_temporary();
    }
    if (descriptor_ < 0) fail(errno);
}

/// Process numbers repeat on other machines and in other containers that share a folder, so a name
/// that is taken is left to its owner.
void AtomicFile::open_temporary() {
    do {
        temporary_ = temporary_name(path_);
        descriptor_ =
            ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    } while (descriptor_ < 0 && errno == EEXIST);
}

AtomicFile::~AtomicFile() {
    discard();
}

void AtomicFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            fail(errno);
    }
}

void AtomicFile::commit(Durability durability) {
    const bool syncs = durability == Durability::synced;
    // Pipes and devices cannot be synced (EINVAL, EROFS); regular files must.
    if (syncs && ::fsync(descriptor_) != 0 && !temporary_.empty()) fail(errno);
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
    if (temporary_.empty()) return;
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
    temporary_.clear();
    if (syncs) sync_folder(path_);
}

void AtomicFile::fail(int error) const {
    throw FileError(path_.string(),
                    fmt::format("cannot be written: {}", std::generic_category().message(error)));
}

void AtomicFile::discard() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void write_text_atomically(const fs::path& path, std::string_view text, Durability durability) {
    AtomicFile file(path);
    file.write(text);
    file.commit(durability);
}

}  // namespace kirchnet
