// 1S1R: inner node x by Newton on Is sinh(x / Vs) - g_m (|v| - x) = 0, convex and rising in x.
// 1T1R: beta / 2 x² - (beta v_ov + g_m) x + g_m v = 0, its smaller root.
// With the access device's own slope d at x, and d_r where the cell was programmed,
// dI/dg_m = (v - x) d / (g_m + d) and dg_m/dg = (g_m / g) (1 + g_m / d_r), so that
//     dI/dg = (I / g) (1 + g_m / d_r) / (1 + g_m / d):
// V_r at the read voltage, and v as g goes to 0.
#include "circuit/series_laws.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/units.hpp"

namespace kirchnet {
namespace {

// What lies closer to the access device's own limit would take a memory element without resistance.
constexpr double most_of_access = 0.999;

void check_positive(const char* law, const char* name, double value) {
    if (!(value > 0) || !std::isfinite(value))
        throw InvalidInput(fmt::format("cell law {}", law),
                           fmt::format("{} = {} is not a finite number above 0", name, value));
}

/// Voltage across a selector in series with g_m at v >= 0.
double selector_voltage(const Selector& s, double element, double v) {
    constexpr int most_steps = 100;
    constexpr double tolerance = 1e-15;
    // The selector alone at the most current there can be: the root lies below, and Newton's method
    // on a convex function comes down to it without passing it.
    double x = std::min(v, s.slope * std::asinh(element * v / s.saturation));
    for (int step = 0; step < most_steps && x > 0; ++step) {
        const double excess = s.saturation * std::sinh(x / s.slope) - element * (v - x);
        const double rise = s.saturation / s.slope * std::cosh(x / s.slope) + element;
        const double next = std::max(0.0, x - excess / rise);
        const bool is_done = std::abs(next - x) <= tolerance * x;
        x = next;
        if (is_done) break;
    }
    return x;
}

/// Current through a selector with x across it, in series with g_m at v >= 0.
double selector_current(const Selector& s, double element, double v, double x) {
    // Of the two, the device that takes more of the voltage tells the current better.
    return 2 * x < v ? element * (v - x) : s.saturation * std::sinh(x / s.slope);
}

/// dI/dg of a cell of two devices that conducts.
/// @param element     g_m [S]
/// @param access      d, slope of the access device where the cell stands [S]
/// @param programmed  d_r, the same where it was programmed [S]
double slope_of_series(double conductance, double current, double element, double access,
                       double programmed) {
    return current / conductance * (1 + element / programmed) * (access / (access + element));
}

}  // namespace

SelectorLaw::SelectorLaw(const Selector& selector) : selector_(selector) {
    check_positive("1s1r", "is", selector.saturation);
    check_positive("1s1r", "vs", selector.slope);
    check_positive("1s1r", "vr", selector.read_voltage);
    check_positive("1s1r", "is sinh(vr / vs)", conductances().most);
}

double SelectorLaw::element_conductance(double conductance) const {
    const double current = conductance * selector_.read_voltage;
    return current /
           (selector_.read_voltage - selector_.slope * std::asinh(current / selector_.saturation));
}

std::string SelectorLaw::name() const {
    return fmt::format("1s1r:is={},vs={},vr={}", format_exact(selector_.saturation),
                       format_exact(selector_.slope), format_exact(selector_.read_voltage));
}

ConductanceRange SelectorLaw::conductances() const {
    return {0, most_of_access * selector_.saturation *
                   std::sinh(selector_.read_voltage / selector_.slope) / selector_.read_voltage};
}

void SelectorLaw::current(std::span<const double> conductance, std::span<const double> voltage,
                          std::span<double> current) const {
    for (std::size_t k = 0; k < voltage.size(); ++k) {
        const double element = element_conductance(conductance[k]);
        const double x = selector_voltage(selector_, element, std::abs(voltage[k]));
        const double size = selector_current(selector_, element, std::abs(voltage[k]), x);
        current[k] = conductance[k] == 0 ? 0 : std::copysign(size, voltage[k]);
    }
}

void SelectorLaw::derivative(std::span<const double> conductance, std::span<const double> voltage,
                             std::span<double> slope) const {
    for (std::size_t k = 0; k < voltage.size(); ++k) {
        const double element = element_conductance(conductance[k]);
        const double x = selector_voltage(selector_, element, std::abs(voltage[k]));
        const double selector =
            selector_.saturation / selector_.slope * std::cosh(x / selector_.slope);
        slope[k] = conductance[k] == 0 ? 0 : element * selector / (element + selector);
    }
}

void SelectorLaw::conductance_slope(std::span<const double> conductance,
                                    std::span<const double> voltage,
                                    std::span<double> slope) const {
    const Selector& s = selector_;
    for (std::size_t k = 0; k < voltage.size(); ++k) {
        const double g = conductance[k];
        if (g == 0) {
            slope[k] = voltage[k];
            continue;
        }
        const double element = element_conductance(g);
        const double v = std::abs(voltage[k]);
        const double x = selector_voltage(s, element, v);
        const double current = std::copysign(selector_current(s, element, v, x), voltage[k]);
        const double access = s.saturation / s.slope * std::cosh(x / s.slope);
        const double programmed = std::hypot(g * s.read_voltage, s.saturation) / s.slope;
        slope[k] = slope_of_series(g, current, element, access, programmed);
    }
}

TransistorLaw::TransistorLaw(const AccessTransistor& transistor)
    : transistor_(transistor), overdrive_(transistor.gate - transistor.threshold) {
    check_positive("1t1r", "beta", transistor.beta);
    check_positive("1t1r", "vr", transistor.read_voltage);
    if (!(overdrive_ > 0) || !std::isfinite(overdrive_))
        throw InvalidInput("cell law 1t1r",
                           fmt::format("a gate at {} V does not open a transistor with a threshold "
                                       "of {} V",
                                       transistor.gate, transistor.threshold));
}

double TransistorLaw::element_conductance(double conductance) const {
    return conductance * transistor_.read_voltage /
           (transistor_.read_voltage - programmed_voltage(conductance));
}

double TransistorLaw::programmed_voltage(double conductance) const {
    const double half = 2 * (conductance * transistor_.read_voltage) / transistor_.beta;
    return half / (overdrive_ + std::sqrt(std::max(0.0, overdrive_ * overdrive_ - half)));
}

double TransistorLaw::transistor_voltage(double element, double v) const {
    const double beta = transistor_.beta;
    const double B = beta * overdrive_ + element;
    return 2 * element * v / (B + std::sqrt(std::max(0.0, B * B - 2 * beta * element * v)));
}

double TransistorLaw::transistor_current(double x) const {
    const double beta = transistor_.beta;
    return x <= overdrive_ ? beta * (overdrive_ - x / 2) * x : beta / 2 * overdrive_ * overdrive_;
}

std::string TransistorLaw::name() const {
    return fmt::format("1t1r:vg={},vth={},beta={},vr={}", format_exact(transistor_.gate),
                       format_exact(transistor_.threshold), format_exact(transistor_.beta),
                       format_exact(transistor_.read_voltage));
}

ConductanceRange TransistorLaw::conductances() const {
    const double x = std::min(transistor_.read_voltage, overdrive_);
    return {
        0, most_of_access * transistor_.beta * (overdrive_ - x / 2) * x / transistor_.read_voltage};
}

void TransistorLaw::current(std::span<const double> conductance, std::span<const double> voltage,
                            std::span<double> current) const {
    for (std::size_t k = 0; k < voltage.size(); ++k) {
        if (conductance[k] == 0) {
            current[k] = 0;
            continue;
        }
        current[k] =
            transistor_current(transistor_voltage(element_conductance(conductance[k]), voltage[k]));
    }
}

void TransistorLaw::derivative(std::span<const double> conductance, std::span<const double> voltage,
                               std::span<double> slope) const {
    const double beta = transistor_.beta;
    for (std::size_t k = 0; k < voltage.size(); ++k) {
        if (conductance[k] == 0) {
            slope[k] = 0;
            continue;
        }
        const double element = element_conductance(conductance[k]);
        const double B = beta * overdrive_ + element;
        const double x = transistor_voltage(element, voltage[k]);
        slope[k] = x < overdrive_ ? element * beta * (overdrive_ - x) / (B - beta * x) : 0;
    }
}

void TransistorLaw::conductance_slope(std::span<const double> conductance,
                                      std::span<const double> voltage,
                                      std::span<double> slope) const {
    const double beta = transistor_.beta;
    for (std::size_t k = 0; k < voltage.size(); ++k) {
        const double g = conductance[k];
        if (g == 0) {
            slope[k] = voltage[k];
            continue;
        }
        const double element = element_conductance(g);
        const double x = transistor_voltage(element, voltage[k]);
        const double access = beta * std::max(0.0, overdrive_ - x);
        const double programmed = beta * (overdrive_ - programmed_voltage(g));
        slope[k] = slope_of_series(g, transistor_current(x), element, access, programmed);
    }
}

}  // namespace kirchnet
