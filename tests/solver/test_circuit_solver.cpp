#include <doctest/doctest.h>

#include "circuit/error.hpp"
#include "solver/circuit_solver.hpp"

using namespace kirchnet;

namespace {

void source(Circuit& circuit, const std::string& net, double voltage) {
    circuit.add("v_" + net, {net, "0"}, VoltageSource{Waveform::constant(voltage)});
}

struct Solved {
    explicit Solved(const Circuit& chosen, const CircuitSolverSettings& settings = {})
        : circuit(chosen), solution(solve_circuit(chosen, settings)) {}
    [[nodiscard]] double v(std::string_view net) const {
        return voltage_of(circuit, solution, net);
    }
    [[nodiscard]] double i(std::string_view device) const {
        return current_of(circuit, solution, device);
    }
    Circuit circuit;
    CircuitSolution solution;
};

/// The root of a falling or rising function by bisection.
template <typename Function>
double root(double low, double high, Function f) {
    const bool rises = f(high) > f(low);
    for (int k = 0; k < 200; ++k) {
        const double middle = (low + high) / 2;
        ((f(middle) > 0) == rises ? high : low) = middle;
    }
    return (low + high) / 2;
}

/// Current of a transistor between ideal sources.
double transistor_current(const Nmos& model, double drain, double gate, double at_source) {
    Circuit circuit;
    source(circuit, "d", drain);
    source(circuit, "g", gate);
    source(circuit, "s", at_source);
    circuit.add("m1", {"d", "g", "s"}, model);
    return Solved(circuit).i("m1");
}

template <typename Exception>
std::string message_of(const Circuit& circuit) {
    try {
        (void)solve_circuit(circuit);
    } catch (const Exception& error) {
        return error.what();
    }
    return "no such error";
}

bool mentions(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("a divider has the voltages and SPICE's signs of its currents") {
    Circuit circuit;
    source(circuit, "a", 4);
    circuit.add("r1", {"a", "b"}, Resistor{1e3});
    circuit.add("r2", {"b", "0"}, Resistor{3e3});
    const Solved solved(circuit);
    CHECK(solved.v("b") == doctest::Approx(3).epsilon(1e-15));
    CHECK(solved.v("0") == 0);
    CHECK(solved.i("r1") == doctest::Approx(1e-3).epsilon(1e-15));
    CHECK(solved.i("v_a") == doctest::Approx(-1e-3).epsilon(1e-15));  // it delivers
    CHECK(solved.solution.method == CircuitMethod::newton);
    CHECK(solved.solution.residual < 1e-15);
}

TEST_CASE("every linear source follows its definition") {
    Circuit circuit;
    source(circuit, "a", 2);
    circuit.add("i1", {"a", "b"}, CurrentSource{Waveform::constant(1e-3)});  // into b
    circuit.add("rb", {"b", "0"}, Resistor{500});
    circuit.add("e1", {"c", "a", "b", "0"}, VoltageControlledVoltageSource{3});
    circuit.add("rc", {"c", "0"}, Resistor{1e3});
    circuit.add("g1", {"d", "0", "a", "b"}, VoltageControlledCurrentSource{1e-3});
    circuit.add("rd", {"d", "0"}, Resistor{2e3});
    circuit.add("h1", {"f", "0"}, CurrentSumSource{{{"v_a", 100}}});
    circuit.add("rf", {"f", "0"}, Resistor{1});
    const Solved solved(circuit);
    CHECK(solved.v("b") == doctest::Approx(0.5));   // 1 mA x 500 ohm
    CHECK(solved.v("c") == doctest::Approx(3.5));   // 2 V + 3 x 0.5 V
    CHECK(solved.v("d") == doctest::Approx(-3.0));  // -1 mS x 1.5 V x 2 kohm
    // v_a loses 1 mA to i1 and gains the 3.5 mA that e1 draws from c to a backwards.
    CHECK(solved.i("e1") == doctest::Approx(-3.5e-3));
    CHECK(solved.i("v_a") == doctest::Approx(-1e-3 - 3.5e-3));
    CHECK(solved.v("f") == doctest::Approx(-0.45));
    CHECK(solved.i("g1") == doctest::Approx(1.5e-3));
}

TEST_CASE("a transimpedance amplifier has the closed form's output") {
    // spec: [-I R_f + NG V_os] / (1 + NG / A0), NG = 1 + G_in R_f = 21: ngspice gives -0.178625 V.
    Circuit circuit;
    source(circuit, "a", 0.01);
    circuit.add("rin", {"a", "in"}, Resistor{100});
    circuit.add("rf", {"in", "out"}, Resistor{2e3});
    circuit.add("vos", {"p", "0"}, VoltageSource{Waveform::constant(1e-3)});
    circuit.add("amp", {"out", "0", "p", "in"}, VoltageControlledVoltageSource{1e4});
    CHECK(Solved(circuit).v("out") ==
          doctest::Approx((-1e-4 * 2e3 + 21e-3) / (1 + 21 / 1e4)).epsilon(1e-14));
    CHECK(Solved(circuit).v("out") == doctest::Approx(-0.178625).epsilon(3e-6));
}

TEST_CASE("an amplifier with a smooth limit balances as its scalar equation does") {
    for (const double drive : {0.001, 0.02, 0.1, 1.0}) {
        Circuit circuit;
        source(circuit, "a", drive);
        circuit.add("rin", {"a", "in"}, Resistor{1e3});
        circuit.add("rf", {"in", "out"}, Resistor{2e4});
        circuit.add("gain", {"x", "0", "0", "in"}, VoltageControlledVoltageSource{1e4});
        circuit.add("limit", {"out", "0", "x", "0"}, SmoothLimiter{0.8});
        const auto input = [&](double out) { return (drive * 20 + out) / 21; };
        const double expected = root(
            -0.8, 0.8, [&](double out) { return out - 0.8 * std::tanh(-1e4 * input(out) / 0.8); });
        CHECK(Solved(circuit).v("out") == doctest::Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("transistors carry what is worked out by hand") {
    const Nmos model{.threshold = 0.5, .beta = 1e-3, .modulation = 0};
    CHECK(transistor_current(model, 2, 1.5, 0) == doctest::Approx(0.5e-3));       // saturated
    CHECK(transistor_current(model, 0.5, 1.5, 0) == doctest::Approx(0.375e-3));   // (1 - .25) .5
    CHECK(transistor_current(model, 2, 0.4, 0) == 0);                             // off
    CHECK(transistor_current(model, 0, 1.5, 0.5) == doctest::Approx(-0.375e-3));  // turned round
    CHECK(transistor_current(model, 1, 2.5, 1) == 0);
    const Nmos modulated{.threshold = 0.5, .beta = 1e-3, .modulation = 0.05};
    CHECK(transistor_current(modulated, 2, 1.5, 0) == doctest::Approx(0.55e-3));
    CHECK(transistor_current(modulated, 0.5, 1.5, 0) == doctest::Approx(0.375e-3 * 1.025));
}

TEST_CASE("a transistor behind a resistor sits where its quadratic equation says") {
    // 2 V through 1 kohm: 2 - v = (1 - v / 2) v in mA, triode: v^2 / 2 - 2 v + 2 = 0, v = 2. It is
    // saturated at 0.5 mA instead: v = 1.5. With 4 kohm: 2 - v = 4 (1 - v / 2) v.
    const auto drain = [](double resistance) {
        Circuit circuit;
        source(circuit, "a", 2);
        source(circuit, "g", 1.5);
        circuit.add("r", {"a", "d"}, Resistor{resistance});
        circuit.add("m", {"d", "g", "0"}, Nmos{.threshold = 0.5, .beta = 1e-3, .modulation = 0});
        return Solved(circuit).v("d");
    };
    CHECK(drain(1e3) == doctest::Approx(1.5).epsilon(1e-14));
    CHECK(drain(4e3) == doctest::Approx((5 - std::sqrt(9.0)) / 4).epsilon(1e-14));
}

TEST_CASE("cells balance as their scalar equation does, steep ones too") {
    for (const double factor : {2.0, 8.0, 40.0}) {
        Circuit circuit;
        source(circuit, "a", 1);
        circuit.add("r", {"a", "b"}, Resistor{1e4});
        circuit.add("xc", {"b", "0"}, NonlinearCell{CellLaw::sinh(factor), 1e-5});
        const double expected = root(
            0, 1, [&](double v) { return 1e-5 * std::sinh(factor * v) / factor - (1 - v) / 1e4; });
        CHECK(Solved(circuit).v("b") == doctest::Approx(expected).epsilon(1e-13));
    }
}

TEST_CASE("limits, dead zones and converters take their corners") {
    Circuit circuit;
    source(circuit, "a", 1);
    circuit.add("clip", {"b", "0", "0", "a"}, HardLimiter{0.4});
    circuit.add("rb", {"b", "0"}, Resistor{1e3});
    circuit.add("rc", {"a", "c"}, Resistor{1e3});
    circuit.add("dz", {"c", "0"}, DeadZoneConductor{1e-3, 0.2});
    circuit.add("adc", {"q", "0", "c", "0"},
                Quantizer{.bits = 3, .low = 0, .high = 0.7, .inl = {}});
    circuit.add("rq", {"q", "0"}, Resistor{1e3});
    const Solved solved(circuit);
    CHECK(solved.v("b") == doctest::Approx(-0.4));
    CHECK(solved.v("c") == doctest::Approx(0.6));  // (1 - v) / 1k = (v - 0.2) / 1k
    CHECK(solved.v("q") == doctest::Approx(6));
    CHECK(solved.i("dz") == doctest::Approx(0.4e-3));
}

TEST_CASE("currents are right beside shorts that a double's voltages cannot tell apart") {
    // 1e3 S on a line that only 1e-6 S leads out of: 0.1 V over 1 Mohm.
    Circuit circuit;
    source(circuit, "a", 0.1);
    circuit.add("r1", {"a", "b"}, Resistor{1e-3});
    circuit.add("r2", {"b", "c"}, Resistor{1e-3});
    circuit.add("r3", {"c", "0"}, Resistor{1e6});
    const Solved solved(circuit);
    const double expected = 0.1 / (1e6 + 2e-3);
    CHECK(solved.i("r1") == doctest::Approx(expected).epsilon(1e-12));
    CHECK(solved.i("r2") == doctest::Approx(expected).epsilon(1e-12));
    CHECK(solved.i("v_a") == doctest::Approx(-expected).epsilon(1e-12));
}

TEST_CASE("few Newton steps an attempt lead to the same point by continuation") {
    Circuit circuit;
    source(circuit, "a", 1);
    circuit.add("r", {"a", "b"}, Resistor{10});
    circuit.add("xc", {"b", "0"}, NonlinearCell{CellLaw::sinh(30), 1e-5});
    const Solved plain(circuit);
    CHECK(plain.solution.method == CircuitMethod::newton);
    const Solved stepped(circuit, {.max_iterations = 4});
    CHECK(stepped.solution.method != CircuitMethod::newton);
    CHECK(stepped.v("b") == doctest::Approx(plain.v("b")).epsilon(1e-14));
}

TEST_CASE("sources are stepped where conductances to ground do not help") {
    Circuit circuit;
    // All of 6 A goes into the cell; 10 mS would need 600 V, where its current overflows.
    circuit.add("i", {"0", "b"}, CurrentSource{Waveform::constant(6)});
    circuit.add("xc", {"b", "0"}, NonlinearCell{CellLaw::sinh(40), 1e-6});
    const Solved solved(circuit, {.max_iterations = 6});
    CHECK(solved.solution.method == CircuitMethod::source_stepping);
    CHECK(solved.v("b") == doctest::Approx(std::asinh(6 * 40 / 1e-6) / 40).epsilon(1e-13));
}

TEST_CASE("a solver gives the same bits whatever it solved before") {
    Circuit circuit;
    source(circuit, "a", 0.3);
    circuit.add("r", {"a", "b"}, Resistor{1e3});
    circuit.add("xc", {"b", "0"}, NonlinearCell{CellLaw::sinh(5), 1e-3});
    CircuitSolver reused(circuit);
    const CircuitSolution first = reused.solve();
    reused.set_waveform("v_a", Waveform::constant(-0.9));
    CHECK(reused.solve().voltage[2] < 0);
    reused.set_waveform("v_a", Waveform::constant(0.3));
    const CircuitSolution again = reused.solve();
    CHECK(again.voltage == first.voltage);
    CHECK(again.current == first.current);
    CHECK(again.iterations == first.iterations);
}

TEST_CASE("a circuit of ground alone, or of sources alone, has its operating point") {
    CHECK(solve_circuit(Circuit()).voltage == std::vector<double>{0});
    Circuit circuit;
    source(circuit, "a", 2);
    CHECK(Solved(circuit).v("a") == 2);
    CHECK(Solved(circuit).i("v_a") == 0);
}

TEST_CASE("a net that nothing leads to ground is named with what meets there") {
    Circuit circuit;
    source(circuit, "a", 1);
    circuit.add("c1", {"a", "wl_a_3_7"}, Capacitor{1e-15});
    circuit.add("rwl_a_3_8", {"wl_a_3_7", "wl_a_3_8"}, Resistor{1});
    const std::string why = message_of<InvalidInput>(circuit);
    CHECK_MESSAGE(mentions(why, "net wl_a_3_7"), why);
    CHECK_MESSAGE(mentions(why, "rwl_a_3_8"), why);
}

TEST_CASE("a loop of voltage sources is named by all its sources") {
    Circuit circuit;
    source(circuit, "a", 1);
    circuit.add("r", {"a", "c"}, Resistor{1});
    circuit.add("e1", {"a", "b", "c", "0"}, VoltageControlledVoltageSource{1});
    circuit.add("limit", {"b", "0", "c", "0"}, SmoothLimiter{1});
    const std::string why = message_of<InvalidInput>(circuit);
    for (const char* name : {"v_a", "e1", "limit"}) CHECK_MESSAGE(mentions(why, name), why);
    CHECK_FALSE(mentions(why, "(r"));
}

TEST_CASE("a net that only transistors which are off lead out of is named") {
    Circuit circuit;
    source(circuit, "a", 1);
    source(circuit, "g", 0);
    circuit.add("m1", {"a", "g", "inner"}, Nmos{});
    circuit.add("m2", {"inner", "g", "0"}, Nmos{});
    const std::string why = message_of<SingularSystem>(circuit);
    CHECK_MESSAGE(mentions(why, "net inner"), why);
    CHECK_MESSAGE(mentions(why, "m1, m2"), why);
}

TEST_CASE("a circuit without an operating point is an error that names a net") {
    // code = (1 - code >= 1/2) has no solution.
    Circuit circuit;
    source(circuit, "a", 1);
    circuit.add("adc", {"q", "0", "a", "q"}, Quantizer{.bits = 1, .low = 0, .high = 1, .inl = {}});
    circuit.add("r", {"q", "0"}, Resistor{1e3});
    const std::string why = message_of<NotConverged>(circuit);
    CHECK_MESSAGE(mentions(why, "net q"), why);
    CHECK_MESSAGE(mentions(why, "adc"), why);
}

TEST_CASE("settings and names out of range are refused") {
    CHECK_THROWS_AS(CircuitSolver(Circuit(), {.max_iterations = 0}), InvalidInput);
    CHECK_THROWS_AS(CircuitSolver(Circuit(), {.tolerance = 0}), InvalidInput);
    CircuitSolver solver{Circuit()};
    CHECK_THROWS_AS(solver.set_waveform("v", Waveform::constant(1)), InvalidInput);
    CHECK_THROWS_AS((void)voltage_of(Circuit(), solver.solve(), "x"), InvalidInput);
}
