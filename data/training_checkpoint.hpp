#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/network.hpp"

namespace kirchnet {

/// A pruning between two epochs: enough to go on as if it had never stopped.
struct TrainingCheckpoint {
    std::string settings;   ///< all that decides the run, as text: only the same run goes on
    std::size_t stage = 0;  ///< from 0
    std::size_t epoch = 0;  ///< epochs of this stage that are done
    Network network;
    /// Of layers that training holds: as `WeightMasks`.
    std::map<std::string, std::vector<std::uint8_t>> masks;
    std::vector<Tensor> optimizer;        ///< its buffers
    std::map<std::string, Tensor> split;  ///< Z of ADMM by layer; empty where there is none
    std::map<std::string, Tensor> dual;   ///< U likewise

    friend bool operator==(const TrainingCheckpoint&, const TrainingCheckpoint&) = default;
};

/// @throws InvalidInput  naming the file and what is wrong in it
TrainingCheckpoint read_checkpoint(const std::filesystem::path& path);

/// Writes to a temporary name, then renames, so that the file of the epoch before stays whole.
/// @throws FileError  when the disk refuses
void write_checkpoint(const std::filesystem::path& path, const TrainingCheckpoint& checkpoint);

/// 32 hexadecimal digits that stand for a content.
std::string fingerprint(const Network& network);
std::string fingerprint(const LabelledImages& images);

}  // namespace kirchnet
