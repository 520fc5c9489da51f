#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "circuit/adc.hpp"

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

/// How an amplifier's output meets the end of its swing.
enum class SwingLimit {
    smooth,  ///< swing * tanh(x / swing)
    hard     ///< x, held within ± swing
};

std::string_view to_string(SwingLimit limit);
/// @throws InvalidInput  naming the accepted words
SwingLimit parse_swing_limit(std::string_view text);

/// How amplifiers subtract the sides of a pair.
enum class SubtractorKind {
    difference,   ///< a TIA per column and a difference amplifier R1..R4 behind them,
                  ///< v_d = v_a R4/(R3+R4) (1 + R2/R1) - v_b R2/R1, about -R_f (I_a - I_b)
    current_mode  ///< column a has a TIA, v_a = -R_f I_a; column b ends in a second one, which v_a
                  ///< feeds through R_x: v_d = R_f (I_a R_f / R_x - I_b). The swing meets I_a first
};

std::string_view to_string(SubtractorKind kind);
/// @throws InvalidInput  naming the accepted words
SubtractorKind parse_subtractor_kind(std::string_view text);

/// One operational amplifier, all SI.
struct OpAmp {
    double gain = 1e4;            ///< open-loop A0 [V/V]
    double gain_bandwidth = 1e8;  ///< GBW [Hz]
    double offset = 0.0;          ///< input offset voltage [V]
    double swing = 1.2;           ///< [V]
    SwingLimit limit = SwingLimit::smooth;
    friend bool operator==(const OpAmp&, const OpAmp&) = default;
};

/// A sample-and-hold stage, as it is when the converter reads it.
struct SampleHold {
    double capacitance = 0;  ///< C_h [F]; 0: there is no such stage
    double pedestal = 0;     ///< charge injected by the switch, over C_h [V]
    double hold_time = 0;    ///< between sampling and conversion [s]
    double droop_time =
        std::numeric_limits<double>::infinity();  ///< leakage resistance times C_h [s]
    double temperature = 300;                     ///< [K]

    [[nodiscard]] bool is_there() const { return capacitance > 0; }
    /// Share of the sample that is left, exp(-hold_time / droop_time).
    [[nodiscard]] double gain() const;
    /// sqrt(k T / C_h) [V rms]
    [[nodiscard]] double noise() const;
    [[nodiscard]] bool is_noisy() const { return is_there() && temperature > 0; }
    friend bool operator==(const SampleHold&, const SampleHold&) = default;
};

/// The converter behind each output, the network's own.
struct OutputAdc {
    std::vector<Adc> adc = {};  ///< per slice of the weights, of column currents, range [A]; empty
                                ///< or of 0 bits: there is none
    AdcErrors errors = {};      ///< in LSBs of that range
    int columns_per_adc = 1;    ///< outputs of a tile that share one

    [[nodiscard]] bool is_there() const { return !adc.empty() && adc.front().bits > 0; }
    friend bool operator==(const OutputAdc&, const OutputAdc&) = default;
};

/// The read-out of a tile: an amplifier behind every bit line and a subtractor per column pair; for
/// `offset` mapping the TIA stands alone. Then sample-and-hold and converter, where there are any.
struct SubtractorCircuit {
    OpAmp amplifier;
    double feedback_resistance = 0;  ///< R_f [ohm]; 0: 0.8 swing / largest pre-subtraction current
    double bridge_resistance = 1e4;  ///< R1 = R2 = R3 = R4 [ohm], of `difference`
    SubtractorKind kind = SubtractorKind::difference;
    SampleHold hold = {};
    OutputAdc adc = {};
    friend bool operator==(const SubtractorCircuit&, const SubtractorCircuit&) = default;
};

/// @throws InvalidInput  naming the quantity that is out of its range: gain, swing and resistances
///                       finite and above 0 (R_f may be 0), offsets finite, converters as `Adc` and
///                       `AdcErrors`
void check(const SubtractorCircuit& circuit);

/// R_f = 0.8 swing / largest column current before subtraction [ohm].
/// @param largest_current  [A]; 0 gives 1 kohm, any R_f reads no current
double default_feedback_resistance(const OpAmp& amplifier, double largest_current);

}  // namespace kirchnet
