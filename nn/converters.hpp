#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kirchnet {

/// How negative inputs reach the word lines.
enum class SignedInputs {
    bipolar,  ///< both signs of the read voltage
    two_pass  ///< positive inputs first, negative ones in a second read, subtracted digitally
};

std::string_view to_string(SignedInputs inputs);
/// @throws InvalidInput  naming the accepted words
SignedInputs parse_signed_inputs(std::string_view text);

/// Digital-to-analog conversion of a layer's inputs: value x becomes the code
/// clamp(floor(x levels / range + 1/2)), and the code the read voltage V_r * code / levels, at once
/// or digit by digit in several reads.
struct Dac {
    int bits = 8;            ///< of a code, sign included; 0: continuous
    double range = 1;        ///< |x| that drives the full read voltage
    bool is_signed = false;  ///< whether the layer sees negative inputs
    int bits_per_read = 0;   ///< of a digit; 0: the whole code in one read
    SignedInputs signed_inputs = SignedInputs::bipolar;

    /// Codes from 0 to this: 2^bits - 1, or 2^(bits-1) - 1 on each side when signed.
    [[nodiscard]] double levels() const;
};

/// The share of the read voltage that stands for `value` where the whole code is read at once: in
/// [-1, 1], or unbounded when continuous.
double dac_fraction(const Dac& dac, double value);

/// One application of read voltages: a digit of the codes, on the word lines whose codes have the
/// sign that is read.
struct InputRead {
    enum class Part : std::uint8_t { both_signs, positive, negative };
    Part part = Part::both_signs;
    int shift = 0;        ///< the digit's place within the code, in bits
    int levels = 1;       ///< largest digit; digit / full_levels of the read voltage is driven
    int full_levels = 1;  ///< digit that stands for the full read voltage
    double weight = 1;    ///< digital: codes that one step of the digit stands for, ±2^shift
};

/// The reads of one layer's inputs, lowest digit first, positive inputs before negative ones. The
/// sign takes no digit: a signed code of b bits has b - 1 to read. One read where the DAC is
/// continuous.
std::vector<InputRead> input_reads(const Dac& dac);

/// The digit that a read takes of a code; negative only where both signs are read at once.
int input_digit(const InputRead& read, int code);

/// The share of the read voltage that one read drives for `value`, in [-1, 1].
double dac_fraction(const Dac& dac, const InputRead& read, double value);

/// @throws InvalidInput  unless bits is 0 or 1 to 16 (signed converters need 2), and a digit has no
///                       more bits than a code
void check(const Dac& dac);

}  // namespace kirchnet
