#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/sweep_file.hpp"
#include "nn/arm.hpp"
#include "tools/input/network_input.hpp"
#include "tools/sweep/shard.hpp"
#include "tools/sweep/sweep_plan.hpp"

namespace kirchnet {

/// A unit of a sweep: which point, on which chip.
struct UnitPlace {
    std::uint32_t point = 0;
    std::uint32_t trial = 0;
    friend auto operator<=>(const UnitPlace&, const UnitPlace&) = default;
};

/// `POINT/TRIAL`, both from 0. @throws InvalidInput  when it is not, or the plan has no such unit
UnitPlace parse_unit(const std::string& text, const SweepPlan& plan);

/// Runs single units of a plan. What points share is made once, when the first of them needs it:
/// networks with their images, and converter ranges per design. So a unit's numbers do not depend
/// on which units ran before it.
class SweepRunner {
  public:
    /// @throws InvalidInput  when a network or the images are missing, or do not fit together
    explicit SweepRunner(const SweepPlan& plan);
    SweepRunner(const SweepRunner&) = delete;
    SweepRunner& operator=(const SweepRunner&) = delete;
    ~SweepRunner();

    /// The record of a run without any unit. Runs every network once as software.
    [[nodiscard]] SweepRecord make_record(const Shard& shard);
    /// Units of a shard in the order they run: chip after chip, so that all points are known
    /// equally well whenever a sweep stops.
    [[nodiscard]] std::vector<UnitPlace> units(const Shard& shard) const;

    [[nodiscard]] SweepUnit run(const UnitPlace& unit);
    /// Whether trials of a point differ at all.
    [[nodiscard]] bool is_random(std::size_t point) const;
    /// How long units will take [s], after fitting ranges of their designs and a short run of each.
    double estimate_seconds(const std::vector<UnitPlace>& units, const Progress& progress);
    /// Notes about images and the like, once each.
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  private:
    struct LoadedNetwork;
    struct Design;

    LoadedNetwork& network_of(const PlannedPoint& point);
    Design& design_of(const PlannedPoint& point);

    const SweepPlan& plan_;
    SolverFactory engine_;
    BeginStep begin_step_;
    std::map<std::string, std::unique_ptr<LoadedNetwork>> networks_;
    std::map<std::string, std::unique_ptr<Design>> designs_;
    std::vector<std::string> notes_;
};

}  // namespace kirchnet
