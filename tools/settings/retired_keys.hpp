#pragma once

#include <string_view>

namespace kirchnet {

/// A setting there was once. Files that hold it at the value that changed nothing stay readable;
/// any other value is refused with what takes its place.
struct RetiredKey {
    std::string_view name;
    std::string_view neutral;  ///< as `set_key` takes it
    std::string_view instead;
};

/// Null for keys that never were.
const RetiredKey* find_retired_key(std::string_view name);

}  // namespace kirchnet
