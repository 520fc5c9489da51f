#include "tools/sweep/plan_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "circuit/units.hpp"

namespace kirchnet {

void check_keys(const PlanFile& source, const toml::table& table,
                std::initializer_list<std::string_view> known) {
    for (const auto& [name, node] : table)
        if (std::find(known.begin(), known.end(), name.str()) == known.end())
            source.fail(node, fmt::format("unknown key '{}'; there are {}", name.str(),
                                          fmt::join(known, ", ")));
}

std::vector<std::string> texts_of(const PlanFile& source, const toml::node& node) {
    std::vector<std::string> texts;
    if (const auto* list = node.as_array())
        for (const auto& item : *list)
            texts.push_back(source.at(item, [&] { return text_of(item); }));
    else
        texts.push_back(source.at(node, [&] { return text_of(node); }));
    return texts;
}

std::string read_text(const PlanFile& source, const toml::table& table, std::string_view key,
                      const std::string& otherwise) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    return source.at(*node, [&] { return text_of(*node); });
}

double read_number(const PlanFile& source, const toml::table& table, std::string_view key,
                   double otherwise, double least, double most) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return otherwise;
    return source.at(*node, [&] {
        const double value = parse_quantity(text_of(*node), key);
        if (!(value >= least && value <= most))
            throw InvalidInput(
                fmt::format("{} = {} is not between {} and {}", key, value, least, most));
        return value;
    });
}

}  // namespace kirchnet
