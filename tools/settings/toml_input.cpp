#include "tools/settings/toml_input.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/output/utf8.hpp"

namespace kirchnet {
namespace {

std::string place(const std::filesystem::path& path, const toml::source_region& region) {
    return fmt::format("{}:{}:{}", path.string(), region.begin.line, region.begin.column);
}

void append_settings(const toml::table& table, const std::string& prefix,
                     const std::filesystem::path& path,
                     std::vector<std::pair<std::string, std::string>>& settings) {
    for (const auto& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        if (const auto* inner = node.as_table()) {
            append_settings(*inner, key + ".", path, settings);
            continue;
        }
        try {
            settings.emplace_back(key, text_of(node));
        } catch (const InvalidInput& error) {
            throw InvalidInput(place_of(path, node), error.what());
        }
    }
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw InvalidInput(path.string(), "cannot be opened");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    // toml++ 3.3 does not survive every malformed byte sequence itself.
    if (const auto bad = find_invalid_utf8(text))
        throw InvalidInput(path.string(), fmt::format("byte {} is not UTF-8 text", *bad));
    return text;
}

toml::table parse_toml(const std::filesystem::path& path) {
    return parse_toml_text(read_text_file(path), path);
}

toml::table parse_toml_text(const std::string& text, const std::filesystem::path& path) {
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) {
        throw InvalidInput(place(path, error.source()), std::string(error.description()));
    }
}

std::string place_of(const std::filesystem::path& path, const toml::node& node) {
    return place(path, node.source());
}

std::string text_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return fmt::to_string(number->get());
    if (const auto* number = node.as_floating_point()) return format_exact(number->get());
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    if (const auto* list = node.as_array()) {
        std::string joined;
        for (const auto& item : *list) {
            if (!joined.empty()) joined += ',';
            joined += text_of(item);
        }
        return joined;
    }
    throw InvalidInput("expected a number, a string, true, false or a list of strings");
}

std::vector<std::pair<std::string, std::string>> flat_settings(const toml::table& table,
                                                               const std::filesystem::path& path) {
    std::vector<std::pair<std::string, std::string>> settings;
    append_settings(table, "", path, settings);
    return settings;
}

}  // namespace kirchnet
