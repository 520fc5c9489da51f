#include "tools/output/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"

namespace kirchnet {

TextTable::TextTable(std::vector<std::string> heading) : rows_{std::move(heading)} {}

void TextTable::add(std::vector<std::string> row) {
    row.resize(rows_.front().size());
    rows_.push_back(std::move(row));
}

std::string TextTable::markdown() const {
    std::vector<std::size_t> widths(rows_.front().size(), 3);
    for (const auto& row : rows_)
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    std::string text;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        for (std::size_t c = 0; c < widths.size(); ++c)
            // The first column is names, the others are numbers.
            text += c == 0 ? fmt::format("| {:<{}} ", rows_[r][c], widths[c])
                           : fmt::format("| {:>{}} ", rows_[r][c], widths[c]);
        text += "|\n";
        if (r > 0) continue;
        for (std::size_t c = 0; c < widths.size(); ++c)
            text += c == 0 ? fmt::format("|{:-<{}}", "", widths[c] + 2)
                           : fmt::format("|{:->{}}:", "", widths[c] + 1);
        text += "|\n";
    }
    return text;
}

nlohmann::json counts_json(const OperatorCacheCounts& counts) {
    return {{"hits", counts.hits},
            {"misses", counts.misses},
            {"damaged", counts.damaged},
            {"unstored", counts.unstored}};
}

void print_json(const nlohmann::json& object) {
    print_text(object.dump(2) + "\n");
}

void print_text(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw FileError("standard output", "cannot be written");
}

void print_note(const std::string& text) {
    fmt::print(stderr, "kirchnet: {}\n", text);
}

}  // namespace kirchnet
