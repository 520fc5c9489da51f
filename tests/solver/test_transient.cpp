#include <doctest/doctest.h>

#include <numbers>

#include "circuit/error.hpp"
#include "solver/transient.hpp"

using namespace kirchnet;

namespace {

/// Low until 0, then up within `rise`.
Waveform ramp(double low, double high, double rise) {
    return {{{0.0, low}, {rise, high}}};
}

/// One amplifier of gain-bandwidth 100 MHz as an inverting stage: NG = 1 + rf / rin.
Circuit inverting_stage(Waveform drive, double rin, double rf, const DeviceModel& limiter,
                        double gain = 1e4) {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{std::move(drive)});
    circuit.add("rin", {"a", "in"}, Resistor{rin});
    circuit.add("rf", {"in", "out"}, Resistor{rf});
    circuit.add("gst", {"0", "x", "0", "in"}, VoltageControlledCurrentSource{1e-6});
    circuit.add("rst", {"x", "0"}, Resistor{gain / 1e-6});
    circuit.add("cst", {"x", "0"}, Capacitor{1e-6 / (2 * std::numbers::pi * 1e8)});
    circuit.add("bout", {"out", "0", "x", "0"}, limiter);
    return circuit;
}

}  // namespace

TEST_CASE("an RC answers a ramp in closed form") {
    // v = V / T (t - tau (1 - exp(-t / tau))) up to T, then an exponential.
    const double tau = 1e-9;
    const double rise = 2e-9;
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{ramp(0, 1, rise)});
    circuit.add("r", {"a", "b"}, Resistor{1e3});
    circuit.add("c", {"b", "0"}, Capacitor{1e-12});
    const TransientResult result = solve_transient(circuit, 2e-8, {"a", "b"}, {"v1"});
    const auto during = [&](double t) { return (t - tau * (1 - std::exp(-t / tau))) / rise; };
    for (double t = 0; t <= 2e-8; t += 1.7e-10) {
        CAPTURE(t);
        const double expected =
            t <= rise ? during(t) : 1 - (1 - during(rise)) * std::exp(-(t - rise) / tau);
        // Local errors of 3e-5 add up to little more, since each decays.
        CHECK(std::abs(result.voltage.at("b").at(t) - expected) < 2e-4);
        const double current = (std::min(t / rise, 1.0) - expected) / 1e3;
        CHECK(std::abs(result.current.at("v1").at(t) + current) < 2e-7);
    }
    CHECK(result.voltage.at("a").at(rise / 2) == doctest::Approx(0.5).epsilon(1e-12));
    CHECK(result.voltage.at("b").time.back() == 2e-8);
    CHECK(result.steps < 400);
}

TEST_CASE("smaller tolerances give smaller errors") {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{ramp(0, 1, 1e-12)});
    circuit.add("r", {"a", "b"}, Resistor{1e3});
    circuit.add("c", {"b", "0"}, Capacitor{1e-12});
    const auto error = [&](double tolerance) {
        const auto b = solve_transient(circuit, 5e-9, {"b"}, {},
                                       {.relative_tolerance = tolerance,
                                        .absolute_tolerance = tolerance / 100,
                                        .operating_point = {}})
                           .voltage.at("b");
        // A ramp of 1 ps is a step at half of it, to second order in 1 ps / 1 ns.
        return std::abs(b.at(2e-9) - (1 - std::exp(-(2e-9 - 0.5e-12) / 1e-9)));
    };
    CHECK(error(1e-3) < 3e-3);
    CHECK(error(1e-7) < error(1e-3) / 50);
    CHECK(error(1e-7) < 2e-6);
}

TEST_CASE("a circuit at rest stays there") {
    Circuit circuit = inverting_stage(Waveform::constant(0.02), 1e3, 2e4, SmoothLimiter{1});
    const auto result = solve_transient(circuit, 1e-6, {"out"});
    const double at_rest = voltage_of(circuit, solve_circuit(circuit), "out");
    for (const double value : result.voltage.at("out").value)
        CHECK(value == doctest::Approx(at_rest).epsilon(1e-9));
    CHECK(result.rejected == 0);
}

TEST_CASE("the area above a ladder's step response is Elmore's delay") {
    // sum over segments of their resistance times the capacitance behind them:
    // R_drv N C + R_w C N (N + 1) / 2.
    const int cells = 20;
    const double driver = 1e3;
    const double segment = 50;
    const double capacitance = 1e-13;
    const double rise = 1e-13;
    Circuit circuit;
    circuit.add("v1", {"in", "0"}, VoltageSource{ramp(0, 1, rise)});
    circuit.add("rdrv", {"in", "n0"}, Resistor{driver});
    for (int k = 1; k <= cells; ++k) {
        const std::string net = "n" + std::to_string(k);
        circuit.add("r" + net, {"n" + std::to_string(k - 1), net}, Resistor{segment});
        circuit.add("c" + net, {net, "0"}, Capacitor{capacitance});
    }
    const double elmore =
        driver * cells * capacitance + segment * capacitance * cells * (cells + 1) / 2;
    const double stop = 20 * elmore;
    const auto far = solve_transient(circuit, stop, {"n20"}).voltage.at("n20");
    const int points = 200'000;
    double area = 0;
    for (int k = 0; k < points; ++k) area += 1 - far.at((k + 0.5) * stop / points);
    area *= stop / points;
    CHECK(area - rise / 2 == doctest::Approx(elmore).epsilon(3e-4));
}

TEST_CASE("a transimpedance amplifier settles with NG / (2 pi GBW)") {
    // 33.4 ns at NG = 21: the pole lies at 2 pi GBW (1 / NG + 1 / A0).
    const Circuit circuit = inverting_stage(ramp(0, 0.01, 1e-12), 1e3, 2e4, HardLimiter{1e3});
    const auto out = solve_transient(circuit, 1e-6, {"out"}).voltage.at("out");
    const double last = -0.01 * 20 / (1 + 21 / 1e4);
    const double tau =
        (150e-9 - 20e-9) / std::log((out.at(20e-9) - last) / (out.at(150e-9) - last));
    CHECK(tau == doctest::Approx(21 / (2 * std::numbers::pi * 1e8)).epsilon(3e-3));
    CHECK(tau ==
          doctest::Approx(1 / (2 * std::numbers::pi * 1e8 * (1.0 / 21 + 1e-4))).epsilon(5e-4));
    // Half an LSB of 8 bits: 9 ln 2 time constants.
    const auto settled = settling_time(out, last, std::abs(last) / 512);
    REQUIRE(settled);
    CHECK(*settled == doctest::Approx(9 * std::numbers::ln2 * tau).epsilon(5e-4));
}

TEST_CASE("a limiter recovers from overload when its integrator has come back") {
    // In overload the output stays at -swing, so that `in` is a constant divider's voltage and x an
    // exponential towards -gain v_in; back within the swing the loop closes.
    const double gain = 100;
    const double swing = 1;
    const double tau_open = gain / (2 * std::numbers::pi * 1e8);
    const double back = 1e-6;
    Waveform drive{{{0.0, 0.5}, {back, 0.5}, {back + 1e-13, 0.0}}};
    const Circuit circuit = inverting_stage(drive, 1e3, 1e4, HardLimiter{swing}, gain);
    // x at rest in overload: in = (0.5 x 10 - 1) / 11.
    const double overload = -gain * (0.5 * 10 - swing) / 11;
    const double towards = gain * swing / 11;  // drive 0, output still at -swing
    const double recovery = tau_open * std::log((overload - towards) / (-swing - towards));
    const auto result = solve_transient(circuit, 3e-6, {"x", "out"});
    const auto& x = result.voltage.at("x");
    CHECK(x.at(0) == doctest::Approx(overload).epsilon(1e-9));
    for (const double share : {0.2, 0.5, 0.9}) {
        const double t = share * recovery;
        const double expected = towards + (overload - towards) * std::exp(-t / tau_open);
        CHECK(std::abs(x.at(back + t) - expected) < 3e-4 * std::abs(overload));
    }
    const auto& out = result.voltage.at("out");
    CHECK(out.at(back + 0.98 * recovery) == doctest::Approx(-swing).epsilon(1e-9));
    // Then closed loop: towards 0 with (1 / tau_open) (1 + gain / 11).
    const double tau = tau_open / (1 + gain / 11);
    CHECK(out.at(back + recovery + 2 * tau) ==
          doctest::Approx(-swing * std::exp(-2.0)).epsilon(2e-3));
    CHECK(*settling_time(out, 0, 0.01) ==
          doctest::Approx(back + recovery + tau * std::log(100.0)).epsilon(1e-3));
}

TEST_CASE("a source loads a capacitor beside it with C dv/dt") {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{{{{0, 0}, {1e-9, 0}, {3e-9, 1}, {4e-9, 1}}}});
    circuit.add("c", {"a", "0"}, Capacitor{1e-12});
    const auto current = solve_transient(circuit, 6e-9, {}, {"v1"}).current.at("v1");
    CHECK(std::abs(current.at(0.5e-9)) < 1e-12);
    CHECK(current.at(2e-9) == doctest::Approx(-1e-12 * 0.5e9).epsilon(1e-6));
    CHECK(std::abs(current.at(5e-9)) < 1e-9);
}

TEST_CASE("time constants ten decades apart do not shorten the steps") {
    // 1 fs next to 10 us: wires beside an amplifier.
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{ramp(0, 1, 1e-6)});
    circuit.add("r1", {"a", "b"}, Resistor{1});
    circuit.add("c1", {"b", "0"}, Capacitor{1e-15});
    circuit.add("r2", {"b", "c"}, Resistor{1e4});
    circuit.add("c2", {"c", "0"}, Capacitor{1e-9});
    const auto result = solve_transient(circuit, 1e-4, {"c"});
    CHECK(result.steps < 500);
    const double after_ramp = 10 * (1 - std::exp(-0.1));  // area of the ramp's answer
    CHECK(result.voltage.at("c").at(2.1e-5) ==
          doctest::Approx(1 - after_ramp * std::exp(-2.1) * std::exp(0.1)).epsilon(1e-3));
}

TEST_CASE("settling is the last time outside the band, found between samples") {
    const SampledWaveform line{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}};
    CHECK(*settling_time(line, 4, 1.25) == doctest::Approx(2.75));
    CHECK(*settling_time(line, 2, 10) == 0);
    CHECK_FALSE(settling_time(line, 0, 1));
    CHECK_FALSE(settling_time({}, 0, 1));
    // 2 - 3 s / 2 + s^2 / 2 = 3 / 2 behind t = 2
    const SampledWaveform overshoot{{0, 1, 2, 3, 4}, {0, 2, 2, 1, 1}};
    CHECK(*settling_time(overshoot, 1, 0.5) == doctest::Approx(2 + (3 - std::sqrt(5.0)) / 2));
}

TEST_CASE("a waveform between its samples is the parabola of its step") {
    const SampledWaveform square{{0, 0.5, 1, 2, 3}, {0, 0.25, 1, 4, 9}};
    for (const double t : {0.1, 0.7, 1.5, 2.9}) CHECK(square.at(t) == doctest::Approx(t * t));
    CHECK(square.at(-1) == 0);
    CHECK(square.at(7) == 9);
}

TEST_CASE("transients without sense are refused") {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{Waveform::constant(1)});
    circuit.add("r", {"a", "0"}, Resistor{1});
    CHECK_THROWS_AS((void)solve_transient(circuit, 0, {"a"}), InvalidInput);
    CHECK_THROWS_AS((void)solve_transient(circuit, 1, {"b"}), InvalidInput);
    CHECK_THROWS_AS((void)solve_transient(circuit, 1, {"a"}, {"r"}), InvalidInput);
    CHECK_THROWS_AS((void)solve_transient(circuit, 1, {"a"}, {},
                                          {.relative_tolerance = 0, .operating_point = {}}),
                    InvalidInput);
    CHECK_THROWS_AS(
        (void)solve_transient(circuit, 1, {"a"}, {}, {.max_steps = 3, .operating_point = {}}),
        NotConverged);
    CHECK(solve_transient(circuit, 1, {"a", "0"}).voltage.at("0").at(0.3) == 0);
}
