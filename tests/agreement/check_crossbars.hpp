#pragma once

#include <doctest/doctest.h>

#include "random_crossbars.hpp"

namespace kirchnet::test {

/// Compares crossbars [first, last) engine against engine and prints the worst.
inline void check_crossbars(std::uint64_t first, std::uint64_t last) {
    double worst_current = 0;
    double worst_voltage = 0;
    for (std::uint64_t number = first; number < last; ++number) {
        const Crossbar crossbar = random_crossbar(number);
        const auto inputs = random_inputs(number, crossbar.shape().word_lines, 2);
        const Agreement agreement = compare_engines(crossbar, inputs);
        CAPTURE(number);
        CAPTURE(agreement.where);
        // The project's definition of agreement of linear circuits; both roads are exact to
        // rounding, which 1e3 S next to 1e-6 S amplifies.
        CHECK(agreement.current <= 1e-9);
        CHECK(agreement.voltage <= 1e-9);
        worst_current = std::max(worst_current, agreement.current);
        worst_voltage = std::max(worst_voltage, agreement.voltage);
    }
    MESSAGE("worst current difference " << worst_current << ", worst voltage difference "
                                        << worst_voltage << " V over " << last - first
                                        << " crossbars");
}

}  // namespace kirchnet::test
