#include "data/cell_file.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::vector<double> values_of(const Eigen::VectorXd& vector) {
    return {vector.data(), vector.data() + vector.size()};
}

Eigen::VectorXd read_values(const hdf5::InputGroup& file, const std::string& name) {
    const std::vector<double> values = file.read_vector<double>(name);
    return Eigen::Map<const Eigen::VectorXd>(values.data(),
                                             static_cast<Eigen::Index>(values.size()));
}

UserCell read_subcircuit(const hdf5::InputGroup& group) {
    UserCell cell;
    cell.name = group.text("name");
    cell.text = group.text("text");
    cell.pins = group.read_texts("pins");
    cell.word_pin = group.text("word_pin");
    cell.bit_pin = group.text("bit_pin");
    cell.gate_pin = group.text("gate_pin");
    cell.state_parameter = group.text("state_parameter");
    cell.gate_voltage = group.number("gate_voltage");
    return cell;
}

}  // namespace

void write_cell(const std::filesystem::path& path, const CellRecord& cell) {
    const CellSurface& surface = cell.surface;
    auto file = hdf5::OutputGroup::create(format::cell, format::version);
    file.set("source", cell.source);
    file.set("read_voltage", surface.read_voltage);
    file.set("largest_error", cell.largest_error);
    file.set("rms_error", cell.rms_error);
    file.set("largest_error_of_read", cell.largest_error_of_read);
    file.set("held_out", static_cast<double>(cell.held_out));
    file.set("ground_dependence", cell.ground_dependence);
    file.write("voltage", values_of(surface.voltage), "V");
    file.write("state", values_of(surface.state), "1");
    file.write("conductance", values_of(surface.conductance()), "S");
    const RowMajor current = surface.current;
    file.write("current",
               {static_cast<std::size_t>(current.rows()), static_cast<std::size_t>(current.cols())},
               std::span<const double>(current.data(), static_cast<std::size_t>(current.size())),
               "A");
    hdf5::OutputGroup group = file.group("subcircuit");
    group.set("name", surface.cell.name);
    group.set("text", surface.cell.text);
    group.write_texts("pins", surface.cell.pins);
    group.set("word_pin", surface.cell.word_pin);
    group.set("bit_pin", surface.cell.bit_pin);
    group.set("gate_pin", surface.cell.gate_pin);
    group.set("state_parameter", surface.cell.state_parameter);
    group.set("gate_voltage", surface.cell.gate_voltage);
    file.save(path);
}

CellRecord read_cell(const std::filesystem::path& path) {
    const hdf5::InputGroup file = open_format(path, format::cell);
    CellRecord cell;
    cell.source = file.text("source");
    cell.largest_error = file.number("largest_error");
    cell.rms_error = file.number("rms_error");
    cell.largest_error_of_read = file.number("largest_error_of_read");
    cell.held_out = static_cast<std::size_t>(file.number("held_out"));
    cell.ground_dependence = file.number("ground_dependence");
    CellSurface& surface = cell.surface;
    surface.read_voltage = file.number("read_voltage");
    surface.voltage = read_values(file, "voltage");
    surface.state = read_values(file, "state");
    const auto current = file.read<double>("current", 2);
    if (static_cast<Eigen::Index>(current.shape[0]) != surface.state.size() ||
        static_cast<Eigen::Index>(current.shape[1]) != surface.voltage.size())
        file.fail("current",
                  fmt::format("is {} for {} states and {} voltages", hdf5::to_string(current.shape),
                              surface.state.size(), surface.voltage.size()));
    surface.current = Eigen::Map<const RowMajor>(current.values.data(), surface.state.size(),
                                                 surface.voltage.size());
    surface.cell = read_subcircuit(file.group("subcircuit"));
    return cell;
}

}  // namespace kirchnet
