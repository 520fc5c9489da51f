#pragma once

#include "data/detail/hdf5_reader.hpp"
#include "data/detail/hdf5_writer.hpp"
#include "data/result_file.hpp"

namespace kirchnet {

/// What comparisons and budgets say at their root: settings, network, data, true classes, and what
/// the float network predicts.
void write_header(hdf5::OutputGroup& file, const ComparisonHeader& header);
ComparisonHeader read_header(const hdf5::InputGroup& file);

}  // namespace kirchnet
