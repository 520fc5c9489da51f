#include "netlists/detail/edited_array.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace kirchnet::detail {
namespace {

std::vector<std::string_view> words_of(std::string_view name) {
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t end = name.find('_');
        words.push_back(name.substr(0, end));
        if (end == std::string_view::npos) return words;
        name.remove_prefix(end + 1);
    }
}

std::optional<Index> to_index(std::string_view text) {
    Index value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

/// A node of a line: `wl_a_3_7`.
struct LineNode {
    bool is_word;
    std::string_view letters;
    Index word_line;
    Index bit_line;
};

std::optional<LineNode> parse_node(std::string_view name) {
    const std::vector<std::string_view> words = words_of(name);
    if (words.size() != 4 || (words[0] != "wl" && words[0] != "bl")) return std::nullopt;
    const auto word_line = to_index(words[2]);
    const auto bit_line = to_index(words[3]);
    if (!word_line || !bit_line) return std::nullopt;
    return LineNode{words[0] == "wl", words[1], *word_line, *bit_line};
}

bool set_line(Eigen::VectorXd& all, const LineResistance& given, Index lines, Index line,
              double ohm) {
    if (all.size() == 0) {
        all.resize(lines);
        for (Index i = 0; i < lines; ++i) all(i) = given(i);
    }
    all(line) = ohm;
    return true;
}

}  // namespace

std::optional<WireName> parse_wire(std::string_view name) {
    const std::vector<std::string_view> words = words_of(name);
    if (words.size() < 3 || words.size() > 4) return std::nullopt;
    constexpr std::array<std::string_view, 6> kinds{"rwl",    "rbl",       "rdrv",
                                                    "rsense", "rwlbridge", "rblbridge"};
    if (std::find(kinds.begin(), kinds.end(), words[0]) == kinds.end()) return std::nullopt;
    return WireName{words[0], words[1], words[2], words.size() == 4 ? words[3] : ""};
}

std::optional<Neighbours> parse_neighbours(std::string_view x, std::string_view y) {
    const auto from = parse_node(x);
    const auto to = parse_node(y);
    if (!from || !to || from->is_word != to->is_word) return std::nullopt;
    const Index down = to->word_line - from->word_line;
    const Index right = to->bit_line - from->bit_line;
    const Index step = from->is_word ? down : right;
    if (std::abs(step) != 1 || (from->is_word ? right : down) != 0) return std::nullopt;
    const LineNode& lower = step > 0 ? *from : *to;
    return Neighbours{lower.letters, lower.is_word ? Bridge::Lines::word : Bridge::Lines::bit,
                      lower.word_line, lower.bit_line};
}

EditedArray::EditedArray(const Crossbar& array)
    : intended_(array.intended_conductance()),
      actual_(array.conductance()),
      faults_(array.faults()),
      wires_(array.wires()),
      pattern_(array.pattern()) {}

void EditedArray::set_cell(const CellPosition& at, double conductance) {
    const Index r = at.word_line;
    const Index c = at.bit_line;
    actual_(r, c) = conductance;
    faults_(r, c) = conductance == 0 && intended_(r, c) != 0 ? Fault::open : Fault::none;
}

bool EditedArray::add_bridge(const Neighbours& where, double ohm) {
    const bool is_word = where.lines == Bridge::Lines::word;
    const bool has_place = where.word_line + (is_word ? 1 : 0) < actual_.rows() &&
                           where.bit_line + (is_word ? 0 : 1) < actual_.cols();
    const bool is_new =
        std::none_of(wires_.bridges.begin(), wires_.bridges.end(), [&](const Bridge& bridge) {
            return bridge.lines == where.lines && bridge.word_line == where.word_line &&
                   bridge.bit_line == where.bit_line;
        });
    if (!has_place || !is_new || !(ohm > 0) || std::isinf(ohm)) return false;
    wires_.bridges.push_back({where.lines, where.word_line, where.bit_line, ohm});
    return true;
}

/// @param ohm  infinite: they do not touch any more
/// @return  false where the lines did not touch here, or keep no resistance
bool EditedArray::set_bridge(Bridge::Lines lines, Index r, Index c, double ohm) {
    auto& all = wires_.bridges;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Bridge& bridge) {
        return bridge.lines == lines && bridge.word_line == r && bridge.bit_line == c;
    });
    if (found == all.end() || !(ohm > 0)) return false;
    if (std::isinf(ohm))
        all.erase(found);
    else
        found->resistance = ohm;
    return true;
}

bool EditedArray::set_wire(const WireName& wire, double ohm, bool is_flat) {
    const Index rows = actual_.rows();
    const Index columns = actual_.cols();
    const auto first = to_index(wire.first);
    const auto second = to_index(wire.second);
    const bool is_end = wire.second == "r" || wire.first == "t";
    if (wire.kind.ends_with("bridge"))
        return first && second &&
               set_bridge(wire.kind == "rwlbridge" ? Bridge::Lines::word : Bridge::Lines::bit,
                          *first, *second, ohm);
    if (wire.kind == "rwl" && first && (second || is_end) && *first < rows)
        return set_segment(word_lines_, wires_.word_line_segment, wires_.driver, rows, columns,
                           *first, is_end ? columns : *second, is_flat && (is_end || *second == 0),
                           ohm);
    if (wire.kind == "rbl" && second && (first || is_end) && *second < columns) {
        const bool is_bottom = first && *first == rows - 1;
        return set_segment(bit_lines_, wires_.bit_line_segment, wires_.sense, columns, rows,
                           *second, is_end ? rows : *first, is_flat && (is_end || is_bottom), ohm);
    }
    // One resistance stands for both ends of a line that has two.
    if (wire.kind == "rdrv" && first && *first < rows && wires_.drive != DriveSide::both)
        return set_line(drivers_, wires_.driver, rows, *first, ohm);
    const auto bit_line = wire.first == "t" ? second : first;
    if (wire.kind == "rsense" && bit_line && *bit_line < columns &&
        wires_.sense_at != SenseSide::both)
        return set_line(senses_, wires_.sense, columns, *bit_line, ohm);
    return false;
}

Crossbar EditedArray::finish() const {
    Wires wires = wires_;
    if (word_lines_.size() > 0) wires.word_line_segment = LineResistance(word_lines_);
    if (bit_lines_.size() > 0) wires.bit_line_segment = LineResistance(bit_lines_);
    if (drivers_.size() > 0) wires.driver = LineResistance(drivers_);
    if (senses_.size() > 0) wires.sense = LineResistance(senses_);
    return {intended_, actual_, faults_, wires, pattern_};
}

bool EditedArray::set_segment(CellMatrix& all, const LineResistance& given,
                              const LineResistance& end, Index lines, Index segments, Index line,
                              Index segment, bool holds_end, double ohm) {
    const bool has_far_end = &all == &word_lines_ ? wires_.drives_right() : wires_.senses_top();
    if (segment > segments || (segment == segments && !has_far_end)) return false;
    if (all.size() == 0) {
        all.resize(lines, segments + (has_far_end ? 1 : 0));
        for (Index i = 0; i < all.rows(); ++i)
            for (Index j = 0; j < all.cols(); ++j)
                all(i, j) = given(i, std::min(j, std::max<Index>(given.values().cols() - 1, 0)));
    }
    if (!holds_end) {
        all(line, segment) = ohm;
        return true;
    }
    if (!wires_.end_segments || ohm < end(line)) return false;
    all(line, segment) = ohm - end(line);
    return true;
}

}  // namespace kirchnet::detail
