#include "circuit/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "circuit/error.hpp"
#include "circuit/units.hpp"

namespace kirchnet {
namespace {

// Below it sinh(x) = x to the last bit, and a product a v that has lost bits does no harm.
constexpr double ohmic_below = 1e-8;

double sinh_current(double a, double g, double v) {
    const double x = a * v;
    return std::abs(x) < ohmic_below ? g * v : g * std::sinh(x) / a;
}

/// For a cell that does not conduct, even where sinh overflows.
double zero_if_open(double g, double value) {
    return g == 0 ? 0 : value;
}

void check_sample(const CustomCellLaw& law, double g, double v) {
    const std::array<double, 6> conductance{g, g, g, g, g, 0};
    const std::array<double, 6> voltage{0, v, -v, 2 * v, -2 * v, v};
    std::array<double, 6> current{};
    std::array<double, 6> slope{};
    law.current(conductance, voltage, current);
    law.derivative(conductance, voltage, slope);
    const auto require = [&](bool holds, const char* what) {
        if (!holds)
            throw InvalidInput(fmt::format("cell law {}", law.name()),
                               fmt::format("{} (g = {} S, v = {} V)", what, g, v));
    };
    constexpr double rounding = 1e-12;
    require(current[0] == 0 && current[5] == 0, "must carry no current at 0 V, nor at 0 S");
    if (law.is_odd())
        require(std::abs(current[1] + current[2]) <= rounding * std::abs(current[1]), "is not odd");
    require(current[1] > 0 && current[3] >= current[1] && slope[1] >= 0 && current[2] <= 0 &&
                current[4] <= current[2] && slope[2] >= 0,
            "falls");
    constexpr double slope_tolerance = 1e-6;  // for laws whose parameters were fitted
    if (law.programmed_at() == 0)
        require(std::abs(slope[0] - g) <= slope_tolerance * g, "has another slope at 0 V than g");
}

/// A cell of a law with a read voltage carries g times it.
void check_programming(const CustomCellLaw& law, double g) {
    const double v = law.programmed_at();
    if (v == 0) return;
    double current = 0;
    law.current({&g, 1}, {&v, 1}, {&current, 1});
    constexpr double tolerance = 1e-9;  // of a law's own arithmetic
    if (!(std::abs(current - g * v) <= tolerance * g * v))
        throw InvalidInput(fmt::format("cell law {}", law.name()),
                           fmt::format("carries {} A at the {} V where a cell of {} S was "
                                       "programmed",
                                       current, v, g));
}

}  // namespace

CellLaw CellLaw::sinh(double factor) {
    if (!(factor > 0 && std::isfinite(factor)))
        throw InvalidInput("cell law sinh",
                           fmt::format("factor {} 1/V is not a positive finite number", factor));
    CellLaw law;
    law.factor_ = factor;
    return law;
}

CellLaw CellLaw::custom(std::shared_ptr<const CustomCellLaw> custom) {
    if (custom == nullptr) throw InvalidInput("cell law", "is missing");
    const auto [least, most] = custom->conductances();
    for (const double g : {std::clamp(1e-6, least, most), std::clamp(1e-4, least, most)}) {
        for (const double v : {1e-3, 0.1}) check_sample(*custom, g, std::min(v, custom->reach()));
        check_programming(*custom, g);
    }
    CellLaw law;
    law.custom_ = std::move(custom);
    return law;
}

std::optional<double> CellLaw::sinh_factor() const {
    return factor_ > 0 ? std::optional<double>(factor_) : std::nullopt;
}

double CellLaw::reach() const {
    return custom_ != nullptr ? custom_->reach() : std::numeric_limits<double>::infinity();
}

double CellLaw::programmed_at() const {
    return custom_ != nullptr ? custom_->programmed_at() : 0;
}

ConductanceRange CellLaw::conductances() const {
    return custom_ != nullptr ? custom_->conductances() : ConductanceRange{};
}

void CellLaw::current(std::span<const double> conductance, std::span<const double> voltage,
                      std::span<double> current) const {
    assert(conductance.size() == voltage.size() && voltage.size() == current.size());
    if (custom_ != nullptr) return custom_->current(conductance, voltage, current);
    for (std::size_t i = 0; i < voltage.size(); ++i) {
        const double g = conductance[i];
        current[i] =
            factor_ == 0 ? g * voltage[i] : zero_if_open(g, sinh_current(factor_, g, voltage[i]));
    }
}

void CellLaw::derivative(std::span<const double> conductance, std::span<const double> voltage,
                         std::span<double> slope) const {
    assert(conductance.size() == voltage.size() && voltage.size() == slope.size());
    if (custom_ != nullptr) return custom_->derivative(conductance, voltage, slope);
    for (std::size_t i = 0; i < voltage.size(); ++i) {
        const double g = conductance[i];
        slope[i] = factor_ == 0 ? g : zero_if_open(g, g * std::cosh(factor_ * voltage[i]));
    }
}

double CellLaw::current(double conductance, double voltage) const {
    double result = 0;
    current({&conductance, 1}, {&voltage, 1}, {&result, 1});
    return result;
}

double CellLaw::derivative(double conductance, double voltage) const {
    double result = 0;
    derivative({&conductance, 1}, {&voltage, 1}, {&result, 1});
    return result;
}

std::string to_string(const CellLaw& law) {
    if (law.custom_law() != nullptr) return law.custom_law()->name();
    if (const auto factor = law.sinh_factor()) return "sinh:" + format_exact(*factor);
    return "linear";
}

}  // namespace kirchnet
