#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kirchnet {

/// The members of a zip archive in memory, plain or zip64. Only members stored as they are can be
/// read: then nothing is larger than the archive itself.
class ZipArchive {
  public:
    /// @param bytes  must outlive this
    /// @param where  the file, for messages
    /// @throws InvalidInput  when the directory is truncated or damaged
    ZipArchive(std::string_view bytes, std::string where);

    [[nodiscard]] bool has(const std::string& name) const { return members_.contains(name); }
    /// Name of the one member that ends with `ending`; empty where there is none.
    [[nodiscard]] std::string find(std::string_view ending) const;
    /// @throws InvalidInput  naming the member when it is missing, compressed, encrypted or damaged
    [[nodiscard]] std::string_view read(const std::string& name) const;

  private:
    struct Member {
        std::uint16_t flags = 0;
        std::uint16_t method = 0;
        std::uint32_t checksum = 0;
        std::uint64_t packed_size = 0;  // [bytes]
        std::uint64_t size = 0;         // [bytes]
        std::uint64_t header = 0;       // [bytes] from the start of the archive
    };

    void read_directory();
    std::size_t read_entry(std::size_t at);
    void widen(Member& member, std::string_view extra, const std::string& name) const;
    void check_readable(const Member& member, const std::string& name) const;
    [[nodiscard]] std::string_view content(const Member& member, const std::string& name) const;
    [[nodiscard]] std::string_view slice(std::uint64_t at, std::uint64_t size,
                                         const char* what) const;
    [[noreturn]] void fail(const std::string& name, const std::string& problem) const;

    std::string_view bytes_;
    std::string where_;
    std::uint64_t total_ = 0;  ///< [bytes] of all members
    std::map<std::string, Member> members_;
};

}  // namespace kirchnet
