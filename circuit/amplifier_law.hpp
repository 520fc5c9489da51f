#pragma once

#include "circuit/linear_readout.hpp"

namespace kirchnet {

/// An amplifier with less than this part of its gain left counts as saturated: beyond 0.949 of a
/// smooth swing, at the end of a hard one.
inline constexpr double saturated_below = 0.1;

/// Where an amplifier stands on its law.
struct AmplifierPoint {
    double output = 0;  ///< v_o [V]
    double slope = 1;   ///< of v_o by the drive, 1 at 0 V and 0 at the end of the swing

    [[nodiscard]] bool is_saturated() const { return slope < saturated_below; }
};

/// The output of an amplifier, its swing included, with the overload clamp of its macromodel: the
/// inner voltage follows the drive up to three times the swing, and from there 1 V for every
/// 1 + 1000 A0 (docs/methods/read-out.md).
/// @param drive  A0 (v_+ + V_os - v_-) [V]
AmplifierPoint amplifier_output(const OpAmp& amplifier, double drive);

/// The drive [V] at which the output is `output`, for outputs within ± 0.99 of the swing.
double amplifier_drive(const OpAmp& amplifier, double output);

/// The drive [V] at which load drive + v_o = wanted: an amplifier whose output is held back by what
/// its own drive costs.
/// @param load  above 0
double loaded_drive(const OpAmp& amplifier, double load, double wanted);

/// A difference amplifier's output v_d for the outputs of its pair, where its swing ends included.
/// @param a, b  v_a and v_b [V]
AmplifierPoint difference_output(const OpAmp& amplifier, const PairSubtractor& subtractor, double a,
                                 double b);

}  // namespace kirchnet
