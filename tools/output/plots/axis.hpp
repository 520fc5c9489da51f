#pragma once

#include <string>
#include <vector>

namespace kirchnet {

/// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], about `wanted` of them.
std::vector<double> round_ticks(double low, double high, int wanted);

/// The smallest round number that is at least `value` > 0.
double round_up(double value);

/// A number that an axis names.
struct AxisTick {
    double place = 0;
    std::string label;
};

/// Where numbers lie along an axis: at themselves, or at their decimal logarithm. There 0 has a
/// place of its own, a gap before all others.
class AxisScale {
  public:
    /// @param values  that the axis must hold
    /// @throws InvalidInput  when one is infinite or no number, or below 0 on a logarithmic axis
    AxisScale(const std::vector<double>& values, bool is_log);

    [[nodiscard]] double place(double value) const;
    [[nodiscard]] double low() const { return low_; }    ///< place of the smallest value
    [[nodiscard]] double high() const { return high_; }  ///< of the largest; above `low`
    [[nodiscard]] bool is_log() const { return is_log_; }
    [[nodiscard]] bool has_zero_apart() const { return has_zero_; }
    [[nodiscard]] double zero_place() const { return zero_; }
    /// Round numbers within; on a logarithmic axis powers of ten, and 2 and 5 times them where
    /// these are few.
    [[nodiscard]] std::vector<AxisTick> ticks(int wanted) const;

  private:
    void find_log_range(const std::vector<double>& values);

    bool is_log_;
    bool has_zero_ = false;
    double zero_ = 0;
    double low_ = 0;
    double high_ = 1;
};

}  // namespace kirchnet
