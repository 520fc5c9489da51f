// Slopes m of the cubic spline through (x, y), h_i = x_(i+1) - x_i, d_i = (y_(i+1) - y_i) / h_i:
//     h_i m_(i-1) + 2 (h_(i-1) + h_i) m_i + h_(i-1) m_(i+1) = 3 (h_i d_(i-1) + h_(i-1) d_i)
// with the not-a-knot ends of de Boor, A Practical Guide to Splines (1978), chapter IV; held to
// 0 <= m <= 3 min(d_(i-1), d_i) along voltage, where a piece is then monotone (Fritsch and Carlson,
// SIAM J. Numer. Anal. 17, 1980).
#include "circuit/characterised_cell.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// D with m = D y: slopes at the knots of the spline through y.
MatrixXd spline_slopes(const VectorXd& x) {
    const Index n = x.size();
    const VectorXd h = x.tail(n - 1) - x.head(n - 1);
    MatrixXd A = MatrixXd::Zero(n, n);
    MatrixXd B = MatrixXd::Zero(n, n);  // right-hand side in terms of y
    const auto add_secant = [&](Index row, Index i, double factor) {
        B(row, i) -= factor / h(i);
        B(row, i + 1) += factor / h(i);
    };
    for (Index i = 1; i + 1 < n; ++i) {
        A(i, i - 1) = h(i);
        A(i, i) = 2 * (h(i - 1) + h(i));
        A(i, i + 1) = h(i - 1);
        add_secant(i, i - 1, 3 * h(i));
        add_secant(i, i, 3 * h(i - 1));
    }
    const auto end = [&](Index row, Index next, Index first, Index second) {
        const double sum = h(first) + h(second);
        A(row, row) = h(second);
        A(row, next) = sum;
        add_secant(row, first, (h(first) + 2 * sum) * h(second) / sum);
        add_secant(row, second, h(first) * h(first) / sum);
    };
    end(0, 1, 0, 1);
    end(n - 1, n - 2, n - 2, n - 3);
    return A.partialPivLu().solve(B);
}

/// Holds slopes where a rising curve would fall between its points.
void hold_monotone(const VectorXd& x, const VectorXd& y, Eigen::Ref<VectorXd> m) {
    const Index n = x.size();
    for (Index i = 0; i < n; ++i) {
        const double left = i > 0 ? (y(i) - y(i - 1)) / (x(i) - x(i - 1)) : HUGE_VAL;
        const double right = i + 1 < n ? (y(i + 1) - y(i)) / (x(i + 1) - x(i)) : HUGE_VAL;
        m(i) = std::clamp(m(i), 0.0, 3 * std::max(0.0, std::min(left, right)));
    }
}

/// Cubic Hermite weights of (y0, m0 h, y1, m1 h) at t in [0, 1], and of their slopes.
struct Weights {
    double y0, m0, y1, m1;
};
Weights weights(double t) {
    const double r = 1 - t;
    return {(1 + 2 * t) * r * r, t * r * r, t * t * (3 - 2 * t), -t * t * r};
}
Weights slopes(double t) {
    const double bump = 6 * t * (t - 1);
    return {bump, (1 - t) * (1 - 3 * t), -bump, t * (3 * t - 2)};
}

/// The piece a place lies on: i with x_i <= place < x_(i+1), or the first or last one.
Index piece_at(const VectorXd& x, double place) {
    const double* first = x.data() + 1;
    const double* last = x.data() + x.size() - 1;
    return std::upper_bound(first, last, place) - first;
}

Index place_of(const VectorXd& values, double wanted) {
    Index at = 0;
    (values.array() - wanted).abs().minCoeff(&at);
    return at;
}

}  // namespace

VectorXd CellSurface::conductance() const {
    return current.col(place_of(voltage, read_voltage)) / read_voltage;
}

CellSurface::Asymmetry CellSurface::asymmetry() const {
    constexpr double same = 1e-9;  // [V]
    Asymmetry worst;
    for (Index j = 0; j < voltage.size(); ++j) {
        const Index other = place_of(voltage, -voltage(j));
        if (!(voltage(j) > same) || std::abs(voltage(other) + voltage(j)) > same) continue;
        for (Index k = 0; k < state.size(); ++k) {
            const double forward = current(k, j);
            const double backward = current(k, other);
            const double size = std::max(std::abs(forward), std::abs(backward));
            const double share = size > 0 ? std::abs(forward + backward) / size : 0;
            if (share > worst.share) worst = {share, voltage(j), forward, backward};
        }
    }
    return worst;
}

bool operator==(const CellSurface& x, const CellSurface& y) {
    return x.cell == y.cell && x.read_voltage == y.read_voltage &&
           x.voltage.size() == y.voltage.size() && x.state.size() == y.state.size() &&
           x.voltage == y.voltage && x.state == y.state && x.current == y.current;
}

SurfaceLaw::SurfaceLaw(std::string name, CellSurface surface)
    : name_(std::move(name)), surface_(std::move(surface)) {
    check_surface();
    const VectorXd& v = surface_.voltage;
    surface_.current.col(place_of(v, 0)).setZero();  // to rounding it was
    const VectorXd g = surface_.conductance();
    log_conductance_ = g.array().log();
    f_ = g.cwiseInverse().asDiagonal() * surface_.current;
    f_.col(place_of(v, surface_.read_voltage)).setConstant(surface_.read_voltage);
    f_v_ = f_ * spline_slopes(v).transpose();
    for (Index k = 0; k < f_.rows(); ++k) {
        VectorXd m = f_v_.row(k);
        hold_monotone(v, f_.row(k), m);
        f_v_.row(k) = m;
    }
    const MatrixXd along_u = spline_slopes(log_conductance_);
    f_u_ = along_u * f_;
    f_u_.col(place_of(v, surface_.read_voltage)).setZero();
    f_uv_ = along_u * f_v_;
    state_slope_ = along_u * surface_.state;
    check_patches();
}

void SurfaceLaw::check_surface() const {
    const auto refuse = [&](const std::string& problem) { throw InvalidInput(name_, problem); };
    const VectorXd& v = surface_.voltage;
    const MatrixXd& I = surface_.current;
    if (v.size() < 4 || surface_.state.size() < 4)
        refuse(fmt::format("{} voltages and {} states; a table takes 4 of each at least", v.size(),
                           surface_.state.size()));
    if (I.rows() != surface_.state.size() || I.cols() != v.size())
        refuse(fmt::format("{} x {} currents for {} states and {} voltages", I.rows(), I.cols(),
                           surface_.state.size(), v.size()));
    if (!v.allFinite() || !I.allFinite() || !surface_.state.allFinite())
        refuse("holds a value that is not finite");
    for (Index j = 0; j + 1 < v.size(); ++j)
        if (!(v(j) < v(j + 1))) refuse(fmt::format("voltages do not rise after {} V", v(j)));
    if (!(surface_.read_voltage > 0) ||
        v(place_of(v, surface_.read_voltage)) != surface_.read_voltage || v(place_of(v, 0)) != 0)
        refuse("0 V and the read voltage are not among its voltages");
    const VectorXd g = surface_.conductance();
    constexpr double rounding = 1e-9;
    for (Index k = 0; k < g.size(); ++k) {
        if (!(g(k) > 0) || (k > 0 && !(g(k) > g(k - 1))))
            refuse(fmt::format("conductance at {} V does not rise at state {}: {} S",
                               surface_.read_voltage, surface_.state(k), g(k)));
        const double read = g(k) * surface_.read_voltage;
        if (!(std::abs(I(k, place_of(v, 0))) <= 1e-6 * read))
            refuse(fmt::format("state {} carries {} A at 0 V", surface_.state(k),
                               I(k, place_of(v, 0))));
        for (Index j = 0; j + 1 < v.size(); ++j)
            if (!(I(k, j + 1) - I(k, j) >= -rounding * read))
                refuse(fmt::format("state {} has a negative slope from {} to {} V: {} A, then {} A",
                                   surface_.state(k), v(j), v(j + 1), I(k, j), I(k, j + 1)));
    }
}

/// Rows are monotone by their slopes; what is blended between them is tested at some places.
void SurfaceLaw::check_patches() const {
    constexpr double rounding = 1e-9;
    for (Index k = 0; k + 1 < f_.rows(); ++k)
        for (Index j = 0; j + 1 < f_.cols(); ++j)
            for (const double t : {0.25, 0.5, 0.75})
                for (const double s : {0.0, 0.25, 0.5, 0.75, 1.0})
                    if (!(inner_value({k, t, j, s, 0}).slope >= -rounding))
                        throw InvalidInput(
                            name_, fmt::format("falls between states {} and {} from {} to {} V "
                                               "where it is interpolated; take more states and "
                                               "voltages",
                                               surface_.state(k), surface_.state(k + 1),
                                               surface_.voltage(j), surface_.voltage(j + 1)));
}

SurfaceLaw::Place SurfaceLaw::locate(double conductance, double voltage) const {
    const VectorXd& v = surface_.voltage;
    const double u = std::log(conductance);
    const Index k = piece_at(log_conductance_, u);
    const double inside = std::clamp(voltage, v(0), v(v.size() - 1));
    const Index j = piece_at(v, inside);
    return {k, (u - log_conductance_(k)) / (log_conductance_(k + 1) - log_conductance_(k)), j,
            (inside - v(j)) / (v(j + 1) - v(j)), voltage - inside};
}

/// What there is at the place, beyond the voltages left aside.
SurfaceLaw::Value SurfaceLaw::inner_value(const Place& at, Along log_conductance) const {
    const Index k = at.k;
    const Index j = at.j;
    const double du = log_conductance_(k + 1) - log_conductance_(k);
    const double dv = surface_.voltage(j + 1) - surface_.voltage(j);
    const Weights u = log_conductance == Along::value ? weights(at.t) : slopes(at.t);
    const double unit = log_conductance == Along::value ? 1 : 1 / du;
    // Along ln g first: values and slopes at both ends of the piece along v.
    const auto blend = [&](const MatrixXd& y, const MatrixXd& m, Index column) {
        return unit * (u.y0 * y(k, column) + u.m0 * du * m(k, column) + u.y1 * y(k + 1, column) +
                       u.m1 * du * m(k + 1, column));
    };
    const double y0 = blend(f_, f_u_, j);
    const double y1 = blend(f_, f_u_, j + 1);
    const double m0 = blend(f_v_, f_uv_, j) * dv;
    const double m1 = blend(f_v_, f_uv_, j + 1) * dv;
    const Weights w = weights(at.s);
    const Weights d = slopes(at.s);
    return {w.y0 * y0 + w.m0 * m0 + w.y1 * y1 + w.m1 * m1,
            (d.y0 * y0 + d.m0 * m0 + d.y1 * y1 + d.m1 * m1) / dv};
}

SurfaceLaw::Value SurfaceLaw::value(double conductance, double voltage) const {
    const Place place = locate(conductance, voltage);
    Value at = inner_value(place);
    at.slope = std::max(at.slope, 0.0);
    at.f += at.slope * place.beyond;
    return at;
}

/// I = g f(v, ln g): dI/dg = f + df/d(ln g).
double SurfaceLaw::slope_along_conductance(double conductance, double voltage) const {
    const Place place = locate(conductance, voltage);
    const Value at = value(conductance, voltage);
    const Value along = inner_value(place, Along::slope);
    return at.f + along.f + (at.slope > 0 ? along.slope * place.beyond : 0);
}

double SurfaceLaw::state_for(double conductance) const {
    const double u = std::log(conductance);
    const Index k = piece_at(log_conductance_, u);
    const double du = log_conductance_(k + 1) - log_conductance_(k);
    const Weights w = weights((u - log_conductance_(k)) / du);
    return w.y0 * surface_.state(k) + w.m0 * du * state_slope_(k) + w.y1 * surface_.state(k + 1) +
           w.m1 * du * state_slope_(k + 1);
}

double SurfaceLaw::reach() const {
    return std::min(-surface_.voltage(0), surface_.voltage(surface_.voltage.size() - 1));
}

ConductanceRange SurfaceLaw::conductances() const {
    constexpr double rounding = 1e-12;
    const VectorXd g = surface_.conductance();
    return {g(0) * (1 - rounding), g(g.size() - 1) * (1 + rounding)};
}

void SurfaceLaw::current(std::span<const double> conductance, std::span<const double> voltage,
                         std::span<double> current) const {
    for (std::size_t i = 0; i < voltage.size(); ++i)
        current[i] = conductance[i] == 0 ? 0 : conductance[i] * value(conductance[i], voltage[i]).f;
}

void SurfaceLaw::derivative(std::span<const double> conductance, std::span<const double> voltage,
                            std::span<double> slope) const {
    for (std::size_t i = 0; i < voltage.size(); ++i)
        slope[i] =
            conductance[i] == 0 ? 0 : conductance[i] * value(conductance[i], voltage[i]).slope;
}

void SurfaceLaw::conductance_slope(std::span<const double> conductance,
                                   std::span<const double> voltage, std::span<double> slope) const {
    // A cell of 0 S begins to conduct as the least conducting one does per siemens.
    const double least = surface_.conductance()(0);
    for (std::size_t i = 0; i < voltage.size(); ++i)
        slope[i] = conductance[i] == 0 ? value(least, voltage[i]).f
                                       : slope_along_conductance(conductance[i], voltage[i]);
}

const SurfaceLaw* surface_of(const CellLaw& law) {
    return dynamic_cast<const SurfaceLaw*>(law.custom_law());
}

}  // namespace kirchnet
