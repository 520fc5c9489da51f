#pragma once

#include "data/detail/hdf5_reader.hpp"
#include "data/detail/hdf5_writer.hpp"
#include "data/network.hpp"

namespace kirchnet {

// A network as a group of a file: the root of a network file, or a part of another one.

/// @throws InvalidInput  naming the file and the group, data set or attribute that is wrong
Network read_network_group(const hdf5::InputGroup& group);
void write_network_group(hdf5::OutputGroup& group, const Network& network);

}  // namespace kirchnet
