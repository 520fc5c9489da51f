#include "netlists/detail/helper_location.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "circuit/error.hpp"

namespace kirchnet::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* program_name = "kirchnet-ngspice";

bool is_program(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

fs::path check_named(const fs::path& path, const char* named_by) {
    if (!is_program(path))
        throw NgspiceError(fmt::format("'{}' ({}) is no program that can be run; it should name {}",
                                       path.string(), named_by, program_name));
    return fs::absolute(path);  // the helper starts in another directory
}

}  // namespace

fs::path locate_helper(const NgspiceSettings& settings) {
    if (!settings.helper.empty()) return check_named(settings.helper, "the helper setting");
    if (const char* named = std::getenv("KIRCHNET_NGSPICE"); named != nullptr && *named != '\0')
        return check_named(named, "KIRCHNET_NGSPICE");
    std::error_code ignored;
    const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    const std::array places{here / program_name,
                            here.parent_path() / "libexec" / "kirchnet" / program_name};
    for (const fs::path& place : places)
        if (is_program(place)) return place;
    throw NgspiceError(fmt::format(
        "found no program {} at {} nor at {}; build or install kirchnet with it, or set "
        "KIRCHNET_NGSPICE to its path",
        program_name, places[0].string(), places[1].string()));
}

}  // namespace kirchnet::detail
