#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kirchnet::detail {

struct TextAtLine {
    std::string text;
    std::size_t line = 0;
};

using NamedTexts = std::map<std::string, TextAtLine>;

/// A deck as text, for what only the text knows: where something stands.
class DeckSource {
  public:
    /// @param name  what messages call it
    DeckSource(std::string name, std::string text);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& text() const { return text_; }
    /// The line, from 1, that a device or instance begins; 0: none does.
    [[nodiscard]] std::size_t line_of(std::string_view device) const;
    /// The same of a device in the subcircuit that an instance of the deck itself calls.
    [[nodiscard]] std::size_t line_within(const std::string& instance,
                                          const std::string& device) const;
    /// Nets that an instance of the deck itself puts on the pins of what it calls, by pin.
    [[nodiscard]] std::map<std::string, std::string> pins_of(const std::string& instance) const;
    /// What is wrong with the text itself, with its line; empty: nothing that we look for.
    [[nodiscard]] std::string find_problem() const;
    /// A complaint with the line in front of it that its words point at, where they do.
    [[nodiscard]] std::string with_line(const std::string& complaint) const;
    /// `.param` assignments of the deck itself, without blanks.
    [[nodiscard]] const NamedTexts& parameters() const { return parameters_; }
    /// `.subckt` blocks without comments and blank lines, by name.
    [[nodiscard]] const NamedTexts& subcircuits() const { return subcircuits_; }

  private:
    [[nodiscard]] std::size_t line_in_tile(const std::string& complaint) const;
    void add_statement(const std::string& statement, std::size_t line);

    std::string name_;
    std::string text_;
    std::unordered_map<std::string, std::size_t> lines_;
    struct Instance {
        std::string subcircuit;
        std::string statement;
    };
    std::map<std::string, Instance> instances_;  ///< of the deck itself
    std::unordered_map<std::string, std::unordered_map<std::string, std::size_t>> inner_lines_;
    NamedTexts parameters_;
    NamedTexts subcircuits_;
    std::vector<std::string> open_subcircuits_;  ///< outermost first, while the text is read
    std::size_t unbalanced_line_ = 0;
};

}  // namespace kirchnet::detail
