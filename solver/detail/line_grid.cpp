// Elimination of a line node by node: what leads from node k to anywhere but node k + 1 is
//     leak_k = kappa g_k + wire_(k-1) leak_(k-1) / (leak_(k-1) + wire_(k-1)),
// its pivot leak_k + wire_k. Sums of positive terms alone, so no digit is lost however much better
// than a cell a wire conducts.
#include "solver/detail/line_grid.hpp"

#include <algorithm>
#include <cmath>

namespace kirchnet::detail {
namespace {

double conductance_of(double resistance) {
    return 1 / std::abs(resistance);
}

std::size_t at(Index x) {
    return static_cast<std::size_t>(x);
}

void custom_current(const void* law, const double* g, const double* v, double* i,
                    std::size_t size) {
    static_cast<const CustomCellLaw*>(law)->current({g, size}, {v, size}, {i, size});
}

void custom_derivative(const void* law, const double* g, const double* v, double* s,
                       std::size_t size) {
    static_cast<const CustomCellLaw*>(law)->derivative({g, size}, {v, size}, {s, size});
}

}  // namespace

WireConductances::WireConductances(const Crossbar& crossbar)
    : rows(at(crossbar.shape().word_lines)), columns(at(crossbar.shape().bit_lines)) {
    const auto m = crossbar.shape().word_lines;
    const auto n = crossbar.shape().bit_lines;
    word.resize(at(m * (n + 1)));
    bit.resize(at((m + 1) * n));
    for (Index r = 0; r < m; ++r) {
        for (Index c = 0; c < n; ++c) {
            word[at(r * (n + 1) + c)] = conductance_of(crossbar.word_line_resistance(r, c));
            bit[at((r + 1) * n + c)] = conductance_of(crossbar.bit_line_resistance(r, c));
        }
        word[at(r * (n + 1) + n)] = conductance_of(crossbar.right_end_resistance(r));
    }
    for (Index c = 0; c < n; ++c) bit[at(c)] = conductance_of(crossbar.top_end_resistance(c));
}

bool WireConductances::has_merged() const {
    const auto is_merged = [](double g) { return std::isinf(g); };
    return std::any_of(word.begin(), word.end(), is_merged) ||
           std::any_of(bit.begin(), bit.end(), is_merged);
}

bool WireConductances::has_open() const {
    for (std::size_t r = 0; r < rows; ++r) {
        const double* wire = word.data() + r * (columns + 1);
        if (wire[0] == 0 && wire[columns] == 0) return true;
        if (std::find(wire + 1, wire + columns, 0.0) != wire + columns) return true;
    }
    for (std::size_t c = 0; c < columns; ++c)
        if (bit[c] == 0 && bit[rows * columns + c] == 0) return true;
    const double* inner_end = bit.data() + rows * columns;
    return std::find(bit.data() + columns, inner_end, 0.0) != inner_end;
}

FactorizedLines::FactorizedLines(const Crossbar& crossbar, WireConductances wires, double slope)
    : crossbar_(crossbar),
      wires_(std::move(wires)),
      slope_(slope),
      rows_(at(crossbar.shape().word_lines)),
      columns_(at(crossbar.shape().bit_lines)),
      word_(rows_ * columns_),
      down_(rows_ * columns_),
      up_(rows_ * columns_) {
    factor_word_lines();
    factor_bit_lines(downwards);
    factor_bit_lines(upwards);
}

void FactorizedLines::factor_word_lines() {
    const double* g = crossbar_.conductance().data();
    for (std::size_t r = 0; r < rows_; ++r) {
        const double* wire = wires_.word.data() + r * (columns_ + 1);
        double leak = wire[0];
        for (std::size_t c = 0; c < columns_; ++c) {
            const std::size_t k = r * columns_ + c;
            const bool is_last = c + 1 == columns_;
            leak += slope_ * g[k] + (is_last ? wire[columns_] : 0);
            const double onwards = is_last ? 0 : wire[c + 1];
            word_.inverse_pivot[k] = 1 / (leak + onwards);
            word_.coupling[k] = onwards * word_.inverse_pivot[k];
            leak *= word_.coupling[k];
        }
    }
}

/// Bit lines side by side, so that the loop over them has no recurrence.
void FactorizedLines::factor_bit_lines(Direction direction) {
    Factors& factors = direction == downwards ? down_ : up_;
    const double* g = crossbar_.conductance().data();
    std::vector<double> leak(columns_);
    for (std::size_t step = 0; step < rows_; ++step) {
        const std::size_t r = direction == downwards ? step : rows_ - 1 - step;
        const double* above = wires_.bit.data() + r * columns_;
        const double* below = above + columns_;
        const double* behind = direction == downwards ? above : below;
        const double* ahead = direction == downwards ? below : above;
        const bool is_last = step + 1 == rows_;
        for (std::size_t c = 0; c < columns_; ++c) {
            const std::size_t k = r * columns_ + c;
            const double onwards = is_last ? 0 : ahead[c];
            leak[c] += slope_ * g[k] + (step == 0 ? behind[c] : 0) + (is_last ? ahead[c] : 0);
            factors.inverse_pivot[k] = 1 / (leak[c] + onwards);
            factors.coupling[k] = onwards * factors.inverse_pivot[k];
            leak[c] *= factors.coupling[k];
        }
    }
}

LineGrid FactorizedLines::grid() const {
    return {rows_,
            columns_,
            crossbar_.conductance().data(),
            wires_.word.data(),
            wires_.bit.data(),
            word_.view(),
            {down_.view(), up_.view()},
            slope_,
            view_of(crossbar_.law())};
}

LawView view_of(const CellLaw& law) {
    LawView view;
    if (law.custom_law() != nullptr) {
        view.kind = LawView::custom;
        view.context = law.custom_law();
        view.current = custom_current;
        view.derivative = custom_derivative;
    } else if (const auto factor = law.sinh_factor()) {
        view.kind = LawView::sinh;
        view.factor = *factor;
        double term = 1;
        for (int k = 1; k <= 8; ++k) {
            term *= *factor * *factor / ((2.0 * k) * (2.0 * k + 1));
            view.series[k - 1] = term;
        }
    }
    return view;
}

}  // namespace kirchnet::detail
