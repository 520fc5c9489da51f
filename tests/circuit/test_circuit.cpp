#include <doctest/doctest.h>

#include <limits>

#include "circuit/circuit.hpp"
#include "circuit/error.hpp"

using namespace kirchnet;

namespace {

Circuit divider() {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{Waveform::constant(1)});
    circuit.add("r1", {"a", "b"}, Resistor{1e3});
    circuit.add("r2", {"b", "0"}, Resistor{3e3});
    return circuit;
}

/// What adding a device is refused with; "" when it is not.
std::string refusal(const std::string& name, std::vector<std::string> nets, DeviceModel model) {
    Circuit circuit = divider();
    try {
        circuit.add(name, std::move(nets), std::move(model));
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "";
}

bool mentions(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("nets are numbered from ground in the order in which they are named") {
    const Circuit circuit = divider();
    CHECK(circuit.nets() == 3);
    CHECK(circuit.find_net("0") == circuit_ground);
    CHECK(circuit.find_net("b") == 2);
    CHECK(circuit.net_name(1) == "a");
    CHECK(circuit.device_index("r2") == 2);
    CHECK(circuit.device("r2").nets == std::array<CircuitNet, 4>{2, 0, 0, 0});
    CHECK_THROWS_AS((void)circuit.find_net("c"), InvalidInput);
    CHECK_THROWS_AS((void)circuit.device("r3"), InvalidInput);
}

TEST_CASE("a device that cannot be is refused by its name and what is wrong") {
    const auto check = [](const std::string& refused, const std::string& word) {
        CHECK_MESSAGE(mentions(refused, word), refused);
    };
    CHECK(refusal("r3", {"b", "c"}, Resistor{1}) == "");
    check(refusal("r1", {"b", "c"}, Resistor{1}), "r1");
    check(refusal("", {"b", "c"}, Resistor{1}), "without a name");
    check(refusal("r3", {"b"}, Resistor{1}), "1 nets given, but it has 2");
    check(refusal("m1", {"b", "c"}, Nmos{}), "has 3");
    check(refusal("e1", {"b", "c"}, VoltageControlledVoltageSource{}), "has 4");
    check(refusal("r3", {"b", "c"}, Resistor{0}), "resistance");
    check(refusal("c3", {"b", "c"}, Capacitor{-1e-15}), "capacitance");
    check(refusal("v3", {"b", "c"}, VoltageSource{}), "no corner");
    check(refusal("v3", {"b", "c"}, VoltageSource{{{{0, 1}, {0, 2}}}}), "corner time");
    check(refusal("v3", {"b", "c"}, VoltageSource{Waveform::constant(std::nan(""))}), "value");
    check(refusal("l3", {"b", "0", "a", "0"}, SmoothLimiter{0}), "swing");
    check(refusal("m1", {"b", "a", "0"}, Nmos{.threshold = 0.5, .beta = 0}), "beta");
    check(refusal("q1", {"b", "0", "a", "0"}, Quantizer{.bits = 8, .low = 1, .high = 1, .inl = {}}),
          "high end");
    check(refusal("q1", {"b", "0", "a", "0"}, Quantizer{.bits = 8, .inl = {0.5}}), "INL");
    check(refusal("h1", {"c", "0"}, CurrentSumSource{{{"v2", 1}}}), "v2");
    check(refusal("h1", {"c", "0"}, CurrentSumSource{{{"r1", 1}}}), "r1 is no voltage source");
    CHECK(refusal("h1", {"c", "0"}, CurrentSumSource{{{"v1", 1}}}) == "");
}

TEST_CASE("a waveform joins its corners by straight lines and holds its ends") {
    const Waveform ramp{{{1, 2}, {3, 6}, {4, 6}}};
    CHECK(ramp.at(0) == 2);
    CHECK(ramp.at(1) == 2);
    CHECK(ramp.at(2) == 4);
    CHECK(ramp.at(3.5) == 6);
    CHECK(ramp.at(9) == 6);
}

TEST_CASE("sources take new waveforms, other devices none") {
    Circuit circuit = divider();
    circuit.set_waveform("v1", Waveform::constant(5));
    CHECK(std::get<VoltageSource>(circuit.device("v1").model).voltage.at(0) == 5);
    CHECK_THROWS_AS(circuit.set_waveform("r1", Waveform::constant(5)), InvalidInput);
    CHECK_THROWS_AS(circuit.set_waveform("v1", Waveform{}), InvalidInput);
}

TEST_CASE("a two-bit converter gives the codes of a hand calculation") {
    // 0 to 3 V in 4 codes: 1 V a code.
    Quantizer converter{.bits = 2, .low = 0, .high = 3, .inl = {}};
    CHECK(code_of(converter, 1.4) == 1);
    CHECK(code_of(converter, 1.6) == 2);
    CHECK(code_of(converter, -5) == 0);
    CHECK(code_of(converter, 9) == 3);
    SUBCASE("offset is added to the input") {
        converter.offset = 0.2;
        CHECK(code_of(converter, 1.4) == 2);
    }
    SUBCASE("gain multiplies the input, not the offset") {
        converter.gain = 2;
        converter.offset = -0.2;  // 2 x 0.8 - 0.2 = 1.4
        CHECK(code_of(converter, 0.8) == 1);
    }
    SUBCASE("INL grows from 0 at code 0 to 1 LSB at code 3") {
        converter.inl = {0, 1};  // 1.4 + 1.4 / 3 = 1.87
        CHECK(inl_at(converter, 1.5) == 0.5);
        CHECK(inl_at(converter, 7) == 1);
        CHECK(code_of(converter, 1.4) == 2);
        CHECK(code_of(converter, 1.0) == 1);
    }
}

TEST_CASE("nets that no direct current reaches are named, one for each group") {
    Circuit circuit = divider();
    CHECK(floating_nets(circuit).empty());
    circuit.add("c1", {"b", "x"}, Capacitor{1e-15});
    circuit.add("r3", {"x", "y"}, Resistor{1});
    circuit.add("i1", {"0", "z"}, CurrentSource{Waveform::constant(1e-6)});
    circuit.add("xc", {"b", "u"}, NonlinearCell{CellLaw(), 0});
    circuit.add("m1", {"b", "w", "0"}, Nmos{});  // a gate conducts nothing
    CHECK(floating_nets(circuit) == std::vector<std::string>{"x", "z", "u", "w"});
    circuit.add("gain", {"x", "0", "b", "0"}, VoltageControlledVoltageSource{2});
    CHECK(floating_nets(circuit) == std::vector<std::string>{"z", "u", "w"});
}

TEST_CASE("a circuit is linear until something in it is not") {
    Circuit circuit = divider();
    circuit.add("xc1", {"a", "b"}, NonlinearCell{CellLaw(), 1e-6});
    circuit.add("c1", {"a", "b"}, Capacitor{1e-15});
    CHECK(circuit.is_linear());
    circuit.add("xc2", {"a", "b"}, NonlinearCell{CellLaw::sinh(2), 1e-6});
    CHECK_FALSE(circuit.is_linear());
}
