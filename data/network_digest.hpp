#pragma once

#include <string>

#include "data/network.hpp"

namespace kirchnet {

/// 32 hexadecimal digits that stand for what a network computes: its nodes, weights and input, not
/// its name, provenance or file. A network imported or trained anew to the same numbers has the
/// same digest.
std::string digest_of(const Network& network);

}  // namespace kirchnet
