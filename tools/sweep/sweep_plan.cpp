#include "tools/sweep/sweep_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "circuit/error.hpp"
#include "nn/budget.hpp"
#include "tools/input/network_input.hpp"
#include "tools/sweep/plan_file.hpp"
#include "tools/sweep/plan_statements.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view mapping_axis = "mapping";
constexpr std::string_view operators_axis = "operators";
constexpr std::size_t most_points = 100000;

/// Keys that say which images run, where and how: no axis of physics, and pairing needs them equal.
constexpr std::array no_axes{"data",
                             "calibration",
                             "images",
                             "out",
                             "preset",
                             "run.engine",
                             "mapping.names",
                             "run.threads",
                             "calibration_images",
                             "faults.map",
                             "faults.trial",
                             "faults.seed",
                             "budget.trials",
                             "run.operator_cache"};

using AxisList = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// A table's entries in the order they are written; toml++ sorts them by name.
std::vector<std::pair<std::string, const toml::node*>> written_order(const toml::table& table) {
    std::vector<std::pair<std::string, const toml::node*>> entries;
    for (const auto& [name, node] : table) entries.emplace_back(std::string(name.str()), &node);
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        const auto& x = a.second->source().begin;
        const auto& y = b.second->source().begin;
        return x.line < y.line || (x.line == y.line && x.column < y.column);
    });
    return entries;
}

void apply_value(PlannedPoint& point, const std::string& axis, const std::string& value) {
    if (axis == mapping_axis)
        set_key(point.experiment, "mapping.names", to_string(point.mapping = parse_mapping(value)));
    else if (axis == operators_axis)
        point.operators = parse_operators(value);
    else
        set_key(point.experiment, axis, value);
}

std::string value_of(const PlannedPoint& point, const std::string& axis) {
    if (axis == mapping_axis) return std::string(to_string(point.mapping));
    if (axis == operators_axis) return std::string(to_string(point.operators));
    return key_text(point.experiment, axis);
}

PlannedPoint starting_point(const Experiment& base) {
    PlannedPoint point;
    point.experiment = base;
    point.mapping = choose_mapping("", base);
    return point;
}

AxisList read_axes(const PlanFile& source, const toml::table& table, const Experiment& base) {
    AxisList axes;
    for (const auto& [name, node] : written_order(table)) {
        if (std::find(no_axes.begin(), no_axes.end(), name) != no_axes.end())
            source.fail(*node,
                        fmt::format("'{}' cannot be an axis; it belongs to [experiment]", name));
        if (node->is_table())
            source.fail(*node, fmt::format("write the axis as one quoted name, \"{}.KEY\"", name));
        auto values = texts_of(source, *node);
        if (values.empty()) source.fail(*node, fmt::format("axis '{}' is empty", name));
        std::set<std::string> seen;
        for (std::string& value : values) {
            value = source.at(*node, [&] { return canonical_value(base, name, value); });
            if (!seen.insert(value).second)
                source.fail(*node, fmt::format("axis '{}' has {} twice", name, value));
        }
        axes.emplace_back(name, std::move(values));
    }
    return axes;
}

/// Every combination of the axes' values, the last axis fastest.
void cross(const AxisList& axes, std::size_t axis, PlannedPoint point,
           std::vector<PlannedPoint>& points) {
    if (axis == axes.size()) {
        if (points.size() >= most_points)
            throw InvalidInput(fmt::format("a plan of more than {} points", most_points));
        points.push_back(std::move(point));
        return;
    }
    for (const std::string& value : axes[axis].second) {
        PlannedPoint next = point;
        apply_value(next, axes[axis].first, value);
        cross(axes, axis + 1, std::move(next), points);
    }
}

/// The base, then every variation, each with all combinations of the axes.
class PointList {
  public:
    explicit PointList(SweepPlan& plan) : plan_(plan) {}

    void add_axes(const AxisList& axes) {
        for (const auto& [name, values] : axes)
            if (std::find(plan_.axes.begin(), plan_.axes.end(), name) == plan_.axes.end())
                plan_.axes.push_back(name);
    }

    void add_points(const AxisList& variation, const AxisList& axes) {
        AxisList all = variation;
        all.insert(all.end(), axes.begin(), axes.end());
        cross(all, 0, starting_point(plan_.base), plan_.points);
    }

    /// Gives points their coordinates; a variation that repeats a point adds nothing.
    void finish() {
        std::set<std::vector<std::string>> seen;
        std::vector<PlannedPoint> kept;
        for (PlannedPoint& point : plan_.points) {
            for (const std::string& axis : plan_.axes)
                point.values.push_back(value_of(point, axis));
            if (seen.insert(point.values).second) kept.push_back(std::move(point));
        }
        plan_.points = std::move(kept);
    }

  private:
    SweepPlan& plan_;
};

void read_trials(const PlanFile& source, const toml::table& table, SweepPlan& plan) {
    const auto count = [&](std::string_view key, std::uint32_t otherwise) {
        const double value = read_number(source, table, key, otherwise, 1, 1e6);
        if (value != static_cast<double>(static_cast<std::uint32_t>(value)))
            source.fail(*table.get(key), fmt::format("{} = {} is no whole number", key, value));
        return static_cast<std::uint32_t>(value);
    };
    plan.trials = count("trials", plan.trials);
    plan.least_trials = std::max(2U, count("least_trials", plan.least_trials));
    plan.until = read_number(source, table, "until", 0, 0, 1);
}

void read_experiment_table(const PlanFile& source, const toml::table& table, SweepPlan& plan,
                           const std::vector<std::pair<std::string, std::string>>& settings) {
    if (const toml::node* node = table.get("experiment")) {
        if (!node->is_table()) source.fail(*node, "write [experiment]");
        apply_toml(plan.base, *node->as_table(), source.path);
    }
    for (const auto& [key, value] : settings) set_key(plan.base, key, value);
}

void read_points(const PlanFile& source, const toml::table& table, SweepPlan& plan) {
    AxisList axes;
    if (const toml::node* node = table.get("axes")) {
        if (!node->is_table()) source.fail(*node, "write [axes]");
        axes = read_axes(source, *node->as_table(), plan.base);
    }
    PointList list(plan);
    list.add_axes(axes);
    list.add_points({}, axes);
    for_each_table(source, table, "variation", [&](const toml::table& block) {
        const AxisList variation = read_axes(source, block, plan.base);
        for (const auto& [name, values] : variation)
            if (std::any_of(axes.begin(), axes.end(),
                            [&, n = name](const auto& axis) { return axis.first == n; }))
                source.fail(block, fmt::format("'{}' is an axis already", name));
        list.add_axes(variation);
        list.add_points(variation, axes);
    });
    list.finish();
}

}  // namespace

ArmSettings PlannedPoint::arm(std::uint32_t trial) const {
    ArmSettings arm{
        {experiment.tile_settings(mapping), experiment.fault_source(), experiment.device_draw()},
        operators,
        experiment.converter_settings()};
    if (operators == Operators::circuit) {
        arm.chip.readout = experiment.linear_readout();
        arm.correction = experiment.correction;
    }
    return at_trial(arm, trial);
}

std::size_t axis_index(const std::vector<std::string>& axes, const std::string& name) {
    const auto found = std::find(axes.begin(), axes.end(), name);
    if (found == axes.end())
        throw InvalidInput(
            fmt::format("'{}' is no axis of this plan; there are {}", name, fmt::join(axes, ", ")));
    return static_cast<std::size_t>(found - axes.begin());
}

std::string canonical_value(const Experiment& base, const std::string& axis,
                            const std::string& value) {
    PlannedPoint point = starting_point(base);
    apply_value(point, axis, value);
    check_experiment(point.experiment);
    return value_of(point, axis);
}

SweepPlan parse_plan(const std::string& text, const std::filesystem::path& path,
                     const std::vector<std::pair<std::string, std::string>>& settings) {
    const PlanFile source{path};
    const toml::table table = parse_toml_text(text, path);
    check_keys(source, table,
               {"name", "description", "trials", "least_trials", "until", "out", "experiment",
                "axes", "variation", "pair", "gate", "figure"});
    SweepPlan plan;
    plan.text = text;
    plan.name = read_text(source, table, "name", path.stem().string());
    plan.description = read_text(source, table, "description");
    plan.out = read_text(source, table, "out", path.stem().string() + ".h5");
    read_trials(source, table, plan);
    read_experiment_table(source, table, plan, settings);
    if (!plan.base.fault_map.empty())
        throw InvalidInput(path.string(), "a sweep draws its faults; take out faults.map");
    read_points(source, table, plan);
    read_statements(source, table, plan);
    return plan;
}

SweepPlan read_plan(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, std::string>>& settings) {
    return parse_plan(read_text_file(path), path, settings);
}

}  // namespace kirchnet
