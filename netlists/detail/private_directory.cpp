#include "netlists/detail/private_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "circuit/error.hpp"

namespace kirchnet::detail {

PrivateDirectory::PrivateDirectory() {
    std::error_code status;
    const auto parent = std::filesystem::temp_directory_path(status);
    if (status)
        throw FileError("temporary directory",
                        status.message() + "; set TMPDIR to a directory that can be written");
    std::string name = (parent / "kirchnet-ngspice-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
        throw FileError(name, std::string("cannot make a directory: ") + std::strerror(errno));
    path_ = name;
}

PrivateDirectory::~PrivateDirectory() {
    std::error_code ignored;  // a leftover directory harms no result
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace kirchnet::detail
