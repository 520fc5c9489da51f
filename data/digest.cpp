#include "data/digest.hpp"

#include <fstream>
#include <iterator>

#include "circuit/error.hpp"
#include "data/detail/content_hash.hpp"

namespace kirchnet {

std::string digest_of(std::string_view bytes) {
    return xxh128_digits(bytes);
}

std::string digest_of_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw InvalidInput(path.string(), "cannot be opened");
    return digest_of({std::string(std::istreambuf_iterator<char>(file), {})});
}

std::uint64_t short_digest_of(std::string_view bytes) {
    return std::stoull(digest_of(bytes).substr(0, 16), nullptr, 16);
}

}  // namespace kirchnet
