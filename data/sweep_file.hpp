#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kirchnet {

/// A network that a sweep runs.
struct SweepNetwork {
    std::string file;
    std::string name;
    std::string digest;            ///< of its content, 32 hexadecimal digits
    double zeros = 0;              ///< share of its crossbar weights that are zero
    double software_accuracy = 0;  ///< 0 to 1, on the sweep's images
    friend bool operator==(const SweepNetwork&, const SweepNetwork&) = default;
};

/// One combination of the axes.
struct SweepPoint {
    std::vector<std::string> values;  ///< one per axis
    std::size_t network = 0;          ///< among the record's networks
    bool is_random = true;            ///< false: all its trials are alike, it has one
    friend bool operator==(const SweepPoint&, const SweepPoint&) = default;
};

/// One run: a point on one chip.
struct SweepUnit {
    std::uint32_t point = 0;
    std::uint32_t trial = 0;
    double score = 0;  ///< 0 to 1: share classified rightly, or mean average precision
    /// Whether each image was classified rightly: a bit per image, the first in the highest bit;
    /// empty of a detector.
    std::vector<std::uint8_t> right;
    std::uint64_t digest = 0;  ///< of everything predicted: what a replay must give again
    double operator_seconds = 0;
    double inference_seconds = 0;
    double worst_deviation = 0;  ///< of a tile: see `TileOperator::wire_deviation`
    friend bool operator==(const SweepUnit&, const SweepUnit&) = default;
};

/// What a sweep was asked for, and the units finished so far.
struct SweepRecord {
    std::string name;
    std::string plan;      ///< TOML text as the user wrote it
    std::string identity;  ///< digest of everything that a unit's numbers depend on
    std::string settings;  ///< experiment that all points start from, as TOML text
    std::string shard = "1/1";
    std::string metric = "accuracy";  ///< or `mAP@0.5`
    std::uint64_t seed = 0;
    std::uint32_t trials = 0;
    std::size_t images = 0;
    std::vector<std::string> axes;
    std::vector<SweepNetwork> networks;
    std::vector<SweepPoint> points;
    std::vector<SweepUnit> units;  ///< by trial, then by point
    bool complete = false;         ///< every unit of the shard is there
    friend bool operator==(const SweepRecord&, const SweepRecord&) = default;
};

/// One bit per image, the first in the highest bit of the first byte (numpy.unpackbits reads it).
std::vector<std::uint8_t> pack_bits(const std::vector<bool>& bits);
/// @throws InvalidInput  when there are fewer bits than `count`
std::vector<bool> unpack_bits(const std::vector<std::uint8_t>& bytes, std::size_t count);

/// Replaces the whole file or leaves it as it was: a process killed at any moment loses nothing
/// that was written before (docs/decisions/0010).
/// @throws FileError  when the disk refuses
void write_sweep(const std::filesystem::path& path, const SweepRecord& record);
/// @throws InvalidInput  naming file and key of what does not fit
SweepRecord read_sweep(const std::filesystem::path& path);

/// One record of the shards of one plan, units in order.
/// @param names  of the records, for messages
/// @throws InvalidInput  when they are of different plans, or two disagree about a unit
SweepRecord merge_sweeps(const std::vector<SweepRecord>& shards,
                         const std::vector<std::string>& names);

/// The only process that may write a results file: another one is told so. Ends with the process,
/// however that ends.
class SweepLock {
  public:
    /// @throws InvalidInput  when another process holds it, FileError when it cannot be made
    explicit SweepLock(const std::filesystem::path& results);
    SweepLock(const SweepLock&) = delete;
    SweepLock& operator=(const SweepLock&) = delete;
    ~SweepLock();

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace kirchnet
