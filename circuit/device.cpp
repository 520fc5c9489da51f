#include "circuit/device.hpp"

#include <fmt/format.h>

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
    const std::array<double, 5> conductance{g, g, g, g, 0};
    const std::array<double, 5> voltage{0, v, -v, 2 * v, v};
    std::array<double, 5> current{};
    std::array<double, 5> slope{};
    law.current(conductance, voltage, current);
    law.derivative(conductance, voltage, slope);
    const auto require = [&](bool holds, const char* what) {
        if (!holds)
            throw InvalidInput(fmt::format("cell law {}", law.name()),
                               fmt::format("{} (g = {} S, v = {} V)", what, g, v));
    };
    constexpr double rounding = 1e-12;
    constexpr double slope_tolerance = 1e-6;  // for laws whose parameters were fitted
    require(current[0] == 0 && current[4] == 0, "must carry no current at 0 V, nor at 0 S");
    require(std::abs(current[1] + current[2]) <= rounding * std::abs(current[1]), "is not odd");
    require(current[1] > 0 && current[3] >= current[1] && slope[1] >= 0, "falls");
    require(std::abs(slope[0] - g) <= slope_tolerance * g, "has another slope at 0 V than g");
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
    for (const double g : {1e-6, 1e-4})
        for (const double v : {1e-3, 0.1}) check_sample(*custom, g, v);
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

CellLaw parse_cell_law(std::string_view text) {
    if (text == "linear") return {};
    constexpr std::string_view sinh = "sinh:";
    if (text.substr(0, sinh.size()) == sinh)
        return CellLaw::sinh(parse_quantity(text.substr(sinh.size()), "factor of the sinh law"));
    throw InvalidInput(
        fmt::format("cell law '{}' is none of linear, sinh:A with a factor A in 1/V, such as "
                    "sinh:2, and table:FILE.csv",
                    text));
}

}  // namespace kirchnet
