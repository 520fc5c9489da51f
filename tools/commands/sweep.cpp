#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "circuit/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/run_record.hpp"
#include "tools/sweep/shard.hpp"
#include "tools/sweep/sweep_gates.hpp"
#include "tools/sweep/sweep_plan.hpp"
#include "tools/sweep/sweep_runner.hpp"
#include "tools/sweep/sweep_summary.hpp"

namespace kirchnet {
namespace {

std::filesystem::path results_file(const SweepPlan& plan, const SweepArguments& arguments,
                                   const Shard& shard) {
    const std::filesystem::path out = arguments.out.empty() ? plan.out : arguments.out;
    if (shard.count == 1) return out;
    return beside(out, fmt::format("-shard{}of{}.h5", shard.index, shard.count));
}

std::string hours_text(double seconds) {
    return seconds < 3600 ? fmt::format("{:.1f} min", seconds / 60)
                          : fmt::format("{:.1f} h", seconds / 3600);
}

/// A sweep on its way: the record grows by a unit at a time and is on the disk after each.
class SweepRun {
  public:
    SweepRun(const SweepPlan& plan, SweepRunner& runner, SweepRecord record,
             std::filesystem::path out)
        : plan_(plan), runner_(runner), record_(std::move(record)), out_(std::move(out)) {}

    /// Takes over the units of an earlier run of the same plan.
    void resume() {
        const SweepRecord before = read_sweep(out_);
        if (before.identity != record_.identity || before.points != record_.points)
            throw InvalidInput(out_.string(),
                               fmt::format("holds results of another plan ('{}'), or of other "
                                           "networks, images or settings; name another --out",
                                           before.name));
        if (before.shard != record_.shard)
            throw InvalidInput(out_.string(),
                               fmt::format("is shard {} and not {}", before.shard, record_.shard));
        record_.units = before.units;
        for (const SweepUnit& unit : record_.units) finished_.insert({unit.point, unit.trial});
    }

    /// @return  whether every unit is done
    bool run(const Shard& shard) {
        std::vector<UnitPlace> units;
        for (const UnitPlace& unit : runner_.units(shard))
            if (!finished_.contains(unit)) units.push_back(unit);
        try {
            announce(units);
            if (!units.empty()) save();
            run_units(units);
        } catch (const Interrupted&) {
            print_note(fmt::format("interrupted; {} finished units are in {}, --resume goes on",
                                   record_.units.size(), out_.string()));
            return false;
        }
        record_.complete = true;
        save();
        return true;
    }

    [[nodiscard]] const SweepRecord& record() const { return record_; }

  private:
    void announce(const std::vector<UnitPlace>& units) {
        if (!finished_.empty())
            print_note(
                fmt::format("{} units are finished, {} are to do", finished_.size(), units.size()));
        if (units.empty()) return;
        const double seconds =
            runner_.estimate_seconds(units, show_progress("ranges of designs", "points"));
        print_note(fmt::format("{}: {} units of {} points, about {} ({:.2f} s a unit)", plan_.name,
                               units.size(), record_.points.size(), hours_text(seconds),
                               seconds / static_cast<double>(units.size())));
    }

    void run_units(const std::vector<UnitPlace>& units) {
        ProgressBar bar(plan_.name, "units");
        for (std::size_t i = 0; i < units.size(); ++i) {
            check_interrupted();
            if (is_known_well(units[i].point)) continue;
            add(runner_.run(units[i]));
            bar.note(running_mean(units[i].point));
            bar.update(i + 1, units.size());
        }
    }

    /// Whether `until` ends a point's trials.
    [[nodiscard]] bool is_known_well(std::size_t point) const {
        if (plan_.until <= 0) return false;
        const SweepSummary summary(record_);
        if (summary.trials(point) < plan_.least_trials) return false;
        const Estimate chips = summary.over_chips(point);
        return (chips.high - chips.low) / 2 <= plan_.until;
    }

    [[nodiscard]] std::string running_mean(std::size_t point) const {
        const SweepSummary summary(record_);
        const Estimate chips = summary.over_chips(point);
        return fmt::format("{}: {:.2f} +- {:.2f} %", summary.name(point), 100 * chips.mean,
                           50 * (chips.high - chips.low));
    }

    void add(const SweepUnit& unit) {
        const auto later = [](const SweepUnit& a, const SweepUnit& b) {
            return std::pair(a.trial, a.point) < std::pair(b.trial, b.point);
        };
        record_.units.insert(
            std::upper_bound(record_.units.begin(), record_.units.end(), unit, later), unit);
        save();
    }

    void save() const { write_sweep(out_, record_); }

    const SweepPlan& plan_;
    SweepRunner& runner_;
    SweepRecord record_;
    std::filesystem::path out_;
    std::set<UnitPlace> finished_;
};

void print_plan(const SweepPlan& plan) {
    TextTable table([&] {
        std::vector<std::string> heading{"point"};
        heading.insert(heading.end(), plan.axes.begin(), plan.axes.end());
        return heading;
    }());
    for (std::size_t i = 0; i < plan.points.size(); ++i) {
        std::vector<std::string> row{fmt::to_string(i)};
        row.insert(row.end(), plan.points[i].values.begin(), plan.points[i].values.end());
        table.add(std::move(row));
    }
    print_text(fmt::format("{}\n\n{} points, {} trials of each that is random\n\n",
                           table.markdown(), plan.points.size(), plan.trials) +
               to_toml(plan.base));
}

/// Runs one unit again and says whether a results file holds the same.
int replay(const SweepPlan& plan, const SweepArguments& arguments,
           const std::filesystem::path& out) {
    const UnitPlace place = parse_unit(arguments.replay, plan);
    SweepRunner runner(plan);
    const SweepUnit unit = runner.run(place);
    std::string recorded = "there is no results file to compare with";
    bool same = true;
    if (std::filesystem::exists(out)) {
        const SweepRecord record = read_sweep(out);
        const auto found = std::find_if(
            record.units.begin(), record.units.end(),
            [&](const SweepUnit& u) { return u.point == unit.point && u.trial == unit.trial; });
        if (found == record.units.end()) {
            recorded = fmt::format("{} does not hold this unit", out.string());
        } else {
            same = found->digest == unit.digest && found->score == unit.score;
            recorded = fmt::format(
                "{} holds {} ({})", out.string(), same ? "the same, bit for bit" : "something else",
                fmt::format("score {}, digest {:016x}", found->score, found->digest));
        }
    }
    print_text(fmt::format("unit {}/{}: score {}, digest of predictions {:016x}\n{}\n", place.point,
                           place.trial, unit.score, unit.digest, recorded));
    return same ? 0 : 1;
}

void print_gates(const SweepSummary& summary, const SweepPlan& plan) {
    for (const GateSettings& settings : plan.gates) {
        const GateResult gate = check_gate(summary, settings);
        print_text(fmt::format("\n{}: {}\n", gate.name, gate.passed ? "passed" : "FAILED"));
        for (const std::string& line : gate.lines) print_text("  " + line + "\n");
    }
}

SweepPlan planned(const SweepArguments& arguments, const Shard& shard) {
    SweepPlan plan = read_plan(arguments.plan, arguments.settings);
    if (arguments.trials) plan.trials = *arguments.trials;
    if (plan.trials == 0) throw InvalidInput("--trials", "a sweep needs at least one trial");
    if (shard.count > 1 && plan.until > 0)
        throw InvalidInput("--shard",
                           "a plan that runs 'until' an interval is narrow enough needs "
                           "all trials in one place; take out 'until'");
    return plan;
}

/// Gates are judged where the whole sweep is at hand.
void print_results(const SweepRecord& record, const SweepPlan& plan, bool as_json) {
    const SweepSummary summary(record);
    if (as_json) {
        print_json(summary_json(summary));
        return;
    }
    print_text(summary_table(summary) + pair_table(summary, plan.pairs));
    if (record.complete && record.shard == "1/1") print_gates(summary, plan);
}

}  // namespace

int run_sweep(const SweepArguments& arguments) {
    const Shard shard = arguments.shard.empty() ? Shard{} : parse_shard(arguments.shard);
    const SweepPlan plan = planned(arguments, shard);
    if (arguments.dry_run) {
        print_plan(plan);
        return 0;
    }
    const auto out = results_file(plan, arguments, shard);
    stop_at_safe_places();
    const ThreadLimit threads(plan.base.threads);
    if (!arguments.replay.empty()) return replay(plan, arguments, out);
    const bool exists = std::filesystem::exists(out);
    if (exists && !arguments.resume)
        throw InvalidInput(out.string(),
                           "exists already; --resume goes on with it, or name another --out");
    const SweepLock lock(out);
    SweepRunner runner(plan);
    for (const std::string& note : runner.notes()) print_note(note);
    SweepRun run(plan, runner, runner.make_record(shard), out);
    if (exists) run.resume();
    const bool complete = run.run(shard);
    print_results(run.record(), plan, arguments.json);
    if (complete) print_note(fmt::format("wrote {}", out.string()));
    return complete ? 0 : 1;
}

}  // namespace kirchnet
