#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/power_file.hpp"
#include "nn/power.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// What power and stress are reckoned with beside the circuit.
struct PowerTerms {
    double read_time = 100e-9;  ///< [s]
    AmplifierSupply supply;
    double wire_area = 0;  ///< cross-section of a segment [m²]; 0: no current density
};

struct MappingPower {
    Mapping mapping = Mapping::two_column;
    std::vector<LayerPower> layers;
};

/// Power of a network's arrays, ready to be shown.
struct NetworkPowerReport {
    const Graph& graph;
    const Experiment& experiment;
    PowerTerms terms;
    std::size_t images = 0;
    std::size_t strongest = 0;  ///< inputs per tile whose segment currents were looked at
    std::vector<MappingPower> mappings;
};

/// Tables and what they mean, in Markdown.
std::string power_text(const NetworkPowerReport& report);
nlohmann::json power_json(const NetworkPowerReport& report);
PowerRecord power_record(const NetworkPowerReport& report);

/// Power of a given array, one entry per input.
struct ArrayPowerReport {
    std::string array;   ///< its file
    std::string inputs;  ///< theirs
    PowerTerms terms;
    std::vector<ArrayStress> of_inputs;
};

std::string power_text(const ArrayPowerReport& report);
nlohmann::json power_json(const ArrayPowerReport& report);
PowerRecord power_record(const ArrayPowerReport& report);

}  // namespace kirchnet
