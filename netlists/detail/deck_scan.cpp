#include "netlists/detail/deck_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

namespace kirchnet::detail {
namespace {

using Words = std::vector<std::string>;

void append_words(Words& words, std::string_view line) {
    line = line.substr(0, std::min(line.find(';'), line.find(" $")));
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) words.push_back(std::move(word));
        word.clear();
    };
    for (const char letter : line) {
        const bool is_separator = std::string_view(" \t\r,()=").find(letter) != line.npos;
        if (is_separator)
            finish();
        else
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    finish();
}

/// The deck's statements as words, without title and comments, continuation lines joined.
std::vector<Words> statements_of(std::string_view deck) {
    std::vector<Words> statements;
    bool is_title = true;
    while (!deck.empty()) {
        std::string_view line = deck.substr(0, deck.find('\n'));
        deck.remove_prefix(std::min(line.size() + 1, deck.size()));
        if (std::exchange(is_title, false)) continue;
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.empty() || line.front() == '*') continue;
        const bool continues = line.front() == '+' && !statements.empty();
        if (continues) line.remove_prefix(1);
        if (!continues) statements.emplace_back();
        append_words(statements.back(), line);
        if (statements.back().empty()) statements.pop_back();
    }
    return statements;
}

bool is_zero(const std::string& word) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    return end != word.c_str() && value == 0;
}

std::string check_resistor(const Words& words) {
    if (words.size() < 4)
        return fmt::format("resistor {} has no value; ngspice would take 1 milliohm", words[0]);
    if (is_zero(words[3]))
        return fmt::format(
            "resistor {} is 0 ohm, which ngspice takes as 1 milliohm; join its nets "
            "or use a 0 V source",
            words[0]);
    return {};
}

bool is_current_source(const Words& words) {
    return words[0][0] == 'i' && words.size() >= 3;
}

std::set<std::string> names_outside_current_sources(const std::vector<Words>& statements) {
    std::set<std::string> names{"0", "gnd"};
    for (const Words& words : statements)
        if (!is_current_source(words)) names.insert(words.begin() + 1, words.end());
    return names;
}

}  // namespace

std::string find_silent_fault(std::string_view deck) {
    const std::vector<Words> statements = statements_of(deck);
    const std::set<std::string> names = names_outside_current_sources(statements);
    for (const Words& words : statements) {
        if (words[0][0] == 'r')
            if (std::string problem = check_resistor(words); !problem.empty()) return problem;
        if (!is_current_source(words)) continue;
        for (const std::size_t node : {1U, 2U})
            if (!names.contains(words[node]))
                return fmt::format(
                    "net {} is reached by current sources alone; give it a path to "
                    "ground",
                    words[node]);
    }
    return {};
}

}  // namespace kirchnet::detail
