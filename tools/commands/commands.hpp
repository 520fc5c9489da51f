#pragma once

#include "tools/arguments.hpp"
#include "tools/settings/experiment.hpp"

// A function per subcommand. Each returns the program's exit code and throws `Error` for everything
// that ends it early.
namespace kirchnet {

int run_solve(const SolveArguments& arguments);
int run_check(const CheckArguments& arguments);
int run_import(const ImportArguments& arguments);
int run_prune(const PruneArguments& arguments);
/// `layer` or `tile` may be `all`.
int run_netlist(const NetlistArguments& arguments);
/// What `run_netlist` does with `deck`.
int run_netlist_read(const NetlistArguments& arguments);
/// The same where the deck is of a layer.
/// @param edited  its text
int run_layer_read(const NetlistArguments& arguments, const std::string& edited);
int run_trace(const TraceArguments& arguments);
int run_characterise(const CharacteriseArguments& arguments);
int run_settle(const SettleArguments& arguments);
int run_power(const PowerArguments& arguments);
int run_draw(const DrawArguments& arguments);
int run_compare(const CompareArguments& arguments);
/// What `run_compare` does with `--budget`; the experiment is checked.
int run_compare_budget(const CompareArguments& arguments, const Experiment& experiment);
int run_nonlinear(const NonlinearArguments& arguments);
int run_sweep(const SweepArguments& arguments);
int run_merge(const MergeArguments& arguments);
int run_report(const ReportArguments& arguments);
int run_readout(const ReadoutArguments& arguments);
int run_faults(const FaultsArguments& arguments);
int run_info(const InfoArguments& arguments);

}  // namespace kirchnet
