#include "circuit/crossbar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "circuit/names.hpp"

namespace kirchnet {
namespace {

CellPosition position(ColumnPattern pattern, Index r, Index c) {
    return {polarity_of(pattern, c), r, c};
}

void check_conductance(const CellMatrix& conductance, ColumnPattern pattern,
                       std::string_view which) {
    for (Index r = 0; r < conductance.rows(); ++r)
        for (Index c = 0; c < conductance.cols(); ++c)
            if (const double g = conductance(r, c); !std::isfinite(g) || g < 0)
                throw InvalidInput(
                    fmt::format("cell {} (word line {}, bit line {})",
                                cell_name(position(pattern, r, c)), r, c),
                    fmt::format("{} {} S is not a finite number of at least 0", which, g));
}

void check_range(const CellMatrix& conductance, ColumnPattern pattern, const CellLaw& law) {
    const auto [least, most] = law.conductances();
    for (Index r = 0; r < conductance.rows(); ++r)
        for (Index c = 0; c < conductance.cols(); ++c)
            if (const double g = conductance(r, c); g != 0 && !(g >= least && g <= most))
                throw InvalidInput(
                    fmt::format("cell {} (word line {}, bit line {})",
                                cell_name(position(pattern, r, c)), r, c),
                    fmt::format("{} S, but cells of law {} conduct {:.4g} to {:.4g} S at {} V", g,
                                to_string(law), least, most, law.programmed_at()));
}

/// What a shorted transistor leaves is known of ohmic elements alone.
void check_transistors(const FaultMatrix& faults, ColumnPattern pattern, const CellLaw& law) {
    if (law.is_linear()) return;
    for (Index r = 0; r < faults.rows(); ++r)
        for (Index c = 0; c < faults.cols(); ++c)
            if (faults(r, c) == Fault::shorted_transistor)
                throw InvalidInput(
                    fmt::format("cell {}", cell_name(position(pattern, r, c))),
                    fmt::format("has a shorted transistor, which cells of law {} cannot show; "
                                "linear cells with cells.access_resistance can",
                                to_string(law)));
}

constexpr double open_end = std::numeric_limits<double>::infinity();

void check_values(const CellMatrix& values, std::string_view which) {
    for (Index line = 0; line < values.rows(); ++line)
        for (Index segment = 0; segment < values.cols(); ++segment)
            if (const double r = values(line, segment); std::isnan(r) || r < 0)
                throw InvalidInput(
                    std::string(which),
                    fmt::format(
                        "{} ohm at line {} is not a resistance; give 0 (merged), a positive "
                        "number or inf (open)",
                        r, line));
}

void check_terminations(const LineResistance& resistance, Index lines, std::string_view which) {
    const auto& values = resistance.values();
    if (values.size() != 1 && (values.rows() != lines || values.cols() != 1))
        throw InvalidInput(
            std::string(which),
            fmt::format("{} x {} values given, but the array has {} lines; give one value or one "
                        "per line",
                        values.rows(), values.cols(), lines));
    check_values(values, which);
}

/// The segments of one direction: how many lines, how many cells on each, and whether something
/// connects at the end behind the last (word line) or before the first (bit line).
struct Run {
    Index lines;
    Index cells;
    bool has_further_end;
    bool needs_further_column;  ///< when values are per segment
    std::string_view further_end;
};

void refuse_segments(const CellMatrix& values, const Run& run, std::string_view which) {
    std::string shape = fmt::format("{} lines of {} segments", run.lines, run.cells);
    if (run.needs_further_column)
        shape = fmt::format("{} lines of {} segments, the last of them {}", run.lines,
                            run.cells + 1, run.further_end);
    throw InvalidInput(std::string(which),
                       fmt::format("{} x {} values given, but the array has {}; give one value, "
                                   "one per line, or one per segment",
                                   values.rows(), values.cols(), shape));
}

void check_segments(const LineResistance& resistance, const Run& run, std::string_view which) {
    const auto& values = resistance.values();
    const bool per_cell = values.cols() == run.cells && !run.needs_further_column;
    const bool per_segment = values.cols() == run.cells + 1 && run.has_further_end;
    const bool fits = values.size() == 1 || (values.rows() == run.lines &&
                                             (values.cols() == 1 || per_cell || per_segment));
    if (!fits) refuse_segments(values, run, which);
    check_values(values, which);
}

void check_wires(const Wires& wires, Index m, Index n) {
    check_segments(wires.word_line_segment,
                   {m, n, wires.drives_right(), wires.drives_right() && wires.end_segments,
                    "right of the last cell"},
                   "word-line segment resistance");
    check_segments(
        wires.bit_line_segment,
        {n, m, wires.senses_top(), wires.senses_top() && wires.end_segments, "above word line 0"},
        "bit-line segment resistance");
    check_terminations(wires.driver, m, "driver resistance");
    check_terminations(wires.sense, n, "sense resistance");
}

void check_bridges(const Wires& wires, Index m, Index n) {
    for (const Bridge& bridge : wires.bridges) {
        const bool is_word = bridge.lines == Bridge::Lines::word;
        const std::string where =
            fmt::format("bridge of {} lines at word line {}, bit line {}", is_word ? "word" : "bit",
                        bridge.word_line, bridge.bit_line);
        const bool has_place = bridge.word_line >= 0 && bridge.bit_line >= 0 &&
                               bridge.word_line + (is_word ? 1 : 0) < m &&
                               bridge.bit_line + (is_word ? 0 : 1) < n;
        if (!has_place)
            throw InvalidInput(where, fmt::format("a {} x {} array has no neighbour there", m, n));
        const auto is_here = [&](const Bridge& other) {
            return other.lines == bridge.lines && other.word_line == bridge.word_line &&
                   other.bit_line == bridge.bit_line;
        };
        if (std::count_if(wires.bridges.begin(), wires.bridges.end(), is_here) > 1)
            throw InvalidInput(where, "is there twice");
        if (!(bridge.resistance > 0) || !std::isfinite(bridge.resistance))
            throw InvalidInput(where, fmt::format("{} ohm is not a finite resistance above 0; "
                                                  "lines that touch keep a small one",
                                                  bridge.resistance));
    }
}

void check_same_shape(const CellMatrix& intended, Index rows, Index cols, std::string_view which) {
    if (rows != intended.rows() || cols != intended.cols())
        throw InvalidInput(fmt::format("{} is {} x {}, but the intended conductance is {} x {}",
                                       which, rows, cols, intended.rows(), intended.cols()));
}

}  // namespace

LineResistance::LineResistance(double uniform) : values_(CellMatrix::Constant(1, 1, uniform)) {}

LineResistance::LineResistance(const Eigen::VectorXd& per_line) : values_(per_line) {}

LineResistance::LineResistance(CellMatrix per_segment) : values_(std::move(per_segment)) {}

bool operator==(const LineResistance& x, const LineResistance& y) {
    return x.values_.rows() == y.values_.rows() && x.values_.cols() == y.values_.cols() &&
           x.values_ == y.values_;
}

Crossbar::Crossbar(CellMatrix conductance, Wires wires, ColumnPattern pattern)
    : Crossbar(conductance, conductance,
               FaultMatrix::Constant(conductance.rows(), conductance.cols(), Fault::none),
               std::move(wires), pattern) {}

Crossbar::Crossbar(CellMatrix intended, CellMatrix actual, FaultMatrix faults, Wires wires,
                   ColumnPattern pattern)
    : intended_(std::move(intended)),
      actual_(std::move(actual)),
      faults_(std::move(faults)),
      wires_(std::move(wires)),
      pattern_(pattern) {
    const Index m = intended_.rows();
    const Index n = intended_.cols();
    if (m < 1 || n < 1)
        throw InvalidInput("a crossbar needs at least one word line and one bit line");
    check_same_shape(intended_, actual_.rows(), actual_.cols(), "the actual conductance");
    check_same_shape(intended_, faults_.rows(), faults_.cols(), "the fault map");
    check_conductance(intended_, pattern_, "intended conductance");
    check_conductance(actual_, pattern_, "conductance");
    check_wires(wires_, m, n);
    check_bridges(wires_, m, n);
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c)
            if (interrupts(faults_(r, c)) && actual_(r, c) != 0)
                throw InvalidInput(fmt::format("cell {}", cell_name(position(pattern_, r, c))),
                                   fmt::format("is {}, but conducts {} S", to_string(faults_(r, c)),
                                               actual_(r, c)));
}

double Crossbar::word_line_resistance(Index r, Index c) const {
    if (c > 0) return wires_.word_line_segment(r, c);
    if (!wires_.drives_left()) return open_end;
    return wires_.driver(r) + (wires_.end_segments ? wires_.word_line_segment(r, 0) : 0.0);
}

double Crossbar::right_end_resistance(Index r) const {
    if (!wires_.drives_right()) return open_end;
    return wires_.driver(r) +
           (wires_.end_segments ? wires_.word_line_segment(r, actual_.cols()) : 0.0);
}

double Crossbar::bit_line_resistance(Index r, Index c) const {
    if (r + 1 < actual_.rows()) return wires_.bit_line_segment(c, r);
    if (!wires_.senses_bottom()) return open_end;
    return wires_.sense(c) + (wires_.end_segments ? wires_.bit_line_segment(c, r) : 0.0);
}

double Crossbar::top_end_resistance(Index c) const {
    if (!wires_.senses_top()) return open_end;
    return wires_.sense(c) +
           (wires_.end_segments ? wires_.bit_line_segment(c, actual_.rows()) : 0.0);
}

Crossbar Crossbar::with_law(CellLaw law) const {
    check_range(actual_, pattern_, law);
    check_transistors(faults_, pattern_, law);
    Crossbar result = *this;
    result.law_ = std::move(law);
    return result;
}

bool operator==(const Crossbar& x, const Crossbar& y) {
    return x.shape() == y.shape() && x.pattern_ == y.pattern_ && x.law_ == y.law_ &&
           x.wires_ == y.wires_ && x.intended_ == y.intended_ && x.actual_ == y.actual_ &&
           (x.faults_.array() == y.faults_.array()).all();
}

}  // namespace kirchnet
