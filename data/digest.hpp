#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace kirchnet {

// Numbers that stand for a content (XXH3): they tell contents apart and keep no secrets.

/// 32 hexadecimal digits, as `xxh128sum` prints them.
std::string digest_of(std::string_view bytes);
/// The same of a file. @throws InvalidInput  when it cannot be read
std::string digest_of_file(const std::filesystem::path& path);
/// The upper 64 bits of `digest_of`.
std::uint64_t short_digest_of(std::string_view bytes);

}  // namespace kirchnet
