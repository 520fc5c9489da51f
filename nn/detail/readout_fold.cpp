// With e = V_os A0 / (1 + A0) behind R_f / (1 + A0) at every bit line, a column delivers
// I = T V - e T 1: raising all sources and grounds of an array by one voltage moves no current, so
// its admittance at the bit lines obeys Y_BB 1 = T 1, the sum over all word lines. The amplifiers
// make v = A0 / (1 + A0) (V_os - R_f I) of it, a subtractor v_d = a v_a - b v_b + o, and the
// converter reads -v_d / (R_f (G_on - G_off) V_r).
#include "nn/detail/readout_fold.hpp"

#include <algorithm>

#include "nn/tiling.hpp"

namespace kirchnet::detail {
namespace {

/// A column as its amplifier's output sees it: v = `constant` - `slope` V.
struct ColumnOutput {
    Eigen::RowVectorXd slope;  ///< over the used rows, in units of R_f [S]
    double constant = 0;       ///< [V]
};

ColumnOutput column_output(const Tile& tile, const Eigen::MatrixXd& transfer, Index bit_line,
                           const AmplifierInput& amplifier, double feedback) {
    const auto row = transfer.row(bit_line);
    return {amplifier.gain * row.head(tile.rows()),
            amplifier.output_offset + amplifier.gain * feedback * amplifier.voltage * row.sum()};
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

TileReadout read_side_by_amplifiers(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                                    Polarity side, const LinearReadout& readout, double feedback) {
    const OpAmp& op_amp = readout.circuit.amplifier;
    const AmplifierInput amplifier = amplifier_input(op_amp, feedback);
    const double unit = feedback * tile.settings().device.span() * readout.read_voltage;  // [V]
    TileReadout result{Eigen::MatrixXd(tile.outputs(), tile.rows()),
                       Eigen::VectorXd(tile.outputs())};
    for (Index j = 0; j < tile.outputs(); ++j) {
        const TileColumn at = tile.column(j, side);
        const ColumnOutput out =
            column_output(tile, transfers[at.array], at.bit_line, amplifier, feedback);
        result.transfer.row(j) = out.slope;
        result.offset(j) = -out.constant / unit;
    }
    if (op_amp.offset == 0) result.offset.resize(0);
    return result;
}

TileReadout read_by_amplifiers(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                               const LinearReadout& readout, double feedback) {
    const OpAmp& op_amp = readout.circuit.amplifier;
    const AmplifierInput amplifier = amplifier_input(op_amp, feedback);
    const double unit = feedback * tile.settings().device.span() * readout.read_voltage;  // [V]
    const auto output_of = [&](Index j, Polarity side) {
        const TileColumn at = tile.column(j, side);
        return column_output(tile, transfers[at.array], at.bit_line, amplifier, feedback);
    };
    TileReadout result{Eigen::MatrixXd(tile.outputs(), tile.rows()),
                       Eigen::VectorXd(tile.outputs())};
    for (Index j = 0; j < tile.outputs(); ++j) {
        ColumnOutput total = output_of(j, Polarity::a);
        if (tile.has_pairs()) {
            const SubtractorGains gains = subtractor_gains(
                op_amp,
                draw_bridge(readout, tile.block().layer,
                            static_cast<std::int32_t>(tile.block().tile_row),
                            static_cast<std::int32_t>(tile.block().first_output_channel + j)));
            const ColumnOutput b = output_of(j, Polarity::b);
            total.slope = gains.a * total.slope - gains.b * b.slope;
            total.constant = gains.a * total.constant - gains.b * b.constant + gains.offset;
        }
        result.transfer.row(j) = total.slope;
        result.offset(j) = -total.constant / unit;
    }
    if (op_amp.offset == 0) result.offset.resize(0);
    return result;
}

TileReadout read_reference_ideally(const Tile& tile,
                                   const std::vector<Eigen::MatrixXd>& transfers) {
    TileReadout result{Eigen::MatrixXd::Zero(1, tile.rows())};
    for (const Eigen::MatrixXd& T : transfers)
        result.transfer += T.row(tile.reference_bit_line().value()).head(tile.rows());
    return result;
}

TileReadout read_reference_by_amplifiers(const Tile& tile,
                                         const std::vector<Eigen::MatrixXd>& transfers,
                                         const LinearReadout& readout, double feedback) {
    const AmplifierInput amplifier = amplifier_input(readout.circuit.amplifier, feedback);
    const double unit = feedback * tile.settings().device.span() * readout.read_voltage;  // [V]
    TileReadout result{Eigen::MatrixXd::Zero(1, tile.rows()), Eigen::VectorXd::Zero(1)};
    for (const Eigen::MatrixXd& T : transfers) {
        const ColumnOutput out =
            column_output(tile, T, tile.reference_bit_line().value(), amplifier, feedback);
        result.transfer += out.slope;
        result.offset(0) -= out.constant / unit;
    }
    if (readout.circuit.amplifier.offset == 0) result.offset.resize(0);
    return result;
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
