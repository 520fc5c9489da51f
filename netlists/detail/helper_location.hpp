#pragma once

#include "netlists/ngspice_settings.hpp"

namespace kirchnet::detail {

/// Absolute path of the `kirchnet-ngspice` program; see `NgspiceSettings::helper`.
/// @throws NgspiceError  naming every place looked at, and what to do
std::filesystem::path locate_helper(const NgspiceSettings& settings);

}  // namespace kirchnet::detail
