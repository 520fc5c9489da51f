#include "data/detail/darknet_cfg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t largest_file = 1U << 20U;  // [bytes] the largest published ones have 20 kB
constexpr std::size_t largest_count = 1U << 20U;

std::string trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

/// Without the comment behind it.
std::string_view content_of(std::string_view line) {
    return line.substr(0, line.find_first_of("#;"));
}

double parse_number(const DarknetSection& section, const std::string& key,
                    const std::string& text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, value);
    if (text.empty() || status != std::errc{} || rest != end || !std::isfinite(value))
        section.fail(key, fmt::format("'{}' is not a number", text));
    return value;
}

void read_line(const std::string& line, const std::string& place,
               std::vector<DarknetSection>& sections) {
    if (line.empty()) return;
    if (line.front() == '[' && line.back() == ']') {
        sections.emplace_back(trim(std::string_view(line).substr(1, line.size() - 2)), place);
        return;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos)
        throw InvalidInput(place, fmt::format("'{}' is neither [section] nor key = value", line));
    if (sections.empty()) throw InvalidInput(place, "stands before the first [section]");
    sections.back().add(trim(line.substr(0, equals)), trim(line.substr(equals + 1)), place);
}

/// Sections whose output has the channels of the section before.
constexpr std::string_view same_channels[] = {"maxpool", "avgpool", "upsample", "dropout",
                                              "softmax", "cost",    "yolo",     "shortcut"};

std::size_t convolution_channels(const DarknetSection& section, std::size_t inputs) {
    const std::size_t filters = section.count("filters", 1, 1);
    const std::size_t groups = section.count("groups", 1, 1);
    if (inputs % groups != 0 || filters % groups != 0)
        section.fail("groups", fmt::format("{} groups do not divide {} inputs and {} filters",
                                           groups, inputs, filters));
    return filters;
}

std::size_t route_channels(const DarknetSection& section, std::size_t at,
                           const std::vector<std::size_t>& channels) {
    const std::size_t groups = section.count("groups", 1, 1);
    std::size_t sum = 0;
    for (const std::size_t source : darknet_sources(section, at, "layers")) {
        if (channels[source] % groups != 0)
            section.fail("groups", fmt::format("{} channels of section {} are not cut by {}",
                                               channels[source], source, groups));
        sum += channels[source] / groups;
    }
    return sum;
}

std::size_t channels_of(const DarknetSection& section, std::size_t at,
                        const std::vector<std::size_t>& channels, std::size_t input) {
    const std::size_t inputs = channels.empty() ? input : channels.back();
    if (section.name() == "convolutional") return convolution_channels(section, inputs);
    if (section.name() == "route") return route_channels(section, at, channels);
    if (std::find(std::begin(same_channels), std::end(same_channels), section.name()) ==
        std::end(same_channels))
        throw InvalidInput(section.place(),
                           fmt::format("section [{}] is not supported (convolutional, route, {})",
                                       section.name(), fmt::join(same_channels, ", ")));
    return inputs;
}

}  // namespace

void DarknetSection::add(const std::string& key, const std::string& value,
                         const std::string& place) {
    if (!options_.emplace(key, Option{value, place}).second)
        throw InvalidInput(place, fmt::format("[{}] has the key '{}' already", name_, key));
}

std::string DarknetSection::text(const std::string& key, const std::string& fallback) const {
    const auto found = options_.find(key);
    return found == options_.end() ? fallback : found->second.value;
}

std::size_t DarknetSection::count(const std::string& key, std::size_t fallback,
                                  std::size_t least) const {
    if (!has(key)) return fallback;
    const double value = number(key, 0);
    if (value != std::floor(value) || value < static_cast<double>(least) ||
        value > static_cast<double>(largest_count))
        fail(key, fmt::format("{} is not a whole number of {} to {}", value, least, largest_count));
    return static_cast<std::size_t>(value);
}

double DarknetSection::number(const std::string& key, double fallback) const {
    const auto found = options_.find(key);
    return found == options_.end() ? fallback : parse_number(*this, key, found->second.value);
}

std::vector<double> DarknetSection::numbers(const std::string& key) const {
    if (!has(key)) fail(key, fmt::format("[{}] needs the key '{}'", name_, key));
    std::vector<double> values;
    std::istringstream parts(options_.at(key).value);
    for (std::string part; std::getline(parts, part, ',');)
        if (const std::string one = trim(part); !one.empty())
            values.push_back(parse_number(*this, key, one));
    if (values.empty()) fail(key, fmt::format("'{}' holds no number", key));
    return values;
}

std::vector<std::ptrdiff_t> DarknetSection::integers(const std::string& key) const {
    std::vector<std::ptrdiff_t> result;
    for (const double value : numbers(key)) {
        if (value != std::floor(value) || std::abs(value) > static_cast<double>(largest_count))
            fail(key, fmt::format("{} is not a whole number in range", value));
        result.push_back(static_cast<std::ptrdiff_t>(value));
    }
    return result;
}

void DarknetSection::fail(const std::string& key, const std::string& problem) const {
    const auto found = options_.find(key);
    throw InvalidInput(found == options_.end() ? place_ : found->second.place, problem);
}

DarknetCfg read_darknet_cfg(const std::filesystem::path& path) {
    const Bytes bytes = read_whole(path, largest_file);
    return parse_darknet_cfg(std::string(bytes.begin(), bytes.end()), path.string());
}

DarknetCfg parse_darknet_cfg(std::string_view bytes, const std::string& source) {
    std::istringstream text{std::string(bytes)};
    std::vector<DarknetSection> sections;
    std::string line;
    for (std::size_t number = 1; std::getline(text, line); ++number)
        read_line(trim(content_of(line)), fmt::format("{}:{}", source, number), sections);
    if (sections.empty() ||
        (sections.front().name() != "net" && sections.front().name() != "network"))
        throw InvalidInput(source, "does not begin with [net]: no Darknet configuration");
    if (sections.size() < 2) throw InvalidInput(source, "has no layer behind [net]");
    DarknetSection net = std::move(sections.front());
    sections.erase(sections.begin());
    return {source, std::move(net), std::move(sections)};
}

std::vector<std::size_t> darknet_sources(const DarknetSection& section, std::size_t at,
                                         const std::string& key) {
    std::vector<std::size_t> sources;
    for (const std::ptrdiff_t number : section.integers(key)) {
        const std::ptrdiff_t source =
            number < 0 ? static_cast<std::ptrdiff_t>(at) + number : number;
        if (source < 0 || source >= static_cast<std::ptrdiff_t>(at))
            section.fail(
                key, fmt::format("section {} reads {}, which does not come earlier", at, number));
        sources.push_back(static_cast<std::size_t>(source));
    }
    return sources;
}

std::vector<std::size_t> darknet_channels(const DarknetCfg& cfg) {
    const std::size_t input = cfg.net.count("channels", 3, 1);
    std::vector<std::size_t> channels;
    for (const DarknetSection& section : cfg.sections)
        channels.push_back(channels_of(section, channels.size(), channels, input));
    return channels;
}

}  // namespace kirchnet
