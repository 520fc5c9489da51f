#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kirchnet {

/// What `kirchnet nonlinear` found for one mapping. Vectors run over the layers that were solved.
struct NonlinearRecord {
    std::string mapping;
    bool good_enough = false;  ///< the verdict in all
    std::vector<std::string> layers;
    std::vector<std::uint64_t> arrays;
    std::vector<std::uint64_t> samples;  ///< compared: of every tile, read and side
    std::vector<double> signal;          ///< rms of the samples, operator entries × inputs
    std::vector<double> rms_error;       ///< of linear - nonlinear, the same units
    std::vector<double> worst_error;
    std::vector<double> gain;      ///< g for which g × linear comes nearest to nonlinear
    std::vector<double> rms_left;  ///< of g × linear - nonlinear
    std::vector<double> rms_lsb;   ///< of linear - nonlinear in LSBs; 0: continuous
    std::vector<double> worst_lsb;
    std::vector<double> off_share;   ///< samples off by more than half an LSB, 0 to 1
    std::vector<double> iterations;  ///< mean per operating point
    std::vector<double> residual;    ///< Kirchhoff residual, largest
    std::vector<double> seconds;
    std::vector<std::uint64_t> amplifiers;            ///< in use; 0: an ideal read-out
    std::vector<std::uint64_t> saturated_amplifiers;  ///< of these, by one input at least
    std::vector<double> saturated_share;              ///< of all readings of amplifiers, 0 to 1
    std::vector<float> linear_outputs;                ///< [images × classes]
    std::vector<float> nonlinear_outputs;  ///< the same; empty where the run was interrupted
};

/// A study of a network with nonlinear cells or amplifiers.
struct NonlinearStudyRecord {
    std::string settings;  ///< experiment as TOML text: enough to run it again
    std::string network;
    std::string data;
    std::string cell_law;
    double read_voltage = 0;           ///< [V]
    bool complete = false;             ///< false: interrupted
    std::vector<std::int32_t> labels;  ///< [images]
    std::vector<NonlinearRecord> mappings;
};

/// @throws FileError  when the file cannot be written
void write_nonlinear_study(const std::filesystem::path& path, const NonlinearStudyRecord& study);

}  // namespace kirchnet
