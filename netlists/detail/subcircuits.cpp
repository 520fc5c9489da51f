#include "netlists/detail/subcircuits.hpp"

#include <fmt/format.h>

#include <string_view>

namespace kirchnet::detail {

std::string cell_subcircuits(const DeviceRange& device, bool has_varied_cells) {
    constexpr std::string_view resistor = "rcell wl bl {1/g}\n";
    constexpr std::string_view nothing = "* conducts nothing\n";
    std::string text = "* ---- cells: a working one, and one subcircuit per defect ----\n";
    text += fmt::format(".subckt cell_1r wl bl g=1e-6\n{}.ends cell_1r\n", resistor);
    // An HRS of 0 S has no resistance to write down.
    text +=
        fmt::format(".subckt cell_stuck_off wl bl g=1e-6 g_intended=1e-6\n{}.ends cell_stuck_off\n",
                    device.off > 0 ? resistor : nothing);
    text += fmt::format(
        ".subckt cell_stuck_on wl bl g=1e-4 g_intended=1e-6\n{}.ends cell_stuck_on\n", resistor);
    text += fmt::format(".subckt cell_open wl bl g_intended=1e-6\n{}.ends cell_open\n", nothing);
    if (has_varied_cells)
        text += fmt::format(
            ".subckt cell_varied wl bl g=1e-6 g_intended=1e-6\n{}.ends cell_varied\n", resistor);
    return text;
}

std::string amplifier_subcircuits(bool has_subtractors) {
    std::string text = R"(* ---- amplifiers ----
.subckt opamp inp inn out a0=1e4 gbw=1e8 vos=0 vsat=1.2
* one pole: 1 uS into rst and cst; the output saturates as vsat*tanh(x/vsat)
vofs p inp dc {vos}
gst 0 x p inn 1e-6
rst x 0 {a0/1e-6}
cst x 0 {1e-6/(6.283185307179586*gbw)}
* keeps node x from winding up far beyond the swing in overload
bcl x 0 i = 1e-3*(max(v(x)-3*{vsat},0)+min(v(x)+3*{vsat},0))
bout out 0 v = {vsat}*tanh(v(x)/{vsat})
.ends opamp
.subckt tia in out rf=1e3 vos=0
* v(out) = -rf * current into `in`, which is held at virtual ground
xop 0 in out opamp a0={a0} gbw={gbw} vos={vos} vsat={vsat}
rf in out {rf}
.ends tia
)";
    if (has_subtractors)
        text += R"(.subckt diffamp va vb out r1=1e4 r2=1e4 r3=1e4 r4=1e4 vos=0
* v(out) = v(va)*r4/(r3+r4)*(1+r2/r1) - v(vb)*r2/r1
xop p n out opamp a0={a0} gbw={gbw} vos={vos} vsat={vsat}
r1 vb n {r1}
r2 n out {r2}
r3 va p {r3}
r4 p 0 {r4}
.ends diffamp
)";
    return text;
}

}  // namespace kirchnet::detail
