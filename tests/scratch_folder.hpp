#pragma once

#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>

namespace kirchnet::test {

/// An empty folder that goes with its owner.
class ScratchFolder {
  public:
    ScratchFolder() {
        // mkdtemp puts letters of its own in the place of the X's.
        std::string name =
            (std::filesystem::temp_directory_path() / "kirchnet-test-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("no folder can be made like " + name);
        path_ = name;
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                                      std::filesystem::directory_iterator()));
    }

  private:
    std::filesystem::path path_;
};

}  // namespace kirchnet::test
