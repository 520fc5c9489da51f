// Amplifiers that are alike: with e = V_os A / (1 + A) behind R_f / (1 + A) at every bit line, a
// column delivers I = T V - e T 1: raising all sources and grounds of an array by one voltage moves
// no current, so its admittance at the bit lines obeys Y_BB 1 = T 1, the sum over all word lines.
// The amplifiers make v = A / (1 + A) (V_os - R_f I) of it.
//
// Any amplifiers: each holds v_- = V_os - v / A, and Kirchhoff's law at its input reads
//   T V - Y v_- + (v - v_-) / R_f + (v_a - v_-) / R_x = 0,
// the last term for the second amplifier of a current-mode pair alone. In v:
//   [Y / A + (1 + 1 / A) / R_f + 1 / (A R_x)] v + v_a / R_x = (Y + 1 / R_f + 1 / R_x) V_os - T V.
//
// A difference amplifier gives v_d = a v_a - b v_b + o. A hold stage keeps a share of it and adds
// its pedestal. The converter reads -v_d, of a current-mode pair v_d, over R_f (G_on - G_off) V_r.
#include "nn/detail/readout_fold.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <utility>

#include "nn/tiling.hpp"

namespace kirchnet::detail {
namespace {

/// What the converter's unit is of a voltage [V].
double unit_of(const Tile& tile, const TileAmplifiers& amplifiers, double read_voltage) {
    return amplifiers.circuit.feedback_resistance * tile.settings().device.span() * read_voltage;
}

bool is_current_mode(const SubtractorCircuit& circuit, const TileSettings& settings) {
    return has_column_pair(settings.mapping) && settings.subtraction == Subtraction::before &&
           circuit.kind == SubtractorKind::current_mode;
}

/// All bit lines of a tile's arrays in one row.
class BitLines {
  public:
    explicit BitLines(const Tile& tile) {
        for (const Crossbar& array : tile.arrays()) {
            first_.push_back(count_);
            count_ += array.shape().bit_lines;
        }
    }
    [[nodiscard]] Index count() const { return count_; }
    [[nodiscard]] Index first(std::size_t array) const { return first_[array]; }
    [[nodiscard]] Index number(const TileColumn& at) const {
        return first_[at.array] + at.bit_line;
    }

  private:
    std::vector<Index> first_;
    Index count_ = 0;
};

/// The equations of amplifiers of any values, over all bit lines of a tile: `matrix` v =
/// `constant` - `drive` V.
struct AmplifierEquations {
    Eigen::MatrixXd matrix;    ///< [S]
    Eigen::VectorXd constant;  ///< [A]
    Eigen::MatrixXd drive;     ///< [bit lines × rows] [S]
};

AmplifierEquations equations_of(const Tile& tile, const std::vector<ArrayPorts>& ports,
                                const TileAmplifiers& amplifiers, const BitLines& lines) {
    const double gain = amplifiers.circuit.amplifier.gain;
    AmplifierEquations system{Eigen::MatrixXd::Zero(lines.count(), lines.count()),
                              Eigen::VectorXd::Zero(lines.count()),
                              Eigen::MatrixXd(lines.count(), tile.rows())};
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const Eigen::MatrixXd& Y = ports[i].sense_admittance;
        const Index n = Y.rows();
        Eigen::VectorXd offset(n);
        Eigen::VectorXd conductance(n);  // 1 / R_f
        for (Index c = 0; c < n; ++c) {
            const ColumnAmplifier& amplifier = amplifiers.column({i, c});
            offset(c) = amplifier.offset;
            conductance(c) = 1 / amplifier.feedback;
        }
        const Index first = lines.first(i);
        system.matrix.block(first, first, n, n) = Y / gain;
        system.matrix.diagonal().segment(first, n) += (1 + 1 / gain) * conductance;
        system.constant.segment(first, n) = Y * offset + conductance.cwiseProduct(offset);
        system.drive.middleRows(first, n) = ports[i].transfer.leftCols(tile.rows());
    }
    return system;
}

/// The second amplifiers of current-mode pairs, which v_a feeds through R_x.
void add_coupling(const Tile& tile, const TileAmplifiers& amplifiers, const BitLines& lines,
                  AmplifierEquations& system) {
    for (Index j = 0; j < tile.outputs(); ++j) {
        const TileColumn column_b = tile.column(j, Polarity::b);
        const Index a = lines.number(tile.column(j, Polarity::a));
        const Index b = lines.number(column_b);
        const double coupling = 1 / amplifiers.pair(j).coupling;
        system.matrix(b, b) += coupling / amplifiers.circuit.amplifier.gain;
        system.matrix(b, a) += coupling;
        system.constant(b) += coupling * amplifiers.column(column_b).offset;
    }
}

/// Offsets that are all zero are none.
TileReadout without_zero_offset(TileReadout readout) {
    if (readout.offset.isZero(0)) readout.offset.resize(0);
    return readout;
}

/// Behind the hold stage, where there is one.
/// @param per_volt  what the converter reads of 1 V
TileReadout held(TileReadout readout, const SampleHold& hold, double per_volt) {
    if (hold.is_there()) {
        readout.transfer *= hold.gain();
        readout.offset = (hold.gain() * readout.offset.array() + hold.pedestal * per_volt).matrix();
    }
    return without_zero_offset(std::move(readout));
}

/// One side of every output at its transimpedance amplifier; offsets are there, zero or not.
TileReadout side_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs, Polarity side,
                               double unit) {
    TileReadout result{Eigen::MatrixXd(tile.outputs(), tile.rows()),
                       Eigen::VectorXd(tile.outputs())};
    for (Index j = 0; j < tile.outputs(); ++j) {
        const TileColumn at = tile.column(j, side);
        result.transfer.row(j) = outputs.slope[at.array].row(at.bit_line);
        result.offset(j) = -outputs.constant[at.array](at.bit_line) / unit;
    }
    return result;
}

}  // namespace

TileReadout read_side_ideally(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                              Polarity side) {
    TileReadout result{Eigen::MatrixXd(tile.outputs(), tile.rows())};
    for (Index j = 0; j < tile.outputs(); ++j) {
        const TileColumn column = tile.column(j, side);
        result.transfer.row(j) = transfers[column.array].row(column.bit_line).head(tile.rows());
    }
    return result;
}

TileReadout read_ideally(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers) {
    TileReadout result = read_side_ideally(tile, transfers, Polarity::a);
    if (tile.has_pairs())
        result.transfer -= read_side_ideally(tile, transfers, Polarity::b).transfer;
    return result;
}

TileReadout read_reference_ideally(const Tile& tile,
                                   const std::vector<Eigen::MatrixXd>& transfers) {
    TileReadout result{Eigen::MatrixXd::Zero(1, tile.rows())};
    for (const Eigen::MatrixXd& T : transfers)
        result.transfer += T.row(tile.reference_bit_line().value()).head(tile.rows());
    return result;
}

bool are_alike(const LinearReadout& readout, const TileSettings& settings) {
    return readout.feedback_mismatch == 0 && readout.offset_deviation == 0 &&
           !is_current_mode(readout.circuit, settings);
}

AmplifierOutputs outputs_of_alike(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                                  const TileAmplifiers& amplifiers) {
    const double feedback = amplifiers.circuit.feedback_resistance;
    const AmplifierInput input = amplifier_input(amplifiers.circuit.amplifier, feedback);
    AmplifierOutputs outputs;
    for (const Eigen::MatrixXd& T : transfers) {
        outputs.slope.emplace_back(input.gain * T.leftCols(tile.rows()));
        outputs.constant.emplace_back((input.output_offset + input.gain * feedback * input.voltage *
                                                                 T.rowwise().sum().array())
                                          .matrix());
    }
    return outputs;
}

AmplifierOutputs outputs_of_drawn(const Tile& tile, const std::vector<ArrayPorts>& ports,
                                  const TileAmplifiers& amplifiers) {
    const BitLines lines(tile);
    AmplifierEquations system = equations_of(tile, ports, amplifiers, lines);
    if (is_current_mode(amplifiers.circuit, tile.settings()))
        add_coupling(tile, amplifiers, lines, system);
    const Eigen::PartialPivLU<Eigen::MatrixXd> factors(system.matrix);
    const Eigen::VectorXd constant = factors.solve(system.constant);
    const Eigen::MatrixXd slope =
        factors.solve(system.drive) / amplifiers.circuit.feedback_resistance;
    AmplifierOutputs outputs;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const Index n = ports[i].transfer.rows();
        outputs.slope.emplace_back(slope.middleRows(lines.first(i), n));
        outputs.constant.emplace_back(constant.segment(lines.first(i), n));
    }
    return outputs;
}

TileReadout read_side_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs,
                                    Polarity side, const TileAmplifiers& amplifiers,
                                    double read_voltage) {
    const double unit = unit_of(tile, amplifiers, read_voltage);
    return held(side_by_amplifiers(tile, outputs, side, unit), amplifiers.circuit.hold, -1 / unit);
}

TileReadout read_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs,
                               const TileAmplifiers& amplifiers, double read_voltage) {
    if (!tile.has_pairs())
        return read_side_by_amplifiers(tile, outputs, Polarity::a, amplifiers, read_voltage);
    const double unit = unit_of(tile, amplifiers, read_voltage);
    const SampleHold& hold = amplifiers.circuit.hold;
    const TileReadout b = side_by_amplifiers(tile, outputs, Polarity::b, unit);
    // Column b's amplifier gives the difference itself, and with the other sign.
    if (is_current_mode(amplifiers.circuit, tile.settings()))
        return held({-b.transfer, -b.offset}, hold, 1 / unit);
    TileReadout a = side_by_amplifiers(tile, outputs, Polarity::a, unit);
    for (Index j = 0; j < tile.outputs(); ++j) {
        const SubtractorGains gains = drawn_gains(amplifiers.circuit.amplifier, amplifiers.pair(j));
        a.transfer.row(j) = gains.a * a.transfer.row(j) - gains.b * b.transfer.row(j);
        a.offset(j) = gains.a * a.offset(j) - gains.b * b.offset(j) - gains.offset / unit;
    }
    return held(std::move(a), hold, -1 / unit);
}

TileReadout read_reference_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs,
                                         const TileAmplifiers& amplifiers, double read_voltage) {
    const double unit = unit_of(tile, amplifiers, read_voltage);
    const Index at = tile.reference_bit_line().value();
    TileReadout result{Eigen::MatrixXd::Zero(1, tile.rows()), Eigen::VectorXd::Zero(1)};
    for (std::size_t i = 0; i < outputs.slope.size(); ++i) {
        result.transfer += outputs.slope[i].row(at);
        result.offset(0) -= outputs.constant[i](at) / unit;
    }
    // Shares of it are subtracted before the hold stage, whose pedestal is added once.
    SampleHold hold = amplifiers.circuit.hold;
    hold.pedestal = 0;
    return held(std::move(result), hold, -1 / unit);
}

double sample_noise(const TileSettings& settings, const LinearReadout& readout, double feedback) {
    if (!readout.circuit.hold.is_there()) return 0;
    return readout.circuit.hold.noise() /
           (feedback * settings.device.span() * readout.read_voltage);
}

double layer_feedback(const Graph& graph, std::size_t layer, const TileSettings& settings,
                      const LinearReadout& readout) {
    if (readout.circuit.feedback_resistance > 0) return readout.circuit.feedback_resistance;
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    double largest = 0;  // [S]
    for (const TilePlace& place : tile_places(tiling)) {
        const Tile tile(weight_block(graph, layer, settings, place.row, place.column, place.slice),
                        settings);
        for (const Crossbar& array : tile.arrays())
            largest = std::max(largest,
                               array.conductance().topRows(tile.rows()).colwise().sum().maxCoeff());
    }
    return default_feedback_resistance(readout.circuit.amplifier, readout.read_voltage * largest);
}

}  // namespace kirchnet::detail
