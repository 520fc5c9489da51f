#include "circuit/error.hpp"

#include <fmt/format.h>

namespace kirchnet {

InvalidInput::InvalidInput(std::string where, const std::string& problem)
    : Error(fmt::format("{}: {}", where, problem)), where_(std::move(where)) {}

FileError::FileError(std::string path, const std::string& problem)
    : Error(fmt::format("{}: {}", path, problem)), path_(std::move(path)) {}

SingularSystem::SingularSystem(std::string net, const std::string& detail)
    : Error(fmt::format("singular system at net {} ({})", net, detail)), net_(std::move(net)) {}

NotConverged::NotConverged(std::string net, const std::string& detail)
    : Error(fmt::format("no solution found, worst at net {} ({})", net, detail)),
      net_(std::move(net)) {}

}  // namespace kirchnet
