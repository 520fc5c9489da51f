// Arrays meet in their tile's subtractors alone: each is solved for itself, arrays of side a before
// those of side b that a current-mode pair feeds.
#include "nn/detail/readout_swing.hpp"

#include <algorithm>
#include <utility>

#include "circuit/amplifier_law.hpp"

namespace kirchnet::detail {
namespace {

bool is_current_mode(const Tile& tile, const TileAmplifiers& amplifiers) {
    return tile.has_subtractors() && amplifiers.circuit.kind == SubtractorKind::current_mode;
}

LineAmplifiers lines_of(const Tile& tile, std::size_t array, const TileAmplifiers& amplifiers) {
    const auto& columns = amplifiers.columns[array];
    const auto n = static_cast<Index>(columns.size());
    LineAmplifiers lines{amplifiers.circuit.amplifier, Eigen::VectorXd(n), Eigen::VectorXd(n),
                         Eigen::VectorXd::Zero(n), std::vector<Index>(columns.size(), -1)};
    for (Index c = 0; c < n; ++c) {
        lines.feedback(c) = 1 / columns[static_cast<std::size_t>(c)].feedback;
        lines.offset(c) = columns[static_cast<std::size_t>(c)].offset;
    }
    if (!is_current_mode(tile, amplifiers)) return lines;
    for (Index j = 0; j < tile.outputs(); ++j) {
        const TileColumn a = tile.column(j, Polarity::a);
        const TileColumn b = tile.column(j, Polarity::b);
        if (b.array != array) continue;
        lines.coupling(b.bit_line) = 1 / amplifiers.pair(j).coupling;
        if (a.array == array) lines.fed_by[static_cast<std::size_t>(b.bit_line)] = a.bit_line;
    }
    return lines;
}

}  // namespace

double reading_per_volt(const Tile& tile, const TileAmplifiers& amplifiers, double read_voltage) {
    const double unit =
        amplifiers.circuit.feedback_resistance * tile.settings().device.span() * read_voltage;
    return (is_current_mode(tile, amplifiers) ? 1 : -1) / unit;
}

SwingReadout::SwingReadout(const Tile& tile, const std::vector<ArrayPorts>& ports,
                           const TileAmplifiers& amplifiers)
    : amplifier_(amplifiers.circuit.amplifier),
      kind_(amplifiers.circuit.kind),
      has_subtractors_(tile.has_subtractors()),
      pairs_(amplifiers.pairs) {
    for (std::size_t i = 0; i < ports.size(); ++i)
        arrays_.emplace_back(ports[i], tile.rows(), lines_of(tile, i, amplifiers));
    for (Index j = 0; j < tile.outputs(); ++j) {
        positive_.push_back(tile.column(j, Polarity::a));
        if (tile.has_pairs()) negative_.push_back(tile.column(j, Polarity::b));
    }
}

Index SwingReadout::amplifiers() const {
    const bool has_own = has_subtractors_ && kind_ == SubtractorKind::difference;
    return static_cast<Index>(positive_.size() + negative_.size() + (has_own ? pairs_.size() : 0));
}

Eigen::MatrixXd SwingReadout::fed_from_before(std::size_t array,
                                              const std::vector<LineOutputs>& lines) const {
    if (!has_subtractors_ || kind_ != SubtractorKind::current_mode || array == 0) return {};
    Eigen::MatrixXd fed =
        Eigen::MatrixXd::Zero(lines.front().voltage.rows(), lines.front().voltage.cols());
    for (std::size_t j = 0; j < negative_.size(); ++j)
        if (negative_[j].array == array && positive_[j].array != array)
            fed.row(negative_[j].bit_line) =
                lines[positive_[j].array].voltage.row(positive_[j].bit_line);
    return fed;
}

void SwingReadout::subtract(SwingOutputs& outputs) const {
    const Index inputs = outputs.a.cols();
    const auto first = static_cast<Index>(positive_.size() + negative_.size());
    Eigen::MatrixXd difference(outputs.a.rows(), inputs);
    for (Index j = 0; j < difference.rows(); ++j)
        for (Index i = 0; i < inputs; ++i) {
            const AmplifierPoint point = difference_output(
                amplifier_, pairs_[static_cast<std::size_t>(j)], outputs.a(j, i), outputs.b(j, i));
            difference(j, i) = point.output;
            outputs.saturated(first + j, i) = point.is_saturated();
        }
    outputs.a = std::move(difference);
}

SwingOutputs SwingReadout::solve(const Eigen::MatrixXd& voltages) const {
    const Index inputs = voltages.cols();
    std::vector<LineOutputs> lines;
    SwingOutputs outputs;
    outputs.iterations.assign(static_cast<std::size_t>(inputs), 0);
    for (std::size_t i = 0; i < arrays_.size(); ++i) {
        lines.push_back(arrays_[i].solve(voltages, fed_from_before(i, lines)));
        outputs.residual = std::max(outputs.residual, lines.back().residual);
        for (std::size_t k = 0; k < outputs.iterations.size(); ++k)
            outputs.iterations[k] = std::max(outputs.iterations[k], lines.back().iterations[k]);
    }
    outputs.saturated.setConstant(amplifiers(), inputs, false);
    const auto take = [&](const std::vector<TileColumn>& columns, Index first) {
        Eigen::MatrixXd side(static_cast<Index>(columns.size()), inputs);
        for (Index j = 0; j < side.rows(); ++j) {
            const TileColumn& at = columns[static_cast<std::size_t>(j)];
            side.row(j) = lines[at.array].voltage.row(at.bit_line);
            outputs.saturated.row(first + j) =
                lines[at.array].slope.row(at.bit_line).array() < saturated_below;
        }
        return side;
    };
    outputs.a = take(positive_, 0);
    outputs.b = take(negative_, outputs.a.rows());
    if (!has_subtractors_) return outputs;
    if (kind_ == SubtractorKind::difference)
        subtract(outputs);
    else
        outputs.a = outputs.b;  // the second amplifier of a pair gives the difference itself
    outputs.b.resize(0, 0);
    return outputs;
}

}  // namespace kirchnet::detail
