#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/error.hpp"
#include "tools/settings/toml_input.hpp"

namespace kirchnet {

/// A plan's file, for messages that name the place.
struct PlanFile {
    const std::filesystem::path& path;

    [[noreturn]] void fail(const toml::node& node, const std::string& problem) const {
        throw InvalidInput(place_of(path, node), problem);
    }
    /// Runs `read` so that what it finds wrong names the place.
    template <typename Read>
    auto at(const toml::node& node, Read read) const {
        try {
            return read();
        } catch (const InvalidInput& error) {
            fail(node, error.what());
        }
    }
};

/// @throws InvalidInput  for a key that is none of `known`
void check_keys(const PlanFile& source, const toml::table& table,
                std::initializer_list<std::string_view> known);

/// One value, or a list of them.
std::vector<std::string> texts_of(const PlanFile& source, const toml::node& node);

/// @param otherwise  where there is no such key
std::string read_text(const PlanFile& source, const toml::table& table, std::string_view key,
                      const std::string& otherwise = {});

/// @throws InvalidInput  for numbers that are not from `least` to `most`
double read_number(const PlanFile& source, const toml::table& table, std::string_view key,
                   double otherwise, double least, double most);

/// Every table of an array of tables; none where the key is missing.
template <typename Read>
void for_each_table(const PlanFile& source, const toml::table& table, std::string_view key,
                    Read read) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const auto* list = node->as_array();
    if (list == nullptr) source.fail(*node, "write [[" + std::string(key) + "]]");
    for (const auto& item : *list) {
        if (!item.is_table()) source.fail(item, "write [[" + std::string(key) + "]]");
        read(*item.as_table());
    }
}

}  // namespace kirchnet
