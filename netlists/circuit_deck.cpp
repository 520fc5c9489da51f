#include "netlists/circuit_deck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "circuit/characterised_cell.hpp"
#include "circuit/error.hpp"
#include "circuit/overloaded.hpp"
#include "circuit/series_laws.hpp"
#include "circuit/table_law.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/law_text.hpp"

namespace kirchnet {
namespace {

using detail::number;

// ngspice's own 1e-14 C would let all charges of an array's wires pass for none.
constexpr std::string_view transient_options = ".options chgtol=1e-22 trtol=1\n";

const TransistorLaw* transistor_of(const CellLaw& law) {
    return dynamic_cast<const TransistorLaw*>(law.custom_law());
}

/// What a cell of a law is called by; cells in series with a device have that one's letter.
char letter_of_cell(const NonlinearCell& cell) {
    if (cell.law.is_linear() || cell.conductance == 0) return 'r';
    if (transistor_of(cell.law) != nullptr) return 'm';
    return surface_of(cell.law) != nullptr ? 'x' : 'b';
}

char letter_of(const DeviceModel& model) {
    const Overloaded letter{[](const Resistor&) { return 'r'; },
                            [](const Capacitor&) { return 'c'; },
                            [](const VoltageSource&) { return 'v'; },
                            [](const CurrentSource&) { return 'i'; },
                            [](const VoltageControlledVoltageSource&) { return 'e'; },
                            [](const VoltageControlledCurrentSource&) { return 'g'; },
                            [](const NonlinearCell& cell) { return letter_of_cell(cell); },
                            [](const Nmos&) { return 'm'; },
                            [](const auto&) { return 'b'; }};  // behavioural
    return std::visit(letter, model);
}

void check_word(const std::string& word, const std::string& where, std::string_view kind) {
    const bool is_word = !word.empty() && std::all_of(word.begin(), word.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '_' || letter == '.';
    });
    if (!is_word || word == "gnd")
        throw InvalidInput(where, fmt::format("is no {} name for a deck; use lower-case letters, "
                                              "digits, '_' and '.', and not 'gnd'",
                                              kind));
}

/// What a cell's lines make beside the element that bears its name.
struct CellParts {
    std::vector<std::string> elements;
    std::vector<std::string> nets;
};

CellParts parts_of(const CircuitDevice& device) {
    const auto* cell = std::get_if<NonlinearCell>(&device.model);
    if (cell == nullptr || cell->law.is_linear() || cell->conductance == 0) return {};
    const std::string& name = device.name;
    if (transistor_of(cell->law) != nullptr)
        return {{"r" + name, "v" + name}, {"x_" + name, "gate_" + name}};
    if (dynamic_cast<const SelectorLaw*>(cell->law.custom_law()) != nullptr)
        return {{"r" + name}, {"x_" + name}};
    const SurfaceLaw* surface = surface_of(cell->law);
    if (surface == nullptr || surface->surface().cell.gate_pin.empty()) return {};
    const std::string its_name = deck_name(device);
    return {{"v" + its_name}, {"gate_" + its_name}};
}

void check_names(const Circuit& circuit) {
    std::set<std::string> nets;
    for (CircuitNet net = 0; net < circuit.nets(); ++net) {
        check_word(circuit.net_name(net), "net '" + circuit.net_name(net) + "'", "net");
        nets.insert(circuit.net_name(net));
    }
    std::map<std::string, std::string> taken;
    for (const CircuitDevice& device : circuit.devices()) {
        check_word(device.name, "device '" + device.name + "'", "device");
        const CellParts parts = parts_of(device);
        std::vector<std::string> names{deck_name(device)};
        names.insert(names.end(), parts.elements.begin(), parts.elements.end());
        for (const std::string& name : names) {
            const auto [other, is_new] = taken.emplace(name, device.name);
            if (!is_new)
                throw InvalidInput(device.name,
                                   fmt::format("and {} would both be called {} in a deck",
                                               other->second, other->first));
        }
        for (const std::string& net : parts.nets)
            if (nets.contains(net))
                throw InvalidInput(device.name, fmt::format("has a net {} within, which the "
                                                            "circuit has too; rename that one",
                                                            net));
    }
}

std::string source_value(const Waveform& waveform) {
    std::string text = "dc " + number(waveform.at(0));
    const auto& corners = waveform.corners;
    const bool is_constant = std::all_of(corners.begin(), corners.end(), [&](const auto& corner) {
        return corner.first <= 0 || corner.second == waveform.at(0);
    });
    if (is_constant) return text;
    text += " pwl(0 " + number(waveform.at(0));
    for (const auto& [time, value] : corners)
        if (time > 0) text += fmt::format(" {} {}", number(time), number(value));
    return text + ")";
}

/// Subcircuits of cells that users described, each once.
class UserCells {
  public:
    /// @throws InvalidInput  where another cell of that name is there, or the text is not known
    void add(const std::string& device, const UserCell& cell) {
        if (cell.text.empty())
            throw InvalidInput(
                device, fmt::format("the text of its subcircuit {} is not known", cell.name));
        const auto [known, is_new] = texts_.emplace(cell.name, cell.text);
        if (!is_new && known->second != cell.text)
            throw InvalidInput(device, fmt::format("its subcircuit {} is described in two ways; "
                                                   "rename one",
                                                   cell.name));
    }
    [[nodiscard]] std::string lines() const {
        std::string text;
        for (const auto& [name, lines] : texts_) text += lines;
        return text;
    }

  private:
    std::map<std::string, std::string> texts_;
};

/// One transistor model per set of numbers.
class TransistorModels {
  public:
    /// The name of the model with these numbers.
    std::string name_of(const Nmos& transistor) {
        const std::string numbers =
            fmt::format("vto={} kp={} lambda={}", number(transistor.threshold),
                        number(transistor.beta), number(transistor.modulation));
        const auto [model, is_new] = names_.emplace(numbers, fmt::format("nmos_{}", names_.size()));
        return model->second;
    }
    /// No body effect, no junctions, no capacitance; W / L = 1.
    [[nodiscard]] std::string lines() const {
        std::string text;
        for (const auto& [numbers, name] : names_)
            text += fmt::format(".model {} nmos level=1 {} gamma=0 phi=0.6 is=0\n", name, numbers);
        return text;
    }

  private:
    std::map<std::string, std::string> names_;
};

class DeckWriter {
  public:
    explicit DeckWriter(const Circuit& circuit) : circuit_(circuit) {}

    std::string line(const CircuitDevice& device);
    /// What the lines need beside them.
    [[nodiscard]] std::string definitions() const { return models_.lines() + user_cells_.lines(); }

  private:
    [[nodiscard]] const std::string& net(const CircuitDevice& device, std::size_t k) const {
        return circuit_.net_name(device.nets[k]);
    }
    /// `name net0 net1 rest`
    [[nodiscard]] std::string two_nets(const CircuitDevice& device, const std::string& rest) const {
        return fmt::format("{} {} {} {}\n", deck_name(device), net(device, 0), net(device, 1),
                           rest);
    }
    [[nodiscard]] std::string four_nets(const CircuitDevice& device, double gain) const {
        return two_nets(device,
                        fmt::format("{} {} {}", net(device, 2), net(device, 3), number(gain)));
    }
    /// Voltage of net k against the net after it, as an expression.
    [[nodiscard]] std::string drop(const CircuitDevice& device, std::size_t k) const {
        if (device.nets[k + 1] == circuit_ground) return fmt::format("v({})", net(device, k));
        if (device.nets[k] == circuit_ground) return fmt::format("(-v({}))", net(device, k + 1));
        return fmt::format("(v({})-v({}))", net(device, k), net(device, k + 1));
    }
    std::string cell_line(const CircuitDevice& device, const NonlinearCell& cell);
    std::string law_lines(const CircuitDevice& device, const NonlinearCell& cell);
    std::string transistor_lines(const CircuitDevice& device, const TransistorLaw& law,
                                 double conductance);
    [[nodiscard]] std::string sum_line(const CircuitDevice& device,
                                       const CurrentSumSource& sum) const;
    [[nodiscard]] std::string converter_line(const CircuitDevice& device,
                                             const Quantizer& converter) const;

    const Circuit& circuit_;
    TransistorModels models_;
    UserCells user_cells_;
};

std::string pwl_points(const TableLaw& law) {
    const std::vector<CurveSample> shape = law.shape();
    std::string points;
    for (std::size_t k = shape.size() - 1; k > 0; --k)
        points += fmt::format(",{},{}", number(-shape[k].voltage), number(-shape[k].current));
    for (const CurveSample& sample : shape)
        points += fmt::format(",{},{}", number(sample.voltage), number(sample.current));
    return points;
}

/// The memory element, and behind it a transistor whose gate stands above the bit line.
std::string DeckWriter::transistor_lines(const CircuitDevice& device, const TransistorLaw& law,
                                         double conductance) {
    const AccessTransistor& access = law.transistor();
    const std::string& name = device.name;
    return fmt::format(
        "r{0} {1} x_{0} {3}\nv{0} gate_{0} {2} dc {4}\n{5} x_{0} gate_{0} {2} {2} {6} w=1e-6 "
        "l=1e-6\n",
        name, net(device, 0), net(device, 1), number(1 / law.element_conductance(conductance)),
        number(access.gate), deck_name(device),
        models_.name_of({.threshold = access.threshold, .beta = access.beta}));
}

/// Laws whose text all decks share.
std::string DeckWriter::law_lines(const CircuitDevice& device, const NonlinearCell& cell) {
    if (const SurfaceLaw* surface = surface_of(cell.law))
        user_cells_.add(device.name, surface->surface().cell);
    try {
        return detail::flat_cell(cell.law,
                                 deck_name(device)[0] == 'x' ? deck_name(device) : device.name,
                                 net(device, 0), net(device, 1), cell.conductance);
    } catch (const InvalidInput& error) {
        throw InvalidInput(device.name, error.what());
    }
}

std::string DeckWriter::cell_line(const CircuitDevice& device, const NonlinearCell& cell) {
    const double resistance = 1 / cell.conductance;
    if (std::isinf(resistance)) return detail::comment(deck_name(device) + " conducts nothing");
    if (cell.law.is_linear()) return two_nets(device, number(resistance));
    if (const TableLaw* table = table_of(cell.law))
        return two_nets(device, fmt::format("i={}*pwl({}{})", number(cell.conductance),
                                            drop(device, 0), pwl_points(*table)));
    if (const TransistorLaw* transistor = transistor_of(cell.law))
        return transistor_lines(device, *transistor, cell.conductance);
    const auto factor = cell.law.sinh_factor();
    if (!factor) return law_lines(device, cell);
    return two_nets(device, fmt::format("i={}*sinh({}*{})", number(cell.conductance / *factor),
                                        number(*factor), drop(device, 0)));
}

std::string DeckWriter::sum_line(const CircuitDevice& device, const CurrentSumSource& sum) const {
    std::string text;
    for (const auto& term : sum.terms)
        text += fmt::format("{}{}*i({})", text.empty() ? "" : "+", number(term.factor),
                            deck_name(circuit_.device(term.source)));
    return two_nets(device, "v=" + (text.empty() ? "0" : text));
}

std::string DeckWriter::converter_line(const CircuitDevice& device,
                                       const Quantizer& converter) const {
    const double last = std::ldexp(1.0, converter.bits) - 1;
    const std::string position = fmt::format(
        "({}*{}+{})/{}", number(converter.gain), drop(device, 2),
        number(converter.offset - converter.low), number((converter.high - converter.low) / last));
    std::string inl;
    if (!converter.inl.empty()) {
        inl = fmt::format("+pwl(min(max({},0),{})", position, number(last));
        const double spacing = last / static_cast<double>(converter.inl.size() - 1);
        for (std::size_t k = 0; k < converter.inl.size(); ++k)
            inl += fmt::format(",{},{}", number(static_cast<double>(k) * spacing),
                               number(converter.inl[k]));
        inl += ")";
    }
    return two_nets(device,
                    fmt::format("v=min(max(floor({}{}+0.5),0),{})", position, inl, number(last)));
}

std::string DeckWriter::line(const CircuitDevice& device) {
    const Overloaded text{
        [&](const Resistor& x) { return two_nets(device, number(x.resistance)); },
        [&](const Capacitor& x) {
            if (x.capacitance == 0) return detail::comment(deck_name(device) + " holds no charge");
            return two_nets(device, number(x.capacitance));
        },
        [&](const VoltageSource& x) { return two_nets(device, source_value(x.voltage)); },
        [&](const CurrentSource& x) { return two_nets(device, source_value(x.current)); },
        [&](const VoltageControlledVoltageSource& x) { return four_nets(device, x.gain); },
        [&](const VoltageControlledCurrentSource& x) {
            return four_nets(device, x.transconductance);
        },
        [&](const CurrentSumSource& x) { return sum_line(device, x); },
        [&](const NonlinearCell& x) { return cell_line(device, x); },
        [&](const DeadZoneConductor& x) {
            return two_nets(
                device, fmt::format("i={0}*(max({1}-{2},0)+min({1}+{2},0))", number(x.conductance),
                                    drop(device, 0), number(x.width)));
        },
        [&](const SmoothLimiter& x) {
            return two_nets(device,
                            fmt::format("v={0}*tanh({1}/{0})", number(x.swing), drop(device, 2)));
        },
        [&](const HardLimiter& x) {
            return two_nets(
                device, fmt::format("v=min(max({1},-{0}),{0})", number(x.swing), drop(device, 2)));
        },
        [&](const Nmos& x) {
            return fmt::format("{} {} {} {} 0 {} w=1e-6 l=1e-6\n", deck_name(device),
                               net(device, 0), net(device, 1), net(device, 2), models_.name_of(x));
        },
        [&](const Quantizer& x) { return converter_line(device, x); }};
    return std::visit(text, device.model);
}

/// Why a device is not in the portable dialect; nothing where it is.
std::string foreign_part(const DeviceModel& model) {
    const Overloaded part{
        [](const Resistor&) { return ""; },
        [](const VoltageSource&) { return ""; },
        [](const VoltageControlledVoltageSource&) { return ""; },
        [](const NonlinearCell& cell) { return cell.law.is_linear() ? "" : "a nonlinear cell"; },
        [](const Capacitor&) { return "a capacitor"; },
        [](const CurrentSource&) { return "a current source"; },
        [](const VoltageControlledCurrentSource&) { return "a voltage-controlled current source"; },
        [](const CurrentSumSource&) {
            return "a sum of currents (to which E has no access, and a resistor in the ammeter's "
                   "place would change them)";
        },
        [](const DeadZoneConductor&) { return "a dead-zone conductor"; },
        [](const SmoothLimiter&) { return "a limiter"; },
        [](const HardLimiter&) { return "a limiter"; },
        [](const Nmos&) { return "a transistor"; },
        [](const Quantizer&) { return "a converter"; }};
    return std::visit([&](const auto& x) { return std::string(part(x)); }, model);
}

void check_portable(const Circuit& circuit) {
    for (const CircuitDevice& device : circuit.devices())
        if (const std::string part = foreign_part(device.model); !part.empty())
            throw InvalidInput(device.name,
                               fmt::format("is {}; the portable dialect has resistors, voltage "
                                           "sources and voltage-controlled voltage sources alone. "
                                           "Write the ngspice dialect, or leave the device out",
                                           part));
}

}  // namespace

std::string_view to_string(DeckDialect dialect) {
    return dialect == DeckDialect::ngspice ? "ngspice" : "portable";
}

DeckDialect parse_deck_dialect(std::string_view text) {
    if (text == "ngspice") return DeckDialect::ngspice;
    if (text == "portable") return DeckDialect::portable;
    throw InvalidInput("dialect", fmt::format("'{}' is neither ngspice nor portable", text));
}

std::string deck_name(const CircuitDevice& device) {
    const char letter = letter_of(device.model);
    return device.name.front() == letter ? device.name : letter + device.name;
}

std::string deck_current(const CircuitDevice& device) {
    const char letter = letter_of(device.model);
    const bool is_voltage =
        letter == 'v' || letter == 'e' ||
        (letter == 'b' && !std::holds_alternative<NonlinearCell>(device.model) &&
         !std::holds_alternative<DeadZoneConductor>(device.model));
    if (!is_voltage)
        throw InvalidInput(device.name,
                           "is no voltage source; ngspice has no vector of its current");
    return deck_name(device) + "#branch";
}

std::string write_circuit_deck(const Circuit& circuit, const std::string& title,
                               DeckDialect dialect) {
    if (dialect == DeckDialect::portable) check_portable(circuit);
    check_names(circuit);
    std::string deck = detail::comment(title);
    if (dialect == DeckDialect::ngspice) {
        deck += detail::options_line();
        const bool has_capacitors = std::any_of(
            circuit.devices().begin(), circuit.devices().end(), [](const CircuitDevice& device) {
                return std::holds_alternative<Capacitor>(device.model);
            });
        if (has_capacitors) deck += transient_options;
    }
    DeckWriter writer(circuit);
    for (const CircuitDevice& device : circuit.devices()) deck += writer.line(device);
    return deck + writer.definitions() + ".end\n";
}

}  // namespace kirchnet
