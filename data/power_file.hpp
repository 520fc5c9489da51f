#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kirchnet {

/// Power of arrays, one entry of every vector per array (of a network's mapping: the mean over its
/// inputs) or per input (of a given array).
struct PowerTable {
    std::string name;                 ///< mapping, or `array`
    std::vector<std::string> layers;  ///< per entry; empty for a given array
    std::vector<std::string> places;  ///< `0,1 a`: tile and array; or `input 3`
    std::vector<double> reads;        ///< that one image takes; 1 per input of a given array
    std::vector<double> delivered;    ///< by the sources [W]
    std::vector<double> drivers;      ///< and where it ends [W]
    std::vector<double> word_lines;
    std::vector<double> cells;
    std::vector<double> bit_lines;
    std::vector<double> sense;
    std::vector<std::string> word_line_segment;  ///< that with the worst current
    std::vector<double> word_line_current;       ///< [A]
    std::vector<std::string> bit_line_segment;
    std::vector<double> bit_line_current;  ///< [A]
    /// Behind a network's tiles, one entry per tile [W]; empty without amplifiers.
    std::vector<std::string> readout_tiles;
    std::vector<double> feedback;
    std::vector<double> bridge;
    std::vector<double> amplifiers;
};

/// What `kirchnet power` found.
struct PowerRecord {
    std::string settings;          ///< experiment as TOML text; of a given array its file
    std::string network;           ///< or the array's file
    std::string data;              ///< images, or file of read voltages
    double images = 0;             ///< 0 for a given array
    double read_time = 0;          ///< [s]
    double amplifier_current = 0;  ///< [A]
    double amplifier_supply = 0;   ///< [V]
    double wire_area = 0;          ///< [m²]; 0: none given
    std::vector<PowerTable> tables;
};

/// @throws FileError  when the file cannot be written
void write_power(const std::filesystem::path& path, const PowerRecord& record);

}  // namespace kirchnet
