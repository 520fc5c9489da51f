#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kirchnet {

/// One `[section]` of a Darknet configuration file.
class DarknetSection {
  public:
    DarknetSection(std::string name, std::string place)
        : name_(std::move(name)), place_(std::move(place)) {}

    [[nodiscard]] const std::string& name() const { return name_; }
    /// `file:line` of the section's heading.
    [[nodiscard]] const std::string& place() const { return place_; }
    /// @throws InvalidInput  when the key is there already
    void add(const std::string& key, const std::string& value, const std::string& place);

    [[nodiscard]] bool has(const std::string& key) const { return options_.contains(key); }
    [[nodiscard]] std::string text(const std::string& key, const std::string& fallback) const;
    /// @throws InvalidInput  naming the line when the value is no whole number of `least` to 2^20
    [[nodiscard]] std::size_t count(const std::string& key, std::size_t fallback,
                                    std::size_t least = 0) const;
    [[nodiscard]] double number(const std::string& key, double fallback) const;
    /// Numbers with commas between them.
    /// @throws InvalidInput  naming the section or line when they are missing or not finite
    [[nodiscard]] std::vector<double> numbers(const std::string& key) const;
    /// As `numbers`, all whole.
    [[nodiscard]] std::vector<std::ptrdiff_t> integers(const std::string& key) const;

    /// @throws InvalidInput  at the line of `key`, or at the heading where it is missing
    [[noreturn]] void fail(const std::string& key, const std::string& problem) const;

  private:
    struct Option {
        std::string value;
        std::string place;
    };

    std::string name_;
    std::string place_;
    std::map<std::string, Option> options_;
};

/// A network as Darknet describes it.
struct DarknetCfg {
    std::string source;                    ///< the file, for messages
    DarknetSection net;                    ///< `[net]` or `[network]`
    std::vector<DarknetSection> sections;  ///< the others, in order: what Darknet calls layers
};

/// @param source  the file, for messages
/// @throws InvalidInput  naming the line that is neither heading, `key = value` nor comment
DarknetCfg parse_darknet_cfg(std::string_view text, const std::string& source);
DarknetCfg read_darknet_cfg(const std::filesystem::path& path);

/// Channels of every section's output.
/// @throws InvalidInput  naming the line of a section that is not known, or that reads another one
///                       which does not come earlier
std::vector<std::size_t> darknet_channels(const DarknetCfg& cfg);

/// Sections that `[route]` or `[shortcut]` number `at` reads by its key: negative ones count back.
/// @throws InvalidInput  naming the line
std::vector<std::size_t> darknet_sources(const DarknetSection& section, std::size_t at,
                                         const std::string& key);

}  // namespace kirchnet
