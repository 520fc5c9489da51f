#include "circuit/fault.hpp"

#include <fmt/format.h>

#include <string>

#include "circuit/error.hpp"

namespace kirchnet {

std::string_view to_string(Fault fault) {
    constexpr std::array<std::string_view, all_faults.size()> words{
        "none",     "stuck_off", "stuck_on",        "open",
        "stuck_at", "open_via",  "open_transistor", "shorted_transistor"};
    return words[static_cast<std::size_t>(fault)];
}

Fault parse_fault(std::string_view text) {
    std::string words;
    for (const Fault fault : all_faults) {
        if (text == to_string(fault)) return fault;
        words += (words.empty() ? "" : ", ") + std::string(to_string(fault));
    }
    throw InvalidInput(fmt::format("fault '{}' is none of {}", text, words));
}

}  // namespace kirchnet
