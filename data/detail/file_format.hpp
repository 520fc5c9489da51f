#pragma once

#include <filesystem>
#include <string>

#include "data/detail/hdf5_reader.hpp"
#include "data/detail/hdf5_writer.hpp"

namespace kirchnet {

/// What the root attribute `format` says. All formats are at version 1.
namespace format {
inline constexpr int version = 1;
inline constexpr const char* network = "kirchnet network";
inline constexpr const char* cell = "kirchnet cell";
inline constexpr const char* crossbar = "kirchnet crossbar";
inline constexpr const char* cell_map = "kirchnet cell map";
inline constexpr const char* fault_map = "kirchnet fault map";
inline constexpr const char* voltages = "kirchnet voltages";
inline constexpr const char* matrix = "kirchnet matrix";
inline constexpr const char* images = "kirchnet images";
inline constexpr const char* comparison = "kirchnet comparison";
inline constexpr const char* budget = "kirchnet budget";
inline constexpr const char* sweep = "kirchnet sweep";
inline constexpr const char* agreement = "kirchnet agreement";
inline constexpr const char* nonlinear_study = "kirchnet nonlinear study";
inline constexpr const char* power = "kirchnet power";
inline constexpr const char* settling = "kirchnet settling";
inline constexpr const char* training_checkpoint = "kirchnet training checkpoint";
inline constexpr const char* transfer_matrix = "kirchnet transfer matrix";
}  // namespace format

/// Whether a file's root attribute `format` says `format`.
bool has_format(const hdf5::InputGroup& file, const std::string& format);

/// Opens one of our files.
/// @throws InvalidInput  when it is of another format or of a version we do not know
hdf5::InputGroup open_format(const std::filesystem::path& path, const std::string& format);

/// Truth values as attributes, in words that every viewer shows.
const char* yes_or_no(bool value);
bool read_yes_or_no(const hdf5::InputGroup& group, const std::string& attribute);

}  // namespace kirchnet
