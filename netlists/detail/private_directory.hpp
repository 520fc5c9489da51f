#pragma once

#include <filesystem>

namespace kirchnet::detail {

/// An empty directory of our own under the system's temporary one, gone with its owner. ngspice
/// reads `.spiceinit` of its working and home directory; here it finds none.
class PrivateDirectory {
  public:
    /// @throws FileError  when it cannot be made
    PrivateDirectory();
    PrivateDirectory(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(const PrivateDirectory&) = delete;
    ~PrivateDirectory();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace kirchnet::detail
