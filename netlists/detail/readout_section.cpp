#include "netlists/detail/readout_section.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "netlists/detail/deck_text.hpp"

namespace kirchnet::detail {
namespace {

/// Names of one physical bit line's read-out.
struct ColumnNames {
    std::string letter_and_number;  ///< `a_3`
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

/// The output a physical bit line serves, or none for padding.
std::optional<Index> output_of(const Tile& tile, const Crossbar& array, Index bit_line) {
    const Index output = array.pattern() == ColumnPattern::interleaved ? bit_line / 2 : bit_line;
    if (output < tile.outputs()) return output;
    return std::nullopt;
}

bool is_reference(const Tile& tile, Index bit_line) {
    return tile.reference_bit_line() == bit_line;
}

/// What a bit line is for.
std::string column_meaning(const Tile& tile, const Crossbar& array, Index bit_line,
                           Readout readout) {
    if (const auto output = output_of(tile, array, bit_line))
        return fmt::format("oc={}", tile.block().first_output_channel + *output);
    if (is_reference(tile, bit_line)) return "reference";
    return readout == Readout::ideal ? "pad, at virtual ground" : "pad";
}

/// A column's ammeter, and behind it ground or, in an op-amp read-out, its amplifier: the chip has
/// one behind every bit line, used or not.
std::string column_lines(const ColumnNames& names, Readout readout, const std::string& meaning) {
    if (readout == Readout::ideal)
        return fmt::format("{} {} 0 dc 0 ; {}\n", names.ammeter(), names.sense(), meaning);
    return fmt::format("{} {} {} dc 0\nx{} {} {} tia rf={{rf}} vos={{vos}} ; {}\n", names.ammeter(),
                       names.sense(), names.amplifier_input(), names.amplifier_output(),
                       names.amplifier_input(), names.amplifier_output(), meaning);
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

std::string subtractor_line(const Tile& tile, Readout readout, const Eigen::MatrixXd& shares,
                            Index output) {
    const ColumnNames a = names_of(tile, output, Polarity::a);
    if (!tile.has_pairs())
        return fmt::format("bsub_{0} sub_{0} 0 v = i({1}){2} ; oc={3}\n", output, a.ammeter(),
                           reference_terms(tile, shares, output),
                           tile.block().first_output_channel + output);
    const ColumnNames b = names_of(tile, output, Polarity::b);
    const Index channel = tile.block().first_output_channel + output;
    if (readout == Readout::ideal)
        return fmt::format("bsub_{0} sub_{0} 0 v = i({1})-i({2}){3} ; oc={4}\n", output,
                           a.ammeter(), b.ammeter(), reference_terms(tile, shares, output),
                           channel);
    return fmt::format(
        "xsub_{0} {1} {2} sub_{0} diffamp r1={{r1}} r2={{r2}} r3={{r3}} r4={{r4}} vos={{vos}} ; "
        "oc={3}\n",
        output, a.amplifier_output(), b.amplifier_output(), channel);
}

double largest_used_current(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    double largest = 0;
    for (const Crossbar& array : tile.arrays()) {
        Eigen::VectorXd all = Eigen::VectorXd::Zero(array.shape().word_lines);
        all.head(inputs.size()) = inputs;
        const Eigen::MatrixXd current = IdealSolver().solve(array, all, Voltages::skip).current;
        for (Index c = 0; c < current.rows(); ++c)
            if (output_of(tile, array, c)) largest = std::max(largest, std::abs(current(c, 0)));
    }
    return largest;
}

void check_positive(double value, std::string_view what) {
    if (!(value > 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number above 0", value));
}

void check_subtractor(const SubtractorCircuit& subtractor) {
    check_positive(subtractor.amplifier.gain, "op-amp gain");
    check_positive(subtractor.amplifier.gain_bandwidth, "op-amp gain bandwidth");
    check_positive(subtractor.amplifier.swing, "op-amp swing");
    check_positive(subtractor.bridge_resistance, "subtractor bridge resistance");
    if (subtractor.feedback_resistance != 0)
        check_positive(subtractor.feedback_resistance, "feedback resistance");
    if (!std::isfinite(subtractor.amplifier.offset))
        throw InvalidInput("op-amp offset",
                           fmt::format("{} V is not finite", subtractor.amplifier.offset));
}

std::string feedback_parameter(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                               const SubtractorCircuit& subtractor) {
    if (subtractor.feedback_resistance > 0)
        return fmt::format(".param rf={} ; feedback of each TIA [ohm]\n",
                           number(subtractor.feedback_resistance));
    const double largest = largest_used_current(tile, inputs);
    return fmt::format(
        "* rf = 0.8 vsat / largest column current of these inputs without wires (G^T v), {}\n"
        ".param rf={} ; feedback of each TIA [ohm]\n",
        format_quantity(largest, "A"),
        number(default_feedback_resistance(subtractor.amplifier, largest)));
}

std::string print_currents(const Tile& tile, const Crossbar& array) {
    std::string used;
    std::string reference;
    std::string padding;
    for (Index c = 0; c < array.shape().bit_lines; ++c)
        (output_of(tile, array, c) ? used
         : is_reference(tile, c)   ? reference
                                   : padding) +=
            fmt::format("print i({})\n", names_of(array.pattern(), c).ammeter());
    const auto letters = array_letters(array.pattern());
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

std::string print_amplifiers(const Tile& tile) {
    std::string text = "echo \"outputs of the transimpedance amplifiers [V]\"\n";
    for (Index j = 0; j < tile.outputs(); ++j) {
        text += fmt::format("print v({})\n", names_of(tile, j, Polarity::a).amplifier_output());
        if (tile.has_pairs())
            text += fmt::format("print v({})\n", names_of(tile, j, Polarity::b).amplifier_output());
    }
    return text;
}

/// Whether there are outputs `sub_j`.
bool has_outputs(const Tile& tile, const Eigen::MatrixXd& shares) {
    return tile.has_subtractors() || shares.size() > 0;
}

void check_shares(const Tile& tile, Readout readout, const Eigen::MatrixXd& shares) {
    if (shares.size() == 0) return;
    const auto arrays = static_cast<Index>(tile.arrays().size());
    if (!tile.reference_bit_line() || shares.rows() != tile.outputs() || shares.cols() != arrays ||
        !shares.allFinite())
        throw InvalidInput("reference shares",
                           fmt::format("{} x {} given, but the tile takes {} outputs x {} arrays "
                                       "with reference columns, all finite",
                                       shares.rows(), shares.cols(), tile.outputs(),
                                       tile.reference_bit_line() ? arrays : 0));
    if (readout == Readout::opamp || (tile.has_pairs() && !tile.has_subtractors()))
        throw InvalidInput("reference shares",
                           "are subtracted by an ideal read-out of whole pairs alone");
}

std::string print_subtractors(const Tile& tile, Readout readout) {
    std::string text = readout == Readout::ideal
                           ? "echo \"subtractor outputs, 1 V stands for 1 A of i_a - i_b\"\n"
                           : "echo \"subtractor outputs [V], about -rf * (i_a - i_b)\"\n";
    for (Index j = 0; j < tile.outputs(); ++j) text += fmt::format("print v(sub_{})\n", j);
    return text;
}

}  // namespace

std::string amplifier_parameters(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                                 const SubtractorCircuit& subtractor) {
    check_subtractor(subtractor);
    const OpAmp& amplifier = subtractor.amplifier;
    std::string text;
    text += fmt::format(".param a0={} ; open-loop gain [V/V]\n", number(amplifier.gain));
    text += fmt::format(".param gbw={} ; gain-bandwidth product [Hz]\n",
                        number(amplifier.gain_bandwidth));
    text += fmt::format(".param vos={} ; input offset [V]\n", number(amplifier.offset));
    text += fmt::format(".param vsat={} ; output swing [V]\n", number(amplifier.swing));
    text += feedback_parameter(tile, inputs, subtractor);
    if (tile.has_subtractors())
        text += fmt::format(".param r1={0} r2={0} r3={0} r4={0} ; difference amplifier [ohm]\n",
                            number(subtractor.bridge_resistance));
    return text;
}

std::string readout_section(const Tile& tile, Readout readout, const Eigen::MatrixXd& shares) {
    check_shares(tile, readout, shares);
    std::string text = "* ---- read-out: 0 V sources vs_* measure the column currents ----\n";
    for (const Crossbar& array : tile.arrays())
        for (Index c = 0; c < array.shape().bit_lines; ++c)
            text += column_lines(names_of(array.pattern(), c), readout,
                                 column_meaning(tile, array, c, readout));
    if (!has_outputs(tile, shares)) return text;
    text += tile.has_pairs() ? "* ---- one subtractor per column pair ----\n"
                             : "* ---- one subtractor per column ----\n";
    for (Index j = 0; j < tile.outputs(); ++j) text += subtractor_line(tile, readout, shares, j);
    return text;
}

std::string control_section(const Tile& tile, Readout readout, const Eigen::MatrixXd& shares) {
    std::string text = ".control\nset numdgt=12\nop\n";
    for (const Crossbar& array : tile.arrays()) text += print_currents(tile, array);
    if (readout == Readout::opamp) text += print_amplifiers(tile);
    if (has_outputs(tile, shares)) text += print_subtractors(tile, readout);
    // Without `quit`, ngspice -b ends with 1 for want of a .print line, whatever it solved.
    const auto source = input_node(tile.arrays().front().pattern(), 0);
    return text + fmt::format(
                      "* exit status 0 only if there is a solution\n"
                      "let solved = 0*v({}) + 1\nif solved\nquit 0\nend\nquit 1\n.endc\n",
                      source);
}

}  // namespace kirchnet::detail
