#pragma once

#include <vector>

#include "data/dataset.hpp"
#include "data/network.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// Mean accuracy of networks over faulty chips: ideal operators, converter ranges fitted on the
/// chip as designed, then the same seeds and trials for every network.
class FaultyAccuracy {
  public:
    /// @param rates   of stuck cells; the mean is over all of them
    /// @param trials  chips per rate, from the experiment's trial on
    /// @throws InvalidInput  when there are no images, no trials, or nothing on a chip is random
    FaultyAccuracy(const Experiment& experiment, const ImageShape& input, std::vector<double> rates,
                   std::uint32_t trials);

    /// 0 to 1. Shows progress.
    [[nodiscard]] double operator()(const Network& network) const;

    [[nodiscard]] const std::vector<double>& rates() const { return rates_; }
    [[nodiscard]] Mapping mapping() const { return mapping_; }
    [[nodiscard]] std::size_t images() const { return test_.size(); }

  private:
    const Experiment& experiment_;
    std::vector<double> rates_;
    std::uint32_t trials_;
    Mapping mapping_;
    LabelledImages test_;
    LabelledImages calibration_;
};

}  // namespace kirchnet
