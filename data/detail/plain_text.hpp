#pragma once

#include <string>
#include <string_view>

namespace kirchnet {

/// Whether every character is printable ASCII or a blank.
bool is_plain_text(std::string_view text);

/// Text of unknown origin for a one-line message: other characters become `?`, long text is cut.
std::string printable(std::string_view text);

}  // namespace kirchnet
