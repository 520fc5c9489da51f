// One uniform number u per cell decides: stuck off if u < p_off, stuck on if u >= 1 - p_on. Both
// intervals only grow with the rate, so fault sets are nested. u is keyed by seed and layer name
// and counted by trial, purpose and cell.
#include "circuit/faults.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/cell_counter.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {
namespace {

double uniform(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell) {
    return keyed_uniform(draw.seed, stream_of(layer),
                         cell_counter(draw.trial, CellPurpose::fault, cell));
}

}  // namespace

std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::none:
            return "none";
        case Fault::stuck_off:
            return "stuck_off";
        case Fault::stuck_on:
            return "stuck_on";
        case Fault::open:
            break;
    }
    return "open";
}

Fault parse_fault(std::string_view text) {
    for (const Fault fault : {Fault::none, Fault::stuck_off, Fault::stuck_on, Fault::open})
        if (text == to_string(fault)) return fault;
    throw InvalidInput(fmt::format("fault '{}' is none of none, stuck_off, stuck_on, open", text));
}

void check(const FaultLaw& law) {
    if (!(law.rate >= 0 && law.rate <= 1))
        throw InvalidInput("fault rate", fmt::format("{} is not within 0 and 1", law.rate));
    if (!(law.stuck_on_per_off >= 0) || !std::isfinite(law.stuck_on_per_off))
        throw InvalidInput(
            "stuck-on : stuck-off ratio",
            fmt::format("{} is not a finite number of at least 0", law.stuck_on_per_off));
}

Fault draw_fault(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell) {
    if (draw.law.rate <= 0) return Fault::none;
    const double u = uniform(draw, layer, cell);
    if (u < draw.law.stuck_off_probability()) return Fault::stuck_off;
    if (u >= 1 - draw.law.stuck_on_probability()) return Fault::stuck_on;
    return Fault::none;
}

void FaultMap::set(std::string_view layer, const CellIdentity& cell, Fault fault) {
    if (fault != Fault::none) {
        layers_[std::string(layer)][cell] = fault;
        return;
    }
    const auto found = layers_.find(layer);
    if (found == layers_.end()) return;
    found->second.erase(cell);
    if (found->second.empty()) layers_.erase(found);
}

Fault FaultMap::at(std::string_view layer, const CellIdentity& cell) const {
    const auto found = layers_.find(layer);
    if (found == layers_.end()) return Fault::none;
    const auto entry = found->second.find(cell);
    return entry == found->second.end() ? Fault::none : entry->second;
}

std::size_t FaultMap::size() const {
    std::size_t count = 0;
    for (const auto& [layer, faults] : layers_) count += faults.size();
    return count;
}

Fault fault_of(const FaultSource& source, std::string_view layer, const CellIdentity& cell) {
    if (const auto* draw = std::get_if<FaultDraw>(&source)) return draw_fault(*draw, layer, cell);
    return std::get<FaultMap>(source).at(layer, cell);
}

}  // namespace kirchnet
