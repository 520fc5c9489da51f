#include "netlists/detail/message_scan.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kirchnet::detail {
namespace {

constexpr std::string_view from_stdout = "stdout ";
constexpr std::string_view from_stderr = "stderr ";
constexpr int most_lines = 3;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return result;
}

bool admits_failure(std::string_view line) {
    // A net without a path to ground never reaches a deck of ours, so "singular" is a failure too.
    constexpr std::array words{"error",   "singular", "not parsed", "unknown", "could not find",
                               "missing", "no such",  "aborted",    "fatal",   "undefined"};
    const std::string text = lower(line);
    if (text.starts_with(from_stdout)) return text.find("error", 0) == from_stdout.size();
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return text.find(word) != std::string::npos; });
}

std::string_view without_stream(std::string_view line) {
    for (const auto stream : {from_stdout, from_stderr})
        if (line.starts_with(stream)) line.remove_prefix(stream.size());
    return line;
}

bool is_noise(std::string_view line) {
    constexpr std::array words{"note:",
                               "numparam expansion errors",
                               "interrupted due to",
                               "no circuit",
                               "cannot recover",
                               "cannot compute",
                               "fatal error in",
                               "circuit:",
                               "warning",
                               "netlist line no."};
    const std::string text = lower(line);
    return text.find_first_not_of(" \t") == std::string::npos || text.starts_with('*') ||
           std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return text.find(word) != std::string::npos; });
}

std::string_view trimmed(std::string_view line) {
    const std::size_t first = std::min(line.find_first_not_of(" \t\r"), line.size());
    line.remove_prefix(first);
    return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

}  // namespace

std::string all_that_tells(std::string_view messages) {
    constexpr int most_told = 8;
    std::string told;
    int lines = 0;
    while (!messages.empty() && lines < most_told) {
        const std::size_t end = std::min(messages.find('\n'), messages.size());
        const std::string_view line = trimmed(without_stream(messages.substr(0, end)));
        messages.remove_prefix(std::min(end + 1, messages.size()));
        if (is_noise(line)) continue;
        told.append(lines++ == 0 ? "" : " | ").append(line);
    }
    return told.empty() ? "it says no more than that" : told;
}

std::string find_failure(std::string_view messages) {
    std::string found;
    int lines = 0;
    while (!messages.empty() && lines < most_lines) {
        const std::size_t end = std::min(messages.find('\n'), messages.size());
        const std::string_view line = messages.substr(0, end);
        messages.remove_prefix(std::min(end + 1, messages.size()));
        if (!admits_failure(line)) continue;
        found.append(lines++ == 0 ? "" : " | ").append(without_stream(line));
        // What it is about stands alone on the next line.
        if (lower(line).find("error on line") == std::string::npos) continue;
        const std::size_t next = std::min(messages.find('\n'), messages.size());
        found.append(" ").append(without_stream(messages.substr(0, next)));
    }
    return found;
}

}  // namespace kirchnet::detail
