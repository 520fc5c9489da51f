#include "netlists/detail/tile_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/read_point.hpp"
#include "circuit/units.hpp"
#include "netlists/detail/cell_probe.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/edited_array.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet::detail {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

bool is_same_pair(const std::vector<std::string>& x, const std::vector<std::string>& y) {
    return std::is_permutation(x.begin(), x.end(), y.begin(), y.end());
}

/// Where a cell of the tile belongs: its array and the nets its ends stand on.
struct CellSeat {
    std::size_t array;
    std::vector<std::string> nets;  ///< empty: cut off
};

/// What a cell that is not of resistors alone was found to be.
struct ProbedConductance {
    double conductance = 0;  ///< at the read voltage [S]
    bool is_of_law = false;
};

class TileReader {
  public:
    /// @param outer_nets  what a layer calls nets of the tile: `in_a_3` -> `x_5_0_1`
    TileReader(const Tile& tile, TileLines lines, const DeckTerms& terms, Compared compared,
               const DeckParts& original, const DeckParts& edited, const NgspiceSettings& settings,
               std::map<std::string, std::string> outer_nets = {})
        : tile_(tile),
          source_(lines.source),
          lines_(std::move(lines)),
          is_flat_(lines_.is_flat),
          terms_(terms),
          compared_(compared),
          original_(original),
          edited_(edited),
          settings_(settings),
          outer_nets_(std::move(outer_nets)) {
        for (const Crossbar& array : tile.arrays()) {
            arrays_.emplace_back(array);
            expansions_.push_back(expand(array));
        }
    }

    DeckReading read() {
        check_recognisable();
        find_renamed();
        probe_changed_cells();
        for (const DeckPart& part : original_.list()) compare(part);
        for (const DeckPart& part : edited_.list())
            if (original_.find(part.name) == nullptr && !renamed_.contains(part.name)) add(part);
        for (const EditedArray& array : arrays_) reading_.arrays.push_back(array.finish());
        read_voltages();
        return std::move(reading_);
    }

  private:
    /// A deck that shares no cell with the tile is another circuit, not an edited one.
    void check_recognisable() const {
        std::size_t known = 0;
        std::size_t foreign = 0;
        for (const DeckPart& part : edited_.list())
            if (cell_of(part.name)) (original_.find(part.name) != nullptr ? known : foreign) += 1;
        std::size_t cells = 0;
        for (const DeckPart& part : original_.list()) cells += cell_of(part.name) ? 1 : 0;
        if (cells == 0 || (known * 2 >= cells && foreign * 2 <= cells)) return;
        throw InvalidInput(
            source_.name(),
            fmt::format("is no deck of this tile: {} of its {} cells are there, and {} cells it "
                        "does not have; are layer, tile, mapping and array those it was written "
                        "with?",
                        known, cells, foreign));
    }

    [[nodiscard]] std::optional<CellPosition> cell_of(std::string_view name) const {
        if (is_flat_ && name.starts_with("rxc_")) name.remove_prefix(1);
        return parse_cell_name(name);
    }

    [[nodiscard]] std::size_t array_of(const CellPosition& at) const {
        return arrays_.size() == 2 && at.polarity == Polarity::b ? 1 : 0;
    }

    /// Nothing where the tile has no such cell.
    [[nodiscard]] std::optional<CellSeat> seat_of(const CellPosition& at) const {
        const std::size_t array = array_of(at);
        const Expansion& circuit = expansions_[array];
        if (at.word_line >= circuit.word_lines || at.bit_line >= circuit.bit_lines ||
            polarity_of(circuit.pattern, at.bit_line) != at.polarity)
            return std::nullopt;
        const auto place = static_cast<std::size_t>(at.word_line * circuit.bit_lines + at.bit_line);
        const NetIndex word = circuit.word_net[place];
        const NetIndex bit = circuit.bit_net[place];
        if (word == cut_off_net || bit == cut_off_net) return CellSeat{array, {}};
        const bool is_there =
            kirchnet::is_kept(tile_, tile_.arrays()[array], at.bit_line, terms_.output);
        return CellSeat{array,
                        {outer_net(circuit.net_name(word)),
                         is_there ? outer_net(circuit.net_name(bit)) : std::string("0")}};
    }

    [[nodiscard]] std::string outer_net(const std::string& net) const {
        const auto found = outer_nets_.find(net);
        return found == outer_nets_.end() ? net : found->second;
    }

    /// A part that is gone, and one that was not there and hangs between the same nets, are one.
    void find_renamed() {
        std::map<std::vector<std::string>, const DeckPart*> gone;
        const auto key = [](const DeckPart& part) {
            std::vector<std::string> nets = part.nodes;
            std::sort(nets.begin(), nets.end());
            return nets;
        };
        const auto is_alike = [&](const DeckPart& before, const DeckPart& after) {
            if (before.value && after.value) return before.is_conductance == after.is_conductance;
            return !before.value && !after.value && cell_of(before.name);
        };
        for (const DeckPart& part : original_.list())
            if (edited_.find(part.name) == nullptr) gone.emplace(key(part), &part);
        for (const DeckPart& part : edited_.list()) {
            if (original_.find(part.name) != nullptr || cell_of(part.name)) continue;
            const auto found = gone.find(key(part));
            if (found == gone.end() || !is_alike(*found->second, part)) continue;
            DeckChange& change = report(DeckChangeKind::renamed, *found->second);
            change.text_after = part.name;
            change.line = lines_.line_of(part.name);
            renamed_.emplace(part.name, found->second->name);
            stand_ins_.emplace(found->second->name, &part);
            gone.erase(found);
        }
    }

    // ---- cells that are not of resistors alone ----

    /// What of a part ngspice is to be asked; nothing where it is plain, or hangs elsewhere.
    [[nodiscard]] std::optional<ProbedCell> probe_of(const DeckPart& part,
                                                     const CellPosition& at) const {
        const auto seat = seat_of(at);
        if (!seat || seat->nets.empty() || (terms_.law.is_linear() && part.conductance()))
            return std::nullopt;
        ProbedCell cell{part.lines, seat->nets[0], seat->nets[1], {}};
        for (const std::string& end : seat->nets)
            if (std::find(part.nodes.begin(), part.nodes.end(), end) == part.nodes.end())
                return std::nullopt;
        for (const std::string& net : part.nodes) {
            if (net == cell.word_net || net == cell.bit_net || net == "0") continue;
            const DeckPart* source = edited_.find("v" + net);
            if (source == nullptr || !source->value) return std::nullopt;
            cell.gates[net] = *source->value;
        }
        if (cell.word_net == "0" && cell.bit_net == "0") return std::nullopt;
        return cell;
    }

    void probe_changed_cells() {
        std::vector<ProbedCell> cells;
        std::vector<std::string> names;
        const auto look_at = [&](const DeckPart& part, const std::optional<CellPosition>& at) {
            if (!at) return;
            if (auto cell = probe_of(part, *at)) {
                cells.push_back(std::move(*cell));
                names.push_back(part.name);
            }
        };
        for (const DeckPart& part : original_.list()) {
            const DeckPart* after = counterpart(part);
            if (after != nullptr && (after->lines != part.lines || after->name != part.name))
                look_at(*after, cell_of(part.name));
        }
        for (const DeckPart& part : edited_.list())
            if (original_.find(part.name) == nullptr && !renamed_.contains(part.name))
                look_at(part, cell_of(part.name));
        if (cells.empty()) return;
        const double v = terms_.read_voltage;
        const Eigen::Vector3d voltages(v, v / 2, -std::min(v, terms_.law.reach()));
        Eigen::MatrixXd current;
        try {
            current = probe_cells(cells, voltages, settings_);
        } catch (const NgspiceError& error) {
            throw InvalidInput(source_.name(), fmt::format("cells that were changed have no "
                                                           "operating point by themselves: {}",
                                                           error.what()));
        }
        for (std::size_t i = 0; i < names.size(); ++i)
            probed_[names[i]] = judge(voltages, current.row(static_cast<Index>(i)).transpose());
    }

    /// A cell of the law carries what the law says at every voltage.
    [[nodiscard]] ProbedConductance judge(const Eigen::Vector3d& voltages,
                                          const Eigen::Vector3d& current) const {
        constexpr double tolerance = 1e-6;  // of the current at the read voltage
        ProbedConductance found{current(0) / voltages(0), false};
        try {
            const double g = slope_for_target(terms_.law, found.conductance, voltages(0));
            found.is_of_law = true;
            for (Index k = 0; k < voltages.size(); ++k)
                found.is_of_law =
                    found.is_of_law && std::abs(current(k) - terms_.law.current(g, voltages(k))) <=
                                           tolerance * std::abs(current(0));
        } catch (const InvalidInput&) {  // the law has no such cell
            return found;
        }
        return found;
    }

    [[nodiscard]] const ProbedConductance* probed(const DeckPart* part) const {
        const auto found = part == nullptr ? probed_.end() : probed_.find(part->name);
        return found == probed_.end() ? nullptr : &found->second;
    }

    [[nodiscard]] const DeckPart* counterpart(const DeckPart& part) const {
        if (const DeckPart* found = edited_.find(part.name)) return found;
        const auto found = stand_ins_.find(part.name);
        return found == stand_ins_.end() ? nullptr : found->second;
    }

    DeckChange& report(DeckChangeKind kind, const DeckPart& part) {
        DeckChange& change = reading_.changes.emplace_back();
        change.kind = kind;
        change.name = part.name;
        change.line = lines_.line_of(part.name);
        if (const auto cell = cell_of(part.name)) {
            change.cell = cell;
            change.name = cell_name(*cell);
        }
        return change;
    }

    void beyond(std::string text) { reading_.beyond.push_back(std::move(text)); }

    void compare(const DeckPart& before) {
        const DeckPart* after = counterpart(before);
        if (after != nullptr && after->lines == before.lines && after->nodes == before.nodes)
            return;
        if (after != nullptr && probed(after) == nullptr &&
            !is_same_pair(before.nodes, after->nodes))
            return rewired(before, *after);
        if (const auto cell = cell_of(before.name)) return compare_cell(before, after, *cell);
        if (const auto wire = parse_wire(before.name)) return compare_wire(before, after, *wire);
        if (before.name.starts_with("v_in_")) return compare_source(before, after);
        if (before.name.starts_with("vsel_")) return compare_select_line(before, after);
        compare_device(before, after);
    }

    void rewired(const DeckPart& before, const DeckPart& after) {
        if (is_read_out(before) && compared_ == Compared::arrays) return;
        DeckChange& change = report(DeckChangeKind::rewired, before);
        change.text_before = fmt::format("{}", fmt::join(before.nodes, " "));
        change.text_after = fmt::format("{}", fmt::join(after.nodes, " "));
        beyond(fmt::format("{} hangs on {}", change.name, change.text_after));
    }

    /// What the cell conducts by the deck, or where that takes an analysis by the array.
    [[nodiscard]] double conductance_before(const DeckPart& before,
                                            const CellPosition& cell) const {
        if (const auto told = before.conductance(); told && terms_.law.is_linear()) return *told;
        return tile_.arrays()[array_of(cell)].conductance()(cell.word_line, cell.bit_line);
    }

    void compare_cell(const DeckPart& before, const DeckPart* after, const CellPosition& cell) {
        const double was = conductance_before(before, cell);
        const ProbedConductance* found = probed(after);
        const auto is = found != nullptr   ? std::optional(found->conductance)
                        : after == nullptr ? std::optional(0.0)
                                           : plain_conductance(*after);
        if (is && is_unchanged(was, *is, found)) return;
        DeckChange& change = report(DeckChangeKind::cell, before);
        change.before = was;
        change.after = is;
        if (after != nullptr) change.line = lines_.line_of(after->name);
        keep_cell(change, after, cell, array_of(cell));
    }

    /// Only ohmic cells are what their resistors say.
    [[nodiscard]] std::optional<double> plain_conductance(const DeckPart& part) const {
        return terms_.law.is_linear() ? part.conductance() : std::nullopt;
    }

    static bool is_unchanged(double was, double is, const ProbedConductance* found) {
        constexpr double of_an_analysis = 1e-9;
        if (found == nullptr) return is_same_number(was, is);
        return found->is_of_law && std::abs(is - was) <= of_an_analysis * std::abs(was);
    }

    /// Puts a cell's conductance into its array, or says why that cannot be.
    void keep_cell(DeckChange& change, const DeckPart* part, const CellPosition& cell,
                   std::size_t array) {
        const ProbedConductance* found = probed(part);
        const bool is_held = found == nullptr || found->is_of_law;
        if (change.after && is_held && std::isfinite(*change.after) && *change.after >= 0)
            return arrays_[array].set_cell(cell, *change.after);
        change.text_after = fmt::format("{}", fmt::join(part->lines, " | "));
        beyond(terms_.law.is_linear() ? fmt::format("{} is no conductance any more", change.name)
                                      : fmt::format("{} is no cell of law {} any more", change.name,
                                                    to_string(terms_.law)));
    }

    /// Of a voltage source; null where it is as it was.
    DeckChange* compare_voltage(const DeckPart& before, const DeckPart* after) {
        if (after != nullptr && after->value && before.value &&
            is_same_number(*before.value, *after->value))
            return nullptr;
        DeckChange& change = report(DeckChangeKind::source, before);
        change.before = before.value;
        if (after != nullptr) change.after = after->value;
        if (!change.after) change.text_after = after == nullptr ? "gone" : after->lines.front();
        return &change;
    }

    /// Select lines are no part of arrays.
    void compare_select_line(const DeckPart& before, const DeckPart* after) {
        if (compared_ == Compared::arrays && after == nullptr) return;
        DeckChange* change = compare_voltage(before, after);
        if (change == nullptr) return;
        beyond(fmt::format("select line {} is at {}", before.name.substr(1),
                           change->after ? format_quantity(*change->after, "V") : "no voltage"));
    }

    void compare_wire(const DeckPart& before, const DeckPart* after, const WireName& wire) {
        const double was = before.value.value_or(open);
        const auto is = after == nullptr ? open : after->value;
        if (is && is_same_number(was, *is)) return;
        DeckChange& change = report(wire.kind == "rdrv"     ? DeckChangeKind::driver
                                    : wire.kind == "rsense" ? DeckChangeKind::sense
                                                            : DeckChangeKind::segment,
                                    before);
        change.before = before.value;
        change.after = is;
        if (!is) change.text_after = fmt::format("{}", fmt::join(after->lines, " | "));
        if (is && *is >= 0)
            for (EditedArray& array : arrays_)
                if (array.has_letters(wire.letters) && array.set_wire(wire, *is, is_flat_)) return;
        beyond(fmt::format("{} is {}", change.name,
                           is ? format_quantity(*is, "ohm") : std::string("no resistor any more")));
    }

    void compare_source(const DeckPart& before, const DeckPart* after) {
        const DeckChange* change = compare_voltage(before, after);
        if (change == nullptr || change->after) return;
        beyond(fmt::format("{} is no read voltage any more", change->name));
    }

    /// Whatever the writer puts behind the nets `out_*`.
    static bool is_read_out(const DeckPart& part) {
        constexpr std::array<std::string_view, 7> prefixes{"vs_",   "bsub_", "xsub_", "xtia_",
                                                           "bref_", "xsh_",  "xadc_"};
        return std::any_of(prefixes.begin(), prefixes.end(),
                           [&](std::string_view prefix) { return part.name.starts_with(prefix); });
    }

    void compare_device(const DeckPart& before, const DeckPart* after) {
        if (compared_ == Compared::arrays) return;
        if (after != nullptr && after->lines == before.lines) return;
        DeckChange& change =
            report(after == nullptr ? DeckChangeKind::missing : DeckChangeKind::device, before);
        change.text_before = first_difference(before, after);
        if (after != nullptr) change.text_after = first_difference(*after, &before);
        beyond(fmt::format("{} of the read-out {}", change.name,
                           after == nullptr ? "is missing" : "differs"));
    }

    /// The first device of a part that the other part has not.
    static std::string first_difference(const DeckPart& part, const DeckPart* other) {
        for (const std::string& line : part.lines)
            if (other == nullptr ||
                std::find(other->lines.begin(), other->lines.end(), line) == other->lines.end())
                return line;
        return part.lines.front();
    }

    /// A cell that conducted nothing has no line in the original.
    bool add_cell(const DeckPart& part) {
        const auto cell = cell_of(part.name);
        if (!cell) return false;
        const auto seat = seat_of(*cell);
        const ProbedConductance* found = probed(&part);
        const auto is =
            found != nullptr ? std::optional(found->conductance) : plain_conductance(part);
        if (!seat || !is || !std::isfinite(*is) || *is < 0 ||
            (found == nullptr && !is_same_pair(seat->nets, part.nodes)))
            return false;
        DeckChange& change = report(DeckChangeKind::cell, part);
        change.before = 0.0;
        change.after = is;
        keep_cell(change, &part, *cell, seat->array);
        return true;
    }

    /// A segment that was open before, or a resistor that bridges neighbouring lines.
    bool add_wire(const DeckPart& part) {
        if (part.nodes.size() != 2 || part.is_conductance || !part.value || !(*part.value > 0))
            return false;
        const auto wire = parse_wire(part.name);
        const auto bridge = parse_neighbours(part.nodes[0], part.nodes[1]);
        for (EditedArray& array : arrays_) {
            if (wire && array.has_letters(wire->letters) &&
                array.set_wire(*wire, *part.value, is_flat_)) {
                DeckChange& change = report(DeckChangeKind::segment, part);
                change.before = open;
                change.after = part.value;
                return true;
            }
            if (bridge && array.has_letters(bridge->letters) &&
                array.add_bridge(*bridge, *part.value)) {
                report(DeckChangeKind::added, part).text_after = part.lines.front();
                return true;
            }
        }
        return false;
    }

    void add(const DeckPart& part) {
        if (compared_ == Compared::arrays && is_read_out(part)) return;
        if (add_cell(part) || add_wire(part)) return;
        DeckChange& change = report(DeckChangeKind::added, part);
        change.text_after = part.lines.front();
        beyond(fmt::format("{} was added between {}", change.name, fmt::join(part.nodes, " and ")));
    }

    void read_voltages() {
        for (const Expansion& circuit : expansions_) {
            Eigen::VectorXd& voltages =
                reading_.voltages.emplace_back(Eigen::VectorXd::Zero(circuit.word_lines));
            for (Index r = 0; r < circuit.word_lines; ++r) {
                const DeckPart* source = edited_.find(source_name(circuit.pattern, r));
                if (source != nullptr) voltages(r) = source->value.value_or(0);
            }
        }
    }

    const Tile& tile_;
    const DeckSource& source_;
    TileLines lines_;
    bool is_flat_;
    const DeckTerms& terms_;
    Compared compared_;
    const DeckParts& original_;
    const DeckParts& edited_;
    const NgspiceSettings& settings_;
    std::map<std::string, std::string> outer_nets_;
    std::map<std::string, ProbedConductance, std::less<>> probed_;
    std::vector<EditedArray> arrays_;
    std::vector<Expansion> expansions_;
    std::map<std::string, std::string, std::less<>> renamed_;
    std::map<std::string, const DeckPart*, std::less<>> stand_ins_;
    DeckReading reading_;
};

}  // namespace

/// ngspice writes what was an expression with 16 digits, so both decks' numbers are half a unit of
/// the last away from what was meant, and so are their inverses.
bool is_same_number(double before, double after) {
    constexpr double tolerance = 4e-15;
    return before == after || std::abs(after - before) <= tolerance * std::abs(before);
}

DeckReading read_tile(const Tile& tile, const TileLines& lines, const DeckTerms& terms,
                      Compared compared, const DeckParts& original, const DeckParts& edited,
                      const NgspiceSettings& settings,
                      const std::map<std::string, std::string>& outer_nets) {
    return TileReader(tile, lines, terms, compared, original, edited, settings, outer_nets).read();
}

}  // namespace kirchnet::detail
