#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace kirchnet_test {

/// A directory of the test's own, removed with it.
class ScratchDirectory {
  public:
    ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Whether the program `ngspice` is installed; says so when it is not.
bool has_ngspice_program();

struct BatchRun {
    int status = -1;
    std::map<std::string, double> printed;  ///< `name = value` lines
    std::string output;
};

/// Runs `ngspice -b` on a deck as it is: the road of a user, without any of our processes.
BatchRun run_ngspice_batch(const std::string& deck);

}  // namespace kirchnet_test
