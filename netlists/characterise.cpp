// One deck holds the cell once per state, all driven by one source that runs through the voltages;
// each has an ammeter at its word pin and one at its bit pin.
#include "netlists/characterise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/user_cell.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet {
namespace {

using detail::number;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Of the current at the read voltage: what ngspice's tolerances leave open is far below.
constexpr double tolerance = 1e-6;
constexpr double lift = 10e-3;  // [V]
constexpr double worth_doubling = 0.7;

/// Currents into the word pins and out of the bit pins, [states × voltages].
struct Currents {
    MatrixXd word;
    MatrixXd bit;
};

class Bench {
  public:
    Bench(const UserCellSource& source, const CharacteriseSettings& settings)
        : source_(source), settings_(settings) {}

    /// @param lifted  potential of the bit pins against ground [V]
    [[nodiscard]] Currents measure(const VectorXd& states, const VectorXd& voltages,
                                   double lifted = 0) const {
        try {
            return run(states, voltages, lifted);
        } catch (const NgspiceError& error) {
            const std::string message = error.what();
            if (is_timeout(message)) refuse_timeout(message);
            refuse_culprit(message);
            name_state(states, voltages, lifted);
            throw InvalidInput(source_.file,
                               fmt::format("subcircuit {}: {}", source_.cell.name, message));
        }
    }

    [[noreturn]] void refuse(double state, const std::string& problem) const {
        throw InvalidInput(source_.file,
                           fmt::format("subcircuit {}, {}={:.6g}: {}", source_.cell.name,
                                       source_.cell.state_parameter, state, problem));
    }

  private:
    static bool is_timeout(const std::string& message) {
        return message.find("longer than its limit") != std::string::npos;
    }
    static bool is_convergence(const std::string& message) {
        return message.find("imestep too small") != std::string::npos ||
               message.find("onverge") != std::string::npos ||
               message.find("trouble with") != std::string::npos ||
               message.find("doAnalyses") != std::string::npos;
    }
    [[noreturn]] void refuse_timeout(const std::string& message) const {
        throw InvalidInput(
            source_.file,
            fmt::format("subcircuit {} does not finish: {}; give --time-limit more seconds if it "
                        "only is slow",
                        source_.cell.name, message));
    }

    /// Where the message is about a line of the file.
    void refuse_culprit(const std::string& message) const {
        if (is_convergence(message)) return;
        const std::string line = detail::find_culprit(source_, message);
        if (!line.empty()) throw InvalidInput(source_.file, fmt::format("{}: {}", line, message));
    }

    /// One state after the other, to tell which of them it is.
    void name_state(const VectorXd& states, const VectorXd& voltages, double lifted) const {
        for (const double state : states) try {
                (void)run(VectorXd::Constant(1, state), voltages, lifted);
            } catch (const NgspiceError& error) {
                const std::string message = error.what();
                if (is_timeout(message)) refuse_timeout(message);
                refuse_culprit(message);
                const std::string place = place_of_failure(message, voltages);
                refuse(state, is_convergence(message)
                                  ? fmt::format("does not converge{}: {}", place, message)
                                  : message);
            }
    }

    /// ngspice tells the sweep's number in the place of the voltage.
    static std::string place_of_failure(const std::string& message, const VectorXd& voltages) {
        const std::string mark = "vidx = ";
        const std::size_t at = message.find(mark);
        if (at == std::string::npos) return {};
        const double index = std::strtod(message.c_str() + at + mark.size(), nullptr);
        if (!(index >= 0 && index <= static_cast<double>(voltages.size() - 1))) return {};
        return fmt::format(" at {:.6g} V", voltages(static_cast<Index>(index)));
    }

    [[nodiscard]] Currents run(const VectorXd& states, const VectorXd& voltages,
                               double lifted) const {
        std::vector<std::string> wanted;
        for (const char* at : {"w", "b"})
            for (Index k = 0; k < states.size(); ++k)
                wanted.push_back(fmt::format("v{}_{}#branch", at, k));
        const MatrixXd found = run_dc_sweep(deck(states, voltages, lifted), "vidx", voltages.size(),
                                            wanted, settings_.ngspice);
        return {found.topRows(states.size()), found.bottomRows(states.size())};
    }

    [[nodiscard]] std::string deck(const VectorXd& states, const VectorXd& voltages,
                                   double lifted) const {
        const UserCell& cell = source_.cell;
        std::string text = detail::comment("kirchnet characterises " + cell.name) + cell.text;
        text += ".options reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin=1e-15\n";
        text += "vidx idx 0 dc 0\n";
        text += fmt::format("vlow low 0 dc {}\nbdrive drive low v=pwl(v(idx)", number(lifted));
        for (Index j = 0; j < voltages.size(); ++j)
            text += fmt::format(",{},{}", j, number(voltages(j)));
        text += ")\n";
        if (!cell.gate_pin.empty())
            text += fmt::format("vgate gate low dc {}\n", number(cell.gate_voltage));
        for (Index k = 0; k < states.size(); ++k) {
            text += fmt::format("vw_{0} drive w_{0} dc 0\nvb_{0} b_{0} low dc 0\nxcell_{0}", k);
            for (const std::string& pin : cell.pins)
                text += pin == cell.word_pin  ? fmt::format(" w_{}", k)
                        : pin == cell.bit_pin ? fmt::format(" b_{}", k)
                                              : std::string(" gate");
            text += fmt::format(" {} {}={}\n", cell.name, cell.state_parameter, number(states(k)));
        }
        return text + ".end\n";
    }

    const UserCellSource& source_;
    const CharacteriseSettings& settings_;
};

void check(const CharacteriseSettings& s) {
    if (!(s.first_state < s.last_state) || !std::isfinite(s.first_state) ||
        !std::isfinite(s.last_state))
        throw InvalidInput("--range", fmt::format("{}:{} is no range LO:HI of the state",
                                                  s.first_state, s.last_state));
    if (!(s.read_voltage > 0) || !(s.lowest_voltage < 0) ||
        !(s.highest_voltage >= s.read_voltage) || !std::isfinite(s.lowest_voltage) ||
        !std::isfinite(s.highest_voltage))
        throw InvalidInput("--voltage",
                           fmt::format("{}:{} V has to hold 0 V and the read voltage of {} V",
                                       s.lowest_voltage, s.highest_voltage, s.read_voltage));
    if (s.states < 5 || s.read_steps < 4)
        throw InvalidInput("--states", "a table takes 5 states and 4 voltages at least");
}

/// Multiples of a step that the read voltage is a multiple of, and the ends.
VectorXd choose_voltages(const CharacteriseSettings& s) {
    constexpr double near = 0.1;  // of a step
    const double step = s.read_voltage / static_cast<double>(s.read_steps);
    const auto first = static_cast<Index>(std::ceil(s.lowest_voltage / step - near));
    const auto last = static_cast<Index>(std::floor(s.highest_voltage / step + near));
    std::vector<double> voltages;
    for (Index j = first; j <= last; ++j)
        voltages.push_back(s.read_voltage * static_cast<double>(j) /
                           static_cast<double>(s.read_steps));
    if (voltages.front() - s.lowest_voltage > near * step)
        voltages.insert(voltages.begin(), s.lowest_voltage);
    if (s.highest_voltage - voltages.back() > near * step) voltages.push_back(s.highest_voltage);
    return Eigen::Map<VectorXd>(voltages.data(), static_cast<Index>(voltages.size()));
}

/// Conductance at the read voltage per state; strictly rising or strictly falling.
VectorXd read_conductances(const Bench& bench, const VectorXd& states, double read_voltage) {
    const Currents found = bench.measure(states, VectorXd::Constant(2, read_voltage));
    const VectorXd g = found.word.col(0) / read_voltage;
    for (Index k = 0; k < g.size(); ++k)
        if (!(g(k) > 0))
            bench.refuse(states(k), fmt::format("conducts {:.6g} S at {} V; are the pins in the "
                                                "order word line, bit line, gate?",
                                                g(k), read_voltage));
    const bool rises = g(g.size() - 1) > g(0);
    for (Index k = 0; k + 1 < g.size(); ++k) {
        if (g(k) == g(k + 1))
            bench.refuse(states(k),
                         fmt::format("conducts {:.6g} S at {} V, and so does {:.6g}: the parameter "
                                     "does not tell the state",
                                     g(k), read_voltage, states(k + 1)));
        if ((g(k + 1) > g(k)) != rises)
            bench.refuse(states(k + 1),
                         fmt::format("conductance at {} V turns: {:.6g} S, after {:.6g} S at "
                                     "{:.6g}; take a range over which it only rises or falls",
                                     read_voltage, g(k + 1), g(k), states(k)));
    }
    return g;
}

/// States at which ln g is evenly spread, by straight lines through what is known.
VectorXd spread_states(const VectorXd& states, const VectorXd& g, Index count) {
    VectorXd chosen(count);
    const Index last = g.size() - 1;
    const double from = std::log(g(0));
    const double to = std::log(g(last));
    Index k = 0;
    for (Index i = 0; i < count; ++i) {
        const double part = static_cast<double>(i) / static_cast<double>(count - 1);
        const double u = std::lerp(from, to, part);
        while (k + 1 < last && (std::log(g(k + 1)) - u) * (to - from) < 0) ++k;
        const double share = (u - std::log(g(k))) / (std::log(g(k + 1)) - std::log(g(k)));
        chosen(i) = std::lerp(states(k), states(k + 1), std::clamp(share, 0.0, 1.0));
    }
    chosen(0) = states(0);
    chosen(count - 1) = states(last);
    return chosen;
}

/// Up, then down again.
VectorXd there_and_back(const VectorXd& voltages) {
    const Index n = voltages.size();
    VectorXd both(2 * n - 1);
    both.head(n) = voltages;
    both.tail(n - 1) = voltages.head(n - 1).reverse();
    return both;
}

class Checks {
  public:
    Checks(const Bench& bench, const VectorXd& states, const VectorXd& voltages, Index zero,
           Index read)
        : bench_(bench), states_(states), voltages_(voltages), zero_(zero), read_(read) {}

    /// @param found  over voltages up and down
    void pass(const Currents& found) const {
        for (Index k = 0; k < states_.size(); ++k) {
            const double scale = std::abs(found.word(k, read_));
            check_zero(k, found.word, scale);
            check_leak(k, found, scale);
            check_hysteresis(k, found.word, scale);
            check_slope(k, found.word, scale);
        }
    }

  private:
    void check_zero(Index k, const MatrixXd& I, double scale) const {
        if (!(std::abs(I(k, zero_)) <= tolerance * scale))
            bench_.refuse(states_(k), fmt::format("carries {:.6g} A at 0 V; a cell's current has "
                                                  "to be 0 there",
                                                  I(k, zero_)));
    }
    void check_leak(Index k, const Currents& found, double scale) const {
        for (Index j = 0; j < voltages_.size(); ++j)
            if (!(std::abs(found.word(k, j) - found.bit(k, j)) <= tolerance * scale))
                bench_.refuse(
                    states_(k),
                    fmt::format("{:.6g} A flow into the word line's pin at {:.6g} V, but {:.6g} A "
                                "out of the bit line's; are the pins right?",
                                found.word(k, j), voltages_(j), found.bit(k, j)));
    }
    void check_hysteresis(Index k, const MatrixXd& I, double scale) const {
        const Index n = voltages_.size();
        for (Index j = 0; j + 1 < n; ++j) {
            const double down = I(k, 2 * n - 2 - j);
            if (!(std::abs(I(k, j) - down) <= tolerance * scale))
                bench_.refuse(states_(k),
                              fmt::format("has hysteresis: {:.6g} A at {:.6g} V on the way up, "
                                          "{:.6g} A on the way down",
                                          I(k, j), voltages_(j), down));
        }
    }
    void check_slope(Index k, const MatrixXd& I, double scale) const {
        constexpr double rounding = 1e-9;
        for (Index j = 0; j + 1 < voltages_.size(); ++j)
            if (!(I(k, j + 1) - I(k, j) >= -rounding * scale))
                bench_.refuse(states_(k),
                              fmt::format("has a negative slope: {:.6g} A at {:.6g} V, {:.6g} A at "
                                          "{:.6g} V",
                                          I(k, j), voltages_(j), I(k, j + 1), voltages_(j + 1)));
    }

    const Bench& bench_;
    const VectorXd& states_;
    const VectorXd& voltages_;
    Index zero_;
    Index read_;
};

Index index_of(const VectorXd& values, double wanted) {
    Index at = 0;
    (values.array() - wanted).abs().minCoeff(&at);
    return at;
}

TableError compare(const Bench& bench, const SurfaceLaw& law) {
    const CellSurface& surface = law.surface();
    const VectorXd g = surface.conductance();
    const Index pieces = g.size() - 1;
    const Index gaps = surface.voltage.size() - 1;
    const VectorXd target = (g.head(pieces).array() * g.tail(pieces).array()).sqrt();
    const VectorXd state = target.unaryExpr([&](double x) { return law.state_for(x); });
    const VectorXd voltage = (surface.voltage.head(gaps) + surface.voltage.tail(gaps)) / 2;
    const MatrixXd found = bench.measure(state, voltage).word;
    TableError error;
    double squares = 0;
    for (Index k = 0; k < pieces; ++k)
        for (Index j = 0; j < gaps; ++j) {
            double table = 0;
            law.current({&target(k), 1}, {&voltage(j), 1}, {&table, 1});
            const double apart = std::abs(table - found(k, j));
            const double relative = apart == 0 ? 0 : apart / std::abs(found(k, j));
            squares += relative * relative;
            error.largest_of_read =
                std::max(error.largest_of_read, apart / (target(k) * surface.read_voltage));
            if (relative <= error.largest) continue;
            error.largest = relative;
            error.worst_state = state(k);
            error.worst_voltage = voltage(j);
        }
    error.points = pieces * gaps;
    error.rms = std::sqrt(squares / static_cast<double>(error.points));
    return error;
}

Characterisation characterise_once(const UserCellSource& source,
                                   const CharacteriseSettings& settings) {
    const Bench bench(source, settings);
    const double read_voltage = settings.read_voltage;
    VectorXd states =
        VectorXd::LinSpaced(settings.states, settings.first_state, settings.last_state);
    VectorXd g = read_conductances(bench, states, read_voltage);
    for (int round = 0; round < 3; ++round) {  // each brings the spread nearer to even
        states = spread_states(states, g, settings.states);
        g = read_conductances(bench, states, read_voltage);
    }
    if (g(0) > g(g.size() - 1)) states = states.reverse().eval();

    const VectorXd voltages = choose_voltages(settings);
    const Index zero = index_of(voltages, 0);
    const Index read = index_of(voltages, read_voltage);
    const Currents found = bench.measure(states, there_and_back(voltages));
    Checks(bench, states, voltages, zero, read).pass(found);

    Characterisation result;
    result.surface = {source.cell, read_voltage, voltages, states,
                      found.word.leftCols(voltages.size())};
    const MatrixXd lifted = bench.measure(states, VectorXd::Constant(2, read_voltage), lift).word;
    result.ground_dependence =
        (lifted.col(0).array() / found.word.col(read).array() - 1).abs().maxCoeff();
    const SurfaceLaw law(source.file, result.surface);
    result.surface = law.surface();
    result.error = compare(bench, law);
    return result;
}

}  // namespace

Characterisation characterise(const UserCellSource& source, const CharacteriseSettings& settings) {
    check(settings);
    CharacteriseSettings now = settings;
    Characterisation best = characterise_once(source, now);
    const auto helps = [&](CharacteriseSettings finer) {
        if (finer.states > settings.most_states || finer.read_steps > settings.most_read_steps)
            return false;
        Characterisation next = characterise_once(source, finer);
        const bool is_better =
            next.error.largest_of_read < worth_doubling * best.error.largest_of_read;
        if (is_better) {
            best = std::move(next);
            now = finer;
        }
        return is_better;
    };
    while (best.error.largest_of_read > settings.tolerance) {
        CharacteriseSettings more_states = now;
        more_states.states = 2 * now.states - 1;
        CharacteriseSettings more_voltages = now;
        more_voltages.read_steps *= 2;
        CharacteriseSettings more_of_both = more_states;
        more_of_both.read_steps *= 2;
        if (!helps(more_states) && !helps(more_voltages) && !helps(more_of_both)) break;
    }
    return best;
}

}  // namespace kirchnet
