// I = g f(v), f(v) = f_k + s_k (|v| - v_k) for v_k <= |v| < v_(k+1), odd, s_0 = 1.
#include "circuit/table_law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {

std::optional<std::string> problem_of(const CurveSample& sample, const CurveSample* before) {
    if (!std::isfinite(sample.voltage) || !std::isfinite(sample.current)) return "is not finite";
    if (before == nullptr) {
        if (sample.voltage != 0 || sample.current != 0)
            return fmt::format("is {} V, {} A; the curve starts with 0,0", sample.voltage,
                               sample.current);
        return std::nullopt;
    }
    if (!(sample.voltage > before->voltage))
        return fmt::format("is at {} V, not above the {} V before it", sample.voltage,
                           before->voltage);
    if (!(sample.current > before->current))
        return fmt::format("carries {} A, not more than the {} A before it", sample.current,
                           before->current);
    return std::nullopt;
}

TableLaw::TableLaw(std::string name, const std::vector<CurveSample>& samples)
    : name_(std::move(name)) {
    for (std::size_t k = 0; k < samples.size(); ++k)
        if (const auto problem = problem_of(samples[k], k == 0 ? nullptr : &samples[k - 1]))
            throw InvalidInput(name_, fmt::format("sample {} {}", k + 1, *problem));
    if (samples.size() < 2)
        throw InvalidInput(name_, "a curve takes 0,0 and at least one sample more");
    const double at_zero = samples[1].current / samples[1].voltage;
    for (std::size_t k = 0; k < samples.size(); ++k) {
        voltage_.push_back(samples[k].voltage);
        // The first line is f = v to the last bit.
        value_.push_back(k == 1 ? samples[k].voltage : samples[k].current / at_zero);
        if (k == 0) continue;
        slope_.push_back((value_[k] - value_[k - 1]) / (voltage_[k] - voltage_[k - 1]));
    }
}

std::size_t TableLaw::line_at(double magnitude) const {
    const auto inner = std::upper_bound(voltage_.begin() + 1, voltage_.end() - 1, magnitude);
    return static_cast<std::size_t>(inner - voltage_.begin()) - 1;
}

void TableLaw::current(std::span<const double> conductance, std::span<const double> voltage,
                       std::span<double> current) const {
    for (std::size_t i = 0; i < voltage.size(); ++i) {
        const double magnitude = std::abs(voltage[i]);
        const std::size_t k = line_at(magnitude);
        const double f = value_[k] + slope_[k] * (magnitude - voltage_[k]);
        current[i] = conductance[i] * std::copysign(f, voltage[i]);
    }
}

void TableLaw::derivative(std::span<const double> conductance, std::span<const double> voltage,
                          std::span<double> slope) const {
    for (std::size_t i = 0; i < voltage.size(); ++i)
        slope[i] = conductance[i] * slope_[line_at(std::abs(voltage[i]))];
}

/// I = g f(v): f itself, which is the current of 1 S.
void TableLaw::conductance_slope(std::span<const double>, std::span<const double> voltage,
                                 std::span<double> slope) const {
    const std::vector<double> one(voltage.size(), 1.0);
    current(one, voltage, slope);
}

std::vector<CurveSample> TableLaw::shape() const {
    std::vector<CurveSample> samples;
    for (std::size_t k = 0; k < voltage_.size(); ++k) samples.push_back({voltage_[k], value_[k]});
    return samples;
}

const TableLaw* table_of(const CellLaw& law) {
    return dynamic_cast<const TableLaw*>(law.custom_law());
}

}  // namespace kirchnet
