#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kirchnet::detail {

/// A device of a deck or, where it stands in a subcircuit, the instance with all that is in it.
struct DeckPart {
    std::string name;                ///< `rwl_a_0_3`, `xc_a_0_3`; lower case
    std::vector<std::string> nodes;  ///< those outside of it
    std::vector<std::string> lines;  ///< its devices, as ngspice unfolded them, then their models
    /// Ohm of a resistor, volts of a source at rest; of an instance of resistors between two nets
    /// what it is between them. Empty: it is none of these.
    std::optional<double> value;
    bool is_conductance = false;  ///< whether `value` is [S] of an instance

    /// Siemens of what has ohm or siemens.
    [[nodiscard]] std::optional<double> conductance() const;
};

/// The parts of an unfolded deck in its order.
class DeckParts {
  public:
    /// @param devices  lines of `expand_deck`
    explicit DeckParts(const std::vector<std::string>& devices);

    [[nodiscard]] const std::vector<DeckPart>& list() const { return parts_; }
    [[nodiscard]] const DeckPart* find(std::string_view name) const;
    /// Resistors with more than a number behind them (`m=2`), which ngspice must be asked about.
    [[nodiscard]] const std::vector<std::string>& unclear() const { return unclear_; }
    /// The answers: ohm per name of `unclear()`.
    void settle(const std::map<std::string, double>& resistance);

  private:
    void evaluate(DeckPart& part);

    std::vector<DeckPart> parts_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<std::string> unclear_;
    std::map<std::string, double> settled_;
};

/// A number with SPICE's suffixes (`1k`, `3meg`, `2.5u`); letters behind them say nothing.
std::optional<double> parse_spice_number(std::string_view text);

}  // namespace kirchnet::detail
