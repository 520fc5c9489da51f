#include "circuit/conductance_slope.hpp"

#include <vector>

#include "circuit/error.hpp"

namespace kirchnet {

void conductance_slope(const CellLaw& law, std::span<const double> conductance,
                       std::span<const double> voltage, std::span<double> slope) {
    if (law.custom_law() == nullptr) {  // I = g f(v): the current of 1 S
        const std::vector<double> one(voltage.size(), 1.0);
        law.current(one, voltage, slope);
        return;
    }
    const auto* of_law = dynamic_cast<const ConductanceSlope*>(law.custom_law());
    if (of_law == nullptr)
        throw InvalidInput("cell law " + to_string(law),
                           "does not say how its current answers to g; make it a ConductanceSlope "
                           "(circuit/conductance_slope.hpp) too");
    of_law->conductance_slope(conductance, voltage, slope);
}

}  // namespace kirchnet
