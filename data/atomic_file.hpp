#pragma once

#include <filesystem>
#include <string_view>

namespace kirchnet {

/// Whether a file outlives a power failure right after it got its name. `renamed` saves
/// milliseconds per file, for content that tells damage by itself and can be made again.
enum class Durability : bool { renamed, synced };

/// A file that has its name only once it is complete: written under a temporary name in the same
/// folder, then renamed. Without `commit` nothing stays behind, and a file that had the name
/// before is untouched. Devices and pipes (`/dev/stdout`) are written directly.
class AtomicFile {
  public:
    /// @throws FileError  when no file can be made there
    explicit AtomicFile(const std::filesystem::path& path);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    /// @throws FileError  when the disk refuses
    void write(std::string_view bytes);
    /// Brings the content to the disk, unless told otherwise, and gives the file its name.
    /// @throws FileError  when the disk refuses
    void commit(Durability durability = Durability::synced);

  private:
    [[noreturn]] void fail(int error) const;
    void open_temporary();
    void discard() noexcept;

    std::filesystem::path path_;
    std::filesystem::path temporary_;  ///< empty when written directly
    int descriptor_ = -1;
};

/// @throws FileError  when the disk refuses; then `path` is as it was before
void write_text_atomically(const std::filesystem::path& path, std::string_view text,
                           Durability durability = Durability::synced);

}  // namespace kirchnet
