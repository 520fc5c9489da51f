#include "random_circuits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "circuit/random.hpp"
#include "circuit/table_law.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/circuit_solver.hpp"
#include "solver/transient.hpp"

namespace kirchnet::test {
namespace {

class Draws {
  public:
    explicit Draws(std::uint64_t number) : number_(number) {}
    double uniform() { return keyed_uniform(606, number_, {next_++, 0, 0, 0}); }
    double between(double low, double high) { return low + (high - low) * uniform(); }
    bool chance(double probability) { return uniform() < probability; }
    int upto(int largest) { return static_cast<int>(uniform() * (largest + 1)); }
    double log_uniform(double low, double high) { return low * std::pow(high / low, uniform()); }

  private:
    std::uint64_t number_;
    std::uint64_t next_ = 0;
};

/// A circuit that grows: `nets` are those that anything may be connected to.
struct Growing {
    explicit Growing(std::uint64_t number) : draws(number) {}

    Draws draws;
    Circuit circuit;
    std::vector<std::string> nets{"0"};
    std::vector<std::string> sources;  ///< voltage sources
    int count = 0;

    std::string name(const std::string& prefix) { return fmt::format("{}{}", prefix, ++count); }
    const std::string& any_net() {
        return nets[static_cast<std::size_t>(draws.upto(static_cast<int>(nets.size()) - 1))];
    }
    std::string other_net(const std::string& net) {
        for (int i = 0; i < 20; ++i)
            if (const std::string& other = any_net(); other != net) return other;
        return net == "0" ? nets.back() : "0";
    }
    double resistance() { return draws.log_uniform(1e2, 1e5); }

    void resistor(const std::string& a, const std::string& b) {
        circuit.add(name("r"), {a, b}, Resistor{resistance()});
    }
    void grow_net() {
        const std::string net = name("n");
        resistor(net, any_net());
        nets.push_back(net);
    }
    void voltage_source() {
        const std::string net = name("s");
        const std::string source = name("v");
        circuit.add(source, {net, draws.chance(0.7) ? "0" : any_net()},
                    VoltageSource{Waveform::constant(draws.between(-1, 1))});
        resistor(net, any_net());
        sources.push_back(source);
        nets.push_back(net);
    }
    /// A new net at some voltage up to `largest`.
    std::string fixed_net(double largest) {
        const std::string net = name("d");
        circuit.add(name("v"), {net, "0"},
                    VoltageSource{Waveform::constant(draws.between(-largest / 3, largest))});
        return net;
    }
    void current_source() {
        const std::string net = any_net();
        circuit.add(name("i"), {net, other_net(net)},
                    CurrentSource{Waveform::constant(draws.between(-1e-4, 1e-4))});
    }
    void voltage_gain() {
        const std::string net = name("e");
        const std::string control = any_net();
        circuit.add(name("gain"), {net, "0", control, other_net(control)},
                    VoltageControlledVoltageSource{draws.between(-0.4, 0.4)});
        resistor(net, any_net());
        nets.push_back(net);
    }
    void transconductance() {
        const std::string net = any_net();
        const std::string control = any_net();
        circuit.add(name("gm"), {net, other_net(net), control, other_net(control)},
                    VoltageControlledCurrentSource{draws.between(-2e-6, 2e-6)});
    }
    void current_sum() {
        CurrentSumSource sum;
        for (const std::string& source : sources)
            if (draws.chance(0.7)) sum.terms.push_back({source, draws.between(-1e3, 1e3)});
        const std::string net = name("h");
        circuit.add(name("sum"), {net, "0"}, sum);
        circuit.add(name("r"), {net, "0"}, Resistor{resistance()});
    }
    void capacitor() {
        const std::string net = any_net();
        circuit.add(name("c"), {net, other_net(net)}, Capacitor{draws.log_uniform(1e-15, 1e-9)});
    }
    void cell() {
        const std::string net = any_net();
        const double conductance = draws.log_uniform(1e-6, 1e-3);
        CellLaw law = CellLaw::sinh(draws.between(2, 8));
        if (draws.chance(0.2)) law = CellLaw();
        if (draws.chance(0.2))
            law = CellLaw::custom(std::make_shared<TableLaw>(
                "corners", std::vector<CurveSample>{
                               {0, 0}, {0.03, 3e-7}, {0.07, 1.1e-6}, {0.12, 1.5e-6}, {0.3, 9e-6}}));
        circuit.add(name("xc"), {net, other_net(net)}, NonlinearCell{law, conductance});
    }
    void dead_zone() {
        const std::string net = any_net();
        circuit.add(name("dz"), {net, other_net(net)},
                    DeadZoneConductor{draws.log_uniform(1e-5, 1e-3), draws.between(0, 0.5)});
    }
    void limiter() {
        const std::string net = name("l");
        const std::string control = any_net();
        const double swing = draws.between(0.05, 1);
        DeviceModel model = SmoothLimiter{swing};
        if (draws.chance(0.5)) model = HardLimiter{swing};
        circuit.add(name("limit"), {net, "0", control, other_net(control)}, model);
        resistor(net, any_net());
    }
    void transistor() {
        // Gates of other nets would make bistable circuits, of which each road finds one state.
        const std::string drain = any_net();
        std::string gate = drain;
        if (drain == "0" || draws.chance(0.7)) {
            gate = fixed_net(1.5);
        }
        circuit.add(name("m"), {drain, gate, other_net(drain)},
                    Nmos{draws.between(-0.3, 0.6), draws.log_uniform(1e-5, 1e-3),
                         draws.chance(0.5) ? 0 : draws.between(0, 0.1)});
    }
    void converter() {
        const std::string net = name("q");
        const std::string control = any_net();
        Quantizer converter;
        converter.bits = 1 + draws.upto(9);
        converter.low = draws.between(-1, 0);
        converter.high = converter.low + draws.between(0.5, 2);
        if (draws.chance(0.5)) {
            converter.offset = draws.between(-0.01, 0.01);
            converter.gain = draws.between(0.98, 1.02);
            for (int i = 0; i < 5; ++i) converter.inl.push_back(draws.between(-2, 2));
        }
        if (converter.bits % 3 == 0) converter.gain = -converter.gain;
        circuit.add(name("adc"), {net, "0", control, other_net(control)}, converter);
        circuit.add(name("r"), {net, "0"}, Resistor{resistance()});
    }
    /// Inverting amplifiers one behind the other, the first fed from any net, the others from
    /// sources: saturated, they would otherwise close loops with two states.
    void amplifier_chain(bool is_linear) {
        std::string before;
        for (int i = draws.upto(2); i >= 0; --i) {
            const std::string in = name("in");
            const std::string out = name("out");
            if (before.empty()) {
                resistor(any_net(), in);
            } else {
                resistor(before, in);
                resistor(fixed_net(0.5), in);
            }
            circuit.add(name("rf"), {in, out}, Resistor{resistance()});
            if (is_linear)
                circuit.add(name("amp"), {out, "0", "0", in},
                            VoltageControlledVoltageSource{draws.log_uniform(1e2, 1e5)});
            else
                add_amplifier(circuit, name("op"), "0", in, out,
                              {.gain = draws.log_uniform(1e2, 1e5),
                               .offset = draws.between(-2e-3, 2e-3),
                               .swing = draws.between(0.3, 2),
                               .is_hard = draws.chance(0.3)});
            before = out;
        }
    }
};

template <typename Add>
void some(Growing& growing, int most, Add add) {
    for (int i = growing.draws.upto(most); i > 0; --i) add();
}

Waveform random_ramps(Draws& draws) {
    Waveform waveform{{{0.0, draws.between(-0.2, 0.2)}}};
    double time = draws.between(0.1, 0.5) * time_scale;
    for (int i = draws.upto(2); i >= 0; --i) {
        waveform.corners.emplace_back(time, waveform.corners.back().second);
        time += draws.log_uniform(0.01, 2) * time_scale;
        waveform.corners.emplace_back(time, draws.between(-0.5, 0.5));
        time += draws.between(0.5, 3) * time_scale;
    }
    return waveform;
}

}  // namespace

void add_amplifier(Circuit& circuit, const std::string& name, const std::string& plus,
                   const std::string& minus, const std::string& out,
                   const AmplifierNumbers& numbers) {
    const std::string p = name + "_p";
    const std::string x = name + "_x";
    circuit.add("vof_" + name, {p, plus}, VoltageSource{Waveform::constant(numbers.offset)});
    circuit.add("gst_" + name, {"0", x, p, minus}, VoltageControlledCurrentSource{1e-6});
    circuit.add("rst_" + name, {x, "0"}, Resistor{numbers.gain / 1e-6});
    circuit.add("cst_" + name, {x, "0"},
                Capacitor{1e-6 / (2 * std::numbers::pi * numbers.gain_bandwidth)});
    circuit.add("bcl_" + name, {x, "0"}, DeadZoneConductor{1e-3, 3 * numbers.swing});
    DeviceModel limiter = SmoothLimiter{numbers.swing};
    if (numbers.is_hard) limiter = HardLimiter{numbers.swing};
    circuit.add("bout_" + name, {out, "0", x, "0"}, limiter);
}

Circuit random_circuit(std::uint64_t number) {
    Growing growing(number);
    const bool is_linear = number % 3 == 0;
    for (int i = growing.draws.upto(10); i >= 0; --i) growing.grow_net();
    for (int i = growing.draws.upto(3); i >= 0; --i) growing.voltage_source();
    some(growing, 10, [&] { growing.resistor(growing.any_net(), growing.nets.back()); });
    some(growing, 2, [&] { growing.current_source(); });
    some(growing, 2, [&] { growing.voltage_gain(); });
    some(growing, 2, [&] { growing.transconductance(); });
    some(growing, 1, [&] { growing.current_sum(); });
    some(growing, 2, [&] { growing.capacitor(); });
    if (!is_linear) {
        some(growing, 8, [&] { growing.cell(); });
        some(growing, 1, [&] { growing.dead_zone(); });
        some(growing, 2, [&] { growing.limiter(); });
        some(growing, 3, [&] { growing.transistor(); });
        some(growing, 1, [&] { growing.converter(); });
    }
    if (growing.draws.chance(0.6)) growing.amplifier_chain(is_linear);
    return std::move(growing.circuit);
}

Circuit random_dynamic_circuit(std::uint64_t number) {
    Growing growing(1'000'000 + number);
    Draws& draws = growing.draws;
    const auto capacitor = [&](const std::string& net) {
        growing.circuit.add(growing.name("c"), {net, draws.chance(0.8) ? "0" : growing.any_net()},
                            Capacitor{draws.log_uniform(0.01, 1) * time_scale / 1e4});
    };
    for (int i = 1 + draws.upto(4); i > 0; --i) {
        growing.grow_net();
        capacitor(growing.nets.back());
    }
    for (int i = draws.upto(1); i >= 0; --i) {
        const std::string net = growing.name("s");
        growing.circuit.add(growing.name("v"), {net, "0"}, VoltageSource{random_ramps(draws)});
        growing.resistor(net, growing.nets[1]);
        growing.nets.push_back(net);
    }
    some(growing, 3, [&] { growing.cell(); });
    growing.amplifier_chain(false);
    return std::move(growing.circuit);
}

CircuitAgreement compare_solvers(const Circuit& circuit) {
    const CircuitSolution ours = solve_circuit(circuit);
    CircuitAgreement agreement;
    agreement.method = to_string(ours.method);
    std::vector<std::string> wanted;
    std::vector<double> values;
    for (CircuitNet net = 1; net < circuit.nets(); ++net) {
        wanted.push_back(circuit.net_name(net));
        values.push_back(ours.voltage[static_cast<std::size_t>(net)]);
    }
    const std::size_t voltages = wanted.size();
    for (std::size_t k = 0; k < circuit.devices().size(); ++k) {
        const CircuitDevice& device = circuit.devices()[k];
        if (!std::holds_alternative<VoltageSource>(device.model) &&
            !std::holds_alternative<VoltageControlledVoltageSource>(device.model) &&
            !std::holds_alternative<SmoothLimiter>(device.model))
            continue;
        wanted.push_back(deck_current(device));
        values.push_back(ours.current[k]);
    }
    const auto theirs = run_operating_points(write_circuit_deck(circuit, "random"),
                                             {{}, Eigen::MatrixXd(0, 1)}, wanted);
    const auto compare = [&](std::size_t first, std::size_t last, double& worst) {
        double largest = 0;
        for (std::size_t i = first; i < last; ++i) largest = std::max(largest, std::abs(values[i]));
        for (std::size_t i = first; i < last; ++i) {
            const double apart = std::abs(values[i] - theirs(static_cast<Eigen::Index>(i), 0));
            if (!(apart <= worst * largest)) {
                worst = apart / largest;
                agreement.where = fmt::format("{}: {} against ngspice's {}", wanted[i], values[i],
                                              theirs(static_cast<Eigen::Index>(i), 0));
            }
        }
    };
    compare(0, voltages, agreement.voltage);
    compare(voltages, wanted.size(), agreement.current);
    return agreement;
}

TransientAgreement compare_transients(const Circuit& circuit, double stop) {
    std::vector<std::string> nets;
    for (CircuitNet net = 1; net < circuit.nets(); ++net) nets.push_back(circuit.net_name(net));
    const TransientResult ours = solve_transient(circuit, stop, nets);
    const NgspiceWaveforms theirs =
        run_transient(write_circuit_deck(circuit, "random"), nets, {.stop = stop});
    const double largest = theirs.values.rightCols(1).cwiseAbs().maxCoeff();
    TransientAgreement agreement;
    for (std::size_t i = 0; i < nets.size(); ++i)
        for (Eigen::Index t = 0; t < theirs.time.size(); ++t) {
            const double value = theirs.values(static_cast<Eigen::Index>(i), t);
            const double here = ours.voltage.at(nets[i]).at(theirs.time(t));
            if (const double apart = std::abs(here - value) / largest;
                !(apart <= agreement.voltage))
                agreement = {apart, fmt::format("{} at {} s: {} against ngspice's {}", nets[i],
                                                theirs.time(t), here, value)};
        }
    return agreement;
}

}  // namespace kirchnet::test
