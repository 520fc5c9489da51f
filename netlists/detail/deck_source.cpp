#include "netlists/detail/deck_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <sstream>
#include <utility>
#include <vector>

namespace kirchnet::detail {
namespace {

constexpr std::size_t longest_searched = 8192;  // std::regex recurses per letter

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return result;
}

/// Lower case, single blanks, without what follows `;` or ` $`.
std::string tidy(std::string_view line) {
    line = line.substr(0, std::min(line.find(';'), line.find(" $")));
    std::string result;
    for (const char letter : lower(line))
        if (std::isspace(static_cast<unsigned char>(letter)) == 0)
            result += letter;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    if (!result.empty() && result.back() == ' ') result.pop_back();
    return result;
}

std::string first_word(const std::string& statement) {
    return statement.substr(0, statement.find(' '));
}

/// The subcircuit that an instance calls: its last word before parameters.
std::string called_by(const std::string& statement) {
    std::string_view text = std::string_view(statement).substr(0, statement.find('='));
    if (text.size() < statement.size()) {  // without the first parameter's name
        text = text.substr(0, text.find_last_not_of(' ') + 1);
        text = text.substr(0, text.find_last_of(' '));
    }
    if (text.ends_with(" params:")) text.remove_suffix(8);
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    return std::string(text.substr(text.find_last_of(' ') + 1));
}

std::string without_blanks(std::string text) {
    std::erase(text, ' ');
    return text;
}

struct Statement {
    std::string text;
    std::size_t line;
};

/// Title, comments and control block left out, continuation lines joined.
std::vector<Statement> statements_of(std::string_view deck) {
    std::vector<Statement> statements;
    bool in_control = false;
    for (std::size_t line = 1; !deck.empty(); ++line) {
        const std::size_t end = std::min(deck.find('\n'), deck.size());
        const std::string text = tidy(deck.substr(0, end));
        deck.remove_prefix(std::min(end + 1, deck.size()));
        if (line == 1 || text.empty() || text.front() == '*') continue;
        if (text == ".control") in_control = true;
        if (!in_control && text.front() == '+' && !statements.empty())
            statements.back().text.append(" ").append(text, 1);
        else if (!in_control)
            statements.push_back({text, line});
        if (text == ".endc") in_control = false;
    }
    return statements;
}

/// Words of a complaint that may stand in the deck: what is quoted, in brackets, after a colon, or
/// begins a line of it.
struct Pointer {
    std::string word;
    bool is_part;  ///< of a line, rather than its beginning
};

std::vector<Pointer> pointers_of(const std::string& complaint) {
    static const std::pair<bool, std::regex> patterns[] = {
        {false, std::regex(R"(instance: x([^)\s]+))")},   {true, std::regex(R"(\[([^\]]+)\])")},
        {true, std::regex(R"(Expression err: ([^|]+))")}, {false, std::regex(R"(resistor (\S+) )")},
        {false, std::regex(R"(unknown subckt: (\S+))")},  {false, std::regex(R"('([^']+)')")},
        {false, std::regex(R"(\| *(\S+) [^|]*)")},        {false, std::regex(R"(: *([a-z]\S+) )")}};
    std::vector<Pointer> words;
    for (const auto& [is_part, pattern] : patterns)
        for (std::sregex_iterator found(complaint.begin(), complaint.end(), pattern), none;
             found != none; ++found) {
            std::string word = tidy((*found)[1].str());
            if (word.size() > 2 && word[1] == '.') {  // r.xc_a_0_0.rcell
                word.erase(0, 2);
                word.erase(std::min(word.find('.'), word.size()));
            } else if (word.starts_with('x')) {  // xx.x1.x1
                word.erase(std::min(word.find('.'), word.size()));
            }
            if (!word.empty()) words.push_back({word, is_part});
        }
    return words;
}

}  // namespace

DeckSource::DeckSource(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
    for (const auto& [statement, line] : statements_of(text_)) add_statement(statement, line);
}

void DeckSource::add_statement(const std::string& statement, std::size_t line) {
    if (unbalanced_line_ == 0 && std::count(statement.begin(), statement.end(), '{') !=
                                     std::count(statement.begin(), statement.end(), '}'))
        unbalanced_line_ = line;
    const std::string word = first_word(statement);
    const std::string name =
        first_word(statement.substr(std::min(statement.size(), word.size() + 1)));
    if (word == ".subckt") {
        open_subcircuits_.push_back(name);
        subcircuits_[name] = {statement, line};
        return;
    }
    if (word == ".ends") {
        const auto named = std::find(open_subcircuits_.begin(), open_subcircuits_.end(), name);
        if (named != open_subcircuits_.end())
            open_subcircuits_.erase(named);
        else if (!open_subcircuits_.empty())
            open_subcircuits_.pop_back();
        return;
    }
    if (!open_subcircuits_.empty()) {
        inner_lines_[open_subcircuits_.back()].emplace(word, line);
        subcircuits_[open_subcircuits_.back()].text += " / " + statement;
        return;
    }
    if (word == ".param" && statement.size() <= longest_searched) {
        static const std::regex assignment(R"(([a-z_]\w*) ?= ?(\{[^}]*\}|'[^']*'|\S+))");
        for (std::sregex_iterator found(statement.begin(), statement.end(), assignment), none;
             found != none; ++found)
            parameters_[(*found)[1].str()] = {without_blanks((*found)[2].str()), line};
        return;
    }
    if (word.front() != '.') lines_.emplace(word, line);
    if (word.front() == 'x') instances_.emplace(word, Instance{called_by(statement), statement});
}

std::size_t DeckSource::line_of(std::string_view device) const {
    const auto found = lines_.find(std::string(device));
    return found == lines_.end() ? 0 : found->second;
}

std::size_t DeckSource::line_within(const std::string& instance, const std::string& device) const {
    const auto called = instances_.find(instance);
    if (called == instances_.end()) return 0;
    const auto lines = inner_lines_.find(called->second.subcircuit);
    if (lines == inner_lines_.end()) return 0;
    const auto found = lines->second.find(device);
    return found == lines->second.end() ? 0 : found->second;
}

std::map<std::string, std::string> DeckSource::pins_of(const std::string& instance) const {
    std::map<std::string, std::string> pins;
    const auto found = instances_.find(instance);
    if (found == instances_.end()) return pins;
    const auto called = subcircuits_.find(found->second.subcircuit);
    if (called == subcircuits_.end()) return pins;
    std::istringstream nets(found->second.statement);
    std::istringstream names(called->second.text);
    std::string net;
    std::string name;
    nets >> net;            // the instance
    names >> name >> name;  // .subckt and its name
    while (names >> name && nets >> net && name != "/" && name.find('=') == std::string::npos)
        pins[name] = net;
    return pins;
}

std::string DeckSource::find_problem() const {
    if (unbalanced_line_ != 0)
        return fmt::format("line {} opens a brace that it does not close, or the reverse",
                           unbalanced_line_);
    if (!open_subcircuits_.empty())
        return fmt::format("line {}: .subckt {} has no .ends",
                           subcircuits_.at(open_subcircuits_.back()).line,
                           open_subcircuits_.back());
    return {};
}

/// The line of what a complaint calls `xt0_1.xc_a_0_3`, in the subcircuit of a layer's tile; 0:
/// none.
std::size_t DeckSource::line_in_tile(const std::string& complaint) const {
    static const std::regex nested(R"(\b(x\w+)\.(\w+))");
    for (std::sregex_iterator found(complaint.begin(), complaint.end(), nested), none;
         found != none; ++found) {
        const auto instance = instances_.find((*found)[1].str());
        if (instance == instances_.end() || !instance->second.subcircuit.starts_with("tile_"))
            continue;
        if (const std::size_t line = line_within(instance->first, (*found)[2].str()); line != 0)
            return line;
    }
    return 0;
}

std::string DeckSource::with_line(const std::string& complaint) const {
    if (const std::size_t line = line_in_tile(complaint.substr(0, longest_searched)); line != 0)
        return fmt::format("line {}: {}", line, complaint);
    const auto statements = statements_of(text_);
    for (const auto& [word, is_part] : pointers_of(complaint.substr(0, longest_searched))) {
        const std::string wanted = without_blanks(word);
        for (auto line = statements.rbegin(); line != statements.rend(); ++line)
            if (first_word(line->text) == word)
                return fmt::format("line {}: {}", line->line, complaint);
        for (const Statement& line : statements)
            if (is_part && wanted.size() > 2 &&
                without_blanks(line.text).find(wanted) != std::string::npos)
                return fmt::format("line {}: {}", line.line, complaint);
    }
    return complaint;
}

}  // namespace kirchnet::detail
