#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "circuit/fault.hpp"
#include "data/detail/file_format.hpp"

// How files number faults.
namespace kirchnet {

/// `0 none, 1 stuck_off, ...`
template <typename Codes>
std::string describe_codes(const Codes& all) {
    std::string text;
    for (const auto code : all)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", static_cast<int>(code),
                            to_string(code));
    return text;
}

/// @throws InvalidInput  naming the dataset and the codes that are known
inline Fault to_fault(const hdf5::InputGroup& file, const std::string& name, std::uint8_t code) {
    if (code >= all_faults.size())
        file.fail(name,
                  fmt::format("holds code {}, known are {}", code, describe_codes(all_faults)));
    return static_cast<Fault>(code);
}

}  // namespace kirchnet
