#include "tools/settings/presets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view ours = "kirchnet's choice; the source gives none";
constexpr std::string_view nothing = "nothing between network and crossbar";

constexpr std::array ideal{
    PresetKey{"array.size", "128x128", ours},
    PresetKey{"array.word_line_segment", "0", nothing},
    PresetKey{"array.bit_line_segment", "0", nothing},
    PresetKey{"array.driver", "0", nothing},
    PresetKey{"array.sense", "0", nothing},
    PresetKey{"cells.on", "100u", ours},
    PresetKey{"cells.off", "1u", ours},
    PresetKey{"mapping.names", "two_column,offset,differential", ours},
    PresetKey{"mapping.weight_bits", "0", nothing},
    PresetKey{"mapping.bits_per_cell", "0", nothing},
    PresetKey{"converters.dac_bits", "0", nothing},
    PresetKey{"converters.input_bits", "0", nothing},
    PresetKey{"converters.signed_inputs", "bipolar", nothing},
    PresetKey{"converters.adc_bits", "0", nothing},
    PresetKey{"converters.adc_range", "calibrated", ours},
    PresetKey{"converters.adc_percentile", "100", ours},
    PresetKey{"converters.adc_full_scale", "1", ours},
    PresetKey{"converters.subtract", "before", ours},
    PresetKey{"converters.columns_per_adc", "1", ours},
    PresetKey{"converters.adc_rate", "0", ours},
    PresetKey{"converters.cycle_time", "0", ours},
};

// He et al., Noise Injection Adaption, DAC 2019: defaults of the authors' code.
constexpr std::string_view pytorx_code = "PytorX code (He et al., DAC 2019)";
constexpr std::array pytorx{
    PresetKey{"array.size", "64x64", pytorx_code},
    PresetKey{"array.word_line_segment", "28", "PytorX code: g_wire = 0.0357 S"},
    PresetKey{"array.bit_line_segment", "28", "PytorX code: g_wire = 0.0357 S"},
    PresetKey{"array.driver", "4", "PytorX code: g_load = 0.25 S"},
    PresetKey{"array.sense", "4", "PytorX code: g_load = 0.25 S"},
    PresetKey{"cells.on", "333u", pytorx_code},
    PresetKey{"cells.off", "0.333u", pytorx_code},
    PresetKey{"mapping.names", "two_column", pytorx_code},
    PresetKey{"mapping.weight_bits", "8", "PytorX code: levels -127..127"},
    PresetKey{"mapping.bits_per_cell", "0", "PytorX code: one cell a side"},
    PresetKey{"converters.dac_bits", "8", pytorx_code},
    PresetKey{"converters.input_bits", "0", "PytorX code: one read"},
    PresetKey{"converters.signed_inputs", "bipolar", "PytorX code: signed voltages"},
    PresetKey{"converters.adc_bits", "8", pytorx_code},
    PresetKey{"converters.adc_range", "calibrated", "PytorX code: max|I|, frozen after training"},
    PresetKey{"converters.adc_percentile", "100", pytorx_code},
    PresetKey{"converters.adc_full_scale", "1", ours},
    PresetKey{"converters.subtract", "before", "PytorX code: I = (G+ - G-) V"},
    PresetKey{"converters.columns_per_adc", "1", ours},
    PresetKey{"converters.adc_rate", "0", ours},
    PresetKey{"converters.cycle_time", "0", ours},
};

constexpr std::string_view isaac_paper = "ISAAC (Shafiee et al., ISCA 2016)";
constexpr std::array isaac{
    PresetKey{"array.size", "128x128", isaac_paper},
    PresetKey{"array.word_line_segment", "1", ours},
    PresetKey{"array.bit_line_segment", "1", ours},
    PresetKey{"array.driver", "0", ours},
    PresetKey{"array.sense", "0", ours},
    PresetKey{"cells.on", "100u", ours},
    PresetKey{"cells.off", "1u", ours},
    PresetKey{"mapping.names", "offset", "ISAAC: weights stored with a bias of 2^15"},
    PresetKey{"mapping.weight_bits", "16", isaac_paper},
    PresetKey{"mapping.bits_per_cell", "2", isaac_paper},
    PresetKey{"converters.dac_bits", "1", isaac_paper},
    PresetKey{"converters.input_bits", "16", "ISAAC: 16 cycles"},
    PresetKey{"converters.signed_inputs", "two_pass", ours},
    PresetKey{"converters.adc_bits", "8", isaac_paper},
    PresetKey{"converters.adc_range", "manual", "ISAAC: a code is a level"},
    PresetKey{"converters.adc_percentile", "100", ours},
    // 255 levels of 128 x 3, times (G_on - G_off) / G_on = 0.99.
    PresetKey{"converters.adc_full_scale", "0.657421875", "ISAAC: codes 0..255 are levels"},
    PresetKey{"converters.subtract", "before", "ISAAC: no pairs"},
    PresetKey{"converters.columns_per_adc", "128", isaac_paper},
    PresetKey{"converters.adc_rate", "1.28G", isaac_paper},
    PresetKey{"converters.cycle_time", "100n", isaac_paper},
};

constexpr std::string_view prime_paper = "PRIME (Chi et al., ISCA 2016)";
constexpr std::array prime{
    PresetKey{"array.size", "256x256", prime_paper},
    PresetKey{"array.word_line_segment", "1", ours},
    PresetKey{"array.bit_line_segment", "1", ours},
    PresetKey{"array.driver", "0", ours},
    PresetKey{"array.sense", "0", ours},
    PresetKey{"cells.on", "1m", "PRIME: 1 kohm"},
    PresetKey{"cells.off", "50u", "PRIME: 20 kohm"},
    PresetKey{"mapping.names", "two_column", "PRIME: an array per sign"},
    PresetKey{"mapping.weight_bits", "9", "PRIME: 8 bits in two cells, the sign by the array"},
    PresetKey{"mapping.bits_per_cell", "4", prime_paper},
    PresetKey{"converters.dac_bits", "3", prime_paper},
    PresetKey{"converters.input_bits", "6", "PRIME: 3 + 3 bits"},
    PresetKey{"converters.signed_inputs", "two_pass", ours},
    PresetKey{"converters.adc_bits", "6", prime_paper},
    PresetKey{"converters.adc_range", "calibrated", "PRIME: dynamic fixed point per layer"},
    PresetKey{"converters.adc_percentile", "100", ours},
    PresetKey{"converters.adc_full_scale", "1", ours},
    PresetKey{"converters.subtract", "before", "PRIME: analog subtraction unit"},
    PresetKey{"converters.columns_per_adc", "1", ours},
    PresetKey{"converters.adc_rate", "0", ours},
    PresetKey{"converters.cycle_time", "0", ours},
};

constexpr std::string_view neurosim_code = "DNN+NeuroSim code, Param.cpp";
constexpr std::string_view neurosim_wire = "DNN+NeuroSim code: 32 nm, 13.3 ohm/um, 160 nm a cell";
constexpr std::array neurosim{
    PresetKey{"array.size", "128x128", neurosim_code},
    PresetKey{"array.word_line_segment", "2.12", neurosim_wire},
    PresetKey{"array.bit_line_segment", "2.12", neurosim_wire},
    PresetKey{"array.driver", "0", ours},
    PresetKey{"array.sense", "0", ours},
    PresetKey{"cells.on", "4.1666666666666669e-06", "DNN+NeuroSim code: 240 kohm"},
    PresetKey{"cells.off", "4.1666666666666669e-08", "DNN+NeuroSim code: 24 Mohm"},
    PresetKey{"mapping.names", "offset", "DNN+NeuroSim: a common column, removed digitally"},
    PresetKey{"mapping.weight_bits", "8", neurosim_code},
    PresetKey{"mapping.bits_per_cell", "2", "DNN+NeuroSim code: cellBit (1 to 5 by version)"},
    PresetKey{"converters.dac_bits", "1", "DNN+NeuroSim: bit-serial"},
    PresetKey{"converters.input_bits", "8", neurosim_code},
    PresetKey{"converters.signed_inputs", "two_pass", ours},
    PresetKey{"converters.adc_bits", "5", "DNN+NeuroSim code: levelOutput = 32"},
    PresetKey{"converters.adc_range", "calibrated", "DNN+NeuroSim: range of the partial sums"},
    PresetKey{"converters.adc_percentile", "100", ours},
    PresetKey{"converters.adc_full_scale", "1", ours},
    PresetKey{"converters.subtract", "before", "no pairs"},
    PresetKey{"converters.columns_per_adc", "8", "DNN+NeuroSim code: numColMuxed"},
    PresetKey{"converters.adc_rate", "0", ours},
    PresetKey{"converters.cycle_time", "10n", "DNN+NeuroSim code: readPulseWidth"},
};

constexpr std::array presets{
    Preset{"ideal", ideal}, Preset{"pytorx", pytorx},     Preset{"isaac", isaac},
    Preset{"prime", prime}, Preset{"neurosim", neurosim},
};

}  // namespace

const Preset& find_preset(std::string_view name) {
    const auto* found = std::find_if(presets.begin(), presets.end(),
                                     [&](const Preset& preset) { return preset.name == name; });
    if (found != presets.end()) return *found;
    std::string names;
    for (const Preset& preset : presets)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", preset.name);
    throw InvalidInput(fmt::format("preset '{}' is none of {}", name, names));
}

}  // namespace kirchnet
