// Subcommands about many chips of many designs.
#include <CLI/CLI.hpp>

#include "tools/commands/commands.hpp"
#include "tools/options/option_groups.hpp"
#include "tools/options/subcommands.hpp"

namespace kirchnet {
namespace {

void add_sweep(Subcommands& commands) {
    const auto added = commands.add<SweepArguments>(
        "sweep", "Many chips of many designs, resumable, shared out, replayable", run_sweep,
        "  kirchnet sweep examples/yuan2021/f6.toml --set data=cifar10\n"
        "  kirchnet sweep plan.toml --resume             (after a stop or a kill)\n"
        "  kirchnet sweep plan.toml --shard 2/8          (then: kirchnet merge)\n"
        "  kirchnet sweep plan.toml --shard slurm        (in a Slurm job array)\n"
        "  kirchnet sweep plan.toml --replay 3/17        (point 3 on chip 17 again)\n"
        "  kirchnet sweep plan.toml --dry-run            (lists the points)");
    CLI::App& sub = added.sub;
    SweepArguments& arguments = added.arguments;
    sub.add_option("plan", arguments.plan, "What to vary, and how often (docs/methods/sweeps.md)")
        ->type_name("PLAN.toml")
        ->required();
    add_data_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--images", "images", "Use the first N test images", "N");
    add_key(sub, arguments.settings, "--threads", "run.threads", "0 = all cores [0]", "N");
    add_set(sub, arguments.settings);
    sub.add_option("-o,--out", arguments.out, "Results file [the plan's]")->type_name("R.h5");
    sub.add_option("--trials", arguments.trials, "Chips per point [the plan's, or 100]")
        ->type_name("N");
    sub.add_flag("--resume", arguments.resume, "Go on with a results file");
    sub.add_option("--shard", arguments.shard, "This process's share, from 1: I/N, or slurm")
        ->type_name("I/N");
    sub.add_option("--replay", arguments.replay,
                   "Run one unit again and compare; nothing is written")
        ->type_name("POINT/TRIAL");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
    sub.add_flag("--dry-run", arguments.dry_run, "Print points and settings, and stop");
}

void add_merge(Subcommands& commands) {
    const auto added =
        commands.add<MergeArguments>("merge", "Shards of one sweep into one results file",
                                     run_merge, "  kirchnet merge f6-shard*of8.h5 -o f6.h5");
    CLI::App& sub = added.sub;
    MergeArguments& arguments = added.arguments;
    sub.add_option("shards", arguments.shards, "Results files of one plan")
        ->type_name("R.h5")
        ->required();
    sub.add_option("-o,--out", arguments.out, "Results file to write")
        ->type_name("R.h5")
        ->required();
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_report(Subcommands& commands) {
    const auto added = commands.add<ReportArguments>(
        "report", "Sweep results as one HTML page with charts, tables and gates", run_report,
        "  kirchnet report f6.h5 -o f6.html\n"
        "  kirchnet report f6.h5 -o f6.html --check          (1 when a gate fails)\n"
        "  kirchnet report f6-shard*of8.h5 -o f6.html        (shards of one sweep)\n"
        "  kirchnet report f6.h5 yield.h5 -o both.html --json");
    CLI::App& sub = added.sub;
    ReportArguments& arguments = added.arguments;
    sub.add_option("results", arguments.results,
                   "Results files of sweeps; shards of one sweep are put together")
        ->type_name("R.h5")
        ->required();
    sub.add_option("-o,--out", arguments.out,
                   "Page to write; figures (.svg) and their numbers (.csv) stand beside it")
        ->type_name("REPORT.html")
        ->required();
    sub.add_flag("--check", arguments.check, "Exit code 1 when a gate fails");
    sub.add_flag("--json", arguments.json,
                 "Gates, points and pairs as one JSON object on standard output");
}

}  // namespace

void add_sweep_commands(Subcommands& commands) {
    add_sweep(commands);
    add_merge(commands);
    add_report(commands);
}

}  // namespace kirchnet
