#include "solver/detail/padded_crossbar.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kirchnet::detail {
namespace {

// Stands for zero resistance [S]. Beside at most 1e100 S it is a merged net to the last bit.
constexpr double short_circuit = 1e200;
constexpr double largest_conductance = 1e100;

/// Infinite for 0 ohm of either sign.
double inverse(double resistance) {
    return 1 / std::abs(resistance);
}

double conductance_of(double resistance) {
    const double g = inverse(resistance);
    return std::isinf(g) ? short_circuit : g;
}

/// Largest finite conductance among these resistances.
double largest_finite(const CellMatrix& resistance) {
    double largest = 0;
    for (const double r : resistance.reshaped())
        if (const double g = inverse(r); std::isfinite(g)) largest = std::max(largest, g);
    return largest;
}

}  // namespace

bool is_in_reach(const Crossbar& crossbar) {
    const Wires& wires = crossbar.wires();
    if (!wires.bridges.empty()) return false;
    const double largest = std::max(
        {crossbar.conductance().maxCoeff(), largest_finite(wires.word_line_segment.values()),
         largest_finite(wires.bit_line_segment.values()), largest_finite(wires.driver.values()),
         largest_finite(wires.sense.values())});
    return largest <= largest_conductance;
}

OuterPorts outer_ports(const Crossbar& crossbar) {
    return {crossbar.wires().senses_top(), crossbar.wires().drives_right()};
}

ArrayShape covered_shape(const ArrayShape& shape, const OuterPorts& outer) {
    return {shape.word_lines + (outer.top ? 1 : 0), shape.bit_lines + (outer.right ? 1 : 0)};
}

PaddedCrossbar::PaddedCrossbar(const PortPlan& plan)
    : outer_(plan.outer),
      rows_(plan.leaf_rows * leaf_side),
      stride_(plan.leaf_columns * leaf_side),
      first_row_(rows_ - static_cast<std::size_t>(plan.shape.word_lines) + (outer_.top ? 1 : 0)),
      cell_(rows_ * stride_),
      left_(rows_ * stride_),
      below_(rows_ * stride_) {
    for (const AlignedBuffer* buffer : {&cell_, &left_, &below_})
        std::fill_n(buffer->data(), buffer->size(), 0.0);
}

PaddedArray PaddedCrossbar::view() const {
    return {cell_.data(), left_.data(), below_.data(), stride_};
}

void PaddedCrossbar::fill(const Crossbar& crossbar) {
    fill_cells(crossbar);
    for (Index r = 0; r < crossbar.shape().word_lines; ++r) {
        fill_word_line(crossbar, r);
        fill_bit_segments(crossbar, r);
    }
    if (outer_.top || outer_.right) fill_terminals(crossbar);
}

void PaddedCrossbar::fill_cells(const Crossbar& crossbar) {
    const CellMatrix& G = crossbar.conductance();
    for (Index r = 0; r < G.rows(); ++r)
        std::copy_n(&G(r, 0), G.cols(), cell_.data() + row_of(r) * stride_);
}

void PaddedCrossbar::fill_word_line(const Crossbar& crossbar, Index r) {
    const LineResistance& segment = crossbar.wires().word_line_segment;
    double* const left = left_.data() + row_of(r) * stride_;
    const Index n = crossbar.shape().bit_lines;
    if (segment.values().cols() == 1)
        std::fill_n(left, n, conductance_of(segment(r)));
    else
        for (Index c = 1; c < n; ++c) left[c] = conductance_of(segment(r, c));
    left[0] = conductance_of(crossbar.word_line_resistance(r, 0));
}

void PaddedCrossbar::fill_bit_segments(const Crossbar& crossbar, Index r) {
    const LineResistance& segment = crossbar.wires().bit_line_segment;
    double* const below = below_.data() + row_of(r) * stride_;
    const auto [m, n] = crossbar.shape();
    if (r + 1 < m && segment.is_uniform())
        std::fill_n(below, n, conductance_of(segment(0)));
    else
        for (Index c = 0; c < n; ++c) below[c] = conductance_of(crossbar.bit_line_resistance(r, c));
}

/// A word line of nothing but read-out inputs above the array, a bit line of nothing but drivers
/// right of it; padding beyond them joins them to the array's outer ports.
void PaddedCrossbar::fill_terminals(const Crossbar& crossbar) {
    const auto [m, n] = crossbar.shape();
    for (Index c = 0; outer_.top && c < n; ++c)
        for (std::size_t row = 0; row < first_row_; ++row)
            below_.data()[row * stride_ + static_cast<std::size_t>(c)] =
                row + 1 == first_row_ ? conductance_of(crossbar.top_end_resistance(c))
                                      : short_circuit;
    for (Index r = 0; outer_.right && r < m; ++r)
        for (auto column = static_cast<std::size_t>(n); column < stride_; ++column)
            left_.data()[row_of(r) * stride_ + column] =
                column == static_cast<std::size_t>(n)
                    ? conductance_of(crossbar.right_end_resistance(r))
                    : short_circuit;
}

}  // namespace kirchnet::detail
