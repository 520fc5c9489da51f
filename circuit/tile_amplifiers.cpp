#include "circuit/tile_amplifiers.hpp"

#include <algorithm>
#include <cmath>

#include "circuit/ideal_solver.hpp"

namespace kirchnet {
namespace {

PaddingCell place_of(const Tile& tile, std::size_t array, Index bit_line) {
    const WeightBlock& block = tile.block();
    return {static_cast<std::int32_t>(block.tile_row),
            static_cast<std::int32_t>(block.tile_column),
            0,
            static_cast<std::int32_t>(bit_line),
            polarity_of(tile.arrays()[array].pattern(), bit_line),
            block.slice};
}

ConverterPlace place_of(const Tile& tile, Polarity side) {
    const WeightBlock& block = tile.block();
    return {static_cast<std::int32_t>(block.tile_row), static_cast<std::int32_t>(block.tile_column),
            block.slice, side};
}

/// Adds hold stages and converters of one side, or of what subtractors give.
void draw_conversions(const Tile& tile, const LinearReadout& readout, Polarity side,
                      TileAmplifiers& drawn) {
    const OutputAdc& adc = readout.circuit.adc;
    // Of what stands for weights times inputs: amplifiers invert it.
    const double sign =
        tile.has_subtractors() && readout.circuit.kind == SubtractorKind::current_mode ? 1 : -1;
    const Adc of_slice =
        adc.is_there() ? adc.adc.at(static_cast<std::size_t>(tile.block().slice)) : Adc();
    const double lsb = of_slice.lsb() * drawn.circuit.feedback_resistance;
    const ConverterDraws draws(readout.seed, readout.trial, tile.block().layer);
    const ConverterPlace place = place_of(tile, side);
    auto& conversions = drawn.conversions.emplace_back();
    for (std::size_t j = 0; j < static_cast<std::size_t>(tile.outputs()); ++j) {
        OutputConversion& of = conversions.emplace_back();
        const std::size_t k = j / outputs_per_noise;
        if (readout.circuit.hold.is_noisy())
            of.hold_noise = sign * readout.circuit.hold.noise() *
                            draws.hold_noise(place, readout.reading, k)[j % outputs_per_noise];
        if (!adc.is_there()) continue;
        const DrawnAdc own =
            draws.adc(adc.errors, place, j / static_cast<std::size_t>(adc.columns_per_adc));
        of.gain = sign * own.gain;
        of.offset = own.offset * lsb;
        if (adc.errors.noise > 0)
            of.noise = adc.errors.noise * lsb *
                       draws.adc_noise(place, readout.reading, k)[j % outputs_per_noise];
    }
    if (adc.is_there()) drawn.range = {of_slice.lowest_code() * lsb, of_slice.highest_code() * lsb};
}

}  // namespace

TileAmplifiers draw_amplifiers(const Tile& tile, const LinearReadout& readout, double feedback) {
    check(readout);
    const WeightBlock& block = tile.block();
    TileAmplifiers drawn{readout.circuit, {}, {}, {}, {}, true};
    drawn.circuit.feedback_resistance = feedback;
    for (std::size_t i = 0; i < tile.arrays().size(); ++i) {
        auto& columns = drawn.columns.emplace_back();
        for (Index c = 0; c < tile.arrays()[i].shape().bit_lines; ++c)
            columns.push_back(draw_amplifier(readout, block.layer, place_of(tile, i, c), feedback));
    }
    if (tile.has_subtractors())
        for (Index j = 0; j < tile.outputs(); ++j)
            drawn.pairs.push_back(draw_subtractor(
                readout, block.layer, static_cast<std::int32_t>(block.tile_row),
                static_cast<std::int32_t>(block.first_output_channel + j), feedback));
    if (readout.circuit.hold.is_there() || readout.circuit.adc.is_there()) {
        draw_conversions(tile, readout, Polarity::a, drawn);
        if (tile.has_pairs() && !tile.has_subtractors())
            draw_conversions(tile, readout, Polarity::b, drawn);
    }
    drawn.is_uniform =
        readout.mismatch == 0 && readout.feedback_mismatch == 0 && readout.offset_deviation == 0;
    return drawn;
}

double largest_column_current(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    double largest = 0;
    for (std::size_t i = 0; i < tile.arrays().size(); ++i) {
        const Crossbar& array = tile.arrays()[i];
        Eigen::VectorXd all = Eigen::VectorXd::Zero(array.shape().word_lines);
        all.head(inputs.size()) = inputs;
        const Eigen::MatrixXd current = IdealSolver().solve(array, all, Voltages::skip).current;
        for (Index c = 0; c < current.rows(); ++c)
            if (output_of(tile, i, c)) largest = std::max(largest, std::abs(current(c, 0)));
    }
    return largest;
}

std::optional<Index> output_of(const Tile& tile, std::size_t array, Index bit_line) {
    const bool is_shared = tile.arrays()[array].pattern() == ColumnPattern::interleaved;
    const Index output = is_shared ? bit_line / 2 : bit_line;
    if (output < tile.outputs()) return output;
    return std::nullopt;
}

}  // namespace kirchnet
