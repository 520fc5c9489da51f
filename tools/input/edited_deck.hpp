#pragma once

#include <filesystem>
#include <string>

#include "data/crossbar_file.hpp"
#include "netlists/deck_reading.hpp"
#include "tools/arguments.hpp"

namespace kirchnet {

/// Text of a deck. `.include` and `.lib` of relative paths get the deck's folder, which they mean:
/// ngspice runs elsewhere.
/// @throws InvalidInput  when it cannot be read
std::string read_edited_deck(const std::string& path);

/// What a deck says of itself in comments, and the options say of it.
struct DeckDescription {
    CellLaw law = {};
    double read_voltage = 0.2;  ///< [V]
    AccessResistance access = {};
    std::optional<Index> output = {};
};

/// Law, read voltage and access resistance are those of options where these name any, else those
/// that the deck's comments name; likewise the only output.
/// @throws InvalidInput  when option and deck name different outputs, or the law is not known
DeckDescription describe_deck(const std::string& deck, const NetlistArguments& arguments);

/// The only output of a deck, by its own words or --column.
/// @throws InvalidInput  when these differ
std::optional<Index> output_to_read(const std::string& deck, const NetlistArguments& arguments);

/// A message about an edited deck, under its file's name.
[[noreturn]] void refuse_deck(const std::string& path, const std::string& message);

/// A tile that holds given arrays and nothing else; its weights say nothing.
/// @param path    of the file, for messages
/// @param access  what stands in series with its cells' memory elements
/// @throws InvalidInput  for array b alone
Tile tile_of_arrays(const TileArraysFile& file, const std::string& path,
                    const AccessResistance& access);

/// The file of one tile of a layer: `edited.h5` -> `edited-t0_1.h5`, with slices
/// `edited-t0_1_s2.h5`.
std::filesystem::path layer_tile_path(const std::filesystem::path& path, const TileKey& key);

/// `layer1.0.conv1 tile 0,1`
std::string name_of(const TileKey& key);

}  // namespace kirchnet
