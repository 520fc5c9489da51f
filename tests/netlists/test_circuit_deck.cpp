#include <doctest/doctest.h>

#include "circuit/characterised_cell.hpp"
#include "circuit/error.hpp"
#include "circuit/table_law.hpp"
#include "netlists/characterise.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/ngspice_session.hpp"
#include "run_deck.hpp"

using namespace kirchnet;

namespace {

Circuit readable_names() {
    Circuit circuit;
    circuit.add("v_in_a_0", {"in_a_0", "0"}, VoltageSource{Waveform::constant(0.2)});
    circuit.add("rwl_a_0_0", {"in_a_0", "wl_a_0_0"}, Resistor{2});
    circuit.add("xc_a_0_0", {"wl_a_0_0", "bl_a_0_0"}, NonlinearCell{CellLaw(), 1.0 / 131072});
    circuit.add("xc_a_1_0", {"wl_a_0_0", "bl_a_0_0"}, NonlinearCell{CellLaw(), 0});
    circuit.add("vs_a_0", {"bl_a_0_0", "0"}, VoltageSource{Waveform::constant(0)});
    circuit.add("sub_0", {"out", "0", "wl_a_0_0", "0"}, VoltageControlledVoltageSource{-3});
    circuit.add("rload", {"out", "0"}, Resistor{1e3});
    return circuit;
}

std::string refusal(const Circuit& circuit, DeckDialect dialect = DeckDialect::ngspice) {
    try {
        (void)write_circuit_deck(circuit, "title", dialect);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "";
}

bool mentions(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
}

/// Value of one vector of a circuit's deck in ngspice.
double in_ngspice(const Circuit& circuit, const std::string& vector) {
    return run_operating_point(write_circuit_deck(circuit, "one"), {vector}).at(vector);
}

/// A device whose value depends on 0.3 V at `a`, with a load at `out`.
Circuit driven(const std::string& name, std::vector<std::string> nets, DeviceModel model) {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{Waveform::constant(0.3)});
    circuit.add("rout", {"out", "0"}, Resistor{1e3});
    circuit.add(name, std::move(nets), std::move(model));
    return circuit;
}

class SquareLaw final : public CustomCellLaw {
  public:
    [[nodiscard]] std::string name() const override { return "square"; }
    void current(std::span<const double> g, std::span<const double> v,
                 std::span<double> i) const override {
        for (std::size_t k = 0; k < v.size(); ++k) i[k] = g[k] * v[k] * (1 + std::abs(v[k]));
    }
    void derivative(std::span<const double> g, std::span<const double> v,
                    std::span<double> slope) const override {
        for (std::size_t k = 0; k < v.size(); ++k) slope[k] = g[k] * (1 + 2 * std::abs(v[k]));
    }
};

}  // namespace

TEST_CASE("the portable deck of resistors and sources is what a person would write") {
    CHECK(write_circuit_deck(readable_names(), "a cell", DeckDialect::portable) ==
          "* a cell\n"
          "v_in_a_0 in_a_0 0 dc 0.2\n"
          "rwl_a_0_0 in_a_0 wl_a_0_0 2\n"
          "rxc_a_0_0 wl_a_0_0 bl_a_0_0 131072\n"
          "* rxc_a_1_0 conducts nothing\n"
          "vs_a_0 bl_a_0_0 0 dc 0\n"
          "esub_0 out 0 wl_a_0_0 0 -3\n"
          "rload out 0 1000\n"
          ".end\n");
}

TEST_CASE("the portable deck runs in the program ngspice as it is") {
    if (!kirchnet_test::has_ngspice_program()) return;
    std::string deck = write_circuit_deck(readable_names(), "a cell", DeckDialect::portable);
    deck.insert(deck.find(".end"), ".control\nop\nprint v(out) i(vs_a_0)\n.endc\n");
    const auto run = kirchnet_test::run_ngspice_batch(deck);
    const double current = 0.2 / (131072 + 2);
    CHECK(run.printed.at("i(vs_a_0)") == doctest::Approx(current).epsilon(1e-5));  // digits printed
    CHECK(run.printed.at("v(out)") == doctest::Approx(-3 * current * 131072).epsilon(1e-5));
}

TEST_CASE("the portable dialect refuses the first device it has no element for, and says why") {
    const auto check = [](const std::string& name, std::vector<std::string> nets, DeviceModel model,
                          const std::string& word) {
        const Circuit circuit = driven(name, std::move(nets), std::move(model));
        CHECK(refusal(circuit) == "");
        const std::string why = refusal(circuit, DeckDialect::portable);
        CHECK_MESSAGE(mentions(why, name + ": "), why);
        CHECK_MESSAGE(mentions(why, word), why);
    };
    check("c1", {"out", "0"}, Capacitor{1e-15}, "capacitor");
    check("i1", {"out", "0"}, CurrentSource{Waveform::constant(1)}, "current source");
    check("g1", {"out", "0", "a", "0"}, VoltageControlledCurrentSource{1}, "current source");
    check("sub_4", {"sub", "0"}, CurrentSumSource{{{"v1", 1}}}, "ammeter");
    check("xc1", {"out", "0"}, NonlinearCell{CellLaw::sinh(2), 1e-6}, "cell");
    check("dz", {"out", "0"}, DeadZoneConductor{1e-3, 1}, "dead-zone");
    check("lim", {"b", "0", "a", "0"}, SmoothLimiter{}, "limiter");
    check("lim", {"b", "0", "a", "0"}, HardLimiter{}, "limiter");
    check("m1", {"out", "a", "0"}, Nmos{}, "transistor");
    check("adc", {"q", "0", "a", "0"}, Quantizer{}, "converter");
}

TEST_CASE("ngspice gives each element the value its definition has on paper") {
    const auto value = [](const std::string& name, std::vector<std::string> nets,
                          DeviceModel model) {
        return in_ngspice(driven(name, std::move(nets), std::move(model)), "out");
    };
    // 0.3 V at a, 1 kohm from out to ground.
    CHECK(value("i1", {"0", "out"}, CurrentSource{Waveform::constant(1e-3)}) == doctest::Approx(1));
    CHECK(value("g1", {"out", "0", "a", "0"}, VoltageControlledCurrentSource{1e-3}) ==
          doctest::Approx(-0.3));
    CHECK(value("m1", {"a", "a", "out"}, Nmos{.threshold = -2, .beta = 1e-9, .modulation = 0}) ==
          doctest::Approx(1e3 * 1e-9 * (2.3 - 0.15) * 0.3).epsilon(1e-5));
    CHECK(value("xc", {"a", "out"}, NonlinearCell{CellLaw::sinh(10), 1e-9}) ==
          doctest::Approx(1e3 * 1e-10 * std::sinh(3.0)).epsilon(1e-4));
    CHECK(value("dz", {"a", "out"}, DeadZoneConductor{1e-3, 0.1}) == doctest::Approx(0.1));
    CHECK(value("lim", {"out", "0", "a", "0"}, SmoothLimiter{0.2}) ==
          doctest::Approx(0.2 * std::tanh(1.5)));
    CHECK(value("lim", {"out", "0", "0", "a"}, HardLimiter{0.2}) == doctest::Approx(-0.2));
    CHECK(value("adc", {"out", "0", "a", "0"},
                Quantizer{.bits = 2, .low = 0, .high = 0.6, .inl = {}}) == doctest::Approx(2));
    CHECK(value("adc", {"out", "0", "a", "0"},  // position 1.4, INL 1.4 / 3
                Quantizer{.bits = 2, .low = 0, .high = 0.6, .offset = -0.02, .inl = {0, 1}}) ==
          doctest::Approx(2));
    CHECK(value("sum", {"out", "0"}, CurrentSumSource{}) == 0);
}

TEST_CASE("ngspice's transistor is the one worked out by hand, both ways round") {
    const auto current = [](double drain, double gate, double at_source, double modulation) {
        Circuit circuit;
        circuit.add("vd", {"d", "0"}, VoltageSource{Waveform::constant(drain)});
        circuit.add("vg", {"g", "0"}, VoltageSource{Waveform::constant(gate)});
        circuit.add("vs", {"s", "0"}, VoltageSource{Waveform::constant(at_source)});
        circuit.add("xt", {"d", "g", "s"},
                    Nmos{.threshold = 0.5, .beta = 1e-3, .modulation = modulation});
        return -in_ngspice(circuit, "vd#branch");
    };
    CHECK(current(2, 1.5, 0, 0) == doctest::Approx(0.5e-3).epsilon(1e-9));
    CHECK(current(2, 1.5, 0, 0.05) == doctest::Approx(0.55e-3).epsilon(1e-9));
    CHECK(current(0.5, 1.5, 0, 0) == doctest::Approx(0.375e-3).epsilon(1e-9));
    CHECK(current(0, 1.5, 0.5, 0) == doctest::Approx(-0.375e-3).epsilon(1e-9));
    CHECK(std::abs(current(2, 0.4, 0, 0)) < 1e-13);
    CHECK(std::abs(current(-0.5, -1, 0, 0)) < 1e-13);  // no junction to the bulk
}

TEST_CASE("sources over time are piecewise linear, constant ones plain numbers") {
    Circuit circuit;
    circuit.add("v1", {"a", "0"}, VoltageSource{{{{-1, 3}, {1e-9, 5}, {2e-9, 6}}}});
    circuit.add("v2", {"b", "0"}, VoltageSource{{{{-1, 3}, {0, 5}, {2e-9, 5}}}});
    const std::string deck = write_circuit_deck(circuit, "x");
    CHECK_MESSAGE(mentions(deck, "v1 a 0 dc 4.999999998 pwl(0 4.999999998 1e-09 5 2e-09 6)"), deck);
    CHECK(mentions(deck, "v2 b 0 dc 5\n"));
    CHECK_FALSE(mentions(deck, "chgtol"));
    circuit.add("c1", {"a", "b"}, Capacitor{1e-15});
    CHECK(mentions(write_circuit_deck(circuit, "x"), "chgtol"));
}

TEST_CASE("currents are read by the deck's names") {
    const Circuit circuit = readable_names();
    CHECK(deck_name(circuit.device("xc_a_0_0")) == "rxc_a_0_0");
    CHECK(deck_name(circuit.device("vs_a_0")) == "vs_a_0");
    CHECK(deck_current(circuit.device("sub_0")) == "esub_0#branch");
    CHECK(in_ngspice(circuit, deck_current(circuit.device("vs_a_0"))) ==
          doctest::Approx(0.2 / (131072 + 2)).epsilon(1e-12));
    CHECK_THROWS_AS((void)deck_current(circuit.device("rload")), InvalidInput);
    const Circuit cell = driven("xc", {"out", "0"}, NonlinearCell{CellLaw::sinh(2), 1e-6});
    CHECK(deck_name(cell.device("xc")) == "bxc");
    CHECK_THROWS_AS((void)deck_current(cell.device("xc")), InvalidInput);
}

TEST_CASE("names that a deck cannot hold are refused") {
    const auto check = [](const std::string& name, const std::string& net,
                          const std::string& word) {
        Circuit circuit;
        circuit.add("r1", {"a", "0"}, Resistor{1});
        circuit.add(name, {net, "0"}, Resistor{1});
        const std::string why = refusal(circuit);
        CHECK_MESSAGE(mentions(why, word), why);
    };
    check("r2", "b c", "net 'b c'");
    check("r2", "gnd", "net 'gnd'");
    check("r2", "B", "net 'B'");
    check("r(", "b", "device 'r('");
    check("1", "b", "would both be called r1");
}

TEST_CASE("a cell of a law without text is refused by its name") {
    const Circuit circuit =
        driven("xc_a_0_0", {"out", "0"},
               NonlinearCell{CellLaw::custom(std::make_shared<SquareLaw>()), 1e-6});
    const std::string why = refusal(circuit);
    CHECK_MESSAGE(mentions(why, "xc_a_0_0"), why);
    CHECK_MESSAGE(mentions(why, "square"), why);
}

TEST_CASE("a title stays on its line, and dialects have two names") {
    CHECK(write_circuit_deck(Circuit(), "one\n.include x", DeckDialect::portable) ==
          "* one .include x\n.end\n");
    CHECK(parse_deck_dialect("portable") == DeckDialect::portable);
    CHECK(parse_deck_dialect(to_string(DeckDialect::ngspice)) == DeckDialect::ngspice);
    CHECK_THROWS_AS((void)parse_deck_dialect("spice3"), InvalidInput);
}

TEST_CASE("cells behind transistors and users' cells stand in a circuit's deck") {
    // On paper: 0.3 V at a; 1 kohm from out to ground carries what the cell does.
    const CellLaw law = parse_cell_law("1t1r");
    Circuit circuit = driven("xc", {"a", "out"}, NonlinearCell{law, 1e-6});
    const double current = in_ngspice(circuit, "out") / 1e3;
    CHECK(current == doctest::Approx(law.current(1e-6, 0.3 - 1e3 * current)).epsilon(1e-9));
    CHECK(deck_name(circuit.device("xc")) == "mxc");
    circuit.add("xc2", {"a", "out"}, NonlinearCell{parse_cell_law("1t1r:vth=0.6"), 1e-6});
    CHECK(in_ngspice(circuit, "out") > 1.9 * 1e3 * current);  // a model each
    // Nets that such a cell has within.
    circuit.add("r9", {"x_xc", "0"}, Resistor{1});
    CHECK(mentions(refusal(circuit), "has a net x_xc within"));
    CHECK(mentions(
        refusal(driven("xc", {"a", "out"}, NonlinearCell{law, 1e-6}), DeckDialect::portable),
        "a nonlinear cell"));
}

TEST_CASE("two users' cells of one name are refused where their texts differ") {
    const auto law = [](const std::string& body) {
        CharacteriseSettings settings;
        settings.states = settings.most_states = 9;
        return CellLaw::custom(std::make_shared<SurfaceLaw>(
            "byo:c.h5", characterise(read_user_cell(".subckt c p n w=0\n" + body + "\n.ends c\n",
                                                    "c.cir", {"c", {"p", "n"}, "w", 0}),
                                     settings)
                            .surface));
    };
    const CellLaw first = law("r1 p n {1e5/(1+w)}");
    Circuit circuit = driven("xc", {"a", "out"}, NonlinearCell{first, 1.5e-5});
    circuit.add("xc2", {"a", "out"}, NonlinearCell{first, 1.2e-5});
    CHECK(in_ngspice(circuit, "out") ==
          doctest::Approx(0.3 * 2.7e-5 / (1e-3 + 2.7e-5)).epsilon(1e-6));
    circuit.add("xc3", {"a", "out"}, NonlinearCell{law("r1 p n {2e5/(1+w)}"), 8e-6});
    CHECK(mentions(refusal(circuit), "xc3: its subcircuit c is described in two ways"));
}
