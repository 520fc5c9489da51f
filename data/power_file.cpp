#include "data/power_file.hpp"

#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::OutputGroup;

void write_readout(OutputGroup& group, const PowerTable& table) {
    if (table.readout_tiles.empty()) return;
    OutputGroup readout = group.group("readout");
    readout.write_texts("tiles", table.readout_tiles);
    readout.write("feedback", table.feedback, "W");
    readout.write("bridge", table.bridge, "W");
    readout.write("amplifiers", table.amplifiers, "W");
}

void write_table(OutputGroup group, const PowerTable& table) {
    if (!table.layers.empty()) group.write_texts("layers", table.layers);
    group.write_texts("places", table.places);
    group.write("reads", table.reads, "1");
    group.write("delivered", table.delivered, "W");
    group.write("drivers", table.drivers, "W");
    group.write("word_lines", table.word_lines, "W");
    group.write("cells", table.cells, "W");
    group.write("bit_lines", table.bit_lines, "W");
    group.write("sense", table.sense, "W");
    group.write_texts("word_line_segment", table.word_line_segment);
    group.write("word_line_current", table.word_line_current, "A");
    group.write_texts("bit_line_segment", table.bit_line_segment);
    group.write("bit_line_current", table.bit_line_current, "A");
    write_readout(group, table);
}

}  // namespace

void write_power(const std::filesystem::path& path, const PowerRecord& record) {
    OutputGroup file = OutputGroup::create(format::power, format::version);
    file.set("settings", record.settings);
    file.set("network", record.network);
    file.set("data", record.data);
    file.set("images", record.images);
    file.set("read_time", record.read_time);
    file.set("amplifier_current", record.amplifier_current);
    file.set("amplifier_supply", record.amplifier_supply);
    file.set("wire_area", record.wire_area);
    OutputGroup tables = file.group("tables");
    for (const PowerTable& table : record.tables) write_table(tables.group(table.name), table);
    file.save(path);
}

}  // namespace kirchnet
