#pragma once

#include "tools/network_pruner.hpp"

namespace kirchnet {

/// Parses the command line, runs the subcommand, reports errors as one line on standard error.
/// @param pruner  what trains; without one, what has to train goes on as `kirchnet-training`
/// @return  exit code: 0 done, 2 bad usage or input, 1 everything else
int run_command_line(int argc, const char* const* argv, const NetworkPruner& pruner = {});

}  // namespace kirchnet
