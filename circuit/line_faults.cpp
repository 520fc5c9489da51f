#include "circuit/line_faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "circuit/cell_counter.hpp"
#include "circuit/detail/checks.hpp"
#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

bool is_of_word_line(LineDefect defect) {
    return defect == LineDefect::word_line_open || defect == LineDefect::word_line_short ||
           defect == LineDefect::word_line_bridge;
}

/// Which segments an array has: along a line of `cells` cells, segment i lies before cell i of a
/// word line and behind cell i of a bit line; `cells` is the one at the further end.
struct Segments {
    Index lines;
    Index cells;
    Index at_near_end;  ///< number of the segment at the end that lines usually have
    bool has_near_end;
    bool has_further_end;

    [[nodiscard]] bool has(Index line, Index segment) const {
        if (line < 0 || line >= lines || segment < 0 || segment > cells) return false;
        if (segment == cells) return has_further_end;
        return segment != at_near_end || has_near_end;
    }
};

Segments word_line_segments(const ArrayShape& shape, const Wires& wires) {
    return {shape.word_lines, shape.bit_lines, 0, wires.end_segments && wires.drives_left(),
            wires.end_segments && wires.drives_right()};
}

Segments bit_line_segments(const ArrayShape& shape, const Wires& wires) {
    return {shape.bit_lines, shape.word_lines, shape.word_lines - 1,
            wires.end_segments && wires.senses_bottom(), wires.end_segments && wires.senses_top()};
}

/// Defects of the segments and bridges of one kind of line.
struct LineDraw {
    double open_probability;
    double short_probability;
    double bridge_probability;
    LineDefect open_defect;
    LineDefect short_defect;
    LineDefect bridge_defect;
    ArrayPurpose segment_purpose;
    ArrayPurpose bridge_purpose;
};

class LineFaultDrawing {
  public:
    LineFaultDrawing(const LineFaultLaw& law, std::uint64_t seed, std::uint32_t trial,
                     std::string_view layer, const ArrayPlace& place)
        : law_(law), seed_(seed), trial_(trial), stream_(stream_of(layer)), place_(place) {}

    void draw(const LineDraw& kind, const Segments& segments) {
        for (Index line = 0; line < segments.lines; ++line) {
            draw_segments(kind, segments, line);
            if (kind.bridge_probability > 0 && line + 1 < segments.lines)
                for (Index cell = 0; cell < segments.cells; ++cell)
                    if (uniform(kind.bridge_purpose, line, cell) < kind.bridge_probability)
                        add(kind.bridge_defect, line, cell, law_.bridge_resistance);
        }
    }

    /// In the order of maps, so that a chip read from one is the chip that was drawn.
    [[nodiscard]] std::vector<LineFault> take() {
        std::sort(faults_.begin(), faults_.end());
        return std::move(faults_);
    }

  private:
    void draw_segments(const LineDraw& kind, const Segments& segments, Index line) {
        if (kind.open_probability <= 0 && kind.short_probability <= 0) return;
        for (Index segment = 0; segment <= segments.cells; ++segment) {
            if (!segments.has(line, segment)) continue;
            const double u = uniform(kind.segment_purpose, line, segment);
            if (u < kind.open_probability)
                add(kind.open_defect, line, segment, 0);
            else if (u >= 1 - kind.short_probability)
                add(kind.short_defect, line, segment, 0);
        }
    }

    [[nodiscard]] double uniform(ArrayPurpose purpose, Index x, Index y) const {
        return keyed_uniform(seed_, stream_, array_counter(trial_, purpose, place_, x, y));
    }

    void add(LineDefect defect, Index line, Index along, double resistance) {
        const auto its_line = static_cast<std::int32_t>(line);
        const auto its_place = static_cast<std::int32_t>(along);
        if (is_of_word_line(defect))
            faults_.push_back({place_, defect, its_line, its_place, resistance});
        else
            faults_.push_back({place_, defect, its_place, its_line, resistance});
    }

    const LineFaultLaw& law_;
    std::uint64_t seed_;
    std::uint32_t trial_;
    std::uint64_t stream_;
    ArrayPlace place_;
    std::vector<LineFault> faults_;
};

/// Every segment by itself: [lines × cells], with a further column where `has_further_end`.
CellMatrix segment_by_segment(const LineResistance& given, const Segments& segments,
                              bool has_further_end) {
    CellMatrix all(segments.lines, segments.cells + (has_further_end ? 1 : 0));
    for (Index line = 0; line < all.rows(); ++line)
        for (Index segment = 0; segment < all.cols(); ++segment)
            // A matrix without the further column has no segment there to tell of.
            all(line, segment) =
                given(line, std::min(segment, std::max<Index>(given.values().cols() - 1, 0)));
    return all;
}

/// Wires whose segments are changed one by one.
class BrokenWires {
  public:
    BrokenWires(const Wires& wires, const ArrayShape& shape)
        : wires_(wires),
          shape_(shape),
          word_segments_(word_line_segments(shape, wires)),
          bit_segments_(bit_line_segments(shape, wires)) {}

    void apply(const LineFault& fault) {
        if (is_bridge(fault.defect)) return add_bridge(fault);
        if (is_of_word_line(fault.defect))
            set(fault, word_, wires_.word_line_segment, word_segments_, wires_.drives_right(),
                fault.word_line, fault.bit_line);
        else
            set(fault, bit_, wires_.bit_line_segment, bit_segments_, wires_.senses_top(),
                fault.bit_line, fault.word_line);
    }

    [[nodiscard]] Wires finish() {
        if (word_) wires_.word_line_segment = LineResistance(std::move(*word_));
        if (bit_) wires_.bit_line_segment = LineResistance(std::move(*bit_));
        return std::move(wires_);
    }

  private:
    void set(const LineFault& fault, std::optional<CellMatrix>& all, const LineResistance& given,
             const Segments& segments, bool has_further_end, Index line, Index segment) {
        if (!segments.has(line, segment)) refuse(fault);
        if (!all) all = segment_by_segment(given, segments, has_further_end);
        const bool is_open =
            fault.defect == LineDefect::word_line_open || fault.defect == LineDefect::bit_line_open;
        (*all)(line, segment) = is_open ? open : 0;
    }

    void add_bridge(const LineFault& fault) {
        const bool is_word = fault.defect == LineDefect::word_line_bridge;
        const Index last_word_line = shape_.word_lines - (is_word ? 2 : 1);
        const Index last_bit_line = shape_.bit_lines - (is_word ? 1 : 2);
        if (fault.word_line < 0 || fault.word_line > last_word_line || fault.bit_line < 0 ||
            fault.bit_line > last_bit_line)
            refuse(fault);
        wires_.bridges.push_back({is_word ? Bridge::Lines::word : Bridge::Lines::bit,
                                  fault.word_line, fault.bit_line, fault.resistance});
    }

    [[noreturn]] void refuse(const LineFault& fault) const {
        throw InvalidInput(
            fmt::format("tile {},{} array {}: {} at word line {}, bit line {}",
                        fault.place.tile_row, fault.place.tile_column, to_char(fault.place.array),
                        to_string(fault.defect), fault.word_line, fault.bit_line),
            fmt::format("a {} array with these driven and sensed ends has no such place",
                        to_string(shape_)));
    }

    Wires wires_;
    ArrayShape shape_;
    Segments word_segments_;
    Segments bit_segments_;
    std::optional<CellMatrix> word_;
    std::optional<CellMatrix> bit_;
};

ElementKind kind_of(const LineFault& fault, const ArrayShape& shape) {
    switch (fault.defect) {
        case LineDefect::word_line_bridge:
            return ElementKind::word_line_bridge;
        case LineDefect::bit_line_bridge:
            return ElementKind::bit_line_bridge;
        case LineDefect::word_line_open:
        case LineDefect::word_line_short:
            return fault.bit_line == shape.bit_lines ? ElementKind::right_end
                                                     : ElementKind::word_line_segment;
        case LineDefect::bit_line_open:
        case LineDefect::bit_line_short:
            break;
    }
    return fault.word_line == shape.word_lines ? ElementKind::top_end
                                               : ElementKind::bit_line_segment;
}

/// `word lines 0 to 7 of bit line 3 lose their read-out`; of one line alone `line`.
std::string lose(std::string_view across, Index first, Index last, std::string_view line,
                 Index number, std::string_view what) {
    if (first == last)
        return fmt::format("{} {} of {} {} loses its {}", across, first, line, number, what);
    return fmt::format("{}s {} to {} of {} {} lose their {}", across, first, last, line, number,
                       what);
}

std::string open_word_line(const LineFault& fault, const ArrayShape& shape, const Wires& wires) {
    const Index n = shape.bit_lines;
    if (wires.drive == DriveSide::both) {
        if (fault.bit_line == 0 || fault.bit_line == n)
            return fmt::format("word line {} is driven at its {} end alone", fault.word_line,
                               fault.bit_line == 0 ? "right" : "left");
        return fmt::format("word line {} is two lines, each driven at one end", fault.word_line);
    }
    const bool is_left = wires.drive == DriveSide::left;
    return lose("bit line", is_left ? fault.bit_line : 0, is_left ? n - 1 : fault.bit_line - 1,
                "word line", fault.word_line, "driver");
}

std::string open_bit_line(const LineFault& fault, const ArrayShape& shape, const Wires& wires) {
    const Index m = shape.word_lines;
    const bool is_top_end = fault.word_line == m;
    if (wires.sense_at == SenseSide::both) {
        if (is_top_end || fault.word_line == m - 1)
            return fmt::format("bit line {} is read at its {} end alone", fault.bit_line,
                               is_top_end ? "bottom" : "top");
        return fmt::format("bit line {} is two lines, each read at one end", fault.bit_line);
    }
    if (wires.sense_at == SenseSide::bottom)
        return lose("word line", 0, fault.word_line, "bit line", fault.bit_line, "read-out");
    return lose("word line", is_top_end ? 0 : fault.word_line + 1, m - 1, "bit line",
                fault.bit_line, "read-out");
}

}  // namespace

std::string_view to_string(LineDefect defect) {
    constexpr std::array<std::string_view, all_line_defects.size()> words{
        "word_line_open", "word_line_short", "word_line_bridge",
        "bit_line_open",  "bit_line_short",  "bit_line_bridge"};
    return words[static_cast<std::size_t>(defect)];
}

LineDefect parse_line_defect(std::string_view text) {
    std::string words;
    for (const LineDefect defect : all_line_defects) {
        if (text == to_string(defect)) return defect;
        words += (words.empty() ? "" : ", ") + std::string(to_string(defect));
    }
    throw InvalidInput(fmt::format("line defect '{}' is none of {}", text, words));
}

void check(const LineFaultLaw& law) {
    detail::check_probability(law.word_line_open, "probability of an open word-line segment");
    detail::check_probability(law.word_line_short, "probability of a shorted word-line segment");
    detail::check_probability(law.word_line_bridge, "probability of a bridge of word lines");
    detail::check_probability(law.bit_line_open, "probability of an open bit-line segment");
    detail::check_probability(law.bit_line_short, "probability of a shorted bit-line segment");
    detail::check_probability(law.bit_line_bridge, "probability of a bridge of bit lines");
    detail::check_probability(law.word_line_open + law.word_line_short,
                              "probability of an open or shorted word-line segment");
    detail::check_probability(law.bit_line_open + law.bit_line_short,
                              "probability of an open or shorted bit-line segment");
    detail::check_positive(law.bridge_resistance, "resistance of bridges [ohm]");
}

std::vector<LineFault> draw_line_faults(const LineFaultLaw& law, std::uint64_t seed,
                                        std::uint32_t trial, std::string_view layer,
                                        const ArrayPlace& place, const ArrayShape& shape,
                                        const Wires& wires) {
    if (!law.is_on()) return {};
    LineFaultDrawing drawing(law, seed, trial, layer, place);
    drawing.draw(
        {law.word_line_open, law.word_line_short, law.word_line_bridge, LineDefect::word_line_open,
         LineDefect::word_line_short, LineDefect::word_line_bridge, ArrayPurpose::word_line_segment,
         ArrayPurpose::word_line_bridge},
        word_line_segments(shape, wires));
    drawing.draw(
        {law.bit_line_open, law.bit_line_short, law.bit_line_bridge, LineDefect::bit_line_open,
         LineDefect::bit_line_short, LineDefect::bit_line_bridge, ArrayPurpose::bit_line_segment,
         ArrayPurpose::bit_line_bridge},
        bit_line_segments(shape, wires));
    return drawing.take();
}

Wires with_line_faults(const Wires& wires, const std::vector<LineFault>& faults,
                       const ArrayShape& shape) {
    BrokenWires broken(wires, shape);
    for (const LineFault& fault : faults) broken.apply(fault);
    return broken.finish();
}

std::string consequence(const LineFault& fault, const ArrayShape& shape, const Wires& wires) {
    switch (fault.defect) {
        case LineDefect::word_line_open:
            return open_word_line(fault, shape, wires);
        case LineDefect::bit_line_open:
            return open_bit_line(fault, shape, wires);
        case LineDefect::word_line_short:
            return fmt::format("word line {} has a segment without resistance", fault.word_line);
        case LineDefect::bit_line_short:
            return fmt::format("bit line {} has a segment without resistance", fault.bit_line);
        case LineDefect::word_line_bridge:
            return fmt::format("word lines {} and {} pull at each other through {:g} ohm",
                               fault.word_line, fault.word_line + 1, fault.resistance);
        case LineDefect::bit_line_bridge:
            break;
    }
    return fmt::format("bit lines {} and {} share currents through {:g} ohm", fault.bit_line,
                       fault.bit_line + 1, fault.resistance);
}

std::string describe(const LineFault& fault, const ArrayShape& shape, ColumnPattern pattern) {
    // Further ends go by the cell next to them.
    const Index word_line = std::min<Index>(fault.word_line, shape.word_lines - 1);
    const Index bit_line = std::min<Index>(fault.bit_line, shape.bit_lines - 1);
    return fmt::format("{} {}", to_string(fault.defect),
                       element_name(pattern, kind_of(fault, shape), word_line, bit_line));
}

}  // namespace kirchnet
