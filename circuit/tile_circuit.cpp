#include "circuit/tile_circuit.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "circuit/column.hpp"
#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/read_point.hpp"
#include "circuit/series_laws.hpp"
#include "circuit/subcircuit.hpp"

namespace kirchnet {
namespace {

/// What an array's circuit is driven with.
struct Drive {
    Eigen::VectorXd inputs;  ///< [word_lines]
    double rise_time = 0;

    [[nodiscard]] Waveform at(Index word_line) const {
        if (rise_time == 0) return Waveform::constant(inputs(word_line));
        return {{{0.0, 0.0}, {rise_time, inputs(word_line)}}};
    }
};

bool is_of_word_line(ElementKind kind) {
    return kind == ElementKind::word_line_segment || kind == ElementKind::right_end ||
           kind == ElementKind::word_line_bridge;
}

/// Adds the elements of one array.
class ArrayBuilder {
  public:
    /// @param is_kept  per bit line; cells of the others end in ground. Empty: all are
    ArrayBuilder(Subcircuit circuit, const Crossbar& crossbar, std::vector<bool> is_kept = {})
        : circuit_(std::move(circuit)),
          crossbar_(crossbar),
          expansion_(expand(crossbar)),
          is_kept_(std::move(is_kept)) {}

    void add_sources(const Drive& drive) {
        for (Index r = 0; r < expansion_.word_lines; ++r)
            circuit_.add(fmt::format("v_{}", input_node(expansion_.pattern, r)),
                         {expansion_.net_name(expansion_.source(r)), "0"},
                         VoltageSource{drive.at(r)});
    }

    void add_elements() {
        for (const Element& element : expansion_.elements) {
            const std::string name = expansion_.element_name(element);
            const std::vector<std::string> nets = ends_of(element);
            if (circuit_.net(nets[0]) == circuit_.net(nets[1])) continue;  // both at 0 V
            if (element.kind == ElementKind::cell && !crossbar_.law().is_linear())
                add_cell(name, nets, element);
            else if (element.conductance > 0)
                circuit_.add(name, nets, Resistor{1 / element.conductance});
        }
    }

    /// Gates of 1T1R cells become nets of their own, held at the law's gate voltage above ground.
    /// Before the elements, which hang on them.
    void add_select_lines() {
        transistor_ = dynamic_cast<const TransistorLaw*>(crossbar_.law().custom_law());
        for (Index r = 0; transistor_ != nullptr && r < expansion_.word_lines; ++r)
            circuit_.add(fmt::format("v{}", select_net(r)), {select_net(r), "0"},
                         VoltageSource{Waveform::constant(transistor_->transistor().gate)});
    }

    /// One capacitor per net: nodes that no resistance parts share theirs.
    void add_capacitances(const ArrayCapacitances& values) {
        if (!values.are_there()) return;
        add_capacitances_to_ground(values);
        for (const Element& element : expansion_.elements)
            if (element.kind == ElementKind::cell && values.cell > 0)
                circuit_.add(fmt::format("c{}", expansion_.element_name(element)), ends_of(element),
                             Capacitor{values.cell});
    }

  private:
    [[nodiscard]] bool keeps(Index bit_line) const {
        return is_kept_.empty() || is_kept_[static_cast<std::size_t>(bit_line)];
    }

    /// Names of the nets that an element is between.
    [[nodiscard]] std::vector<std::string> ends_of(const Element& element) const {
        std::string from = expansion_.net_name(element.from);
        std::string to = expansion_.net_name(element.to);
        if (is_of_word_line(element.kind)) return {std::move(from), std::move(to)};
        const bool is_bridge = element.kind == ElementKind::bit_line_bridge;
        const bool is_cell = element.kind == ElementKind::cell;
        if (!is_cell && !keeps(element.bit_line)) from = "0";
        if (!keeps(element.bit_line + (is_bridge ? 1 : 0))) to = "0";
        return {std::move(from), std::move(to)};
    }

    void add_capacitances_to_ground(const ArrayCapacitances& values) {
        std::map<NetIndex, double> to_ground;
        for (Index i = 0; i < expansion_.cells(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            to_ground[expansion_.word_net[at]] += values.wire_segment;
            if (keeps(i % expansion_.bit_lines))
                to_ground[expansion_.bit_net[at]] += values.wire_segment + values.access;
        }
        for (const auto& [net, capacitance] : to_ground)
            if (expansion_.is_unknown(net) && capacitance > 0)
                circuit_.add(fmt::format("c_{}", expansion_.net_name(net)),
                             {expansion_.net_name(net), "0"}, Capacitor{capacitance});
    }

    [[nodiscard]] std::string select_net(Index word_line) const {
        return fmt::format("sel_{}_{}", array_letters(expansion_.pattern), word_line);
    }

    void add_cell(const std::string& name, const std::vector<std::string>& nets,
                  const Element& cell) {
        if (transistor_ == nullptr) {
            circuit_.add(name, nets, NonlinearCell{crossbar_.law(), cell.conductance});
            return;
        }
        if (cell.conductance == 0) return;
        const AccessTransistor& access = transistor_->transistor();
        const std::string inner = name + ".x";
        circuit_.add(name + ".rcell", {nets[0], inner},
                     Resistor{1 / transistor_->element_conductance(cell.conductance)});
        circuit_.add(name + ".maccess", {inner, select_net(cell.word_line), nets[1]},
                     Nmos{.threshold = access.threshold, .beta = access.beta});
    }

    Subcircuit circuit_;
    const Crossbar& crossbar_;
    Expansion expansion_;
    std::vector<bool> is_kept_;
    const TransistorLaw* transistor_ = nullptr;  ///< where gates are select lines
};

/// `a_7`: what names of a bit line's read-out end with.
std::string column_word(ColumnPattern pattern, Index bit_line) {
    return fmt::format("{}_{}", to_char(polarity_of(pattern, bit_line)), bit_line);
}

/// Adds the read-out of a tile whose arrays are there.
class ReadoutBuilder {
  public:
    ReadoutBuilder(Subcircuit circuit, const Tile& tile, const TileCircuitSettings& settings)
        : circuit_(std::move(circuit)), tile_(tile), settings_(settings) {}

    /// @param has_pins  every output is a net `sub_j`, whatever gives it
    void add(bool has_pins) {
        for (std::size_t i = 0; i < tile_.arrays().size(); ++i)
            for (Index c = 0; c < tile_.arrays()[i].shape().bit_lines; ++c)
                if (is_kept(tile_, tile_.arrays()[i], c, settings_.output))
                    settings_.amplifiers ? add_amplifier({i, c}) : add_ammeter({i, c}, "0");
        for (Index j = 0; j < tile_.outputs(); ++j)
            if (!settings_.output || *settings_.output == j) add_output(j, has_pins);
    }

  private:
    [[nodiscard]] std::string word(const TileColumn& at) const {
        return column_word(tile_.arrays()[at.array].pattern(), at.bit_line);
    }
    [[nodiscard]] std::string word(Index output, Polarity side) const {
        return word(tile_.column(output, side));
    }
    [[nodiscard]] const TileAmplifiers& amplifiers() const { return *settings_.amplifiers; }
    [[nodiscard]] bool is_current_mode() const {
        return tile_.has_subtractors() && amplifiers().circuit.kind == SubtractorKind::current_mode;
    }

    void add_output(Index j, bool has_pins) {
        if (!settings_.amplifiers) {
            if (has_pins || tile_.has_subtractors() || settings_.reference_shares.size() > 0)
                add_ideal_output(j);
            return;
        }
        add_amplified_output(j);
        if (has_pins && !tile_.has_subtractors()) add_voltage_output(j);
    }

    void add_ammeter(const TileColumn& at, const std::string& behind) {
        const std::string column = word(at);
        circuit_.add("vs_" + column, {"out_" + column, behind},
                     VoltageSource{Waveform::constant(0)});
    }

    /// docs/methods/read-out.md, the operational amplifier. `name` is that of its instance.
    void add_opamp(const std::string& name, const std::string& plus, const std::string& minus,
                   const std::string& out, double offset) {
        constexpr double transconductance = 1e-6;  // [S], as in the deck
        constexpr double two_pi = 6.283185307179586;
        const OpAmp& amplifier = amplifiers().circuit.amplifier;
        const std::string inner = name + ".x";
        circuit_.add(name + ".vofs", {name + ".p", plus},
                     VoltageSource{Waveform::constant(offset)});
        circuit_.add(name + ".gst", {"0", inner, name + ".p", minus},
                     VoltageControlledCurrentSource{transconductance});
        circuit_.add(name + ".rst", {inner, "0"}, Resistor{amplifier.gain / transconductance});
        circuit_.add(name + ".cst", {inner, "0"},
                     Capacitor{transconductance / (two_pi * amplifier.gain_bandwidth)});
        circuit_.add(name + ".bcl", {inner, "0"}, DeadZoneConductor{1e-3, 3 * amplifier.swing});
        if (amplifier.limit == SwingLimit::smooth)
            circuit_.add(name + ".bout", {out, "0", inner, "0"}, SmoothLimiter{amplifier.swing});
        else
            circuit_.add(name + ".bout", {out, "0", inner, "0"}, HardLimiter{amplifier.swing});
    }

    /// Where the pairs of a current-mode read-out end, their second amplifier is the subtractor.
    void add_amplifier(const TileColumn& at) {
        const std::string column = word(at);
        const std::string input = "tin_" + column;
        add_ammeter(at, input);
        const bool is_b =
            polarity_of(tile_.arrays()[at.array].pattern(), at.bit_line) == Polarity::b;
        if (is_current_mode() && is_b && output_of(tile_, at.array, at.bit_line)) return;
        const ColumnAmplifier& amplifier = amplifiers().column(at);
        const std::string name = "xtia_" + column;
        add_opamp(name + ".xop", "0", input, "tia_" + column, amplifier.offset);
        circuit_.add(name + ".rf", {input, "tia_" + column}, Resistor{amplifier.feedback});
    }

    void add_amplified_output(Index j) {
        if (tile_.has_subtractors())
            is_current_mode() ? add_summing_amplifier(j) : add_difference_amplifier(j);
        if (amplifiers().conversions.empty()) return;
        const std::string number = std::to_string(j);
        if (tile_.has_subtractors()) {
            add_conversion(number, "sub_" + number, amplifiers().conversion(j, Polarity::a));
        } else if (!tile_.has_pairs()) {
            add_conversion(number, "tia_" + word(j, Polarity::a),
                           amplifiers().conversion(j, Polarity::a));
        } else {
            for (const Polarity side : {Polarity::a, Polarity::b})
                add_conversion(word(j, side), "tia_" + word(j, side),
                               amplifiers().conversion(j, side));
        }
    }

    void add_difference_amplifier(Index j) {
        const PairSubtractor& pair = amplifiers().pair(j);
        const std::string name = fmt::format("xsub_{}", j);
        const std::string out = fmt::format("sub_{}", j);
        const std::string plus = name + ".p";
        const std::string minus = name + ".n";
        add_opamp(name + ".xop", plus, minus, out, pair.offset);
        circuit_.add(name + ".r1", {"tia_" + word(j, Polarity::b), minus},
                     Resistor{pair.bridge.r1});
        circuit_.add(name + ".r2", {minus, out}, Resistor{pair.bridge.r2});
        circuit_.add(name + ".r3", {"tia_" + word(j, Polarity::a), plus}, Resistor{pair.bridge.r3});
        circuit_.add(name + ".r4", {plus, "0"}, Resistor{pair.bridge.r4});
    }

    void add_summing_amplifier(Index j) {
        const PairSubtractor& pair = amplifiers().pair(j);
        const std::string name = fmt::format("xsub_{}", j);
        const std::string out = fmt::format("sub_{}", j);
        const std::string input = "tin_" + word(j, Polarity::b);
        const ColumnAmplifier& amplifier = amplifiers().column(tile_.column(j, Polarity::b));
        add_opamp(name + ".xop", "0", input, out, amplifier.offset);
        circuit_.add(name + ".rf", {input, out}, Resistor{amplifier.feedback});
        circuit_.add(name + ".rx", {"tia_" + word(j, Polarity::a), input}, Resistor{pair.coupling});
    }

    /// What amplifiers that nothing subtracts give, as a net of its own.
    void add_voltage_output(Index j) {
        const std::string out = fmt::format("sub_{}", j);
        const std::string b = tile_.has_pairs() ? "tia_" + word(j, Polarity::b) : std::string("0");
        circuit_.add("b" + out, {out, "0", "tia_" + word(j, Polarity::a), b},
                     VoltageControlledVoltageSource{1});
    }

    /// Sums of ammeters' currents, 1 V standing for 1 A.
    void add_ideal_output(Index j) {
        const Eigen::MatrixXd& shares = settings_.reference_shares;
        CurrentSumSource sum{{{"vs_" + word(j, Polarity::a), 1.0}}};
        if (tile_.has_pairs()) sum.terms.push_back({"vs_" + word(j, Polarity::b), -1.0});
        for (Index i = 0; i < shares.cols(); ++i)
            sum.terms.push_back(
                {"vs_" + word({static_cast<std::size_t>(i), tile_.reference_bit_line().value()}),
                 -shares(j, i)});
        const std::string out = fmt::format("sub_{}", j);
        circuit_.add("b" + out, {out, "0"}, std::move(sum));
    }

    /// @param word  what names end in: `3`, of sides that are converted apart `a_3`
    void add_conversion(const std::string& word, std::string output,
                        const OutputConversion& conversion) {
        const SampleHold& hold = amplifiers().circuit.hold;
        const OutputAdc& adc = amplifiers().circuit.adc;
        if (hold.is_there()) {
            const std::string name = "xsh_" + word;
            const std::string held = "held_" + word;
            circuit_.add(name + ".ehold", {name + ".s", "0", output, "0"},
                         VoltageControlledVoltageSource{hold.gain()});
            circuit_.add(name + ".vped", {held, name + ".s"},
                         VoltageSource{Waveform::constant(hold.pedestal + conversion.hold_noise)});
            output = held;
        }
        if (!adc.is_there()) return;
        const ConversionRange& range = amplifiers().range;
        circuit_.add(
            "xadc_" + word + ".badc", {"code_" + word, "0", output, "0"},
            Quantizer{adc.adc.front().bits, range.low, range.high,
                      conversion.offset + conversion.noise, conversion.gain, adc.errors.inl});
    }

    Subcircuit circuit_;
    const Tile& tile_;
    const TileCircuitSettings& settings_;
};

void check_settings(const Tile& tile, const TileCircuitSettings& settings) {
    if (!settings.law.is_linear() && tile.settings().access.is_there())
        throw InvalidInput("access resistance",
                           "stands in series with ohmic cells; cells of law " +
                               to_string(settings.law) +
                               " have none (a transistor in series is law 1t1r)");
    if (settings.output) (void)tile.column(*settings.output, Polarity::a);  // says which there are
    const Eigen::MatrixXd& shares = settings.reference_shares;
    if (shares.size() == 0) return;
    const auto arrays = static_cast<Index>(tile.arrays().size());
    if (settings.amplifiers || settings.output || !tile.reference_bit_line() ||
        shares.rows() != tile.outputs() || shares.cols() != arrays || !shares.allFinite())
        throw InvalidInput("reference shares",
                           "need an ideal read-out of all outputs, reference columns, and one "
                           "finite number per output and array");
}

/// What an instance's pins hang on.
std::map<std::string, std::string> pins_of(const Tile& tile, const TileInstance& instance) {
    if (static_cast<Index>(instance.input_nets.size()) != tile.rows() ||
        static_cast<Index>(instance.output_nets.size()) != tile.outputs())
        throw InvalidInput(instance.name,
                           fmt::format("{} nets of inputs and {} of outputs, but the tile has {} "
                                       "and {}",
                                       instance.input_nets.size(), instance.output_nets.size(),
                                       tile.rows(), tile.outputs()));
    std::map<std::string, std::string> pins;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            pins[input_node(array.pattern(), r)] =
                r < tile.rows() ? instance.input_nets[static_cast<std::size_t>(r)]
                                : std::string("0");
    for (Index j = 0; j < tile.outputs(); ++j)
        pins[fmt::format("sub_{}", j)] = instance.output_nets[static_cast<std::size_t>(j)];
    return pins;
}

std::vector<bool> kept_bit_lines(const Tile& tile, const Crossbar& array,
                                 std::optional<Index> output) {
    std::vector<bool> kept;
    for (Index c = 0; c < array.shape().bit_lines; ++c)
        kept.push_back(is_kept(tile, array, c, output));
    return kept;
}

/// @param inputs  empty: whoever has the circuit drives it
void add_arrays(const Subcircuit& circuit, const Tile& tile, const Eigen::VectorXd& inputs,
                const TileCircuitSettings& settings) {
    for (const Crossbar& target : tile.arrays()) {
        const Crossbar array = exact_at(target, settings.law, settings.read_voltage);
        ArrayBuilder builder(circuit, array, kept_bit_lines(tile, target, settings.output));
        if (inputs.size() > 0) {
            Drive drive{Eigen::VectorXd::Zero(array.shape().word_lines), settings.rise_time};
            drive.inputs.head(inputs.size()) = inputs;
            builder.add_sources(drive);
        }
        builder.add_select_lines();
        builder.add_elements();
        builder.add_capacitances(settings.capacitances);
    }
}

}  // namespace

void check_read_voltages(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                         const CellLaw& law) {
    if (inputs.size() != tile.rows() || !inputs.allFinite())
        throw InvalidInput("read voltages",
                           fmt::format("{} values, but the tile takes {}, all finite",
                                       inputs.size(), tile.rows()));
    if (const double reach = law.reach(); inputs.cwiseAbs().maxCoeff() > reach)
        throw InvalidInput("read voltages",
                           fmt::format("reach {} V, but cells of law {} are known up to {} V",
                                       inputs.cwiseAbs().maxCoeff(), to_string(law), reach));
}

Circuit tile_circuit(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                     const TileCircuitSettings& settings) {
    check_read_voltages(tile, inputs, settings.law);
    check_settings(tile, settings);
    Circuit circuit;
    const Subcircuit whole(circuit);
    add_arrays(whole, tile, inputs, settings);
    ReadoutBuilder(whole, tile, settings).add(false);
    return circuit;
}

void add_tile(Circuit& circuit, const Tile& tile, const TileInstance& instance,
              const TileCircuitSettings& settings) {
    check_settings(tile, settings);
    if (settings.rise_time != 0 || settings.output)
        throw InvalidInput(instance.name,
                           "rise times and single outputs are of a tile's own circuit");
    const Subcircuit inside(circuit, instance.name, pins_of(tile, instance));
    add_arrays(inside, tile, {}, settings);
    ReadoutBuilder(inside, tile, settings).add(true);
}

Circuit crossbar_circuit(const Crossbar& crossbar,
                         const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    if (inputs.size() != crossbar.shape().word_lines || !inputs.allFinite())
        throw InvalidInput("read voltages",
                           fmt::format("{} values for {} word lines, all finite", inputs.size(),
                                       crossbar.shape().word_lines));
    Circuit circuit;
    ArrayBuilder builder(Subcircuit(circuit), crossbar);
    builder.add_sources({inputs, 0});
    builder.add_elements();
    for (Index c = 0; c < crossbar.shape().bit_lines; ++c) {
        const std::string column = column_word(crossbar.pattern(), c);
        circuit.add("vs_" + column, {"out_" + column, "0"}, VoltageSource{Waveform::constant(0)});
    }
    return circuit;
}

}  // namespace kirchnet
