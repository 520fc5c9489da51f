#pragma once

#include "data/detail/hdf5_reader.hpp"
#include "data/detail/hdf5_writer.hpp"
#include "data/result_file.hpp"

namespace kirchnet {

/// A detector's boxes as columns of one length.
void write_detections(hdf5::OutputGroup group, const std::vector<StoredDetection>& detections);

/// Empty where `parent` has no group of this name.
/// @throws InvalidInput  when its columns differ in length
std::vector<StoredDetection> read_detections(const hdf5::InputGroup& parent,
                                             const std::string& name);

}  // namespace kirchnet
