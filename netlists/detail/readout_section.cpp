#include "netlists/detail/readout_section.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "netlists/detail/deck_text.hpp"

namespace kirchnet::detail {
namespace {

/// Names of one physical bit line's read-out.
struct ColumnNames {
    std::string letter_and_number;  ///< `a_3`
    [[nodiscard]] const std::string& word() const { return letter_and_number; }
    [[nodiscard]] std::string ammeter() const { return "vs_" + letter_and_number; }
    [[nodiscard]] std::string sense() const { return "out_" + letter_and_number; }
    [[nodiscard]] std::string amplifier_input() const { return "tin_" + letter_and_number; }
    [[nodiscard]] std::string amplifier_output() const { return "tia_" + letter_and_number; }
};

ColumnNames names_of(ColumnPattern pattern, Index bit_line) {
    return {fmt::format("{}_{}", to_char(polarity_of(pattern, bit_line)), bit_line)};
}

ColumnNames names_of(const Tile& tile, Index output, Polarity side) {
    const TileColumn column = tile.column(output, side);
    return names_of(tile.arrays()[column.array].pattern(), column.bit_line);
}

bool is_reference(const Tile& tile, Index bit_line) {
    return tile.reference_bit_line() == bit_line;
}

/// What a bit line is for.
std::string column_meaning(const Tile& tile, const TileColumn& at, bool is_ideal) {
    if (const auto output = output_of(tile, at.array, at.bit_line))
        return fmt::format("oc={}", tile.block().first_output_channel + *output);
    if (is_reference(tile, at.bit_line)) return "reference";
    return is_ideal ? "pad, at virtual ground" : "pad";
}

/// A value that all amplifiers share is a parameter; on a chip where they differ it stands in the
/// instance.
std::string value_text(const TileAmplifiers& amplifiers, std::string_view parameter, double value) {
    return amplifiers.is_uniform ? fmt::format("{{{}}}", parameter) : number(value);
}

std::string ammeter_line(const ColumnNames& names, const std::string& behind,
                         const std::string& meaning) {
    return fmt::format("{} {} {} dc 0{}\n", names.ammeter(), names.sense(), behind,
                       meaning.empty() ? "" : " ; " + meaning);
}

/// Whether the bit line ends in the amplifier that subtracts its pair.
bool ends_in_summer(const Tile& tile, const TileAmplifiers& amplifiers, const TileColumn& at) {
    return tile.has_subtractors() && amplifiers.circuit.kind == SubtractorKind::current_mode &&
           polarity_of(tile.arrays()[at.array].pattern(), at.bit_line) == Polarity::b &&
           output_of(tile, at.array, at.bit_line).has_value();
}

/// A column's ammeter, and behind it ground or, in an op-amp read-out, its amplifier: the chip has
/// one behind every bit line, used or not.
std::string column_lines(const Tile& tile, const TileColumn& at, const DeckAmplifiers* amplifiers) {
    const ColumnNames names = names_of(tile.arrays()[at.array].pattern(), at.bit_line);
    const std::string meaning = column_meaning(tile, at, amplifiers == nullptr);
    if (amplifiers == nullptr) return ammeter_line(names, "0", meaning);
    const TileAmplifiers& values = amplifiers->values;
    if (ends_in_summer(tile, values, at))
        return ammeter_line(names, names.amplifier_input(), meaning);
    const ColumnAmplifier& amplifier = values.column(at);
    return ammeter_line(names, names.amplifier_input(), "") +
           fmt::format("x{} {} {} tia rf={} vos={} ; {}\n", names.amplifier_output(),
                       names.amplifier_input(), names.amplifier_output(),
                       value_text(values, "rf", amplifier.feedback),
                       value_text(values, "vos", amplifier.offset), meaning);
}

/// `-0.5*i(vs_a_63)` per array of which an output takes a share.
std::string reference_terms(const Tile& tile, const Eigen::MatrixXd& shares, Index output) {
    std::string text;
    for (Index i = 0; i < shares.cols(); ++i) {
        const auto pattern = tile.arrays()[static_cast<std::size_t>(i)].pattern();
        text += fmt::format("-({})*i({})", number(shares(output, i)),
                            names_of(pattern, tile.reference_bit_line().value()).ammeter());
    }
    return text;
}

/// The difference of currents, by a behavioural source.
std::string ideal_subtractor(const Tile& tile, const Eigen::MatrixXd& shares, Index output) {
    const std::string a = names_of(tile, output, Polarity::a).ammeter();
    const std::string b = tile.has_pairs()
                              ? fmt::format("-i({})", names_of(tile, output, Polarity::b).ammeter())
                              : std::string();
    return fmt::format("bsub_{0} sub_{0} 0 v = i({1}){2}{3} ; oc={4}\n", output, a, b,
                       reference_terms(tile, shares, output),
                       tile.block().first_output_channel + output);
}

std::string difference_amplifier(const Tile& tile, const TileAmplifiers& amplifiers, Index output) {
    const PairSubtractor& pair = amplifiers.pair(output);
    return fmt::format(
        "xsub_{0} {1} {2} sub_{0} diffamp r1={3} r2={4} r3={5} r4={6} vos={7} ; oc={8}\n", output,
        names_of(tile, output, Polarity::a).amplifier_output(),
        names_of(tile, output, Polarity::b).amplifier_output(),
        value_text(amplifiers, "r1", pair.bridge.r1), value_text(amplifiers, "r2", pair.bridge.r2),
        value_text(amplifiers, "r3", pair.bridge.r3), value_text(amplifiers, "r4", pair.bridge.r4),
        value_text(amplifiers, "vos", pair.offset), tile.block().first_output_channel + output);
}

std::string summing_amplifier(const Tile& tile, const TileAmplifiers& amplifiers, Index output) {
    const ColumnAmplifier& amplifier = amplifiers.column(tile.column(output, Polarity::b));
    return fmt::format("xsub_{0} {1} {2} sub_{0} summer rf={3} rx={4} vos={5} ; oc={6}\n", output,
                       names_of(tile, output, Polarity::b).amplifier_input(),
                       names_of(tile, output, Polarity::a).amplifier_output(),
                       value_text(amplifiers, "rf", amplifier.feedback),
                       value_text(amplifiers, "rx", amplifiers.pair(output).coupling),
                       value_text(amplifiers, "vos", amplifier.offset),
                       tile.block().first_output_channel + output);
}

std::string subtractor_line(const Tile& tile, const DeckAmplifiers* amplifiers,
                            const Eigen::MatrixXd& shares, Index output) {
    if (amplifiers == nullptr) return ideal_subtractor(tile, shares, output);
    return amplifiers->values.circuit.kind == SubtractorKind::difference
               ? difference_amplifier(tile, amplifiers->values, output)
               : summing_amplifier(tile, amplifiers->values, output);
}

/// One net that is sampled or converted.
struct Converted {
    Polarity side = Polarity::a;
    std::string net;
    std::string word;  ///< what names behind it end in: `3`, of sides converted apart `a_3`
};

/// Those of an output: what its subtractor gives, or its amplifiers.
std::vector<Converted> converted_nets(const Tile& tile, Index output) {
    const std::string number = std::to_string(output);
    if (tile.has_subtractors()) return {{Polarity::a, "sub_" + number, number}};
    const ColumnNames a = names_of(tile, output, Polarity::a);
    if (!tile.has_pairs()) return {{Polarity::a, a.amplifier_output(), number}};
    const ColumnNames b = names_of(tile, output, Polarity::b);
    return {{Polarity::a, a.amplifier_output(), a.word()},
            {Polarity::b, b.amplifier_output(), b.word()}};
}

/// ` noise=1.2e-3`, where there is any.
std::string noise_text(double noise) {
    return noise == 0 ? std::string() : " noise=" + number(noise);
}

/// Whether all ADCs are the same but for their noise.
bool are_alike(const AdcErrors& errors) {
    return errors.offset_deviation == 0 && errors.gain_deviation == 0;
}

/// `_s2` where the slices of a layer's weights have converters of their own range.
std::string slice_suffix(const OutputAdc& adc, std::size_t slice) {
    return adc.adc.size() > 1 ? fmt::format("_s{}", slice) : std::string();
}

/// Sample-and-hold and converter behind an output, where there are any.
std::string conversion_lines(const Tile& tile, const TileAmplifiers& amplifiers, Index output) {
    const SubtractorCircuit& circuit = amplifiers.circuit;
    const bool shared = are_alike(circuit.adc.errors);
    const std::string suffix =
        slice_suffix(circuit.adc, static_cast<std::size_t>(tile.block().slice));
    std::string text;
    for (auto& [side, net, word] : converted_nets(tile, output)) {
        const OutputConversion& own = amplifiers.conversion(output, side);
        if (circuit.hold.is_there()) {
            text +=
                fmt::format("xsh_{0} {1} held_{0} sh gain={{hold_gain}} pedestal={{pedestal}}{2}\n",
                            word, net, noise_text(own.hold_noise));
            net = "held_" + word;
        }
        if (circuit.adc.is_there())
            text += fmt::format(
                "xadc_{0} {1} code_{0} adc b={{adc_b}} lo={{adc_lo{2}}} hi={{adc_hi{2}}} off={3} "
                "gain={4}{5}\n",
                word, net, suffix, shared ? "{adc_off*adc_lsb" + suffix + "}" : number(own.offset),
                shared ? "{adc_gain}" : number(own.gain), noise_text(own.noise));
    }
    return text;
}

/// Whether anything stands behind the amplifiers.
bool has_conversion(const DeckAmplifiers* amplifiers) {
    return amplifiers != nullptr && !amplifiers->values.conversions.empty();
}

std::string feedback_parameter(const DeckAmplifiers& amplifiers) {
    std::string text;
    if (amplifiers.largest_current)
        text = fmt::format(
            "* rf = 0.8 vsat / largest column current of these inputs without wires (G^T v), {}\n",
            format_quantity(*amplifiers.largest_current, "A"));
    if (!amplifiers.values.is_uniform)
        text += "* as designed; on this chip each amplifier has the values in its line\n";
    return text + fmt::format(".param rf={} ; feedback of each TIA [ohm]\n",
                              number(amplifiers.values.circuit.feedback_resistance));
}

/// Ends follow R_f, so that they stay the network's where it is edited.
std::string range_parameters(const OutputAdc& adc, std::size_t slice) {
    const Adc& of = adc.adc[slice];
    return fmt::format(
        ".param adc_lsb{0}={{{1}*rf}} adc_lo{0}={{{2:g}*adc_lsb{0}}} "
        "adc_hi{0}={{{3:g}*adc_lsb{0}}} ; "
        "LSB [V], so many A times rf; ends\n",
        slice_suffix(adc, slice), number(of.lsb()), of.lowest_code(), of.highest_code());
}

std::string converter_parameters(const TileAmplifiers& amplifiers) {
    const OutputAdc& adc = amplifiers.circuit.adc;
    std::string text = fmt::format(".param adc_b={} ; converter, bits\n", adc.adc.front().bits);
    for (std::size_t k = 0; k < adc.adc.size(); ++k) text += range_parameters(adc, k);
    if (!are_alike(adc.errors)) return text + "* each converter has offset and gain of its own\n";
    const double gain = amplifiers.conversions.front().front().gain;
    return text + fmt::format(".param adc_off={} adc_gain={} ; offset [LSB]; gain{}\n",
                              number(adc.errors.offset), number(gain),
                              gain < 0 ? ", below 0: amplifiers invert" : "");
}

std::string conversion_parameters(const TileAmplifiers& amplifiers) {
    const SubtractorCircuit& circuit = amplifiers.circuit;
    std::string text;
    if (circuit.hold.is_there())
        text += fmt::format(
            ".param hold_gain={} pedestal={} ; sample and hold: droop, charge injection [V]\n",
            number(circuit.hold.gain()), number(circuit.hold.pedestal));
    if (circuit.adc.is_there()) text += converter_parameters(amplifiers);
    return text;
}

/// Whether an output is there in a deck of one, or of all.
bool shows(const std::optional<Index>& only, Index output) {
    return !only || *only == output;
}

std::string print_currents(const Tile& tile, std::size_t array, const std::optional<Index>& only) {
    std::string used;
    std::string reference;
    std::string padding;
    const Crossbar& crossbar = tile.arrays()[array];
    for (Index c = 0; c < crossbar.shape().bit_lines; ++c) {
        if (!is_kept(tile, crossbar, c, only)) continue;
        (output_of(tile, array, c) ? used
         : is_reference(tile, c)   ? reference
                                   : padding) +=
            fmt::format("print i({})\n", names_of(crossbar.pattern(), c).ammeter());
    }
    const auto letters = array_letters(crossbar.pattern());
    std::string text = fmt::format("echo \"column currents of array {} [A], out of the array\"\n{}",
                                   letters, used);
    if (!reference.empty())
        text += fmt::format("echo \"current of the reference column of array {} [A]\"\n{}", letters,
                            reference);
    if (!padding.empty())
        text += fmt::format("echo \"currents of unused columns of array {} [A]\"\n{}", letters,
                            padding);
    return text;
}

std::string print_amplifiers(const Tile& tile, const TileAmplifiers& amplifiers,
                             const std::optional<Index>& only) {
    std::string text = "echo \"outputs of the transimpedance amplifiers [V]\"\n";
    for (Index j = 0; j < tile.outputs(); ++j) {
        if (!shows(only, j)) continue;
        text += fmt::format("print v({})\n", names_of(tile, j, Polarity::a).amplifier_output());
        if (tile.has_pairs() && !ends_in_summer(tile, amplifiers, tile.column(j, Polarity::b)))
            text += fmt::format("print v({})\n", names_of(tile, j, Polarity::b).amplifier_output());
    }
    return text;
}

/// Whether there are outputs `sub_j`.
bool has_outputs(const Tile& tile, const Eigen::MatrixXd& shares) {
    return tile.has_subtractors() || shares.size() > 0;
}

void check_shares(const Tile& tile, bool is_ideal, const Eigen::MatrixXd& shares) {
    if (shares.size() == 0) return;
    const auto arrays = static_cast<Index>(tile.arrays().size());
    if (!tile.reference_bit_line() || shares.rows() != tile.outputs() || shares.cols() != arrays ||
        !shares.allFinite())
        throw InvalidInput("reference shares",
                           fmt::format("{} x {} given, but the tile takes {} outputs x {} arrays "
                                       "with reference columns, all finite",
                                       shares.rows(), shares.cols(), tile.outputs(),
                                       tile.reference_bit_line() ? arrays : 0));
    if (!is_ideal || (tile.has_pairs() && !tile.has_subtractors()))
        throw InvalidInput("reference shares",
                           "are subtracted by an ideal read-out of whole pairs alone");
}

std::string subtractor_meaning(const DeckAmplifiers* amplifiers) {
    if (amplifiers == nullptr) return "subtractor outputs, 1 V stands for 1 A of i_a - i_b";
    return amplifiers->values.circuit.kind == SubtractorKind::difference
               ? "subtractor outputs [V], about -rf * (i_a - i_b)"
               : "subtractor outputs [V], about rf * (i_a - i_b)";
}

std::string print_subtractors(const Tile& tile, const DeckAmplifiers* amplifiers,
                              const std::optional<Index>& only) {
    std::string text = fmt::format("echo \"{}\"\n", subtractor_meaning(amplifiers));
    for (Index j = 0; j < tile.outputs(); ++j)
        if (shows(only, j)) text += fmt::format("print v(sub_{})\n", j);
    return text;
}

std::string print_conversion(const Tile& tile, const SubtractorCircuit& circuit,
                             const std::optional<Index>& only) {
    std::string held;
    std::string codes;
    for (Index j = 0; j < tile.outputs(); ++j) {
        if (!shows(only, j)) continue;
        for (const Converted& of : converted_nets(tile, j)) {
            held += fmt::format("print v(held_{})\n", of.word);
            codes += fmt::format("print v(code_{})\n", of.word);
        }
    }
    std::string text;
    if (circuit.hold.is_there()) text += "echo \"held outputs [V]\"\n" + held;
    if (circuit.adc.is_there())
        text += fmt::format("echo \"codes of the converters, 0 is the network's {:g}\"\n",
                            circuit.adc.adc.front().lowest_code()) +
                codes;
    return text;
}

/// An operational amplifier as a source of finite gain, with its offset at the input that is not
/// inverted.
std::string plain_amplifier(const std::string& name, const std::string& plus,
                            const std::string& minus, const std::string& output, double gain,
                            double offset) {
    return fmt::format("vos{0} pos{0} {1} dc {2}\neop{0} {3} 0 pos{0} {4} {5}\n", name, plus,
                       number(offset), output, minus, number(gain));
}

std::string plain_column(const Tile& tile, const TileColumn& at, const DeckAmplifiers* amplifiers) {
    const ColumnNames names = names_of(tile.arrays()[at.array].pattern(), at.bit_line);
    if (amplifiers == nullptr) return ammeter_line(names, "0", "");
    std::string text = ammeter_line(names, names.amplifier_input(), "");
    const TileAmplifiers& values = amplifiers->values;
    if (ends_in_summer(tile, values, at)) return text;
    const ColumnAmplifier& amplifier = values.column(at);
    return text +
           plain_amplifier("_" + names.letter_and_number, "0", names.amplifier_input(),
                           names.amplifier_output(), values.circuit.amplifier.gain,
                           amplifier.offset) +
           fmt::format("rf_{} {} {} {}\n", names.letter_and_number, names.amplifier_input(),
                       names.amplifier_output(), number(amplifier.feedback));
}

std::string plain_subtractor(const Tile& tile, const TileAmplifiers& amplifiers, Index output) {
    const ColumnNames a = names_of(tile, output, Polarity::a);
    const ColumnNames b = names_of(tile, output, Polarity::b);
    const PairSubtractor& pair = amplifiers.pair(output);
    const double gain = amplifiers.circuit.amplifier.gain;
    const std::string result = fmt::format("sub_{}", output);
    if (amplifiers.circuit.kind == SubtractorKind::current_mode) {
        const ColumnAmplifier& amplifier = amplifiers.column(tile.column(output, Polarity::b));
        return plain_amplifier(fmt::format("_{}", output), "0", b.amplifier_input(), result, gain,
                               amplifier.offset) +
               fmt::format("rf_{0} {1} {2} {3}\nrx_{0} {4} {1} {5}\n", output, b.amplifier_input(),
                           result, number(amplifier.feedback), a.amplifier_output(),
                           number(pair.coupling));
    }
    return fmt::format("r1_{0} {1} sn_{0} {2}\nr2_{0} sn_{0} sub_{0} {3}\n", output,
                       b.amplifier_output(), number(pair.bridge.r1), number(pair.bridge.r2)) +
           fmt::format("r3_{0} {1} sp_{0} {2}\nr4_{0} sp_{0} 0 {3}\n", output, a.amplifier_output(),
                       number(pair.bridge.r3), number(pair.bridge.r4)) +
           plain_amplifier(fmt::format("_{}", output), fmt::format("sp_{}", output),
                           fmt::format("sn_{}", output), result, gain, pair.offset);
}

}  // namespace

std::string plain_readout_section(const Tile& tile, const DeckAmplifiers* amplifiers,
                                  const std::optional<Index>& output) {
    std::string text = "* read-out: 0 V sources vs_* measure the column currents\n";
    if (amplifiers != nullptr)
        text += "* amplifiers: sources of finite gain, without the swing of their outputs\n";
    for (std::size_t i = 0; i < tile.arrays().size(); ++i)
        for (Index c = 0; c < tile.arrays()[i].shape().bit_lines; ++c)
            if (is_kept(tile, tile.arrays()[i], c, output))
                text += plain_column(tile, {i, c}, amplifiers);
    if (amplifiers == nullptr || !tile.has_subtractors()) return text;
    for (Index j = 0; j < tile.outputs(); ++j)
        if (shows(output, j)) text += plain_subtractor(tile, amplifiers->values, j);
    return text;
}

std::vector<std::string> plain_outputs(const Tile& tile, const DeckAmplifiers* amplifiers,
                                       const std::optional<Index>& output) {
    std::vector<std::string> outputs;
    for (std::size_t i = 0; i < tile.arrays().size(); ++i) {
        const Crossbar& array = tile.arrays()[i];
        for (Index c = 0; c < array.shape().bit_lines; ++c)
            if (is_kept(tile, array, c, output) && output_of(tile, i, c))
                outputs.push_back(fmt::format("i({})", names_of(array.pattern(), c).ammeter()));
    }
    if (amplifiers == nullptr || !tile.has_subtractors()) return outputs;
    for (Index j = 0; j < tile.outputs(); ++j)
        if (shows(output, j)) outputs.push_back(fmt::format("v(sub_{})", j));
    return outputs;
}

DeckAmplifiers deck_amplifiers(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                               const LinearReadout& readout) {
    check(readout.circuit);
    if (readout.circuit.feedback_resistance > 0)
        return {draw_amplifiers(tile, readout, readout.circuit.feedback_resistance), std::nullopt};
    const double largest = largest_column_current(tile, inputs);
    const double feedback = default_feedback_resistance(readout.circuit.amplifier, largest);
    return {draw_amplifiers(tile, readout, feedback), largest};
}

std::string amplifier_parameters(const Tile& tile, const DeckAmplifiers& amplifiers) {
    const SubtractorCircuit& circuit = amplifiers.values.circuit;
    const OpAmp& amplifier = circuit.amplifier;
    std::string text;
    text += fmt::format(".param a0={} ; open-loop gain [V/V]\n", number(amplifier.gain));
    text += fmt::format(".param gbw={} ; gain-bandwidth product [Hz]\n",
                        number(amplifier.gain_bandwidth));
    text += fmt::format(".param vos={} ; input offset [V]\n", number(amplifier.offset));
    text += fmt::format(".param vsat={} ; output swing [V], {}\n", number(amplifier.swing),
                        to_string(amplifier.limit));
    text += feedback_parameter(amplifiers);
    if (tile.has_subtractors() && circuit.kind == SubtractorKind::difference)
        text += fmt::format(".param r1={0} r2={0} r3={0} r4={0} ; difference amplifier [ohm]\n",
                            number(circuit.bridge_resistance));
    if (tile.has_subtractors() && circuit.kind == SubtractorKind::current_mode)
        text += ".param rx={rf} ; from a column's TIA to the amplifier of its pair [ohm]\n";
    if (has_conversion(&amplifiers)) text += conversion_parameters(amplifiers.values);
    return text;
}

std::string readout_section(const Tile& tile, const DeckAmplifiers* amplifiers,
                            const Eigen::MatrixXd& shares, const std::optional<Index>& output) {
    check_shares(tile, amplifiers == nullptr, shares);
    std::string text = "* ---- read-out: 0 V sources vs_* measure the column currents ----\n";
    for (std::size_t i = 0; i < tile.arrays().size(); ++i)
        for (Index c = 0; c < tile.arrays()[i].shape().bit_lines; ++c)
            if (is_kept(tile, tile.arrays()[i], c, output))
                text += column_lines(tile, {i, c}, amplifiers);
    if (has_outputs(tile, shares)) {
        text += tile.has_pairs() ? "* ---- one subtractor per column pair ----\n"
                                 : "* ---- one subtractor per column ----\n";
        for (Index j = 0; j < tile.outputs(); ++j)
            if (shows(output, j)) text += subtractor_line(tile, amplifiers, shares, j);
    }
    if (!has_conversion(amplifiers)) return text;
    text += "* ---- sample, hold and conversion ----\n";
    for (Index j = 0; j < tile.outputs(); ++j)
        if (shows(output, j)) text += conversion_lines(tile, amplifiers->values, j);
    return text;
}

std::string control_end(std::string_view net) {
    // Without `quit`, ngspice -b ends with 1 for want of a .print line, whatever it solved.
    return fmt::format(
        "* exit status 0 only if there is a solution\n"
        "let solved = 0*v({}) + 1\nif solved\nquit 0\nend\nquit 1\n.endc\n",
        net);
}

std::string control_section(const Tile& tile, const DeckAmplifiers* amplifiers,
                            const Eigen::MatrixXd& shares, const std::optional<Index>& output) {
    std::string text = ".control\nset numdgt=12\nop\n";
    for (std::size_t i = 0; i < tile.arrays().size(); ++i) text += print_currents(tile, i, output);
    if (amplifiers != nullptr) text += print_amplifiers(tile, amplifiers->values, output);
    if (has_outputs(tile, shares)) text += print_subtractors(tile, amplifiers, output);
    if (has_conversion(amplifiers))
        text += print_conversion(tile, amplifiers->values.circuit, output);
    return text + control_end(input_node(tile.arrays().front().pattern(), 0));
}

}  // namespace kirchnet::detail
