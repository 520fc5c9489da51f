#include "nonlinear_arrays.hpp"

#include <cmath>
#include <vector>

#include "random_arrays.hpp"

namespace kirchnet::test {

Crossbar sinh_array(const SinhArray& array) {
    Dice dice(array.seed);
    CellMatrix g(array.word_lines, array.bit_lines);
    for (double& x : g.reshaped()) {
        x = dice.log_uniform(array.low, array.high);
        if (dice.chance(array.stuck_on)) x = 1e-2;
    }
    Wires wires;
    wires.word_line_segment = array.segment;
    wires.bit_line_segment = array.segment;
    return Crossbar(std::move(g), wires).with_law(CellLaw::sinh(array.factor));
}

Eigen::MatrixXd positive_inputs(Index word_lines, Index batch, double limit) {
    Dice dice(7);
    Eigen::MatrixXd v(word_lines, batch);
    for (double& x : v.reshaped()) x = dice.uniform(0, limit);
    return v;
}

double series_current(double g, double a, double resistance, double V) {
    double low = std::min(0.0, V);
    double high = std::max(0.0, V);
    for (int i = 0; i < 2000 && low < high; ++i) {
        const double v = low + (high - low) / 2;
        if (v == low || v == high) break;
        (v + resistance * g * std::sinh(a * v) / a < V ? low : high) = v;
    }
    return (V - low) / resistance;
}

namespace {

/// Flow along one branch; joins nodes of 0 ohm by leaving their exchange out of both sums.
class Balance {
  public:
    explicit Balance(Index nodes) : parent_(static_cast<std::size_t>(nodes)), inflow_(nodes) {
        for (std::size_t i = 0; i < parent_.size(); ++i) parent_[i] = static_cast<Index>(i);
        inflow_.setZero();
    }
    void flow(Index from, Index to, double current) {
        if (std::isnan(current)) return;
        inflow_(from) -= current;
        inflow_(to) += current;
        largest_ = std::max(largest_, std::abs(current));
    }
    void join(Index x, Index y) { parent_[root(x)] = static_cast<Index>(root(y)); }
    /// Over nets without a terminal, which are the nodes from `terminals` on.
    [[nodiscard]] double worst(Index terminals) {
        Eigen::VectorXd net = Eigen::VectorXd::Zero(inflow_.size());
        std::vector<bool> is_terminal(parent_.size(), false);
        for (Index i = 0; i < inflow_.size(); ++i) {
            net(static_cast<Index>(root(i))) += inflow_(i);
            if (i >= terminals) is_terminal[root(i)] = true;
        }
        double worst = 0;
        for (Index i = 0; i < net.size(); ++i)
            if (!is_terminal[static_cast<std::size_t>(i)])
                worst = std::max(worst, std::abs(net(i)));
        constexpr double idle = 1e-14;  // [A] below it voltages of 1 V carry no digit of currents
        return largest_ > idle ? worst / largest_ : 0;
    }

  private:
    std::size_t root(Index x) {
        while (parent_[static_cast<std::size_t>(x)] != x) x = parent_[static_cast<std::size_t>(x)];
        return static_cast<std::size_t>(x);
    }
    std::vector<Index> parent_;
    Eigen::VectorXd inflow_;
    double largest_ = 0;
};

}  // namespace

double kirchhoff_residual(const Crossbar& crossbar, const Eigen::VectorXd& input,
                          const CellMatrix& word, const CellMatrix& bit) {
    const Index m = word.rows();
    const Index n = word.cols();
    Balance balance(2 * m * n + m + n);
    const auto word_node = [&](Index r, Index c) { return r * n + c; };
    const auto bit_node = [&](Index r, Index c) { return m * n + r * n + c; };
    const auto source = [&](Index r) { return 2 * m * n + r; };
    const auto ground = [&](Index c) { return 2 * m * n + m + c; };
    const auto wire = [&](Index from, Index to, double drop, double resistance) {
        if (resistance == 0)
            balance.join(from, to);
        else if (!std::isinf(resistance))
            balance.flow(from, to, drop / resistance);
    };
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c) {
            const double left = c == 0 ? input(r) : word(r, c - 1);
            wire(c == 0 ? source(r) : word_node(r, c - 1), word_node(r, c), left - word(r, c),
                 crossbar.word_line_resistance(r, c));
            const double below = r + 1 == m ? 0 : bit(r + 1, c);
            wire(bit_node(r, c), r + 1 == m ? ground(c) : bit_node(r + 1, c), bit(r, c) - below,
                 crossbar.bit_line_resistance(r, c));
            if (crossbar.conductance()(r, c) > 0)
                balance.flow(
                    word_node(r, c), bit_node(r, c),
                    crossbar.law().current(crossbar.conductance()(r, c), word(r, c) - bit(r, c)));
        }
    for (Index r = 0; r < m; ++r)
        wire(source(r), word_node(r, n - 1), input(r) - word(r, n - 1),
             crossbar.right_end_resistance(r));
    for (Index c = 0; c < n; ++c)
        wire(bit_node(0, c), ground(c), bit(0, c), crossbar.top_end_resistance(c));
    return balance.worst(2 * m * n);
}

}  // namespace kirchnet::test
