#pragma once

#include <string>
#include <string_view>

namespace kirchnet::detail {

/// Faults that ngspice passes over in silence: a resistor of 0 ohm or without a value, which it
/// takes as 1 milliohm, and a net that current sources alone reach, which has no row in its
/// matrix and reads back as the current itself. Looks at the text: values in braces and nets
/// inside subcircuits are beyond it.
/// @return  what is wrong, or nothing
std::string find_silent_fault(std::string_view deck);

}  // namespace kirchnet::detail
