#include "tools/sweep/sweep_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <set>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "nn/budget.hpp"
#include "tools/input/network_input.hpp"
#include "tools/settings/toml_input.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view mapping_axis = "mapping";
constexpr std::string_view operators_axis = "operators";
constexpr std::string_view zeros_axis = "zeros";
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

/// The plan's file, for messages.
struct PlanFile {
    const std::filesystem::path& path;

    [[noreturn]] void fail(const toml::node& node, const std::string& problem) const {
        throw InvalidInput(place_of(path, node), problem);
    }
    /// Runs `read` so that what it finds wrong names the place.
    template <typename Read>
    auto at(const toml::node& node, Read read) const {
        try {
            return read();
        } catch (const InvalidInput& error) {
            fail(node, error.what());
        }
    }
};

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

void check_keys(const PlanFile& source, const toml::table& table,
                std::initializer_list<std::string_view> known) {
    for (const auto& [name, node] : table)
        if (std::find(known.begin(), known.end(), name.str()) == known.end())
            source.fail(node, fmt::format("unknown key '{}'; there are {}", name.str(),
                                          fmt::join(known, ", ")));
}

std::vector<std::string> texts_of(const PlanFile& source, const toml::node& node) {
    std::vector<std::string> texts;
    if (const auto* list = node.as_array())
        for (const auto& item : *list)
            texts.push_back(source.at(item, [&] { return text_of(item); }));
    else
        texts.push_back(source.at(node, [&] { return text_of(node); }));
    return texts;
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

AxisValues read_values(const PlanFile& source, const SweepPlan& plan, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) source.fail(node, "expected a table of axes and values");
    AxisValues values;
    for (const auto& [name, value] : *table) {
        const std::string axis(name.str());
        values[axis] = source.at(value, [&] {
            (void)axis_index(plan.axes, axis);
            return canonical_value(plan.base, axis, text_of(value));
        });
    }
    return values;
}

AxisChoices read_choices(const PlanFile& source, const SweepPlan& plan, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) source.fail(node, "expected a table of axes and values");
    AxisChoices choices;
    for (const auto& [name, value] : *table) {
        const std::string axis(name.str());
        for (const std::string& text : texts_of(source, value))
            choices[axis].push_back(source.at(value, [&] {
                (void)axis_index(plan.axes, axis);
                return canonical_value(plan.base, axis, text);
            }));
    }
    return choices;
}

std::string read_text(const PlanFile& source, const toml::table& table, std::string_view key,
                      const std::string& otherwise = {}) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    return source.at(*node, [&] { return text_of(*node); });
}

double read_number(const PlanFile& source, const toml::table& table, std::string_view key,
                   double otherwise, double least, double most) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    return source.at(*node, [&] {
        const double value = parse_quantity(text_of(*node), key);
        if (!(value >= least && value <= most))
            throw InvalidInput(
                fmt::format("{} = {} is not between {} and {}", key, value, least, most));
        return value;
    });
}

PairedPoints read_pair(const PlanFile& source, const SweepPlan& plan, const toml::table& table) {
    PairedPoints pair;
    pair.name = read_text(source, table, "name");
    if (const auto* node = table.get("from")) pair.from = read_values(source, plan, *node);
    if (const auto* node = table.get("to")) pair.to = read_values(source, plan, *node);
    if (const auto* node = table.get("where")) pair.where = read_choices(source, plan, *node);
    return pair;
}

GateSettings::Kind parse_gate(const std::string& text) {
    using Kind = GateSettings::Kind;
    if (text == "better") return Kind::better;
    if (text == "equal") return Kind::equal;
    if (text == "iso_loss") return Kind::iso_loss;
    if (text == "interior_minimum") return Kind::interior_minimum;
    if (text == "worst") return Kind::worst;
    throw InvalidInput(
        fmt::format("gate '{}' is none of better, equal, iso_loss, interior_minimum, worst", text));
}

/// An axis that a gate or a figure runs along.
std::string read_axis(const PlanFile& source, const SweepPlan& plan, const toml::table& table,
                      std::string_view key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    return source.at(*node, [&] {
        const std::string axis = text_of(*node);
        if (axis != zeros_axis) (void)axis_index(plan.axes, axis);
        return axis;
    });
}

GateSettings read_gate(const PlanFile& source, const SweepPlan& plan, const toml::table& table) {
    check_keys(source, table,
               {"name", "kind", "from", "to", "where", "along", "p", "loss", "at_least"});
    GateSettings gate;
    gate.pair = read_pair(source, plan, table);
    gate.name = gate.pair.name;
    const toml::node* kind = table.get("kind");
    if (kind == nullptr) source.fail(table, "a gate needs a kind");
    gate.kind = source.at(*kind, [&] { return parse_gate(text_of(*kind)); });
    gate.along = read_axis(source, plan, table, "along");
    const bool runs_along = gate.kind == GateSettings::Kind::iso_loss ||
                            gate.kind == GateSettings::Kind::interior_minimum;
    if (runs_along && gate.along.empty()) source.fail(table, "this gate needs the key 'along'");
    gate.p = read_number(source, table, "p", gate.p, 0, 1);
    gate.loss = read_number(source, table, "loss", gate.loss, 0, 1);
    gate.at_least = read_number(source, table, "at_least", gate.at_least, 0, 1e9);
    return gate;
}

std::vector<std::string> read_axis_names(const PlanFile& source, const SweepPlan& plan,
                                         const toml::table& table, std::string_view key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    auto names = texts_of(source, *node);
    for (const std::string& name : names)
        source.at(*node, [&] { return axis_index(plan.axes, name); });
    return names;
}

FigureSettings::Quantity read_quantity(const PlanFile& source, const toml::table& table) {
    const std::string y = read_text(source, table, "y", "accuracy");
    if (y == "accuracy") return FigureSettings::Quantity::accuracy;
    if (y == "loss") return FigureSettings::Quantity::loss;
    if (y == "change") return FigureSettings::Quantity::change;
    source.fail(*table.get("y"), fmt::format("'{}' is none of accuracy, loss, change", y));
}

/// The pair whose change a figure shows, by its name.
PairedPoints read_pair_name(const PlanFile& source, const SweepPlan& plan,
                            const toml::table& table) {
    const toml::node* node = table.get("pair");
    if (node == nullptr)
        source.fail(table, "a figure of changes needs 'pair', the name of a [[pair]]");
    const std::string name = read_text(source, table, "pair");
    for (const PairedPoints& pair : plan.pairs)
        if (pair.name == name) return pair;
    source.fail(*node, fmt::format("there is no [[pair]] named '{}'", name));
}

FigureSettings read_figure(const PlanFile& source, const SweepPlan& plan,
                           const toml::table& table) {
    check_keys(source, table,
               {"name", "title", "x", "y", "pair", "series", "panels", "where", "log_x"});
    FigureSettings figure;
    figure.name = read_text(source, table, "name", "figure");
    figure.title = read_text(source, table, "title", plan.name);
    figure.x = read_axis(source, plan, table, "x");
    if (figure.x.empty()) source.fail(table, "a figure needs the axis 'x'");
    figure.series = read_axis_names(source, plan, table, "series");
    figure.panels = read_axis_names(source, plan, table, "panels");
    if (const auto* node = table.get("where")) figure.where = read_choices(source, plan, *node);
    figure.y = read_quantity(source, table);
    if (figure.y == FigureSettings::Quantity::change)
        figure.pair = read_pair_name(source, plan, table);
    else if (const toml::node* pair = table.get("pair"))
        source.fail(*pair, "goes with y = \"change\" alone");
    figure.log_x = table["log_x"].value_or(false);
    return figure;
}

template <typename Read>
void for_each_table(const PlanFile& source, const toml::table& table, std::string_view key,
                    Read read) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto* list = node->as_array();
    if (list == nullptr) source.fail(*node, fmt::format("write [[{}]]", key));
    for (const auto& item : *list) {
        if (!item.is_table()) source.fail(item, fmt::format("write [[{}]]", key));
        read(*item.as_table());
    }
}

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

/// Slurm's count of what it says under `name`.
std::optional<std::uint32_t> slurm_number(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    const std::string_view digits(text);
    std::uint32_t value = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (status != std::errc{} || end != digits.data() + digits.size())
        throw InvalidInput(name, fmt::format("'{}' is no number", digits));
    return value;
}

Shard slurm_shard() {
    const auto task = slurm_number("SLURM_ARRAY_TASK_ID");
    const auto count = slurm_number("SLURM_ARRAY_TASK_COUNT");
    if (!task || !count || *count == 0)
        throw InvalidInput("--shard",
                           "'slurm' works inside a Slurm job array alone (sbatch --array), where "
                           "SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT are set");
    const std::uint32_t first = slurm_number("SLURM_ARRAY_TASK_MIN").value_or(1);
    const std::uint32_t step = slurm_number("SLURM_ARRAY_TASK_STEP").value_or(1);
    if (*task < first || step == 0 || (*task - first) / step >= *count)
        throw InvalidInput("SLURM_ARRAY_TASK_ID",
                           fmt::format("{} is none of the array's {} tasks", *task, *count));
    return {(*task - first) / step + 1, *count};
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
    for_each_table(source, table, "pair", [&](const toml::table& pair) {
        check_keys(source, pair, {"name", "from", "to", "where"});
        plan.pairs.push_back(read_pair(source, plan, pair));
    });
    for_each_table(source, table, "gate", [&](const toml::table& gate) {
        plan.gates.push_back(read_gate(source, plan, gate));
    });
    for_each_table(source, table, "figure", [&](const toml::table& figure) {
        plan.figures.push_back(read_figure(source, plan, figure));
    });
    return plan;
}

SweepPlan read_plan(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, std::string>>& settings) {
    return parse_plan(read_text_file(path), path, settings);
}

Shard parse_shard(const std::string& text) {
    if (text == "slurm") return slurm_shard();
    Shard shard;
    const char* end = text.data() + text.size();
    const auto index = std::from_chars(text.data(), end, shard.index);
    if (index.ec == std::errc{} && index.ptr != end && *index.ptr == '/') {
        const auto count = std::from_chars(index.ptr + 1, end, shard.count);
        if (count.ec == std::errc{} && count.ptr == end && shard.index >= 1 &&
            shard.index <= shard.count)
            return shard;
    }
    throw InvalidInput(
        "--shard", fmt::format("'{}' is not I/N with I from 1 to N, such as 2/8, nor slurm", text));
}

std::string to_string(const Shard& shard) {
    return fmt::format("{}/{}", shard.index, shard.count);
}

}  // namespace kirchnet
