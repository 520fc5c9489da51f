#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kirchnet {

/// @throws InvalidInput  naming file, line and column of what is no TOML
toml::table parse_toml(const std::filesystem::path& path);
/// The same of text that was read before. @param path  for messages
toml::table parse_toml_text(const std::string& text, const std::filesystem::path& path);
/// A whole text file. @throws InvalidInput  when it cannot be read or is not UTF-8
std::string read_text_file(const std::filesystem::path& path);

/// `file:line:column` of a value.
std::string place_of(const std::filesystem::path& path, const toml::node& node);

/// A TOML value in the command line's notation; lists joined by commas.
/// @throws InvalidInput  when it is a table or a date
std::string text_of(const toml::node& node);

/// Keys of a table and of the tables in it, `section.key`, each with its value as text.
/// @throws InvalidInput  naming file, line and column
std::vector<std::pair<std::string, std::string>> flat_settings(const toml::table& table,
                                                               const std::filesystem::path& path);

struct Experiment;
/// Applies a table of experiment keys on top of `experiment`, a preset that it names first.
/// @param path  for messages
/// @throws InvalidInput  naming file, line and column
void apply_toml(Experiment& experiment, const toml::table& table,
                const std::filesystem::path& path);

}  // namespace kirchnet
