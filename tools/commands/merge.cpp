#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/sweep_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/output/output.hpp"
#include "tools/sweep/sweep_summary.hpp"

namespace kirchnet {

int run_merge(const MergeArguments& arguments) {
    if (arguments.shards.empty()) throw InvalidInput("merge", "name the shards to merge");
    std::vector<SweepRecord> shards;
    for (const std::string& path : arguments.shards) shards.push_back(read_sweep(path));
    const SweepLock lock(arguments.out);
    const SweepRecord merged = merge_sweeps(shards, arguments.shards);
    write_sweep(arguments.out, merged);
    const SweepSummary summary(merged);
    if (arguments.json)
        print_json(summary_json(summary));
    else
        print_text(summary_table(summary));
    print_note(fmt::format("wrote {}: {} units of {} shards{}", arguments.out, merged.units.size(),
                           shards.size(), merged.complete ? "" : "; some units are missing"));
    return 0;
}

}  // namespace kirchnet
