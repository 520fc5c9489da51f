#include "netlists/detail/user_cell.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view wrapped_name = "user_cell";

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char letter : text)
        if (std::isspace(static_cast<unsigned char>(letter)) == 0)
            word += letter;
        else if (!word.empty())
            words.push_back(std::exchange(word, {}));
    if (!word.empty()) words.push_back(word);
    return words;
}

/// Without trailing comment, lower case, and no blank around `=`.
std::string normal(std::string_view text) {
    const std::size_t comment = std::min(text.find(';'), text.find(" $"));
    std::string joined;
    for (const std::string& word : words_of(lower(text.substr(0, comment)))) {
        const bool sticks = word.front() == '=' || (!joined.empty() && joined.back() == '=');
        if (!joined.empty() && !sticks) joined += ' ';
        joined += word;
    }
    return joined;
}

using Line = UserCellSource::Line;

/// A line with those that continue it.
struct LogicalLine {
    std::string text;  ///< normal
    std::vector<Line> lines;

    [[nodiscard]] std::size_t number() const { return lines.front().number; }
    [[nodiscard]] std::string first_word() const { return text.substr(0, text.find(' ')); }
    [[nodiscard]] bool is_comment() const { return text.empty() || text.front() == '*'; }
};

std::vector<LogicalLine> logical_lines(std::string_view text, const std::string& file) {
    std::vector<LogicalLine> all;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.pop_back();
        const bool is_text = std::all_of(line.begin(), line.end(), [](unsigned char c) {
            return c == '\t' || (c >= ' ' && c != 0x7f);
        });
        if (!is_text)
            throw InvalidInput(file, fmt::format("line {} holds a control character", number));
        const std::string plain = normal(line);
        if (plain.empty() || plain.front() != '+') {
            all.push_back({plain, {{number, line}}});
            continue;
        }
        // Comments and blank lines may stand between a statement and what continues it.
        const auto continued =
            std::find_if(all.rbegin(), all.rend(),
                         [](const LogicalLine& before) { return !before.is_comment(); });
        if (continued == all.rend())
            throw InvalidInput(file, fmt::format("line {} continues no statement", number));
        continued->text += ' ' + normal(plain.substr(1));
        continued->lines.push_back({number, line});
    }
    return all;
}

/// `.subckt name pins [params:] p=1`
struct Header {
    std::size_t line = 0;
    std::string name;
    std::vector<std::string> pins;
    std::vector<std::string> parameters;
};

Header read_header(const LogicalLine& line, const std::string& file) {
    const std::vector<std::string> words = words_of(line.text);
    if (words.size() < 2)
        throw InvalidInput(file, fmt::format("line {}: .subckt without a name", line.number()));
    Header header;
    header.line = line.number();
    header.name = words[1];
    for (std::size_t k = 2; k < words.size(); ++k) {
        if (words[k] == "params:") continue;
        const std::size_t equals = words[k].find('=');
        if (equals != std::string::npos)
            header.parameters.push_back(words[k].substr(0, equals));
        else
            header.pins.push_back(words[k]);
    }
    return header;
}

class Reader {
  public:
    Reader(std::string_view text, std::string file, const UserCellChoice& choice)
        : lines_(logical_lines(text, file)), choice_(choice) {
        source_.file = std::move(file);
        wanted_ = lower(choice.subcircuit);
    }

    UserCellSource read() {
        take_lines();
        if (wanted_.empty())
            wrap();
        else
            choose();
        UserCell& cell = source_.cell;
        cell.state_parameter = lower(choice_.state_parameter);
        cell.gate_voltage = choice_.gate_voltage;
        for (const Line& line : source_.lines) cell.text += line.text + "\n";
        return std::move(source_);
    }

  private:
    [[noreturn]] void refuse(std::size_t line, const std::string& problem) const {
        throw InvalidInput(source_.file,
                           line > 0 ? fmt::format("line {}: {}", line, problem) : problem);
    }

    void keep(const LogicalLine& line) {
        source_.lines.insert(source_.lines.end(), line.lines.begin(), line.lines.end());
    }

    void take_lines() {
        bool in_control = false;
        for (const LogicalLine& line : lines_) {
            const std::string word = line.first_word();
            if (word == ".control") in_control = true;
            if (in_control) {
                ++source_.ignored;
                in_control = word != ".endc";
            } else if (!line.is_comment()) {
                take(line, word);
            }
        }
        if (!open_.empty()) refuse(open_.back(), "this .subckt has no .ends");
    }

    void take(const LogicalLine& line, const std::string& word) {
        static constexpr std::array kept{".model", ".param",  ".func", ".if",
                                         ".else",  ".elseif", ".endif"};
        if (word == ".include" || word == ".inc" || word == ".lib")
            refuse(line.number(), word + " leads nowhere: put what it names into this file");
        if (word == ".subckt") {
            const Header header = read_header(line, source_.file);
            if (open_.empty()) headers_.push_back(header);
            open_.push_back(header.line);
            return keep(line);
        }
        if (word == ".ends") {
            if (open_.empty()) refuse(line.number(), ".ends without .subckt");
            open_.pop_back();
            return keep(line);
        }
        const bool is_definition = std::find(kept.begin(), kept.end(), word) != kept.end();
        if (is_definition || (!open_.empty() && word.front() != '.')) return keep(line);
        if (!open_.empty()) refuse(line.number(), word + " has no place in a cell");
        if (wanted_.empty() && word.front() != '.') return elements_.push_back(line);
        ++source_.ignored;
    }

    /// A file without subcircuits: its elements become one.
    void wrap() {
        if (!headers_.empty())
            refuse(headers_.front().line,
                   fmt::format("say which subcircuit is the cell: --subckt {}",
                               headers_.front().name));
        if (elements_.empty()) refuse(0, "holds no .subckt and no element");
        Header header;
        header.name = wrapped_name;
        for (const std::string& pin : choice_.pins) header.pins.push_back(lower(pin));
        header.parameters.push_back(lower(choice_.state_parameter));
        source_.lines.push_back(
            {0, fmt::format(".subckt {} {} {}=0", header.name, fmt::join(header.pins, " "),
                            header.parameters.front())});
        for (const LogicalLine& line : elements_) keep(line);
        source_.lines.push_back({0, fmt::format(".ends {}", header.name)});
        describe(header);
    }

    void choose() {
        std::string names;
        for (const Header& header : headers_) {
            if (header.name == wanted_) return describe(header);
            names += (names.empty() ? "" : ", ") + header.name;
        }
        refuse(0, fmt::format("has no .subckt {}; {}", wanted_,
                              names.empty() ? "it has none at all" : "it has " + names));
    }

    void describe(const Header& header) {
        if (choice_.pins.size() < 2 || choice_.pins.size() > 3)
            throw InvalidInput("--pins",
                               "takes the pins of word line and bit line, and of the "
                               "gate where there is one: wl,bl or wl,bl,gate");
        UserCell& cell = source_.cell;
        cell.name = header.name;
        cell.pins = header.pins;
        std::vector<std::string> given;
        for (const std::string& pin : choice_.pins) {
            given.push_back(lower(pin));
            if (std::find(header.pins.begin(), header.pins.end(), given.back()) ==
                header.pins.end())
                refuse(header.line, fmt::format(".subckt {} has no pin '{}'; its pins are {}",
                                                header.name, pin, fmt::join(header.pins, ", ")));
            if (std::count(given.begin(), given.end(), given.back()) > 1)
                throw InvalidInput("--pins", fmt::format("'{}' is named twice", pin));
        }
        if (given.size() != header.pins.size())
            refuse(header.line,
                   fmt::format(".subckt {} has {} pins ({}), but --pins names {}", header.name,
                               header.pins.size(), fmt::join(header.pins, ", "), given.size()));
        const std::string state = lower(choice_.state_parameter);
        if (std::find(header.parameters.begin(), header.parameters.end(), state) ==
            header.parameters.end())
            refuse(header.line,
                   fmt::format(".subckt {} has no parameter '{}'; {}", header.name,
                               choice_.state_parameter,
                               header.parameters.empty()
                                   ? "it has none"
                                   : fmt::format("it has {}", fmt::join(header.parameters, ", "))));
        cell.word_pin = given[0];
        cell.bit_pin = given[1];
        if (given.size() == 3) cell.gate_pin = given[2];
    }

    std::vector<LogicalLine> lines_;
    const UserCellChoice& choice_;
    UserCellSource source_;
    std::string wanted_;
    std::vector<Header> headers_;
    std::vector<LogicalLine> elements_;
    std::vector<std::size_t> open_;  ///< lines of subcircuits not ended yet
};

bool is_word_letter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool holds_word(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const bool starts = at == 0 || !is_word_letter(text[at - 1]);
        const std::size_t end = at + word.size();
        if (starts && (end == text.size() || !is_word_letter(text[end]))) return true;
    }
    return false;
}

/// Words of the message in brackets or single quotes.
std::vector<std::string> quoted_words(std::string_view message) {
    std::vector<std::string> words;
    for (const auto& [open, close] : {std::pair{'[', ']'}, std::pair{'\'', '\''}}) {
        std::size_t at = message.find(open);
        while (at != std::string_view::npos) {
            const std::size_t end = message.find(close, at + 1);
            if (end == std::string_view::npos) break;
            const std::string_view word = message.substr(at + 1, end - at - 1);
            if (!word.empty() && std::all_of(word.begin(), word.end(), is_word_letter))
                words.emplace_back(word);
            at = message.find(open, end + 1);
        }
    }
    return words;
}

}  // namespace

UserCellSource read_user_cell(std::string_view text, const std::string& file,
                              const UserCellChoice& choice) {
    return Reader(text, file, choice).read();
}

namespace detail {

std::string find_culprit(const UserCellSource& source, std::string_view message) {
    const std::string text = lower(message);
    const auto describe = [](const UserCellSource::Line& line) {
        return fmt::format("line {} '{}'", line.number, line.text);
    };
    for (const auto& line : source.lines) {
        const std::string plain = normal(line.text);
        const std::string element = plain.substr(0, plain.find(' '));
        const bool is_element =
            !element.empty() && std::isalpha(static_cast<unsigned char>(element.front())) != 0;
        if (line.number > 0 && is_element && holds_word(text, element)) return describe(line);
    }
    for (const std::string& word : quoted_words(text))
        for (const auto& line : source.lines)
            if (line.number > 0 && holds_word(normal(line.text), word)) return describe(line);
    return {};
}

}  // namespace detail
}  // namespace kirchnet
