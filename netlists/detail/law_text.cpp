#include "netlists/detail/law_text.hpp"

#include <fmt/format.h>

#include "circuit/characterised_cell.hpp"
#include "circuit/error.hpp"
#include "circuit/series_laws.hpp"
#include "circuit/stanford_law.hpp"
#include "circuit/table_law.hpp"
#include "netlists/detail/deck_text.hpp"

namespace kirchnet::detail {
namespace {

[[noreturn]] void refuse(const CellLaw& law) {
    throw InvalidInput("cell law " + to_string(law),
                       "has no SPICE text; a deck takes linear, sinh, stanford, 1s1r and 1t1r "
                       "cells, tables and cells of users");
}

template <typename Law>
const Law* as(const CellLaw& law) {
    return dynamic_cast<const Law*>(law.custom_law());
}

/// `,-v,-f,...,0,0,v,f`: SPICE's pwl, whose ends go on as straight lines, is the law itself.
std::string table_points(const TableLaw& law) {
    const std::vector<CurveSample> shape = law.shape();
    std::string points;
    for (std::size_t k = shape.size() - 1; k > 0; --k)
        points += fmt::format(",{},{}", number(-shape[k].voltage), number(-shape[k].current));
    for (const CurveSample& sample : shape)
        points += fmt::format(",{},{}", number(sample.voltage), number(sample.current));
    return points;
}

CellText ohmic_text(const AccessResistance& access) {
    CellText text;
    text.access = access;
    text.pins = access.is_there() ? "wl bl sel" : "wl bl";
    text.name = access.is_there() ? "cell_1t1r" : "cell_1r";
    if (!access.is_there()) {
        text.body = "rcell wl bl {1/g}\n";
        return text;
    }
    text.parameters = fmt::format(" ron={}", number(access.resistance));
    text.select_voltage = 1;
    text.body = access.precompensate
                    ? "* the memory element makes up for what ron takes: the cell shows g\n"
                      "rcell wl x {(1-g*ron)/g}\n"
                    : "* g is the memory element's\nrcell wl x {1/g}\n";
    text.body += "saccess x bl sel 0 access\n.model access sw vt=0.5 ron={ron} roff=1e15\n";
    return text;
}

CellText sinh_text(double factor, double read_voltage) {
    CellText text;
    text.name = "cell_sinh";
    text.pins = "wl bl";
    text.parameters = fmt::format(" v0={} vr={}", number(1 / factor), number(read_voltage));
    text.body = "bcell wl bl i={g*vr/sinh(vr/v0)}*sinh(v(wl,bl)/{v0})\n";
    return text;
}

CellText stanford_text(const StanfordCell& cell) {
    CellText text;
    text.name = "cell_stanford";
    text.pins = "wl bl";
    text.parameters = fmt::format(" i0={} g0={} v0={} vr={}", number(cell.i0), number(cell.g0),
                                  number(cell.v0), number(cell.read_voltage));
    text.body =
        "* the gap that gives g at vr, frozen during a read\n"
        ".param gap={g0*ln(i0*sinh(vr/v0)/(g*vr))}\n"
        "bcell wl bl i={i0*exp(-gap/g0)}*sinh(v(wl,bl)/{v0})\n";
    return text;
}

CellText selector_text(const Selector& selector) {
    CellText text;
    text.name = "cell_1s1r";
    text.pins = "wl bl";
    text.parameters = fmt::format(" is={} vs={} vr={}", number(selector.saturation),
                                  number(selector.slope), number(selector.read_voltage));
    text.body =
        "* the memory element makes up for what the selector takes at vr: the cell shows g\n"
        ".param y={g*vr/is} gm={g*vr/(vr-vs*ln(y+sqrt(y*y+1)))}\n"
        "rcell wl x {1/gm}\n"
        "bsel x bl i={is}*sinh(v(x,bl)/{vs})\n";
    return text;
}

CellText transistor_text(const AccessTransistor& transistor) {
    CellText text;
    text.name = "cell_1t1r";
    text.pins = "wl bl sel";
    text.select_voltage = transistor.gate;
    text.parameters = fmt::format(" vg={} vth={} beta={} vr={}", number(transistor.gate),
                                  number(transistor.threshold), number(transistor.beta),
                                  number(transistor.read_voltage));
    text.body =
        "* the memory element makes up for what the transistor takes at vr: the cell shows g\n"
        ".param vov={vg-vth} icell={g*vr} xd={2*icell/beta/(vov+sqrt(vov*vov-2*icell/beta))}\n"
        "rcell wl x {(vr-xd)/icell}\n"
        "maccess x sel bl bl access w=1e-6 l=1e-6\n"
        ".model access nmos level=1 vto={vth} kp={beta} gamma=0 is=0\n";
    return text;
}

/// The user's subcircuit with its pins in their own order.
std::string user_pins(const UserCell& cell, const std::string& word_net, const std::string& bit_net,
                      const std::string& gate_net) {
    std::string pins;
    for (const std::string& pin : cell.pins)
        pins += (pins.empty() ? "" : " ") + (pin == cell.word_pin  ? word_net
                                             : pin == cell.bit_pin ? bit_net
                                                                   : gate_net);
    return pins;
}

CellText user_text(const SurfaceLaw& law) {
    const UserCell& cell = law.surface().cell;
    CellText text;
    text.name = "cell_user";
    text.pins = cell.gate_pin.empty() ? "wl bl" : "wl bl sel";
    text.select_voltage = cell.gate_voltage;
    text.parameters = fmt::format(" state={}", number(law.surface().state(0)));
    text.definitions = comment("---- the cell as its user describes it ----") + cell.text;
    text.body = fmt::format("* g at {} V is what this state gives\nxcell {} {} {}={{state}}\n",
                            number(law.surface().read_voltage), user_pins(cell, "wl", "bl", "sel"),
                            cell.name, cell.state_parameter);
    return text;
}

}  // namespace

CellText cell_text(const CellLaw& law, double read_voltage, const AccessResistance& access) {
    if (!law.is_linear() && access.is_there())
        throw InvalidInput("access resistance",
                           "stands in series with ohmic cells; cells of law " + to_string(law) +
                               " have none (a transistor in series is law 1t1r)");
    CellText text;
    if (law.is_linear())
        text = ohmic_text(access);
    else if (const auto factor = law.sinh_factor())
        text = sinh_text(*factor, read_voltage);
    else if (const auto* stanford = as<StanfordLaw>(law))
        text = stanford_text(stanford->cell());
    else if (const auto* selector = as<SelectorLaw>(law))
        text = selector_text(selector->selector());
    else if (const auto* transistor = as<TransistorLaw>(law))
        text = transistor_text(transistor->transistor());
    else if (const auto* surface = as<SurfaceLaw>(law))
        text = user_text(*surface);
    else if (const auto* table = as<TableLaw>(law)) {
        text.name = "cell_table";
        text.pins = "wl bl";
        text.parameters =
            fmt::format(" shape={}", number(law.current(1, read_voltage) / read_voltage));
        text.body = fmt::format(
            "* shape is f(vr)/vr: the table has slope 1 at 0 V\n"
            "bcell wl bl i={{g/shape}}*pwl(v(wl,bl){})\n",
            table_points(*table));
    } else {
        refuse(law);
    }
    text.law = law;
    return text;
}

std::string flat_definitions(const CellLaw& law) {
    if (const auto* transistor = as<TransistorLaw>(law))
        return fmt::format(".model access nmos level=1 vto={} kp={} gamma=0 is=0\n",
                           number(transistor->transistor().threshold),
                           number(transistor->transistor().beta));
    if (const auto* surface = as<SurfaceLaw>(law)) return surface->surface().cell.text;
    return {};
}

std::string flat_cell(const CellLaw& law, const std::string& name, const std::string& word_net,
                      const std::string& bit_net, double conductance) {
    const auto source = [&](const std::string& from, const std::string& text) {
        return fmt::format("b{} {} {} i={}\n", name, from, bit_net, text);
    };
    const std::string across = fmt::format("(v({})-v({}))", word_net, bit_net);
    const std::string inner = "x_" + name;
    const auto element = [&](double g) {
        return fmt::format("r{} {} {} {}\n", name, word_net, inner, number(1 / g));
    };
    if (const auto factor = law.sinh_factor())
        return source(word_net, fmt::format("{}*sinh({}*{})", number(conductance / *factor),
                                            number(*factor), across));
    if (const auto* table = as<TableLaw>(law))
        return source(word_net,
                      fmt::format("{}*pwl({}{})", number(conductance),
                                  across.substr(1, across.size() - 2), table_points(*table)));
    if (const auto* stanford = as<StanfordLaw>(law)) {
        const StanfordCell& cell = stanford->cell();
        return source(word_net, fmt::format("{}*exp(-{})*sinh({}/{})", number(cell.i0),
                                            number(gap_for_target(cell, conductance) / cell.g0),
                                            across, number(cell.v0)));
    }
    if (const auto* selector = as<SelectorLaw>(law))
        return element(selector->element_conductance(conductance)) +
               source(inner, fmt::format("{}*sinh((v({})-v({}))/{})",
                                         number(selector->selector().saturation), inner, bit_net,
                                         number(selector->selector().slope)));
    if (const auto* transistor = as<TransistorLaw>(law))
        return element(transistor->element_conductance(conductance)) +
               fmt::format(
                   "v{0} gate_{0} {1} dc {2}\nm{0} {3} gate_{0} {1} {1} access w=1e-6 "
                   "l=1e-6\n",
                   name, bit_net, number(transistor->transistor().gate), inner);
    const auto* surface = as<SurfaceLaw>(law);
    if (surface == nullptr) refuse(law);
    const UserCell& cell = surface->surface().cell;
    std::string text;
    if (!cell.gate_pin.empty())
        text = fmt::format("v{0} gate_{0} {1} dc {2}\n", name, bit_net, number(cell.gate_voltage));
    return text + fmt::format("{} {} {} {}={}\n", name,
                              user_pins(cell, word_net, bit_net, "gate_" + name), cell.name,
                              cell.state_parameter, number(surface->state_for(conductance)));
}

}  // namespace kirchnet::detail
