#include "circuit/access.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/units.hpp"

namespace kirchnet {

void check(const AccessResistance& access, double largest_target) {
    if (!(access.resistance >= 0) || !std::isfinite(access.resistance))
        throw InvalidInput("access resistance", fmt::format("{} ohm is not a finite number of at "
                                                            "least 0",
                                                            access.resistance));
    if (access.precompensate && access.resistance * largest_target >= 1)
        throw InvalidInput(
            "access resistance",
            fmt::format("{} in series leave no memory element that shows the target of {}: at most "
                        "{} is to be had; lower the target, or do not pre-compensate",
                        format_quantity(access.resistance, "ohm"),
                        format_quantity(largest_target, "S"),
                        format_quantity(1 / access.resistance, "S")));
}

}  // namespace kirchnet
