#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kirchnet {

/// What `kirchnet settle` found of one tile: vectors have an entry per output.
struct SettlingRecord {
    std::string settings;  ///< experiment as TOML text
    std::string subject;   ///< layer, tile and mapping
    std::string driven;    ///< where the read voltages come from
    std::string unit;      ///< of outputs: `V` or `A`
    double bits = 0;
    double half_lsb = 0;  ///< [unit]
    double rise_time = 0;
    double wire_capacitance = 0;    ///< of a segment [F]
    double cell_capacitance = 0;    ///< [F]
    double access_capacitance = 0;  ///< [F]
    std::vector<std::string> outputs = {};
    std::vector<double> settled = {};        ///< operating point after the rise [unit]
    std::vector<double> settling_time = {};  ///< [s]; NaN: not within the run
    std::vector<double> estimate = {};       ///< [s]
    std::vector<double> time = {};           ///< [s]
    std::vector<double> waveforms = {};      ///< [outputs × times] [unit]
};

/// @throws FileError  when the file cannot be written
void write_settling(const std::filesystem::path& path, const SettlingRecord& record);

}  // namespace kirchnet
