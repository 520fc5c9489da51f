#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "circuit/characterised_cell.hpp"
#include "circuit/crossbar.hpp"
#include "circuit/table_law.hpp"
#include "netlists/characterise.hpp"

namespace kirchnet::test {

/// A user's subcircuit `mine`, pins te be [g] and state x, as `kirchnet characterise` makes a law
/// of it.
inline CellLaw user_law(const std::string& text, double gate_voltage) {
    UserCellChoice choice{"mine", {"te", "be"}, "x", gate_voltage};
    if (gate_voltage > 0) choice.pins.emplace_back("g");
    CharacteriseSettings settings;
    settings.lowest_voltage = -0.4;  // in overload bit lines leave their virtual ground
    settings.highest_voltage = 0.4;
    return CellLaw::custom(std::make_shared<SurfaceLaw>(
        "byo:mine.h5", characterise(read_user_cell(text, "mine.cir", choice), settings).surface));
}

/// One of each kind that is not ohmic.
inline std::vector<CellLaw> nonlinear_laws() {
    return {CellLaw::sinh(4),
            parse_cell_law("stanford"),
            parse_cell_law("1s1r:is=1e-4,vs=0.03"),
            parse_cell_law("1t1r"),
            CellLaw::custom(std::make_shared<TableLaw>(
                "corners",
                std::vector<CurveSample>{{0, 0}, {0.05, 3e-7}, {0.12, 1.5e-6}, {0.3, 9e-6}})),
            user_law(".subckt mine te be x=0\n"
                     "b1 te be i={1e-6*1000^x/5}*sinh(5*v(te,be))\n.ends mine\n",
                     0)};
}

/// The same array with every cell that conducts inside a law's range.
inline Crossbar within(const Crossbar& crossbar, const CellLaw& law) {
    const auto [least, most] = law.conductances();
    const CellMatrix g = crossbar.conductance().unaryExpr(
        [&](double x) { return x == 0 ? 0 : std::clamp(x, least, 0.9 * most); });
    return Crossbar(g, g, crossbar.faults(), crossbar.wires(), crossbar.pattern()).with_law(law);
}

}  // namespace kirchnet::test
