#pragma once

#include <filesystem>

namespace kirchnet {

struct NgspiceSettings {
    std::filesystem::path helper;  ///< the `kirchnet-ngspice` program; empty: where the variable
                                   ///< KIRCHNET_NGSPICE points, else beside this program, else in
                                   ///< ../libexec/kirchnet
    double time_limit_s = 600;     ///< per operating point; the helper is killed after it
};

}  // namespace kirchnet
