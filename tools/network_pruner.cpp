#include "tools/network_pruner.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "circuit/error.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr const char* program_name = "kirchnet-training";

/// Beside this program, or where it is installed.
fs::path locate_training() {
    std::error_code ignored;
    const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    for (const fs::path& path :
         {folder / program_name, folder.parent_path() / "libexec" / "kirchnet" / program_name})
        if (access(path.c_str(), X_OK) == 0) return path;
    return {};
}

}  // namespace

void continue_with_training(const char* const* arguments, const std::string& what) {
    const fs::path program = locate_training();
    if (program.empty())
        throw InvalidInput(what,
                           fmt::format("trains, and this program was built without training: "
                                       "there is no {} beside it (build with "
                                       "-DKIRCHNET_TRAINING=ON, which needs libtorch, or take "
                                       "one-shot)",
                                       program_name));
    execv(program.c_str(), const_cast<char* const*>(arguments));
    throw FileError(program.string(), fmt::format("cannot be run: {}", std::strerror(errno)));
}

}  // namespace kirchnet
