#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/checks/engine_check.hpp"

namespace kirchnet {

/// A table with a row per comparison, and the worst one.
std::string report_text(const EngineCheck& check);
nlohmann::json report_json(const EngineCheck& check);

}  // namespace kirchnet
