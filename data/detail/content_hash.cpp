#include "data/detail/content_hash.hpp"

#include <fmt/format.h>

#include <new>

namespace kirchnet {
namespace {

std::string to_digits(const XXH128_hash_t& hash) {
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

ContentHash::ContentHash() : state_(XXH3_createState(), XXH3_freeState) {
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(state_.get());
}

void ContentHash::add_bytes(const void* bytes, std::size_t size) {
    XXH3_128bits_update(state_.get(), bytes, size);
}

void ContentHash::add_size(std::uint64_t size) {
    add_bytes(&size, sizeof size);
}

void ContentHash::add(std::string_view text) {
    add_size(text.size());
    add_bytes(text.data(), text.size());
}

void ContentHash::add(const CellMatrix& matrix) {
    add_size(static_cast<std::uint64_t>(matrix.rows()));
    add_size(static_cast<std::uint64_t>(matrix.cols()));
    add_bytes(matrix.data(), static_cast<std::size_t>(matrix.size()) * sizeof(double));
}

std::string ContentHash::digits() const {
    return to_digits(XXH3_128bits_digest(state_.get()));
}

std::string xxh128_digits(std::string_view bytes) {
    return to_digits(XXH3_128bits(bytes.data(), bytes.size()));
}

}  // namespace kirchnet
