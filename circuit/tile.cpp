#include "circuit/tile.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

std::vector<ColumnPattern> patterns_of(const TileSettings& settings) {
    if (!has_column_pair(settings.mapping)) return {ColumnPattern::all_a};
    if (settings.layout == Layout::interleaved) return {ColumnPattern::interleaved};
    return {ColumnPattern::all_a, ColumnPattern::all_b};
}

Index bit_lines_per_output(ColumnPattern pattern) {
    return pattern == ColumnPattern::interleaved ? 2 : 1;
}

ArrayShape physical_shape(const WeightBlock& block, const TileSettings& settings,
                          ColumnPattern pattern) {
    if (settings.unused == Unused::pad) return settings.array;
    const Index outputs = block.weights.cols() * bit_lines_per_output(pattern);
    return {block.weights.rows(), outputs + (settings.reference_column ? 1 : 0)};
}

bool is_reference(const WeightBlock& block, const TileSettings& settings, ColumnPattern pattern,
                  Index r, Index c) {
    return settings.reference_column && r < block.weights.rows() &&
           c == physical_shape(block, settings, pattern).bit_lines - 1;
}

bool holds_weight(const WeightBlock& block, ColumnPattern pattern, Index r, Index c) {
    return block.holds(r, c / bit_lines_per_output(pattern));
}

CellIdentity identity_of(const WeightBlock& block, ColumnPattern pattern, Index r, Index c) {
    const Polarity polarity = polarity_of(pattern, c);
    const auto int32 = [](Index value) { return static_cast<std::int32_t>(value); };
    if (!holds_weight(block, pattern, r, c))
        return PaddingCell{int32(block.tile_row),
                           int32(block.tile_column),
                           int32(r),
                           int32(c),
                           polarity,
                           block.slice};
    const KernelPosition& input = block.inputs[static_cast<std::size_t>(r)];
    return CellAddress{int32(block.first_output_channel + c / bit_lines_per_output(pattern)),
                       input.input_channel,
                       input.kernel_y,
                       input.kernel_x,
                       block.slice,
                       polarity};
}

/// Intended state of cell (r, c); padding and what lies between groups rest at HRS, the reference
/// column is at LRS where its word lines are in use.
double state_of(const WeightBlock& block, const TileSettings& settings, const LevelSlice& slice,
                ColumnPattern pattern, Index r, Index c) {
    if (!holds_weight(block, pattern, r, c))
        return is_reference(block, settings, pattern, r, c) ? 1 : 0;
    const double weight = block.weights(r, c / bit_lines_per_output(pattern));
    const StatePair states = to_states(settings.mapping, weight, settings.weight_bits, slice);
    return polarity_of(pattern, c) == Polarity::a ? states.a : states.b;
}

/// What makes a chip's cells other than intended; neither need be there.
struct Deviations {
    const std::optional<FaultSource>& faults;
    const std::optional<DeviceDraw>& devices;
};

/// What a working cell's memory element conducts behind its access device, device laws applied.
double element_conductance(const WeightBlock& block, const TileSettings& settings,
                           const CellIdentity& cell, double intended,
                           const std::optional<DeviceDraw>& devices) {
    const AccessResistance& access = settings.access;
    const double element = access.element_for(intended);
    if (!devices) return element;
    return varied_conductance(
        *devices, block.layer, cell, element,
        {access.element_for(settings.device.on), access.element_for(settings.device.off)});
}

double working_conductance(const WeightBlock& block, const TileSettings& settings,
                           const CellIdentity& cell, double intended,
                           const std::optional<DeviceDraw>& devices) {
    // What is compensated shows its target to the last digit, which seen(behind(G)) may not be.
    if (!devices) return settings.access.cell_for(intended);
    return settings.access.seen(element_conductance(block, settings, cell, intended, devices));
}

/// What the cell as a whole conducts: device laws and faults change its memory element, which keeps
/// its access device unless that is what is broken. A fault wins over the device laws; an element
/// is stuck where the state of 0 or 1 is programmed.
double actual_conductance(const WeightBlock& block, const TileSettings& settings,
                          const CellIdentity& cell, const CellFault& fault, double intended,
                          const std::optional<DeviceDraw>& devices) {
    switch (fault.kind) {
        case Fault::none:
            break;
        case Fault::stuck_off:
            return settings.access.cell_for(settings.device.off);
        case Fault::stuck_on:
            return settings.access.cell_for(settings.device.on);
        case Fault::stuck_at:
            return fault.conductance;
        case Fault::shorted_transistor:
            return element_conductance(block, settings, cell, intended, devices);
        case Fault::open:
        case Fault::open_via:
        case Fault::open_transistor:
            return 0;
    }
    return working_conductance(block, settings, cell, intended, devices);
}

ArrayPlace place_of(const WeightBlock& block, ColumnPattern pattern) {
    return {static_cast<std::int32_t>(block.tile_row), static_cast<std::int32_t>(block.tile_column),
            block.slice, pattern == ColumnPattern::all_b ? Polarity::b : Polarity::a};
}

/// @throws InvalidInput  where a fault does not go with the access device that cells have or not
void check_access(const CellFault& fault, const TileSettings& settings, const CellPosition& at) {
    const AccessResistance& access = settings.access;
    const auto where = [&] { return fmt::format("cell {}", cell_name(at)); };
    if (fault.kind == Fault::shorted_transistor && !access.is_there())
        throw InvalidInput(where(),
                           "has a shorted transistor, but cells have none; give "
                           "cells.access_resistance");
    if (fault.kind == Fault::stuck_at && fault.conductance * access.resistance >= 1)
        throw InvalidInput(
            where(), fmt::format("is stuck at {} S, but its access device of {} ohm "
                                 "lets less than {} S through",
                                 fault.conductance, access.resistance, 1 / access.resistance));
}

/// @param line_faults  takes what is wrong with the wires
Crossbar build_array(const WeightBlock& block, const TileSettings& settings,
                     const LevelSlice& slice, ColumnPattern pattern, const Deviations& deviations,
                     std::vector<LineFault>& line_faults) {
    const ArrayShape shape = physical_shape(block, settings, pattern);
    CellMatrix intended(shape.word_lines, shape.bit_lines);
    CellMatrix actual(shape.word_lines, shape.bit_lines);
    FaultMatrix faults = FaultMatrix::Constant(shape.word_lines, shape.bit_lines, Fault::none);
    const auto identity = [&](Index r, Index c) { return identity_of(block, pattern, r, c); };
    ArrayFaults found;
    if (deviations.faults)
        found = faults_of_array(*deviations.faults, block.layer, place_of(block, pattern), shape,
                                settings.wires, identity);
    for (Index r = 0; r < shape.word_lines; ++r)
        for (Index c = 0; c < shape.bit_lines; ++c) {
            intended(r, c) =
                settings.device.conductance(state_of(block, settings, slice, pattern, r, c));
            const CellFault fault = deviations.faults ? found.cells(r, c) : CellFault();
            check_access(fault, settings, {polarity_of(pattern, c), r, c});
            faults(r, c) = fault.kind;
            actual(r, c) = actual_conductance(block, settings, identity(r, c), fault,
                                              intended(r, c), deviations.devices);
        }
    line_faults = std::move(found.lines);
    return {std::move(intended), std::move(actual), std::move(faults),
            with_line_faults(settings.wires, line_faults, shape), pattern};
}

/// The array as given, with the conductances its cells were meant to have by their weights.
Crossbar take_given(const Crossbar& given, const Crossbar& built, const WeightBlock& block) {
    if (given.shape() != built.shape() || given.pattern() != built.pattern())
        throw InvalidInput(fmt::format("given array of layer {} tile {},{}", block.layer,
                                       block.tile_row, block.tile_column),
                           fmt::format("is {} with columns {}, but the tile has {} with columns {}",
                                       to_string(given.shape()), to_string(given.pattern()),
                                       to_string(built.shape()), to_string(built.pattern())));
    return {built.intended_conductance(), given.conductance(), given.faults(), given.wires(),
            given.pattern()};
}

/// Defects of wires are known by their place, which another array size moves.
void check_place_of_lines(const FaultSource& faults, const ArrayShape& array) {
    const auto* map = std::get_if<FaultMap>(&faults);
    if (map == nullptr || !map->array() || *map->array() == array || map->lines() == 0) return;
    throw InvalidInput("fault map", fmt::format("its defects of wires are of {0} arrays, not of "
                                                "{1} ones; use --array {0}, or a map drawn for {1}",
                                                to_string(*map->array()), to_string(array)));
}

void check_block(const WeightBlock& block, const TileSettings& settings) {
    const std::string where =
        fmt::format("layer {} tile {},{}", block.layer, block.tile_row, block.tile_column);
    if (block.weights.size() == 0) throw InvalidInput(where, "holds no weight");
    if (block.weights.rows() > settings.array.word_lines ||
        block.weights.cols() > outputs_per_tile(settings))
        throw InvalidInput(
            where, fmt::format("{} inputs x {} outputs do not fit a {} array", block.weights.rows(),
                               block.weights.cols(), to_string(settings.array)));
    if (static_cast<Index>(block.inputs.size()) != block.weights.rows())
        throw InvalidInput(where, fmt::format("{} kernel positions for {} rows",
                                              block.inputs.size(), block.weights.rows()));
    if (block.groups < 1 || block.weights.rows() % block.groups != 0 ||
        block.weights.cols() % block.groups != 0)
        throw InvalidInput(
            where, fmt::format("{} groups do not divide {} inputs x {} outputs", block.groups,
                               block.weights.rows(), block.weights.cols()));
    if (!(block.weights.array().abs() <= 1).all())
        throw InvalidInput(where, "a weight lies outside [-1, 1]; divide by the layer's max|W|");
}

}  // namespace

std::string_view to_string(Unused unused) {
    return unused == Unused::pad ? "pad" : "trim";
}

Unused parse_unused(std::string_view text) {
    if (text == "pad") return Unused::pad;
    if (text == "trim") return Unused::trim;
    throw InvalidInput(fmt::format("unused '{}' is neither pad nor trim", text));
}

std::string_view to_string(Groups groups) {
    return groups == Groups::packed ? "packed" : "separate";
}

Groups parse_groups(std::string_view text) {
    if (text == "separate") return Groups::separate;
    if (text == "packed") return Groups::packed;
    throw InvalidInput(fmt::format("groups '{}' is neither separate nor packed", text));
}

int slice_count(const TileSettings& settings) {
    return slice_count(settings.mapping, settings.weight_bits, settings.bits_per_cell);
}

Index outputs_per_tile(const TileSettings& settings) {
    const Index room = settings.array.bit_lines - (settings.reference_column ? 1 : 0);
    const Index outputs = room / bit_lines_per_output(patterns_of(settings).front());
    if (outputs < 1)
        throw InvalidInput(
            fmt::format("a {} array has no room for {}{}", to_string(settings.array),
                        settings.layout == Layout::interleaved && has_column_pair(settings.mapping)
                            ? "an interleaved column pair"
                            : "an output",
                        settings.reference_column ? " beside its reference column" : ""));
    return outputs;
}

Tile::Tile(WeightBlock block, const TileSettings& settings,
           const std::optional<FaultSource>& faults, const std::optional<DeviceDraw>& devices,
           const GivenArrays* given)
    : block_(std::move(block)),
      settings_(settings),
      slice_(level_slice(settings.mapping, settings.weight_bits, settings.bits_per_cell,
                         block_.slice)) {
    check(settings_.device);
    check(settings_.access, settings_.device.on);
    if (const auto* draw = faults ? std::get_if<FaultDraw>(&*faults) : nullptr) check(draw->law);
    if (faults) check_place_of_lines(*faults, settings_.array);
    if (devices) check(devices->laws);
    check_block(block_, settings_);
    for (const ColumnPattern pattern : patterns_of(settings_))
        arrays_.push_back(build_array(block_, settings_, slice_, pattern, {faults, devices},
                                      line_faults_.emplace_back()));
    const auto* known =
        given == nullptr
            ? nullptr
            : given->find({block_.layer, block_.tile_row, block_.tile_column, block_.slice});
    if (known == nullptr) return;
    if (known->size() != arrays_.size())
        throw InvalidInput(
            fmt::format("layer {} tile {},{}", block_.layer, block_.tile_row, block_.tile_column),
            fmt::format("is given as {} arrays, but has {}", known->size(), arrays_.size()));
    for (std::size_t i = 0; i < arrays_.size(); ++i) {
        arrays_[i] = take_given((*known)[i], arrays_[i], block_);
        line_faults_[i].clear();
    }
}

std::optional<Index> Tile::reference_bit_line() const {
    if (!settings_.reference_column) return std::nullopt;
    return arrays_.front().shape().bit_lines - 1;
}

Index Tile::read_bit_lines() const {
    if (const auto reference = reference_bit_line()) return *reference + 1;
    return outputs() * bit_lines_per_output(arrays_.front().pattern());
}

TileColumn Tile::column(Index output, Polarity side) const {
    if (output < 0 || output >= outputs() || (side == Polarity::b && !has_pairs()))
        throw InvalidInput(fmt::format("layer {} tile {},{} has no side {} of output {}",
                                       block_.layer, block_.tile_row, block_.tile_column,
                                       to_char(side), output));
    const auto pattern = arrays_.front().pattern();
    if (pattern == ColumnPattern::interleaved)
        return {0, 2 * output + (side == Polarity::b ? 1 : 0)};
    return {side == Polarity::b ? std::size_t{1} : std::size_t{0}, output};
}

std::set<Fault> Tile::faults() const {
    std::set<Fault> kinds;
    for (const Crossbar& array : arrays_)
        for (const Fault fault : array.faults().reshaped())
            if (fault != Fault::none) kinds.insert(fault);
    return kinds;
}

void Tile::describe_level(CellMeaning& cell) const {
    const int largest = largest_level(settings_.weight_bits);
    cell.level = quantize_weight(*cell.weight, largest);
    cell.steps = slice_.levels;
    if (settings_.bits_per_cell == 0) return;
    const LevelPair digits = to_digits(settings_.mapping, *cell.level, largest, slice_);
    cell.digit = cell.position.polarity == Polarity::a ? digits.a : digits.b;
}

CellMeaning Tile::meaning(const CellPosition& position) const {
    const std::size_t index = arrays_.size() == 2 && position.polarity == Polarity::b ? 1 : 0;
    const Crossbar& array = arrays_[index];
    const ArrayShape shape = array.shape();
    const bool inside = position.word_line >= 0 && position.word_line < shape.word_lines &&
                        position.bit_line >= 0 && position.bit_line < shape.bit_lines;
    if (!inside || polarity_of(array.pattern(), position.bit_line) != position.polarity)
        throw InvalidInput(cell_name(position),
                           fmt::format("tile {},{} of layer {} has no such cell", block_.tile_row,
                                       block_.tile_column, block_.layer));
    const Index r = position.word_line;
    const Index c = position.bit_line;
    CellMeaning cell;
    cell.position = position;
    cell.identity = identity_of(block_, array.pattern(), r, c);
    cell.state = state_of(block_, settings_, slice_, array.pattern(), r, c);
    cell.is_reference = is_reference(block_, settings_, array.pattern(), r, c);
    cell.intended_conductance = array.intended_conductance()(r, c);
    cell.conductance = array.conductance()(r, c);
    cell.fault = array.faults()(r, c);
    if (holds_weight(block_, array.pattern(), r, c)) {
        cell.weight = block_.weights(r, c / bit_lines_per_output(array.pattern()));
        if (settings_.weight_bits > 0) describe_level(cell);
    }
    return cell;
}

}  // namespace kirchnet
