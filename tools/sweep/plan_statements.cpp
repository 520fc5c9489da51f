#include "tools/sweep/plan_statements.hpp"

#include <fmt/format.h>

namespace kirchnet {
namespace {

constexpr std::string_view zeros_axis = "zeros";

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

}  // namespace

void read_statements(const PlanFile& source, const toml::table& table, SweepPlan& plan) {
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
}

}  // namespace kirchnet
