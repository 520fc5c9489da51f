#include <array>

#include "circuit/units.hpp"
#include "tools/settings/experiment_keys.hpp"
#include "tools/settings/key_values.hpp"

namespace kirchnet {
namespace {

using Key = ExperimentKey;
using Text = std::string_view;

void set_readout(Experiment& e, double& quantity, Text text) {
    quantity = parse_quantity(text, "read-out");
    check(e.readout);
}

/// A number of the read-out.
/// @tparam Field  what it is of a `LinearReadout`
template <auto Field>
constexpr Key readout_key(Text name) {
    return {name, [](Experiment& e, Text t) { set_readout(e, Field(e.readout), t); },
            [](const Experiment& e) {
                LinearReadout readout = e.readout;
                return format_exact(Field(readout));
            }};
}

constexpr std::array keys{
    Key{"readout.kind", [](Experiment& e, Text t) { e.readout_kind = parse_readout(t); },
        [](const Experiment& e) { return toml_string(to_string(e.readout_kind)); }},
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.gain; }>(
        "readout.gain"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.gain_bandwidth; }>(
        "readout.gain_bandwidth"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.feedback_resistance; }>(
        "readout.feedback"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.bridge_resistance; }>(
        "readout.bridge"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.swing; }>(
        "readout.swing"),
    Key{"readout.limit",
        [](Experiment& e, Text t) { e.readout.circuit.amplifier.limit = parse_swing_limit(t); },
        [](const Experiment& e) {
            return toml_string(to_string(e.readout.circuit.amplifier.limit));
        }},
    Key{"readout.subtractor",
        [](Experiment& e, Text t) { e.readout.circuit.kind = parse_subtractor_kind(t); },
        [](const Experiment& e) { return toml_string(to_string(e.readout.circuit.kind)); }},
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.offset; }>(
        "readout.offset"),
    readout_key<[](LinearReadout& r) -> double& { return r.offset_deviation; }>(
        "readout.offset_deviation"),
    readout_key<[](LinearReadout& r) -> double& { return r.mismatch; }>("readout.mismatch"),
    readout_key<[](LinearReadout& r) -> double& { return r.feedback_mismatch; }>(
        "readout.feedback_mismatch"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.capacitance; }>(
        "readout.hold_capacitance"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.pedestal; }>(
        "readout.pedestal"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.hold_time; }>(
        "readout.hold_time"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.droop_time; }>(
        "readout.droop_time"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.temperature; }>(
        "readout.temperature"),
    Key{"readout.converters", [](Experiment& e, Text t) { e.has_converters = parse_truth(t); },
        [](const Experiment& e) { return std::string(e.has_converters ? "true" : "false"); }},
};

}  // namespace

std::span<const ExperimentKey> readout_keys() {
    return keys;
}

}  // namespace kirchnet
