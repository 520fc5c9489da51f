#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "circuit/linear_readout.hpp"

using namespace kirchnet;

TEST_CASE("an amplifier is a voltage behind a resistance, by hand") {
    // A0 = 99, R_f = 1 kohm: 10 ohm; v_o = 0.99 (V_os - R_f I)
    const AmplifierInput input = amplifier_input(OpAmp{.gain = 99, .offset = 0.1}, 1000);
    CHECK(input.resistance == doctest::Approx(10));
    CHECK(input.voltage == doctest::Approx(0.099));
    CHECK(input.gain == doctest::Approx(0.99));
    CHECK(input.output_offset == doctest::Approx(0.099));
}

TEST_CASE("an amplifier with an array's conductance in front is the single-column formula") {
    // v_o = [-I_sc R_f + N V_os] / (1 + N / A0), N = 1 + G_in R_f, and the divider of voltage and
    // resistance gives the same: I = (I_sc - G_in e) / (1 + G_in R_in).
    const OpAmp amplifier{.gain = 1e4, .offset = 1e-3};
    constexpr double G_in = 0.01;
    constexpr double R_f = 2e3;
    constexpr double I_sc = 1e-4;
    const AmplifierInput input = amplifier_input(amplifier, R_f);
    const double current = (I_sc - G_in * input.voltage) / (1 + G_in * input.resistance);
    const double N = 1 + G_in * R_f;
    CHECK(input.output_offset - input.gain * R_f * current ==
          doctest::Approx((-I_sc * R_f + N * amplifier.offset) / (1 + N / amplifier.gain))
              .epsilon(1e-13));
}

TEST_CASE("a difference amplifier's gains, by hand") {
    // Ideal gain, R2/R1 = 2, R4/(R3+R4) = 3/4: v_d = 3/4 * 3 v_a - 2 v_b + 3 V_os
    const OpAmp amplifier{.gain = 1e15, .offset = 0.01};
    const SubtractorGains gains = subtractor_gains(amplifier, {1e3, 2e3, 1e3, 3e3});
    CHECK(gains.a == doctest::Approx(2.25));
    CHECK(gains.b == doctest::Approx(2));
    CHECK(gains.offset == doctest::Approx(0.03));
    // Equal resistors, gain 100: (v_a - v_b + 2 V_os) / (1 + 2 / 100)
    const SubtractorGains equal = subtractor_gains({.gain = 100, .offset = 0.01}, {});
    CHECK(equal.a == doctest::Approx(1 / 1.02));
    CHECK(equal.b == doctest::Approx(1 / 1.02));
    CHECK(equal.offset == doctest::Approx(0.02 / 1.02));
}

TEST_CASE("resistors are equal without mismatch, and scatter by it") {
    const BridgeResistors equal = draw_bridge({}, "conv1", 0, 3);
    CHECK(equal.r1 == 1e4);
    CHECK(equal.r4 == 1e4);
    constexpr int bridges = 20000;
    const LinearReadout readout{.mismatch = 0.01, .seed = 5, .trial = 2};
    double sum = 0;
    double squares = 0;
    for (std::int32_t i = 0; i < bridges; ++i) {
        const BridgeResistors bridge = draw_bridge(readout, "conv1", i / 100, i % 100);
        for (const double r : {bridge.r1, bridge.r2, bridge.r3, bridge.r4}) {
            sum += r / 1e4 - 1;
            squares += (r / 1e4 - 1) * (r / 1e4 - 1);
        }
    }
    constexpr double n = 4.0 * bridges;
    CHECK(std::abs(sum / n) < 5 * 0.01 / std::sqrt(n));
    CHECK(std::abs(squares / n - 1e-4) < 5 * 1e-4 * std::sqrt(2 / n));
}

TEST_CASE("a trial's resistors replay; other trials, tiles, outputs and layers have others") {
    LinearReadout readout{.mismatch = 0.01, .seed = 5, .trial = 2};
    const double first = draw_bridge(readout, "conv1", 1, 7).r1;
    CHECK(draw_bridge(readout, "conv1", 1, 7).r1 == first);
    CHECK(draw_bridge(readout, "conv1", 2, 7).r1 != first);
    CHECK(draw_bridge(readout, "conv1", 1, 8).r1 != first);
    CHECK(draw_bridge(readout, "conv2", 1, 7).r1 != first);
    readout.trial = 3;
    CHECK(draw_bridge(readout, "conv1", 1, 7).r1 != first);
}

TEST_CASE("input resistance is in series with the sense resistance, per line where that is") {
    Wires wires;
    wires.sense = LineResistance(Eigen::VectorXd(Eigen::Vector3d(1, 2, 3)));
    const Wires loaded = with_input_resistance(wires, 10);
    CHECK(loaded.sense(2) == 13);
    CHECK(with_input_resistance(Wires{}, 10).sense(5) == 10);
    wires.sense_at = SenseSide::both;
    CHECK_THROWS_WITH_AS((void)with_input_resistance(wires, 10), doctest::Contains("one end"),
                         InvalidInput);
}

TEST_CASE("read-outs that are none are refused by name") {
    const auto refused = [](const LinearReadout& readout, const char* name) {
        CHECK_THROWS_WITH_AS(check(readout), doctest::Contains(name), InvalidInput);
    };
    LinearReadout readout;
    CHECK_NOTHROW(check(readout));
    readout.circuit.amplifier.gain = 0;
    refused(readout, "gain");
    readout = {};
    readout.circuit.amplifier.offset = std::numeric_limits<double>::infinity();
    refused(readout, "offset");
    readout = {};
    readout.circuit.feedback_resistance = -1;
    refused(readout, "feedback");
    readout = {};
    readout.mismatch = -0.1;
    refused(readout, "mismatch");
    readout = {};
    readout.read_voltage = 0;
    refused(readout, "read voltage");
    CHECK_THROWS_WITH_AS((void)draw_bridge({.mismatch = 100}, "conv1", 0, 0),
                         doctest::Contains("mismatch"), InvalidInput);
}
