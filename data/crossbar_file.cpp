#include "data/crossbar_file.hpp"

#include <fmt/format.h>

#include <limits>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

constexpr const char* fault_codes = "0 none, 1 stuck_off, 2 stuck_on, 3 open";

hdf5::Shape shape_of(Index rows, Index columns) {
    return {static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
}

std::span<const double> span_of(const CellMatrix& matrix) {
    return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

void write_cells(OutputGroup& file, const std::string& name, const CellMatrix& matrix,
                 const std::string& unit) {
    file.write(name, shape_of(matrix.rows(), matrix.cols()), span_of(matrix), unit);
}

CellMatrix read_cells(const InputGroup& file, const std::string& name) {
    const auto array = file.read<double>(name, 2);
    return Eigen::Map<const CellMatrix>(array.values.data(), static_cast<Index>(array.shape[0]),
                                        static_cast<Index>(array.shape[1]));
}

void write_faults(OutputGroup& file, const FaultMatrix& faults) {
    std::vector<std::uint8_t> codes;
    for (Index cell = 0; cell < faults.size(); ++cell)
        codes.push_back(static_cast<std::uint8_t>(faults.data()[cell]));
    file.write("fault", shape_of(faults.rows(), faults.cols()),
               std::span<const std::uint8_t>(codes), "code", Storage::packed);
    file.set_on("fault", "codes", fault_codes);
}

Fault to_fault(const InputGroup& file, const std::string& name, std::uint8_t code) {
    if (code > static_cast<std::uint8_t>(Fault::open))
        file.fail(name, fmt::format("holds code {}, known are {}", code, fault_codes));
    return static_cast<Fault>(code);
}

FaultMatrix read_faults(const InputGroup& file) {
    const auto array = file.read<std::uint8_t>("fault", 2);
    FaultMatrix faults(static_cast<Index>(array.shape[0]), static_cast<Index>(array.shape[1]));
    for (std::size_t cell = 0; cell < array.values.size(); ++cell)
        faults.data()[cell] = to_fault(file, "fault", array.values[cell]);
    return faults;
}

void write_wires(OutputGroup& file, const Wires& wires) {
    write_cells(file, "word_line_segment_resistance", wires.word_line_segment.values(), "ohm");
    write_cells(file, "bit_line_segment_resistance", wires.bit_line_segment.values(), "ohm");
    write_cells(file, "driver_resistance", wires.driver.values(), "ohm");
    write_cells(file, "sense_resistance", wires.sense.values(), "ohm");
    file.set("end_segments", yes_or_no(wires.end_segments));
    file.set("drive", to_string(wires.drive));
    file.set("sense_at", to_string(wires.sense_at));
}

/// Files from before there was a choice do not say: left.
DriveSide read_drive(const InputGroup& file) {
    return file.has_attribute("drive") ? parse_drive_side(file.text("drive")) : DriveSide::left;
}

/// Likewise: bottom.
SenseSide read_sense_side(const InputGroup& file) {
    return file.has_attribute("sense_at") ? parse_sense_side(file.text("sense_at"))
                                          : SenseSide::bottom;
}

Wires read_wires(const InputGroup& file) {
    return {.word_line_segment = LineResistance(read_cells(file, "word_line_segment_resistance")),
            .bit_line_segment = LineResistance(read_cells(file, "bit_line_segment_resistance")),
            .driver = LineResistance(read_cells(file, "driver_resistance")),
            .sense = LineResistance(read_cells(file, "sense_resistance")),
            .end_segments = read_yes_or_no(file, "end_segments"),
            .drive = read_drive(file),
            .sense_at = read_sense_side(file)};
}

Crossbar assemble(const InputGroup& file) {
    CellMatrix actual = read_cells(file, "conductance");
    CellMatrix intended =
        file.has("intended_conductance") ? read_cells(file, "intended_conductance") : actual;
    FaultMatrix faults = file.has("fault")
                             ? read_faults(file)
                             : FaultMatrix::Constant(actual.rows(), actual.cols(), Fault::none);
    return {std::move(intended), std::move(actual), std::move(faults), read_wires(file),
            parse_column_pattern(file.text("column_pattern"))};
}

/// One table of cells of a fault map: `columns` numbers per cell and a fault code each.
struct FaultTable {
    std::vector<std::int32_t> cells;
    std::vector<std::uint8_t> faults;
};

constexpr std::size_t weight_columns = 7;
constexpr std::size_t padding_columns = 7;
constexpr std::size_t padding_columns_without_slice = 6;  // files of before weights had slices
constexpr const char* weight_column_names =
    "layer, output_channel, input_channel, kernel_y, kernel_x, slice, polarity (0 a, 1 b)";
constexpr const char* padding_column_names =
    "layer, tile_row, tile_column, word_line, bit_line, polarity (0 a, 1 b), slice";

void add_row(FaultTable& weights, FaultTable& padding, std::int32_t layer,
             const CellIdentity& identity, Fault fault) {
    const auto code = static_cast<std::uint8_t>(fault);
    if (const auto* cell = std::get_if<CellAddress>(&identity)) {
        weights.cells.insert(weights.cells.end(), {layer, cell->output_channel, cell->input_channel,
                                                   cell->kernel_y, cell->kernel_x, cell->slice,
                                                   static_cast<std::int32_t>(cell->polarity)});
        weights.faults.push_back(code);
    } else {
        const auto& place = std::get<PaddingCell>(identity);
        padding.cells.insert(
            padding.cells.end(),
            {layer, place.tile_row, place.tile_column, place.word_line, place.bit_line,
             static_cast<std::int32_t>(place.polarity), place.slice});
        padding.faults.push_back(code);
    }
}

void write_table(OutputGroup group, const FaultTable& table, std::size_t columns,
                 const char* column_names) {
    group.write("cell", {table.faults.size(), columns}, std::span<const std::int32_t>(table.cells),
                "index", Storage::packed);
    group.set_on("cell", "columns", column_names);
    group.write("fault", table.faults, "code", Storage::packed);
    group.set_on("fault", "codes", fault_codes);
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

void check_row(const InputGroup& group, const std::int32_t* row, std::size_t columns,
               std::size_t layers) {
    for (std::size_t i = 0; i < columns; ++i)
        if (row[i] < 0) group.fail("cell", fmt::format("holds index {}", row[i]));
    if (static_cast<std::size_t>(row[0]) >= layers)
        group.fail("cell", fmt::format("names layer {} of {}", row[0], layers));
}

using ToIdentity = CellIdentity (*)(const InputGroup&, const std::int32_t*);

void read_table(FaultMap& map, const InputGroup& group, const std::vector<std::string>& layers,
                std::size_t columns, ToIdentity to_identity) {
    const auto cells = group.read<std::int32_t>("cell", 2);
    const auto codes = group.read_vector<std::uint8_t>("fault");
    if (cells.shape[1] != columns || cells.shape[0] != codes.size())
        group.fail("cell", fmt::format("has shape {}, {}x{} is needed",
                                       hdf5::to_string(cells.shape), codes.size(), columns));
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const std::int32_t* row = cells.values.data() + i * columns;
        check_row(group, row, columns, layers.size());
        const std::string& layer = layers[static_cast<std::size_t>(row[0])];
        const CellIdentity cell = to_identity(group, row);
        const Fault fault = to_fault(group, "fault", codes[i]);
        if (fault == Fault::none || map.at(layer, cell) != Fault::none)
            group.fail("cell", fmt::format("row {} is no fault or repeats a cell", i));
        map.set(layer, cell, fault);
    }
}

void read_padding_table(FaultMap& map, const InputGroup& group,
                        const std::vector<std::string>& layers) {
    if (group.read<std::int32_t>("cell", 2).shape[1] == padding_columns_without_slice)
        read_table(map, group, layers, padding_columns_without_slice, padding_cell_without_slice);
    else
        read_table(map, group, layers, padding_columns, padding_cell);
}

/// Values of all matrices after one another.
std::vector<double> stack(const std::vector<CellMatrix>& batch, Index rows, Index columns,
                          const std::string& name) {
    std::vector<double> values;
    for (const CellMatrix& matrix : batch) {
        if (matrix.rows() != rows || matrix.cols() != columns)
            throw InvalidInput(name, fmt::format("a matrix is {} x {}, the first is {} x {}",
                                                 matrix.rows(), matrix.cols(), rows, columns));
        values.insert(values.end(), matrix.data(), matrix.data() + matrix.size());
    }
    return values;
}

}  // namespace

Crossbar read_crossbar(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::crossbar);
    try {
        return assemble(file);
    } catch (const InvalidInput& problem) {
        // The crossbar's own checks know cells, not files.
        if (problem.where().starts_with(file.where())) throw;
        throw InvalidInput(file.where(), problem.what());
    }
}

namespace {

void write_origin(OutputGroup& file, const CrossbarOrigin& origin) {
    file.set("layer", origin.tile.layer);
    file.set("tile_row", static_cast<std::uint64_t>(origin.tile.row));
    file.set("tile_column", static_cast<std::uint64_t>(origin.tile.column));
    file.set("slice", static_cast<std::uint64_t>(origin.tile.slice));
    file.set("mapping", to_string(origin.mapping));
    if (origin.read_voltage.size() > 0)
        file.write("read_voltage", {static_cast<std::size_t>(origin.read_voltage.size())},
                   std::span<const double>(origin.read_voltage.data(),
                                           static_cast<std::size_t>(origin.read_voltage.size())),
                   "V");
}

std::optional<CrossbarOrigin> read_origin(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::crossbar);
    if (!file.has_attribute("layer")) return std::nullopt;
    constexpr std::uint64_t largest = 1U << 30U;
    const auto number = [&](const char* name) {
        const std::uint64_t value = file.count(name);
        if (value > largest) file.fail(name, fmt::format("is {}, too large for a tile", value));
        return value;
    };
    CrossbarOrigin origin;
    origin.tile = {file.text("layer"), static_cast<Index>(number("tile_row")),
                   static_cast<Index>(number("tile_column")), static_cast<int>(number("slice"))};
    origin.mapping = parse_mapping(file.text("mapping"));
    if (file.has("read_voltage")) {
        const auto values = file.read_vector<double>("read_voltage");
        origin.read_voltage =
            Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Index>(values.size()));
    }
    return origin;
}

std::filesystem::path with_letters(std::filesystem::path path, ColumnPattern pattern) {
    path.replace_filename(fmt::format("{}-{}{}", path.stem().string(), array_letters(pattern),
                                      path.extension().string()));
    return path;
}

void write_array(const std::filesystem::path& path, const Crossbar& crossbar,
                 const std::optional<CrossbarOrigin>& origin);

}  // namespace

void write_crossbar(const std::filesystem::path& path, const Crossbar& crossbar) {
    write_array(path, crossbar, std::nullopt);
}

std::vector<std::filesystem::path> write_tile_arrays(const std::filesystem::path& path,
                                                     const TileArraysFile& tile) {
    std::vector<std::filesystem::path> written;
    for (const Crossbar& array : tile.arrays) {
        written.push_back(tile.arrays.size() == 1 ? path : with_letters(path, array.pattern()));
        write_array(written.back(), array, tile.origin);
    }
    return written;
}

TileArraysFile read_tile_arrays(const std::filesystem::path& path) {
    if (std::filesystem::exists(path)) return {{read_crossbar(path)}, read_origin(path)};
    const auto a = with_letters(path, ColumnPattern::all_a);
    const auto b = with_letters(path, ColumnPattern::all_b);
    if (!std::filesystem::exists(a) || !std::filesystem::exists(b))
        throw InvalidInput(path.string(),
                           fmt::format("is not there, nor are {} and {} both; 'kirchnet netlist "
                                       "--save-crossbar' writes them",
                                       a.filename().string(), b.filename().string()));
    TileArraysFile tile{{read_crossbar(a), read_crossbar(b)}, read_origin(a)};
    if (read_origin(b) != tile.origin)
        throw InvalidInput(b.string(), fmt::format("is of another tile than {}", a.string()));
    return tile;
}

namespace {

void write_array(const std::filesystem::path& path, const Crossbar& crossbar,
                 const std::optional<CrossbarOrigin>& origin) {
    if (!crossbar.law().is_linear())
        throw InvalidInput(path.string(),
                           "a crossbar file holds ohmic cells, not " + to_string(crossbar.law()));
    OutputGroup file = OutputGroup::create(format::crossbar, format::version);
    file.set("column_pattern", to_string(crossbar.pattern()));
    write_cells(file, "conductance", crossbar.conductance(), "S");
    write_cells(file, "intended_conductance", crossbar.intended_conductance(), "S");
    write_faults(file, crossbar.faults());
    write_wires(file, crossbar.wires());
    if (origin) write_origin(file, *origin);
    file.save(path);
}

}  // namespace

bool is_crossbar_file(const std::filesystem::path& path) {
    return has_format(InputGroup::open(path), format::crossbar);
}

FaultMap read_fault_map(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::fault_map);
    const auto layers = file.read_texts("layers");
    FaultMap map;
    read_table(map, file.group("weight_cells"), layers, weight_columns, weight_cell);
    read_padding_table(map, file.group("padding_cells"), layers);
    return map;
}

void write_fault_map(const std::filesystem::path& path, const FaultMap& faults,
                     const std::string& origin) {
    std::vector<std::string> layers;
    FaultTable weights;
    FaultTable padding;
    for (const auto& [layer, cells] : faults.layers()) {
        const auto number = static_cast<std::int32_t>(layers.size());
        layers.push_back(layer);
        for (const auto& [cell, fault] : cells) add_row(weights, padding, number, cell, fault);
    }
    OutputGroup file = OutputGroup::create(format::fault_map, format::version);
    file.set("origin", origin);
    file.write_texts("layers", layers);
    write_table(file.group("weight_cells"), weights, weight_columns, weight_column_names);
    write_table(file.group("padding_cells"), padding, padding_columns, padding_column_names);
    file.save(path);
}

void write_voltages(const std::filesystem::path& path, const std::vector<CellMatrix>& word_line,
                    const std::vector<CellMatrix>& bit_line) {
    if (word_line.empty() || word_line.size() != bit_line.size())
        throw InvalidInput("node voltages",
                           fmt::format("{} inputs have word-line and {} bit-line voltages",
                                       word_line.size(), bit_line.size()));
    const Index rows = word_line.front().rows();
    const Index columns = word_line.front().cols();
    const hdf5::Shape shape{word_line.size(), static_cast<std::size_t>(rows),
                            static_cast<std::size_t>(columns)};
    OutputGroup file = OutputGroup::create(format::voltages, format::version);
    for (const auto& [name, batch] :
         {std::pair("word_line_voltage", &word_line), std::pair("bit_line_voltage", &bit_line)}) {
        const auto values = stack(*batch, rows, columns, name);
        file.write(name, shape, std::span<const double>(values), "V");
    }
    file.save(path);
}

}  // namespace kirchnet
