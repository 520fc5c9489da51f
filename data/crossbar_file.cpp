#include "data/crossbar_file.hpp"

#include <fmt/format.h>

#include <limits>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "data/detail/fault_codes.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

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
    file.set_on("fault", "codes", describe_codes(all_faults));
}

FaultMatrix read_faults(const InputGroup& file) {
    const auto array = file.read<std::uint8_t>("fault", 2);
    FaultMatrix faults(static_cast<Index>(array.shape[0]), static_cast<Index>(array.shape[1]));
    for (std::size_t cell = 0; cell < array.values.size(); ++cell)
        faults.data()[cell] = to_fault(file, "fault", array.values[cell]);
    return faults;
}

constexpr const char* bridge_column_names = "lines (0 word, 1 bit), word_line, bit_line";

/// Nothing where there are none.
void write_bridges(OutputGroup& file, const std::vector<Bridge>& bridges) {
    if (bridges.empty()) return;
    std::vector<std::int32_t> places;
    std::vector<double> resistances;
    for (const Bridge& bridge : bridges) {
        places.insert(places.end(), {static_cast<std::int32_t>(bridge.lines),
                                     static_cast<std::int32_t>(bridge.word_line),
                                     static_cast<std::int32_t>(bridge.bit_line)});
        resistances.push_back(bridge.resistance);
    }
    file.write("bridge", {bridges.size(), 3}, std::span<const std::int32_t>(places), "index");
    file.set_on("bridge", "columns", bridge_column_names);
    file.write("bridge_resistance", {bridges.size()}, std::span<const double>(resistances), "ohm");
}

std::vector<Bridge> read_bridges(const InputGroup& file) {
    std::vector<Bridge> bridges;
    if (!file.has("bridge")) return bridges;
    const auto places = file.read<std::int32_t>("bridge", 2);
    const auto resistances = file.read_vector<double>("bridge_resistance");
    if (places.shape[1] != 3 || places.shape[0] != resistances.size())
        file.fail("bridge", fmt::format("has shape {}, {}x3 is needed",
                                        hdf5::to_string(places.shape), resistances.size()));
    for (std::size_t i = 0; i < resistances.size(); ++i) {
        const std::int32_t* place = places.values.data() + 3 * i;
        if (place[0] != 0 && place[0] != 1)
            file.fail("bridge", fmt::format("holds kind of line {}", place[0]));
        bridges.push_back({place[0] == 0 ? Bridge::Lines::word : Bridge::Lines::bit, place[1],
                           place[2], resistances[i]});
    }
    return bridges;
}

void write_wires(OutputGroup& file, const Wires& wires) {
    write_cells(file, "word_line_segment_resistance", wires.word_line_segment.values(), "ohm");
    write_cells(file, "bit_line_segment_resistance", wires.bit_line_segment.values(), "ohm");
    write_cells(file, "driver_resistance", wires.driver.values(), "ohm");
    write_cells(file, "sense_resistance", wires.sense.values(), "ohm");
    file.set("end_segments", yes_or_no(wires.end_segments));
    file.set("drive", to_string(wires.drive));
    file.set("sense_at", to_string(wires.sense_at));
    write_bridges(file, wires.bridges);
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
            .sense_at = read_sense_side(file),
            .bridges = read_bridges(file)};
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
