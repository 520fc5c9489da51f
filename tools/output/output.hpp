#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/operator_cache.hpp"

namespace kirchnet {

/// Rows of text under a heading row, as an aligned Markdown table that reads well in a terminal.
class TextTable {
  public:
    explicit TextTable(std::vector<std::string> heading);
    void add(std::vector<std::string> row);
    [[nodiscard]] std::string markdown() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

/// What `--json` says of an operator cache.
nlohmann::json counts_json(const OperatorCacheCounts& counts);
/// One JSON object on standard output. @throws FileError  when it cannot be written
void print_json(const nlohmann::json& object);
/// @throws FileError  when standard output cannot be written
void print_text(const std::string& text);
/// A line on standard error.
void print_note(const std::string& text);

}  // namespace kirchnet
