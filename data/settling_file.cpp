#include "data/settling_file.hpp"

#include <span>

#include "data/detail/file_format.hpp"

namespace kirchnet {

void write_settling(const std::filesystem::path& path, const SettlingRecord& record) {
    hdf5::OutputGroup file = hdf5::OutputGroup::create(format::settling, format::version);
    file.set("settings", record.settings);
    file.set("subject", record.subject);
    file.set("driven", record.driven);
    file.set("bits", record.bits);
    file.set("half_lsb", record.half_lsb);
    file.set("rise_time", record.rise_time);
    file.set("wire_capacitance", record.wire_capacitance);
    file.set("cell_capacitance", record.cell_capacitance);
    file.set("access_capacitance", record.access_capacitance);
    file.write_texts("outputs", record.outputs);
    file.write("settled", record.settled, record.unit);
    file.write("settling_time", record.settling_time, "s");
    file.write("estimate", record.estimate, "s");
    file.write("time", record.time, "s");
    file.write("waveforms", {record.outputs.size(), record.time.size()},
               std::span<const double>(record.waveforms), record.unit);
    file.save(path);
}

}  // namespace kirchnet
