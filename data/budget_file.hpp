#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/result_file.hpp"

namespace kirchnet {

/// A run of the network with some error sources on: enough to compute every number anew.
struct BudgetRunRecord {
    std::vector<std::string> sources;                  ///< those that were on
    std::vector<std::vector<std::int32_t>> predicted;  ///< class, [trials][images]
    std::vector<double> dac_range;                     ///< per layer, units of its input
    std::vector<double> adc_range;                     ///< per layer and slice, slices fastest
    std::vector<std::uint64_t> adc_samples = {};       ///< per layer, of all trials
    std::vector<std::uint64_t> clipped = {};           ///< per layer, of all trials
    double operator_seconds = 0;                       ///< of all trials
    double inference_seconds = 0;                      ///< of all trials
};

/// mean, standard error, degrees of freedom, lower and upper end of the interval.
using EstimateRecord = std::array<double, 5>;

/// Lines of a budget, one per source.
struct BudgetTableRecord {
    std::vector<std::string> source;
    std::vector<std::uint64_t> run;  ///< number of the run that a line is about
    std::vector<EstimateRecord> accuracy;
    std::vector<EstimateRecord> change;
};

struct BudgetMappingRecord {
    std::string mapping;
    std::vector<BudgetRunRecord> runs;
    BudgetTableRecord steps;     ///< sources added one after the other
    BudgetTableRecord left_out;  ///< everything on but one source
};

/// What one `kirchnet compare --budget` found.
struct BudgetRecord {
    ComparisonHeader header;
    std::uint32_t first_trial = 0;
    double confidence = 0.95;
    std::vector<BudgetMappingRecord> mappings;
    bool complete = false;  ///< false: interrupted, finished mappings are there
};

/// @throws FileError  when the disk refuses
void write_budget(const std::filesystem::path& path, const BudgetRecord& record);
/// @throws InvalidInput  naming file and key of what does not fit
BudgetRecord read_budget(const std::filesystem::path& path);

}  // namespace kirchnet
