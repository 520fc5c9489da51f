#include "netlists/detail/cell_probe.hpp"

#include <fmt/format.h>

#include <cctype>
#include <set>

#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/unfolded_deck.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet::detail {
namespace {

constexpr std::string_view drive = "kn_drive";        // at v
constexpr std::string_view opposite = "kn_opposite";  // at -v

/// Listings have blanks between a function and its bracket, which ngspice does not read back.
std::string as_input(const std::string& line) {
    std::string text;
    for (const char letter : line) {
        while (letter == '(' && text.ends_with(' ') && text.size() > 1 &&
               std::isalnum(static_cast<unsigned char>(text[text.size() - 2])) != 0)
            text.pop_back();
        text += letter;
    }
    return text;
}

/// The cell between nets of its own, and an ammeter.
std::string cell_lines(const ProbedCell& cell, std::size_t number, std::set<std::string>& models) {
    const bool is_driven_below = cell.word_net == "0";
    std::map<std::string, std::string> nets;
    nets[is_driven_below ? cell.bit_net : cell.word_net] = fmt::format("kn_end_{}", number);
    if (!is_driven_below && cell.bit_net != "0")
        nets.insert_or_assign(cell.bit_net, std::string(1, '0'));
    std::string text = is_driven_below ? fmt::format("vm_{0} kn_end_{0} {1} 0\n", number, opposite)
                                       : fmt::format("vm_{0} {1} kn_end_{0} 0\n", number, drive);
    for (const auto& [net, volts] : cell.gates) {
        const std::string gate = fmt::format("kn_gate_{}_{}", number, nets.size());
        text += fmt::format("v{0} {0} {1} {2}\n", gate, is_driven_below ? opposite : "0",
                            kirchnet::detail::number(volts));
        nets[net] = gate;
    }
    const auto renamed = [&](const std::string& word) {
        const auto found = nets.find(word);
        return found == nets.end() ? word : found->second;
    };
    for (const std::string& line : cell.lines)
        if (!line.starts_with('.') || models.insert(line).second)
            text += with_identifiers(as_input(line), renamed) + "\n";
    return text;
}

}  // namespace

Eigen::MatrixXd probe_cells(const std::vector<ProbedCell>& cells, const Eigen::VectorXd& voltages,
                            const NgspiceSettings& settings) {
    if (cells.empty()) return Eigen::MatrixXd(0, voltages.size());
    std::string deck = comment("cells one by one") + std::string(options_line());
    deck += fmt::format("vkn_drive {0} 0 dc 0\nekn_opposite {1} 0 {0} 0 -1\n", drive, opposite);
    std::vector<std::string> wanted;
    std::set<std::string> models;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        deck += cell_lines(cells[i], i, models);
        wanted.push_back(fmt::format("vm_{}#branch", i));
    }
    return run_operating_points(deck + ".end\n", {{"vkn_drive"}, voltages.transpose()}, wanted,
                                settings);
}

}  // namespace kirchnet::detail
