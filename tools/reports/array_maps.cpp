#include "tools/reports/array_maps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "solver/sensitivity.hpp"
#include "tools/input/engines.hpp"

namespace kirchnet {
namespace {

struct QuantityWords {
    CellQuantity quantity;
    std::string_view name;
    std::string_view label;
    std::string_view unit;
};

constexpr std::array words{
    QuantityWords{CellQuantity::conductance, "conductance", "conductance", "S"},
    QuantityWords{CellQuantity::word_line_voltage, "word_line_voltage", "word-line node voltage",
                  "V"},
    QuantityWords{CellQuantity::bit_line_voltage, "bit_line_voltage", "bit-line node voltage", "V"},
    QuantityWords{CellQuantity::cell_current, "cell_current", "cell current", "A"},
    QuantityWords{CellQuantity::ir_drop, "ir_drop", "IR drop: source less cell voltage", "V"},
    QuantityWords{CellQuantity::sensitivity, "sensitivity", "dI / dG", "A/S"},
    QuantityWords{CellQuantity::word_line_current, "word_line_current",
                  "current of the segment left of the cell", "A"},
    QuantityWords{CellQuantity::bit_line_current, "bit_line_current",
                  "current of the segment below the cell", "A"}};

const QuantityWords& words_of(CellQuantity quantity) {
    return words[static_cast<std::size_t>(quantity)];
}

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// Most lines whose nets all have room to be named along an axis.
constexpr Index most_named = 32;

MarkShape shape_of(Fault fault) {
    switch (fault) {
        case Fault::stuck_on:
            return MarkShape::square;
        case Fault::stuck_off:
            return MarkShape::circle;
        case Fault::stuck_at:
            return MarkShape::diamond;
        case Fault::shorted_transistor:
            return MarkShape::triangle;
        default:
            return MarkShape::cross;  // of what interrupts a cell
    }
}

std::string words_of(Fault fault) {
    std::string text(to_string(fault));
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

/// Merged nodes lie 1e100 S apart to port merging: what they let through is drawn as 0.
CellMatrix without_traces(const CellMatrix& values) {
    const double least = 1e-30 * values.cwiseAbs().maxCoeff();
    return values.unaryExpr([=](double value) { return std::abs(value) < least ? 0.0 : value; });
}

}  // namespace

std::string_view to_string(CellQuantity quantity) {
    return words_of(quantity).name;
}

const std::vector<CellQuantity>& all_cell_quantities() {
    static const std::vector<CellQuantity> all = [] {
        std::vector<CellQuantity> list;
        for (const QuantityWords& of : words) list.push_back(of.quantity);
        return list;
    }();
    return all;
}

CellQuantity parse_cell_quantity(std::string_view text) {
    std::vector<std::string_view> names;
    for (const QuantityWords& of : words) {
        if (of.name == text) return of.quantity;
        names.push_back(of.name);
    }
    throw InvalidInput(fmt::format("'{}' is nothing to draw; there are: schematic, {}", text,
                                   fmt::join(names, ", ")));
}

DrivenArray::DrivenArray(Crossbar crossbar, Eigen::VectorXd inputs)
    : crossbar_(std::move(crossbar)), inputs_(std::move(inputs)) {
    const std::string engine = crossbar_.law().is_linear() ? "transfer" : "nonlinear";
    OperatingPoint point = make_engine(engine)->solve(crossbar_, inputs_, Voltages::keep);
    if (!point.current.allFinite())
        throw Error("no operating point was found: the cells did not converge");
    word_line_voltage_ = std::move(point.word_line_voltage.front());
    bit_line_voltage_ = std::move(point.bit_line_voltage.front());
    warnings_ = std::move(point.warnings);
    currents_ = line_currents(crossbar_, word_line_voltage_, bit_line_voltage_, inputs_);
}

CellMatrix DrivenArray::sensitivity(Index bit_line) const {
    SensitivitySolver solver(crossbar_, word_line_voltage_, bit_line_voltage_);
    return bit_line < 0 ? solver.of_own_bit_lines() : solver.of_bit_lines({bit_line}).front();
}

CellMatrix DrivenArray::values(CellQuantity quantity, Index bit_line) const {
    switch (quantity) {
        case CellQuantity::conductance:
            return crossbar_.conductance();
        case CellQuantity::word_line_voltage:
            return word_line_voltage_;
        case CellQuantity::bit_line_voltage:
            return bit_line_voltage_;
        case CellQuantity::cell_current:
            return currents_.cell;
        case CellQuantity::ir_drop: {
            CellMatrix drop = bit_line_voltage_ - word_line_voltage_;
            drop.colwise() += inputs_;
            return drop;
        }
        case CellQuantity::sensitivity:
            return without_traces(sensitivity(bit_line));
        case CellQuantity::word_line_current:
            return currents_.word_line;
        case CellQuantity::bit_line_current:
            break;
    }
    return currents_.bit_line;
}

/// A line of segments more where the further ends are connected too.
void DrivenArray::add_further_ends(CellQuantity quantity, HeatMap& map) const {
    const auto [m, n] = crossbar_.shape();
    if (quantity == CellQuantity::word_line_current && crossbar_.wires().drives_right()) {
        map.values.conservativeResize(m, n + 1);
        map.values.col(n) = -currents_.right_end;
        if (!map.x_names.empty()) map.x_names.emplace_back("right end");
    }
    if (quantity == CellQuantity::bit_line_current && crossbar_.wires().senses_top()) {
        const Eigen::MatrixXd below = map.values;
        map.values.resize(m + 1, n);
        map.values << -currents_.top_end.transpose(), below;
        if (!map.y_names.empty()) map.y_names.insert(map.y_names.begin(), "top end");
    }
}

void DrivenArray::mark_faults(HeatMap& map) const {
    const Index above = map.values.rows() - crossbar_.shape().word_lines;
    std::array<bool, all_faults.size()> met{};
    for (Index r = 0; r < crossbar_.shape().word_lines; ++r)
        for (Index c = 0; c < crossbar_.shape().bit_lines; ++c) {
            const Fault fault = crossbar_.faults()(r, c);
            if (fault == Fault::none) continue;
            map.marks.push_back({r + above, c, {}, shape_of(fault)});
            met[static_cast<std::size_t>(fault)] = true;
        }
    std::string open;  // all of one shape
    for (const Fault fault : all_faults) {
        if (!met[static_cast<std::size_t>(fault)]) continue;
        if (interrupts(fault))
            open += (open.empty() ? "" : ", ") + words_of(fault);
        else
            map.meanings.push_back({shape_of(fault), words_of(fault)});
    }
    if (!open.empty()) map.meanings.push_back({MarkShape::cross, open});
    mark_lines(map, above);
}

/// Broken segments, and where neighbouring lines touch.
void DrivenArray::mark_lines(HeatMap& map, Index above) const {
    const auto [m, n] = crossbar_.shape();
    const Wires& wires = crossbar_.wires();
    const auto mark = [&](bool is_broken, Index r, Index c) {
        if (is_broken) map.marks.push_back({r + above, c, {}, MarkShape::bar});
    };
    const std::size_t before = map.marks.size();
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c) {
            mark((c > 0 || wires.drives_left()) && std::isinf(crossbar_.word_line_resistance(r, c)),
                 r, c);
            mark((r + 1 < m || wires.senses_bottom()) &&
                     std::isinf(crossbar_.bit_line_resistance(r, c)),
                 r, c);
        }
    if (map.marks.size() > before) map.meanings.push_back({MarkShape::bar, "open segment"});
    for (const Bridge& bridge : wires.bridges)
        map.marks.push_back({bridge.word_line + above, bridge.bit_line, {}, MarkShape::plus});
    if (!wires.bridges.empty())
        map.meanings.push_back({MarkShape::plus, "bridge to the next line"});
}

HeatMap DrivenArray::map(CellQuantity quantity, Index bit_line) const {
    const auto [m, n] = crossbar_.shape();
    const QuantityWords& of = words_of(quantity);
    HeatMap map;
    map.value_label = of.label;
    map.unit = of.unit;
    map.values = values(quantity, bit_line);
    map.scale = ColourScale::by_sign;
    map.stands_alone = true;
    if (quantity == CellQuantity::sensitivity)
        map.value_label += bit_line < 0 ? ", I of the cell's own bit line"
                                        : fmt::format(", I of bit line {}", bit_line);
    if (n <= most_named)
        for (Index c = 0; c < n; ++c)
            map.x_names.push_back(sense_node(polarity_of(crossbar_.pattern(), c), c));
    if (m <= most_named)
        for (Index r = 0; r < m; ++r) map.y_names.push_back(input_node(crossbar_.pattern(), r));
    add_further_ends(quantity, map);
    mark_faults(map);
    return map;
}

}  // namespace kirchnet
