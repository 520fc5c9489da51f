#include "netlists/detail/subcircuits.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "netlists/detail/deck_text.hpp"

namespace kirchnet::detail {

std::string cell_subcircuits(const CellText& cell, const DeviceRange& device, bool has_varied_cells,
                             const std::set<Fault>& faults) {
    constexpr std::string_view nothing = "* conducts nothing\n";
    const auto subcircuit = [&](std::string_view name, std::string_view g, bool is_faulty,
                                std::string_view body) {
        return fmt::format(".subckt {0} {1}{2}{3}{4}\n{5}.ends {0}\n", name, cell.pins,
                           g.empty() ? "" : fmt::format(" g={}", g),
                           is_faulty ? " g_intended=1e-6" : "", g.empty() ? "" : cell.parameters,
                           body);
    };
    std::string text = cell.definitions;
    text += "* ---- cells: a working one, and one subcircuit per defect ----\n";
    text += subcircuit(cell.name, "1e-6", false, cell.body);
    // An HRS of 0 S has no resistance to write down.
    text += subcircuit("cell_stuck_off", "1e-6", true,
                       device.off > 0 ? std::string_view(cell.body) : nothing);
    text += subcircuit("cell_stuck_on", "1e-4", true, cell.body);
    text += subcircuit("cell_open", "", true, nothing);
    if (faults.contains(Fault::stuck_at))
        text += subcircuit("cell_stuck_at", "1e-6", true, cell.body);
    for (const Fault fault : {Fault::open_via, Fault::open_transistor})
        if (faults.contains(fault))
            text += subcircuit(fmt::format("cell_{}", to_string(fault)), "", true, nothing);
    if (faults.contains(Fault::shorted_transistor))
        text += subcircuit("cell_shorted_transistor", "1e-6", true,
                           "* g is the memory element's; nothing stands in series\n"
                           "rcell wl bl {1/g}\n");
    if (has_varied_cells) text += subcircuit("cell_varied", "1e-6", true, cell.body);
    return text;
}

namespace {

constexpr std::string_view opamp_head = R"(* ---- amplifiers ----
.subckt opamp inp inn out a0=1e4 gbw=1e8 vos=0 vsat=1.2
* one pole: 1 uS into rst and cst; then the limits of the output
vofs p inp dc {vos}
gst 0 x p inn 1e-6
rst x 0 {a0/1e-6}
cst x 0 {1e-6/(6.283185307179586*gbw)}
* keeps node x from winding up far beyond the swing in overload
bcl x 0 i = 1e-3*(max(v(x)-3*{vsat},0)+min(v(x)+3*{vsat},0))
)";
constexpr std::string_view smooth_output = "bout out 0 v = {vsat}*tanh(v(x)/{vsat})\n";
constexpr std::string_view hard_output = "bout out 0 v = max(-{vsat}, min({vsat}, v(x)))\n";
constexpr std::string_view tia = R"(.ends opamp
.subckt tia in out rf=1e3 vos=0
* v(out) = -rf * current into `in`, which is held at virtual ground
xop 0 in out opamp a0={a0} gbw={gbw} vos={vos} vsat={vsat}
rf in out {rf}
.ends tia
)";
constexpr std::string_view difference_amplifier =
    R"(.subckt diffamp va vb out r1=1e4 r2=1e4 r3=1e4 r4=1e4 vos=0
* v(out) = v(va)*r4/(r3+r4)*(1+r2/r1) - v(vb)*r2/r1
xop p n out opamp a0={a0} gbw={gbw} vos={vos} vsat={vsat}
r1 vb n {r1}
r2 n out {r2}
r3 va p {r3}
r4 p 0 {r4}
.ends diffamp
)";
constexpr std::string_view summing_amplifier = R"(.subckt summer in va out rf=1e3 rx=1e3 vos=0
* v(out) = -rf * (current into `in` + v(va)/rx); `in` is held at virtual ground
xop 0 in out opamp a0={a0} gbw={gbw} vos={vos} vsat={vsat}
rf in out {rf}
rx va in {rx}
.ends summer
)";
constexpr std::string_view sample_and_hold = R"(.subckt sh in out gain=1 pedestal=0 noise=0
* what is left of the sample, the charge that the switch injects, and this sample's kT/C noise
esh s 0 in 0 {gain}
vped out s dc {pedestal+noise}
.ends sh
)";

/// `+pwl(v(pos),0,0.25,255,-0.5)`: INL [LSB] over codes.
std::string inl_text(const OutputAdc& adc) {
    const std::vector<double>& inl = adc.errors.inl;
    if (inl.empty()) return {};
    const double last_code = std::ldexp(1.0, adc.adc.front().bits) - 1;
    std::string text = "+pwl(v(pos)";
    for (std::size_t i = 0; i < inl.size(); ++i)
        text += fmt::format(
            ",{},{}",
            number(last_code * static_cast<double>(i) / static_cast<double>(inl.size() - 1)),
            number(inl[i]));
    return text + ")";
}

std::string converter(const OutputAdc& adc) {
    return fmt::format(
        ".subckt adc in code b=8 lo=-1 hi=1 off=0 gain=1 noise=0\n"
        "* v(code) counts codes from 0 to 2^b-1; v(pos) is the place among them before rounding\n"
        "bpos pos 0 v = ({{gain}}*v(in)+{{off}}+{{noise}}-{{lo}})*(2^{{b}}-1)/({{hi}}-{{lo}})\n"
        "badc code 0 v = max(0, min(2^{{b}}-1, floor(v(pos){}+0.5)))\n"
        ".ends adc\n",
        inl_text(adc));
}

}  // namespace

std::string amplifier_subcircuits(const SubtractorCircuit& circuit, bool has_subtractors) {
    std::string text(opamp_head);
    text += circuit.amplifier.limit == SwingLimit::smooth ? smooth_output : hard_output;
    text += tia;
    if (has_subtractors)
        text +=
            circuit.kind == SubtractorKind::difference ? difference_amplifier : summing_amplifier;
    if (circuit.hold.is_there()) text += sample_and_hold;
    if (circuit.adc.is_there()) text += converter(circuit.adc);
    return text;
}

}  // namespace kirchnet::detail
