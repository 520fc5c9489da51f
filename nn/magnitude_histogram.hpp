#pragma once

#include <cstdint>
#include <vector>

namespace kirchnet {

/// How often magnitudes of any size occurred, in bins 2^-7 of a power of two wide: a share of all
/// values is found to that relative width without keeping the values.
class MagnitudeHistogram {
  public:
    MagnitudeHistogram();

    void add(float value);
    void merge(const MagnitudeHistogram& other);
    [[nodiscard]] std::uint64_t count() const { return count_; }

    /// A magnitude that at least this share of the values does not exceed: the upper edge of the
    /// bin that holds the quantile, and never beyond the largest value met. 0 without values.
    /// @param share  0 to 1
    [[nodiscard]] double quantile(double share) const;

  private:
    std::vector<std::uint64_t> bins_;
    std::uint64_t count_ = 0;
    float largest_ = 0;
};

}  // namespace kirchnet
