#pragma once

#include <span>
#include <string_view>

namespace kirchnet::fuzz {

/// A reader of files from elsewhere. Whatever the bytes, `read` returns or throws InvalidInput.
struct Reader {
    std::string_view name;  ///< of its fuzz program and its folder in corpus/
    void (*read)(std::string_view bytes);
};

std::span<const Reader> readers();

/// Reads `bytes`; content that is refused is as good as content that is accepted.
void feed(const Reader& reader, std::string_view bytes);

}  // namespace kirchnet::fuzz
