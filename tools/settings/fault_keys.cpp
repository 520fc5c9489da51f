#include <array>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/settings/experiment_keys.hpp"
#include "tools/settings/key_values.hpp"

namespace kirchnet {
namespace {

using Key = ExperimentKey;
using Text = std::string_view;

/// Two conductances, the lower first.
void set_stuck_at_range(Experiment& e, Text list) {
    const std::vector<std::string> ends = parse_texts(list);
    if (ends.size() != 2)
        throw InvalidInput(fmt::format("'{}' is not two conductances such as 1u,100u", list));
    FaultLaw law = e.fault_law;
    law.cells.lowest = parse_quantity(ends[0], "lowest conductance [S]");
    law.cells.highest = parse_quantity(ends[1], "highest conductance [S]");
    check(law);
    e.fault_law = law;
}

/// A number of the fault law.
/// @tparam Field  what it is of a `FaultLaw`
template <auto Field>
constexpr Key fault_key(Text name) {
    return {name,
            [](Experiment& e, Text t) {
                // By itself, so that the key is named; `fault_source` checks them together.
                FaultLaw alone;
                Field(alone) = parse_quantity(t, "value");
                check(alone);
                Field(e.fault_law) = Field(alone);
            },
            [](const Experiment& e) {
                FaultLaw law = e.fault_law;
                return format_exact(Field(law));
            }};
}

constexpr std::array keys{
    fault_key<[](FaultLaw& law) -> double& { return law.rate; }>("faults.rate"),
    fault_key<[](FaultLaw& law) -> double& { return law.stuck_on_per_off; }>(
        "faults.stuck_on_per_off"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.open_via; }>("faults.open_via"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.open_transistor; }>(
        "faults.open_transistor"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.shorted_transistor; }>(
        "faults.shorted_transistor"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.stuck_at; }>("faults.stuck_at"),
    Key{"faults.stuck_at_range", set_stuck_at_range,
        [](const Experiment& e) {
            return fmt::format("[{}, {}]", format_exact(e.fault_law.cells.lowest),
                               format_exact(e.fault_law.cells.highest));
        }},
    fault_key<[](FaultLaw& law) -> double& { return law.lines.word_line_open; }>(
        "faults.word_line_open"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.word_line_short; }>(
        "faults.word_line_short"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.word_line_bridge; }>(
        "faults.word_line_bridge"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bit_line_open; }>(
        "faults.bit_line_open"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bit_line_short; }>(
        "faults.bit_line_short"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bit_line_bridge; }>(
        "faults.bit_line_bridge"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bridge_resistance; }>(
        "faults.bridge_resistance"),
    fault_key<[](FaultLaw& law) -> double& { return law.clusters.per_array; }>("faults.clusters"),
    Key{"faults.cluster_shape",
        [](Experiment& e, Text t) { e.fault_law.clusters.shape = parse_cluster_shape(t); },
        [](const Experiment& e) { return toml_string(to_string(e.fault_law.clusters.shape)); }},
    Key{"faults.cluster_size",
        [](Experiment& e, Text t) { e.fault_law.clusters.size = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.fault_law.clusters.size); }},
    fault_key<[](FaultLaw& law) -> double& { return law.clusters.density; }>(
        "faults.cluster_density"),
    Key{"faults.map", [](Experiment& e, Text t) { e.fault_map = t; },
        [](const Experiment& e) { return toml_string(e.fault_map); }},
    Key{"faults.seed", [](Experiment& e, Text t) { e.seed = parse_integer<std::uint64_t>(t); },
        [](const Experiment& e) {
            // TOML's integers are signed.
            const std::string text = fmt::to_string(e.seed);
            return e.seed >> 63U == 0 ? text : toml_string(text);
        }},
    Key{"faults.trial", [](Experiment& e, Text t) { e.trial = parse_integer<std::uint32_t>(t); },
        [](const Experiment& e) { return fmt::to_string(e.trial); }},
};

}  // namespace

std::span<const ExperimentKey> fault_keys() {
    return keys;
}

}  // namespace kirchnet
