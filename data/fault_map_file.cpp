#include "data/fault_map_file.hpp"

#include <fmt/format.h>

#include <cmath>

#include "data/detail/fault_codes.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

/// One table of cells of a fault map: `columns` numbers per cell and a fault code each.
struct FaultTable {
    std::vector<std::int32_t> cells;
    std::vector<std::uint8_t> faults;
    std::vector<double> conductances;
};

constexpr std::size_t weight_columns = 7;
constexpr std::size_t padding_columns = 7;
constexpr std::size_t padding_columns_without_slice = 6;  // files of before weights had slices
constexpr const char* weight_column_names =
    "layer, output_channel, input_channel, kernel_y, kernel_x, slice, polarity (0 a, 1 b)";
constexpr const char* padding_column_names =
    "layer, tile_row, tile_column, word_line, bit_line, polarity (0 a, 1 b), slice";

void add_row(FaultTable& weights, FaultTable& padding, std::int32_t layer,
             const CellIdentity& identity, const CellFault& fault) {
    const auto code = static_cast<std::uint8_t>(fault.kind);
    FaultTable& table = std::holds_alternative<CellAddress>(identity) ? weights : padding;
    table.faults.push_back(code);
    table.conductances.push_back(fault.conductance);
    if (const auto* cell = std::get_if<CellAddress>(&identity)) {
        weights.cells.insert(weights.cells.end(), {layer, cell->output_channel, cell->input_channel,
                                                   cell->kernel_y, cell->kernel_x, cell->slice,
                                                   static_cast<std::int32_t>(cell->polarity)});
    } else {
        const auto& place = std::get<PaddingCell>(identity);
        padding.cells.insert(
            padding.cells.end(),
            {layer, place.tile_row, place.tile_column, place.word_line, place.bit_line,
             static_cast<std::int32_t>(place.polarity), place.slice});
    }
}

void write_table(OutputGroup group, const FaultTable& table, std::size_t columns,
                 const char* column_names) {
    group.write("cell", {table.faults.size(), columns}, std::span<const std::int32_t>(table.cells),
                "index", Storage::packed);
    group.set_on("cell", "columns", column_names);
    group.write("fault", table.faults, "code", Storage::packed);
    group.set_on("fault", "codes", describe_codes(all_faults));
    group.write("conductance", {table.faults.size()}, std::span<const double>(table.conductances),
                "S");
    group.set_on("conductance", "of", "cells that are stuck_at; 0 elsewhere");
}

Polarity to_polarity(const InputGroup& group, std::int32_t code) {
    if (code != 0 && code != 1) group.fail("cell", fmt::format("holds polarity {}", code));
    return code == 0 ? Polarity::a : Polarity::b;
}

CellIdentity weight_cell(const InputGroup& group, const std::int32_t* row) {
    return CellAddress{row[1], row[2], row[3], row[4], row[5], to_polarity(group, row[6])};
}

CellIdentity padding_cell(const InputGroup& group, const std::int32_t* row) {
    return PaddingCell{row[1], row[2], row[3], row[4], to_polarity(group, row[5]), row[6]};
}

CellIdentity padding_cell_without_slice(const InputGroup& group, const std::int32_t* row) {
    return PaddingCell{row[1], row[2], row[3], row[4], to_polarity(group, row[5])};
}

void check_row(const InputGroup& group, const char* table, const std::int32_t* row,
               std::size_t columns, std::size_t layers) {
    for (std::size_t i = 0; i < columns; ++i)
        if (row[i] < 0) group.fail(table, fmt::format("holds index {}", row[i]));
    if (static_cast<std::size_t>(row[0]) >= layers)
        group.fail(table, fmt::format("names layer {} of {}", row[0], layers));
}

using ToIdentity = CellIdentity (*)(const InputGroup&, const std::int32_t*);

void read_table(FaultMap& map, const InputGroup& group, const std::vector<std::string>& layers,
                std::size_t columns, ToIdentity to_identity) {
    const auto cells = group.read<std::int32_t>("cell", 2);
    const auto codes = group.read_vector<std::uint8_t>("fault");
    // Files from before cells could be stuck at any conductance do not say at which.
    std::vector<double> conductances(codes.size(), 0.0);
    if (group.has("conductance")) conductances = group.read_vector<double>("conductance");
    if (conductances.size() != codes.size())
        group.fail("conductance",
                   fmt::format("holds {} values for {} cells", conductances.size(), codes.size()));
    if (cells.shape[1] != columns || cells.shape[0] != codes.size())
        group.fail("cell", fmt::format("has shape {}, {}x{} is needed",
                                       hdf5::to_string(cells.shape), codes.size(), columns));
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const std::int32_t* row = cells.values.data() + i * columns;
        check_row(group, "cell", row, columns, layers.size());
        const std::string& layer = layers[static_cast<std::size_t>(row[0])];
        const CellIdentity cell = to_identity(group, row);
        const Fault fault = to_fault(group, "fault", codes[i]);
        if (fault == Fault::none || map.at(layer, cell).kind != Fault::none)
            group.fail("cell", fmt::format("row {} is no fault or repeats a cell", i));
        if (!(conductances[i] >= 0) || std::isinf(conductances[i]))
            group.fail("conductance", fmt::format("row {} holds {} S, no finite conductance of at "
                                                  "least 0",
                                                  i, conductances[i]));
        map.set(layer, cell, {fault, conductances[i]});
    }
}

void read_padding_table(FaultMap& map, const InputGroup& group,
                        const std::vector<std::string>& layers) {
    if (group.read<std::int32_t>("cell", 2).shape[1] == padding_columns_without_slice)
        read_table(map, group, layers, padding_columns_without_slice, padding_cell_without_slice);
    else
        read_table(map, group, layers, padding_columns, padding_cell);
}

constexpr std::size_t line_columns = 8;
constexpr const char* line_column_names =
    "layer, tile_row, tile_column, slice, array (0 a or the only one, 1 b), defect, word_line, "
    "bit_line";

/// Nothing where no wire is defective.
void write_line_table(OutputGroup& file, const FaultMap& map) {
    if (map.lines() == 0) return;
    std::vector<std::int32_t> rows;
    std::vector<double> resistances;
    std::int32_t layer = 0;
    for (const auto& [name, faults] : map.layers()) {
        for (const LineFault& fault : faults.lines) {
            const ArrayPlace& place = fault.place;
            rows.insert(rows.end(),
                        {layer, place.tile_row, place.tile_column, place.slice,
                         static_cast<std::int32_t>(place.array),
                         static_cast<std::int32_t>(fault.defect), fault.word_line, fault.bit_line});
            resistances.push_back(fault.resistance);
        }
        ++layer;
    }
    OutputGroup group = file.group("lines");
    group.write("line", {resistances.size(), line_columns}, std::span<const std::int32_t>(rows),
                "index", Storage::packed);
    group.set_on("line", "columns", line_column_names);
    group.set_on("line", "defects", describe_codes(all_line_defects));
    if (map.array()) group.set("array", to_string(*map.array()));
    group.write("resistance", {resistances.size()}, std::span<const double>(resistances), "ohm");
    group.set_on("resistance", "of", "bridges; 0 elsewhere");
}

LineFault line_of(const InputGroup& group, const std::int32_t* row, double resistance) {
    if (row[4] > 1) group.fail("line", fmt::format("holds array {}", row[4]));
    if (row[5] >= static_cast<std::int32_t>(all_line_defects.size()))
        group.fail("line", fmt::format("holds defect {}, known are {}", row[5],
                                       describe_codes(all_line_defects)));
    const ArrayPlace place{row[1], row[2], row[3], row[4] == 0 ? Polarity::a : Polarity::b};
    const LineFault fault{place, static_cast<LineDefect>(row[5]), row[6], row[7], resistance};
    const bool is_fine =
        is_bridge(fault.defect) ? resistance > 0 && !std::isinf(resistance) : resistance == 0;
    if (!is_fine)
        group.fail("resistance",
                   fmt::format("holds {} ohm for a {}", resistance, to_string(fault.defect)));
    return fault;
}

void read_line_table(FaultMap& map, const InputGroup& group,
                     const std::vector<std::string>& layers) {
    if (group.has_attribute("array")) map.set_array(parse_array_shape(group.text("array")));
    const auto rows = group.read<std::int32_t>("line", 2);
    const auto resistances = group.read_vector<double>("resistance");
    if (rows.shape[1] != line_columns || rows.shape[0] != resistances.size())
        group.fail("line", fmt::format("has shape {}, {}x{} is needed", hdf5::to_string(rows.shape),
                                       resistances.size(), line_columns));
    for (std::size_t i = 0; i < resistances.size(); ++i) {
        const std::int32_t* row = rows.values.data() + i * line_columns;
        check_row(group, "line", row, line_columns, layers.size());
        map.add(layers[static_cast<std::size_t>(row[0])], line_of(group, row, resistances[i]));
    }
}

}  // namespace

FaultMap read_fault_map(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::fault_map);
    const auto layers = file.read_texts("layers");
    FaultMap map;
    read_table(map, file.group("weight_cells"), layers, weight_columns, weight_cell);
    read_padding_table(map, file.group("padding_cells"), layers);
    if (file.has("lines")) read_line_table(map, file.group("lines"), layers);
    return map;
}

void write_fault_map(const std::filesystem::path& path, const FaultMap& faults,
                     const std::string& origin) {
    std::vector<std::string> layers;
    FaultTable weights;
    FaultTable padding;
    for (const auto& [layer, its_faults] : faults.layers()) {
        const auto number = static_cast<std::int32_t>(layers.size());
        layers.push_back(layer);
        for (const auto& [cell, fault] : its_faults.cells)
            add_row(weights, padding, number, cell, fault);
    }
    OutputGroup file = OutputGroup::create(format::fault_map, format::version);
    file.set("origin", origin);
    file.write_texts("layers", layers);
    write_table(file.group("weight_cells"), weights, weight_columns, weight_column_names);
    write_table(file.group("padding_cells"), padding, padding_columns, padding_column_names);
    write_line_table(file, faults);
    file.save(path);
}

}  // namespace kirchnet
