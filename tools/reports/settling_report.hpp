#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "data/settling_file.hpp"
#include "tools/reports/settling.hpp"

namespace kirchnet {

/// How one tile settles, ready to be shown.
struct SettlingReport {
    std::string subject;  ///< `conv1 tile 0,0, differential`
    std::string driven;
    std::string settings;  ///< experiment as TOML text
    const SettlingTerms& terms;
    const SettlingStudy& study;
    const std::optional<SettlingAgreement>& agreement;
    std::size_t rows = 10;  ///< of the table, the slowest outputs
};

std::string settling_text(const SettlingReport& report);
nlohmann::json settling_json(const SettlingReport& report);
SettlingRecord settling_record(const SettlingReport& report);
/// Times and outputs, a line per time, under a `#` line that names them.
std::string settling_csv(const SettlingReport& report);
/// Waveforms of the slowest outputs as SVG.
std::string settling_chart(const SettlingReport& report);

}  // namespace kirchnet
