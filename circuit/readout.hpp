#pragma once

#include <string_view>

namespace kirchnet {

/// How the deck reads column currents.
enum class Readout {
    ideal,  ///< 0 V sources as ammeters, the difference of currents by a behavioural source
    opamp   ///< a transimpedance amplifier per column and a difference amplifier per pair
};

std::string_view to_string(Readout readout);
/// @throws InvalidInput  naming the accepted words
Readout parse_readout(std::string_view text);

/// Where the sides of a column pair are subtracted.
enum class Subtraction {
    before,  ///< of the ADC: an analog subtractor per pair, one sample
    after    ///< digitally: each side has samples of its own
};

std::string_view to_string(Subtraction subtraction);
/// @throws InvalidInput  naming the accepted words
Subtraction parse_subtraction(std::string_view text);

/// One operational amplifier, all SI.
struct OpAmp {
    double gain = 1e4;            ///< open-loop A0 [V/V]
    double gain_bandwidth = 1e8;  ///< GBW [Hz]
    double offset = 0.0;          ///< input offset voltage [V]
    double swing = 1.2;           ///< output saturates as swing * tanh(x / swing) [V]
    friend bool operator==(const OpAmp&, const OpAmp&) = default;
};

/// Differential column subtractor: two TIAs and a difference amplifier R1..R4,
/// v_d = v_a R4/(R3+R4) (1 + R2/R1) - v_b R2/R1. For `offset` mapping the TIA stands alone.
struct SubtractorCircuit {
    OpAmp amplifier;
    double feedback_resistance = 0;  ///< R_f [ohm]; 0: 0.8 swing / largest pre-subtraction current
    double bridge_resistance = 1e4;  ///< R1 = R2 = R3 = R4 [ohm]
    friend bool operator==(const SubtractorCircuit&, const SubtractorCircuit&) = default;
};

/// R_f = 0.8 swing / largest column current before subtraction [ohm].
/// @param largest_current  [A]; 0 gives 1 kohm, any R_f reads no current
double default_feedback_resistance(const OpAmp& amplifier, double largest_current);

}  // namespace kirchnet
