#include "netlists/detail/cell_line.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "circuit/characterised_cell.hpp"
#include "netlists/detail/deck_text.hpp"

namespace kirchnet::detail {
namespace {

/// `96/127` where the state is a level, else the state in full.
std::string state_text(double state, int steps) {
    if (steps > 0) {
        const auto level = std::lround(state * steps);
        if (static_cast<double>(level) / steps == state) return fmt::format("{}/{}", level, steps);
    }
    return number(state);
}

bool agrees(double found, double wanted) {
    return std::abs(found - wanted) <= 2 * std::numeric_limits<double>::epsilon() * wanted;
}

/// ` state=0.37` of cells that users described: what gives their conductance.
std::string state_of_cell(const CellText& text, double conductance) {
    const SurfaceLaw* law = surface_of(text.law);
    if (law == nullptr || conductance == 0) return {};
    return " state=" + number(law->state_for(conductance));
}

std::string cell_instance(const CellMeaning& cell, const TileSettings& settings,
                          const CellText& text) {
    const std::string intended = conductance_text(cell, settings);
    const std::string state = state_of_cell(text, cell.conductance);
    const AccessResistance& access = text.access;
    const std::string actual =
        number(access.precompensate ? cell.conductance : access.behind(cell.conductance));
    const auto stuck_at = [&](double usual, std::string_view parameter) {
        return agrees(access.cell_for(usual), cell.conductance) ? fmt::format("{{{}}}", parameter)
                                                                : actual;
    };
    switch (cell.fault) {
        case Fault::stuck_off:
            return fmt::format("cell_stuck_off g={}{} g_intended={}",
                               stuck_at(settings.device.off, "gmin_c"), state, intended);
        case Fault::stuck_on:
            return fmt::format("cell_stuck_on g={}{} g_intended={}",
                               stuck_at(settings.device.on, "gmax_c"), state, intended);
        case Fault::stuck_at:
            return fmt::format("cell_stuck_at g={}{} g_intended={}", actual, state, intended);
        case Fault::shorted_transistor:
            return fmt::format("cell_shorted_transistor g={} g_intended={}",
                               number(cell.conductance), intended);
        case Fault::open:
        case Fault::open_via:
        case Fault::open_transistor:
            return fmt::format("cell_{} g_intended={}", to_string(cell.fault), intended);
        case Fault::none:
            break;
    }
    if (cell.conductance != access.cell_for(cell.intended_conductance))
        return fmt::format("cell_varied g={}{} g_intended={}", actual, state, intended);
    return fmt::format("{} g={}{}", text.name, intended, state);
}

std::string describe_address(const CellMeaning& cell) {
    const auto* address = std::get_if<CellAddress>(&cell.identity);
    if (address == nullptr) return cell.is_reference ? "reference" : "pad";
    return fmt::format("ic={} ky={} kx={} oc={} slice={} pol={}", address->input_channel,
                       address->kernel_y, address->kernel_x, address->output_channel,
                       address->slice, to_char(address->polarity));
}

std::string describe_weight(const CellMeaning& cell, const TileSettings& settings) {
    if (!cell.weight) return {};
    std::string text = fmt::format(" | w={:+.4f}", *cell.weight);
    if (cell.level)
        text += fmt::format(" q={}/{}", *cell.level, largest_level(settings.weight_bits));
    if (cell.digit) text += fmt::format(" digit={}/{}", *cell.digit, cell.steps);
    return text;
}

}  // namespace

std::string conductance_text(const CellMeaning& cell, const TileSettings& settings) {
    const DeviceRange& device = settings.device;
    const double wanted = cell.intended_conductance;
    if (agrees(device.off, wanted)) return "{gmin_c}";
    if (agrees(device.on, wanted)) return "{gmax_c}";
    if (agrees(device.off + cell.state * (device.on - device.off), wanted))
        return fmt::format("{{gmin_c+{}*(gmax_c-gmin_c)}}", state_text(cell.state, cell.steps));
    return number(wanted);
}

std::string describe_cell(const CellMeaning& cell, const TileSettings& settings) {
    return fmt::format("r={} c={} | {}{} | state={:.4f} | fault={}", cell.position.word_line,
                       cell.position.bit_line, describe_address(cell),
                       describe_weight(cell, settings), cell.state, to_string(cell.fault));
}

std::string cell_line(const CellMeaning& cell, const TileSettings& settings, const CellText& text,
                      const std::string& word_net, const std::string& bit_net,
                      const std::string& select_net) {
    const std::string name = cell_name(cell.position);
    const std::string meaning = describe_cell(cell, settings);
    if (word_net.empty() || bit_net.empty())
        return comment(fmt::format("{} left out: cut off ; {}", name, meaning));
    const bool is_resistor = cell.fault == Fault::none || cell.fault == Fault::stuck_at;
    if (is_resistor && cell.conductance == 0)
        return comment(fmt::format("{} left out: conducts nothing ; {}", name, meaning));
    return fmt::format("{} {} {}{} {} ; {}\n", name, word_net, bit_net,
                       text.has_select() ? " " + select_net : std::string(),
                       cell_instance(cell, settings, text), meaning);
}

}  // namespace kirchnet::detail
