#pragma once

namespace kirchnet {

/// Parses the command line, runs the subcommand, reports errors as one line on standard error.
/// @return  exit code: 0 done, 2 bad usage or input, 1 everything else
int run_command_line(int argc, const char* const* argv);

}  // namespace kirchnet
