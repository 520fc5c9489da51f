#include "netlists/detail/deck_text.hpp"

#include <fmt/format.h>

#include "circuit/names.hpp"
#include "circuit/units.hpp"

namespace kirchnet::detail {

std::string one_line(std::string_view text) {
    std::string result;
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (code < 0x20 || code == 0x7f)
            result += ' ';
        else
            result += code < 0x80 ? letter : '?';
    }
    return result;
}

std::string comment(std::string_view text) {
    return fmt::format("* {}\n", one_line(text));
}

std::string number(double value) {
    return format_exact(value);
}

std::string_view options_line() {
    // ngspice's own gmin of 1e-12 S would be a millionth of an HRS cell.
    return ".options reltol=1e-6 abstol=1e-14 vntol=1e-9 gmin=1e-15\n";
}

std::string plain_analysis(const std::string& source, double value,
                           const std::vector<std::string>& outputs) {
    constexpr std::size_t most_per_line = 8;
    std::string text = fmt::format(".op\n.dc {} {} {} 1\n", source, number(value), number(value));
    for (std::size_t i = 0; i < outputs.size(); ++i)
        text +=
            (i % most_per_line == 0 ? (i == 0 ? ".print dc " : "\n.print dc ") : " ") + outputs[i];
    return text + (outputs.empty() ? "" : "\n");
}

std::string ammeter_name(ColumnPattern pattern, Index bit_line) {
    return fmt::format("vs_{}_{}", to_char(polarity_of(pattern, bit_line)), bit_line);
}

std::string source_name(ColumnPattern pattern, Index word_line) {
    return "v_" + input_node(pattern, word_line);
}

}  // namespace kirchnet::detail
