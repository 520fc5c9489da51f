#pragma once

#include <map>
#include <string>

namespace kirchnet_test {

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
