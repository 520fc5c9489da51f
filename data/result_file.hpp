#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace kirchnet {

/// An object that a detector found.
struct StoredDetection {
    std::size_t image = 0;
    std::int32_t label = 0;  ///< class
    float confidence = 0;    ///< 0 to 1
    BoundingBox box;
    friend bool operator==(const StoredDetection&, const StoredDetection&) = default;
};

/// What was asked for in one `kirchnet compare`.
struct ComparisonHeader {
    std::string settings;  ///< experiment as TOML text: enough to run it again
    std::string network;   ///< file and name
    std::string data;      ///< file or folder
    std::uint64_t seed = 0;
    std::vector<std::int32_t> labels;    ///< [images]
    std::vector<std::int32_t> software;  ///< predicted class of the float network, [images]
    double software_accuracy = 0;        ///< 0 to 1
    std::string metric = "accuracy";     ///< what accuracies are: `accuracy` or `mAP@0.5`
    std::vector<StoredDetection> software_detections = {};  ///< of a detector
};

/// One way of running the network: a mapping, with or without faults, ideal or circuit operators.
struct ComparisonArm {
    std::string mapping;
    std::string operators;  ///< `ideal` or `circuit`
    bool faulty = false;
    double fault_rate = 0;
    std::uint32_t trial = 0;
    std::vector<std::int32_t> predicted;     ///< class per image, [images]
    double accuracy = 0;                     ///< 0 to 1
    double agreement = 0;                    ///< share of images predicted as by the software
    std::vector<std::string> layers;         ///< mapped layers in order
    std::vector<std::uint64_t> adc_samples;  ///< per layer
    std::vector<std::uint64_t> clipped;      ///< per layer
    double operator_seconds = 0;
    double inference_seconds = 0;
    std::vector<StoredDetection> detections = {};  ///< of a detector
};

/// Writes a comparison as it grows: flushed after every arm, under a temporary name until
/// `finish`. A killed run leaves `PATH.partial`, readable up to its last arm.
class ComparisonFile {
  public:
    /// @throws FileError  when the file cannot be made
    ComparisonFile(const std::filesystem::path& path, const ComparisonHeader& header);
    ComparisonFile(ComparisonFile&&) noexcept;
    ComparisonFile& operator=(ComparisonFile&&) noexcept;
    ~ComparisonFile();

    void add(const ComparisonArm& arm);
    /// Adds a named matrix [rows × columns] with its unit, row-major (figures' data, ADC ranges).
    void add_matrix(const std::string& name, const std::vector<double>& values, std::size_t rows,
                    std::size_t columns, const std::string& unit);
    /// Adds what the run's stages took [s], in order.
    void add_stages(const std::vector<std::string>& names, const std::vector<double>& seconds);
    /// Renames to the final name. @param complete  false records that the run was interrupted
    void finish(bool complete);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

struct Comparison {
    ComparisonHeader header;
    std::vector<ComparisonArm> arms;
    bool complete = false;
};

Comparison read_comparison(const std::filesystem::path& path);

/// One engine-against-engine comparison of `kirchnet check`.
struct AgreementRecord {
    std::string circuit;    ///< layer and tile, or file
    std::string reference;  ///< engine
    std::string engine;     ///< engine compared with it
    std::size_t word_lines = 0;
    std::size_t bit_lines = 0;
    std::vector<double> current_difference;  ///< [bit_lines], |ΔI| / sum_r |T_cr V_r|
    std::vector<double> voltage_difference;  ///< [2 × word_lines × bit_lines] [V], word lines first
    double worst = 0;
    std::string worst_column;  ///< sense node, such as out_a_7
    double worst_voltage = 0;  ///< [V]
    std::string worst_node;
};

void write_agreement(const std::filesystem::path& path, const std::vector<AgreementRecord>& records,
                     const std::string& settings);

/// What `kirchnet info` prints: format and version of one of our files, and a line per content.
struct FileSummary {
    std::string format;
    int format_version = 0;
    std::string producer;
    std::vector<std::string> lines;
};

/// @throws InvalidInput  when the file is not HDF5 or not ours
FileSummary summarize_file(const std::filesystem::path& path);

}  // namespace kirchnet
