#include "tools/output/utf8.hpp"

namespace kirchnet {
namespace {

/// Length of the sequence a lead byte opens; 0 for a byte that cannot lead.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// Second bytes that would encode a value too small, a surrogate, or beyond U+10FFFF.
bool is_forbidden_pair(unsigned char lead, unsigned char second) {
    return (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
           (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(byte(i));
        if (length == 0 || i + length > text.size()) return i;
        for (std::size_t k = 1; k < length; ++k)
            if ((byte(i + k) & 0xC0U) != 0x80U) return i + k;
        if (length > 1 && is_forbidden_pair(byte(i), byte(i + 1))) return i;
        i += length;
    }
    return std::nullopt;
}

}  // namespace kirchnet
