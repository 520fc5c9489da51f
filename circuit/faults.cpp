// One uniform number u per cell decides between working and stuck: stuck off if u < p_off, stuck on
// if u >= 1 - p_on. Both intervals only grow with the rate, so fault sets are nested. u is keyed by
// seed and layer name and counted by trial, purpose and cell. Other defects have numbers of their
// own, so that they change nothing of who is stuck.
#include "circuit/faults.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "circuit/cell_counter.hpp"
#include "circuit/detail/checks.hpp"
#include "circuit/error.hpp"
#include "circuit/overloaded.hpp"
#include "circuit/random.hpp"

namespace kirchnet {
namespace {

double uniform(const FaultDraw& draw, std::string_view layer, CellPurpose purpose,
               const CellIdentity& cell) {
    return keyed_uniform(draw.seed, stream_of(layer), cell_counter(draw.trial, purpose, cell));
}

/// Stuck at HRS or LRS, or not.
Fault draw_stuck(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell) {
    if (draw.law.rate <= 0) return Fault::none;
    const double u = uniform(draw, layer, CellPurpose::fault, cell);
    if (u < draw.law.stuck_off_probability()) return Fault::stuck_off;
    if (u >= 1 - draw.law.stuck_on_probability()) return Fault::stuck_on;
    return Fault::none;
}

/// Any other defect, or none.
CellFault draw_defect(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell) {
    const CellDefectLaw& law = draw.law.cells;
    if (!law.is_on()) return {};
    double u = uniform(draw, layer, CellPurpose::defect, cell);
    const auto falls = [&](double probability) {
        u -= probability;
        return u < 0;
    };
    if (falls(law.open_via)) return Fault::open_via;
    if (falls(law.open_transistor)) return Fault::open_transistor;
    if (falls(law.stuck_at)) {
        const double where = uniform(draw, layer, CellPurpose::stuck_at_value, cell);
        return {Fault::stuck_at, law.lowest * std::pow(law.highest / law.lowest, where)};
    }
    if (falls(law.shorted_transistor)) return Fault::shorted_transistor;
    return {};
}

void check(const CellDefectLaw& law) {
    detail::check_probability(law.open_via, "probability of an open via");
    detail::check_probability(law.open_transistor, "probability of an open transistor");
    detail::check_probability(law.shorted_transistor, "probability of a shorted transistor");
    detail::check_probability(law.stuck_at, "probability of a cell stuck at a conductance");
    detail::check_probability(
        law.open_via + law.open_transistor + law.shorted_transistor + law.stuck_at,
        "probability of all defects of a cell together");
    detail::check_positive(law.lowest, "lowest conductance of stuck cells [S]");
    detail::check_positive(law.highest, "highest conductance of stuck cells [S]");
    if (law.lowest > law.highest)
        throw InvalidInput("lowest conductance of stuck cells",
                           fmt::format("{} S is above the highest, {} S", law.lowest, law.highest));
}

/// Stuck cells of clusters, where a cell has no fault of its own.
void add_clusters(const FaultDraw& draw, std::string_view layer, const ArrayPlace& place,
                  const ArrayShape& shape, ArrayFaults& faults) {
    if (!draw.law.clusters.is_on()) return;
    const FaultMatrix hit = draw_clusters(draw.law.clusters, draw.law.stuck_on_per_off, draw.seed,
                                          draw.trial, layer, place, shape);
    for (Index r = 0; r < shape.word_lines; ++r)
        for (Index c = 0; c < shape.bit_lines; ++c)
            if (faults.cells(r, c).kind == Fault::none) faults.cells(r, c) = hit(r, c);
}

}  // namespace

void check(const FaultLaw& law) {
    if (!(law.rate >= 0 && law.rate <= 1))
        throw InvalidInput("fault rate", fmt::format("{} is not within 0 and 1", law.rate));
    if (!(law.stuck_on_per_off >= 0) || !std::isfinite(law.stuck_on_per_off))
        throw InvalidInput(
            "stuck-on : stuck-off ratio",
            fmt::format("{} is not a finite number of at least 0", law.stuck_on_per_off));
    check(law.cells);
    check(law.lines);
    check(law.clusters);
}

std::string describe(const FaultLaw& law) {
    std::vector<std::string> words;
    const auto add = [&](double probability, std::string_view what, std::string_view per = "") {
        if (probability > 0) words.push_back(fmt::format("{} {}{}", what, probability, per));
    };
    add(law.rate, "rate", " per cell");
    if (law.rate > 0 || law.clusters.is_on())
        words.push_back(fmt::format("stuck-on : stuck-off = {}", law.stuck_on_per_off));
    add(law.cells.open_via, "open vias");
    add(law.cells.open_transistor, "open transistors");
    add(law.cells.shorted_transistor, "shorted transistors");
    add(law.cells.stuck_at, "stuck at a conductance",
        fmt::format(" ({} to {} S)", law.cells.lowest, law.cells.highest));
    add(law.lines.word_line_open, "open word-line segments");
    add(law.lines.word_line_short, "shorted word-line segments");
    add(law.lines.bit_line_open, "open bit-line segments");
    add(law.lines.bit_line_short, "shorted bit-line segments");
    const std::string ohms = fmt::format(" ({} ohm)", law.lines.bridge_resistance);
    add(law.lines.word_line_bridge, "bridges of word lines", ohms);
    add(law.lines.bit_line_bridge, "bridges of bit lines", ohms);
    if (law.clusters.is_on())
        words.push_back(fmt::format("clusters {} per array ({}, size {}, density {})",
                                    law.clusters.per_array, to_string(law.clusters.shape),
                                    law.clusters.size, law.clusters.density));
    return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

CellFault draw_fault(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell) {
    const CellFault defect = draw_defect(draw, layer, cell);
    if (defect.kind != Fault::none && defect.kind != Fault::shorted_transistor) return defect;
    const Fault stuck = draw_stuck(draw, layer, cell);
    return stuck == Fault::none ? defect : CellFault(stuck);
}

void FaultMap::set(std::string_view layer, const CellIdentity& cell, CellFault fault) {
    if (fault.kind == Fault::stuck_at)
        detail::check_not_negative(fault.conductance, "conductance of a stuck cell [S]");
    else
        fault.conductance = 0;
    if (fault.kind != Fault::none) {
        layers_[std::string(layer)].cells[cell] = fault;
        return;
    }
    const auto found = layers_.find(layer);
    if (found == layers_.end()) return;
    found->second.cells.erase(cell);
    if (found->second == LayerFaults{}) layers_.erase(found);
}

void FaultMap::add(std::string_view layer, const LineFault& fault) {
    if (is_bridge(fault.defect))
        detail::check_positive(fault.resistance, "resistance of a bridge [ohm]");
    layers_[std::string(layer)].lines.insert(fault);
}

CellFault FaultMap::at(std::string_view layer, const CellIdentity& cell) const {
    const auto found = layers_.find(layer);
    if (found == layers_.end()) return {};
    const auto entry = found->second.cells.find(cell);
    return entry == found->second.cells.end() ? CellFault() : entry->second;
}

std::vector<LineFault> FaultMap::lines_of(std::string_view layer, const ArrayPlace& place) const {
    const auto found = layers_.find(layer);
    if (found == layers_.end()) return {};
    std::vector<LineFault> faults;
    // Ordered by place first.
    for (auto fault = found->second.lines.lower_bound(LineFault{place, {}, INT32_MIN, INT32_MIN});
         fault != found->second.lines.end() && fault->place == place; ++fault)
        faults.push_back(*fault);
    return faults;
}

std::size_t FaultMap::cells() const {
    std::size_t count = 0;
    for (const auto& [layer, faults] : layers_) count += faults.cells.size();
    return count;
}

std::size_t FaultMap::lines() const {
    std::size_t count = 0;
    for (const auto& [layer, faults] : layers_) count += faults.lines.size();
    return count;
}

ArrayFaults faults_of_array(const FaultSource& source, std::string_view layer,
                            const ArrayPlace& place, const ArrayShape& shape, const Wires& wires,
                            const std::function<CellIdentity(Index, Index)>& identity) {
    ArrayFaults faults;
    faults.cells.resize(shape.word_lines, shape.bit_lines);
    const auto fault_of = Overloaded{
        [&](const FaultDraw& draw, const CellIdentity& cell) {
            return draw_fault(draw, layer, cell);
        },
        [&](const FaultMap& map, const CellIdentity& cell) { return map.at(layer, cell); }};
    std::visit(
        [&](const auto& its_source) {
            for (Index r = 0; r < shape.word_lines; ++r)
                for (Index c = 0; c < shape.bit_lines; ++c)
                    faults.cells(r, c) = fault_of(its_source, identity(r, c));
        },
        source);
    if (const auto* map = std::get_if<FaultMap>(&source)) {
        faults.lines = map->lines_of(layer, place);
        return faults;
    }
    const auto& draw = std::get<FaultDraw>(source);
    add_clusters(draw, layer, place, shape, faults);
    faults.lines =
        draw_line_faults(draw.law.lines, draw.seed, draw.trial, layer, place, shape, wires);
    return faults;
}

}  // namespace kirchnet
