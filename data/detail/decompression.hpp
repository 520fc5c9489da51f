#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace kirchnet {

using Bytes = std::vector<std::uint8_t>;

/// The first `most` bytes of a file, fewer where it is shorter. `.xz` and `.gz` are unpacked, in
/// bounded memory and never past `most`; whoever reads whole files asks for one byte more than is
/// allowed.
/// @throws InvalidInput  when the file is missing, or packed data are truncated or damaged
Bytes read_bytes(const std::filesystem::path& path, std::size_t most);

/// A whole file of at most `limit` bytes, packed or not.
/// @throws InvalidInput  also when it is larger
Bytes read_whole(const std::filesystem::path& path, std::size_t limit);

}  // namespace kirchnet
