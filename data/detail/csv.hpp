#pragma once

#include <Eigen/Core>
#include <string>
#include <string_view>

namespace kirchnet {

/// Comma-separated numbers, one row per line, lines starting with # skipped.
/// @param where  file, for messages
/// @throws InvalidInput  naming line and column
Eigen::MatrixXd parse_csv(std::string_view text, const std::string& where);

}  // namespace kirchnet
