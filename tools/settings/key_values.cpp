#include "tools/settings/key_values.hpp"

#include "circuit/units.hpp"

namespace kirchnet {

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

std::string toml_string(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') result += '\\';
        if (static_cast<unsigned char>(letter) < 0x20)
            result += fmt::format("\\u{:04X}", static_cast<unsigned>(letter));
        else
            result += letter;
    }
    return result + '"';
}

std::string toml_list(const std::vector<std::string>& list) {
    std::string text = "[";
    for (const std::string& item : list) text += (text.size() > 1 ? ", " : "") + toml_string(item);
    return text + "]";
}

std::vector<std::string> parse_texts(std::string_view list) {
    if (list.empty()) return {};
    const auto parts = split_list(list);
    return {parts.begin(), parts.end()};
}

bool parse_truth(std::string_view text) {
    if (text == "true" || text == "false") return text == "true";
    throw InvalidInput(fmt::format("'{}' is neither true nor false", text));
}

double positive_or_zero(std::string_view text, std::string_view what) {
    const double value = parse_quantity(text, what);
    if (value < 0) throw InvalidInput(std::string(what), fmt::format("{} is negative", text));
    return value;
}

std::vector<double> parse_inl(std::string_view list) {
    std::vector<double> inl;
    for (const std::string& entry : parse_texts(list))
        inl.push_back(parse_quantity(entry, "INL [LSB]"));
    return inl;
}

std::string toml_list(const std::vector<double>& list) {
    std::string text = "[";
    for (const double entry : list) text += (text.size() > 1 ? ", " : "") + format_exact(entry);
    return text + "]";
}

}  // namespace kirchnet
