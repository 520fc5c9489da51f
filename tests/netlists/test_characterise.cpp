#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

#include "circuit/error.hpp"
#include "netlists/characterise.hpp"

using namespace kirchnet;
using doctest::Contains;

namespace {

const UserCellChoice two_pins{"c", {"p", "n"}, "w", 0};

std::string cell_of(const std::string& body, const std::string& parameters = "w=0.5") {
    return "* a cell\n.subckt c p n " + parameters + "\n" + body + "\n.ends c\n";
}

UserCellSource source_of(const std::string& body) {
    return read_user_cell(cell_of(body), "cell.cir", two_pins);
}

Characterisation run(const std::string& body, CharacteriseSettings settings = {}) {
    settings.states = settings.most_states = 17;
    settings.read_steps = settings.most_read_steps = 20;
    return characterise(source_of(body), settings);
}

std::string message_of(const std::string& body, double time_limit_s = 20) {
    CharacteriseSettings settings;
    settings.ngspice.time_limit_s = time_limit_s;
    try {
        (void)run(body, settings);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("what continues a statement may stand behind comments and blank lines") {
    const UserCellSource source = source_of("r1 p n\n* in ohm\n\n+ {1/w}");
    CHECK(source.cell.text == ".subckt c p n w=0.5\nr1 p n\n+ {1/w}\n.ends c\n");
    CHECK_THROWS_WITH_AS((void)read_user_cell("* a cell\n+ r1 p n 1k\n", "cell.cir", two_pins),
                         Contains("cell.cir: line 2 continues no statement"), InvalidInput);
}

TEST_CASE("a user's sinh cell is characterised as its closed form") {
    const auto found = run("bx p n i={2e-6*100^w}*0.2*sinh(4*v(p,n))/sinh(0.8)");
    const CellSurface& surface = found.surface;
    CHECK(surface.state.size() == 17);
    CHECK(surface.conductance()(0) == doctest::Approx(2e-6).epsilon(1e-9));
    CHECK(surface.conductance()(16) == doctest::Approx(2e-4).epsilon(1e-9));
    const SurfaceLaw law("own", surface);
    for (const double v : {-0.21, 0.013, 0.1234, 0.29}) {
        const double g = 3e-5;
        double i = 0;
        law.current({&g, 1}, {&v, 1}, {&i, 1});
        CHECK(i == doctest::Approx(g * 0.2 * std::sinh(4 * v) / std::sinh(0.8)).epsilon(1e-7));
    }
    CHECK(law.state_for(2e-5) == doctest::Approx(0.5).epsilon(1e-8));
    CHECK(found.error.points == 16 * (surface.voltage.size() - 1));
    CHECK(found.error.largest < 1e-7);
    CHECK(found.error.rms <= found.error.largest);
    CHECK(found.ground_dependence < 1e-9);
}

TEST_CASE("states are spread over ln of the conductance, in the order in which it rises") {
    // Conductance is linear in the resistance's inverse, falls with w over two decades.
    const auto found = run("rx p n {5e3*(1+99*w)}");
    const Eigen::VectorXd g = found.surface.conductance();
    CHECK(g(0) < g(16));
    CHECK(found.surface.state(0) == 1);
    CHECK(found.surface.state(16) == 0);
    for (Eigen::Index k = 0; k < 16; ++k)
        CHECK(std::log(g(k + 1) / g(k)) == doctest::Approx(std::log(100.0) / 16).epsilon(0.1));
}

TEST_CASE("a rectifying cell and one that looks to ground are told, not refused") {
    const auto rectifier = run("bx p n i={2e-6*100^w}*(exp(v(p,n)/0.1)-1)");
    const auto asymmetry = rectifier.surface.asymmetry();
    // (e^3 - 1) / (1 - e^-3) at 0.3 V
    CHECK(asymmetry.forward / -asymmetry.backward == doctest::Approx(std::exp(3.0)).epsilon(1e-6));
    const auto grounded = run("bx p n i={2e-6*100^w}*v(p,n)*(1+v(n))");
    CHECK(grounded.ground_dependence == doctest::Approx(0.01).epsilon(1e-6));
}

TEST_CASE("elements around the subcircuit are left out; a file of elements alone is a cell") {
    const auto source =
        read_user_cell("title v1 a 0 1\n.param k=1e-4\n" + cell_of("rx p n {1/(k*w)}") +
                           "v1 in 0 1\nxt in 0 c w=0.4\n.op\n.control\nrun\n"
                           ".endc\n.end\n",
                       "cell.cir", two_pins);
    CHECK(source.ignored == 8);
    CHECK(source.cell.text.find("v1") == std::string::npos);
    CHECK(source.cell.text.find(".param k=1e-4") != std::string::npos);
    CharacteriseSettings settings;
    settings.first_state = 0.1;
    const Eigen::VectorXd g = characterise(source, settings).surface.conductance();
    CHECK(g(g.size() - 1) == doctest::Approx(1e-4).epsilon(1e-9));

    UserCellChoice elements{"", {"p", "n"}, "w", 0};
    const auto wrapped =
        read_user_cell("* no subcircuit\nbx p n i={1e-4*w}*sinh(4*v(p,n))\n", "b.cir", elements);
    CHECK(characterise(wrapped, settings).error.largest < 1e-6);
}

TEST_CASE("a file's own faults are told with their lines") {
    const auto reading = [](const std::string& text, const UserCellChoice& choice) {
        (void)read_user_cell(text, "cell.cir", choice);
    };
    const std::string good = cell_of("rx p n {1/w}");
    CHECK_THROWS_WITH_AS(reading(good, {"d", {"p", "n"}, "w", 0}),
                         Contains("cell.cir: has no .subckt d; it has c"), InvalidInput);
    CHECK_THROWS_WITH_AS(reading(good, {"c", {"te", "n"}, "w", 0}),
                         Contains("line 2: .subckt c has no pin 'te'; its pins are p, n"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(reading(good, {"c", {"p", "n"}, "x", 0}),
                         Contains("line 2: .subckt c has no parameter 'x'; it has w"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(reading(good, {"c", {"p"}, "w", 0}), Contains("--pins"), InvalidInput);
    CHECK_THROWS_WITH_AS(
        reading(".subckt c p n s w=1\nrx p n 1\n.ends\n", {"c", {"p", "n"}, "w", 0}),
        Contains("has 3 pins (p, n, s), but --pins names 2"), InvalidInput);
    CHECK_THROWS_WITH_AS(reading(".subckt c p n w=1\nrx p n 1\n", two_pins),
                         Contains("line 1: this .subckt has no .ends"), InvalidInput);
    CHECK_THROWS_WITH_AS(reading(".include other.lib\n" + good, two_pins),
                         Contains("line 1: .include leads nowhere"), InvalidInput);
    CHECK_THROWS_WITH_AS(reading(cell_of(".tran 1 1"), two_pins),
                         Contains("line 3: .tran has no place in a cell"), InvalidInput);
    CHECK_THROWS_WITH_AS(reading(good, {"", {"p", "n"}, "w", 0}), Contains("--subckt c"),
                         InvalidInput);
    CHECK_THROWS_AS(reading("", two_pins), InvalidInput);
    CHECK_THROWS_WITH_AS(reading(std::string("a\x01") + good, two_pins),
                         Contains("control character"), InvalidInput);
}

TEST_CASE("syntax that ngspice refuses is told with the line of the user's file") {
    CHECK(message_of("bx p n i={w*1e-4}*sihn(4*v(p,n))").find("cell.cir: line 3 'bx p n") == 0);
    CHECK(message_of("bx p n i={w*1e-4}*sinh(4*v(p,n)").find("cell.cir: line 3 'bx p n") == 0);
    CHECK(message_of("ra p q 5\nrx q n {1/(u*1e-4)}").find("cell.cir: line 4 'rx q n") == 0);
    CHECK(message_of("ra p q 5\nrx q").find("cell.cir: line 4 'rx q'") == 0);
    CHECK(message_of("xx p n nothere").find("cell.cir: line 3 'xx p n nothere'") == 0);
    CHECK(message_of("q1 p n n foo").find("cell.cir: line 3 'q1 p n n foo'") == 0);
}

TEST_CASE("what is no cell is refused with subcircuit, state and numbers") {
    const auto says = [](const std::string& body, const std::string& what) {
        const std::string message = message_of(body);
        const bool found = message.find(what) != std::string::npos &&
                           message.find("subcircuit c, w=") != std::string::npos;
        CHECK_MESSAGE(found, message);
    };
    says("bx p n i={1e-5*(1+w)}*(v(p,n)-4*v(p,n)^3)", "has a negative slope");
    says("bx p n i={1e-5*(1+w)}*(v(p,n)+0.01)", "at 0 V; a cell's current has to be 0 there");
    says("rx p n 1e4", "the parameter does not tell the state");
    says("rx p n {1e4*(1.2-w*(1-w))}", "turns");
    says("bx n p i={1e-5*(1+w)}*v(p,n)", "are the pins in the order");
    says("rx p n {1e4*(1+w)}\nry p 0 1e5", "are the pins right?");
    // Above 0.15 V the inner node latches and stays there: two solutions between.
    says(
        "rx p n {1e4*(1+w)}\nbl q 0 v=0.5*(1+tanh(20*(v(q)-0.5+2*v(p,n))))\nrq q 0 1e3\n"
        "by p n i=2e-6*v(q)*v(p,n)",
        "has hysteresis");
}

TEST_CASE("a cell that does not converge is told by state, and one that hangs by its limit") {
    const std::string unsolvable =
        message_of("rx p n {1e4*(1+w)}\nby y 0 v=v(y)>0.5 ? 0 : 1\nry y 0 1");
    CHECK_MESSAGE(unsolvable.find("does not converge") != std::string::npos, unsolvable);

    // Every expansion holds two more: 2^22 subcircuits before ngspice gives up.
    const auto start = std::chrono::steady_clock::now();
    const std::string endless = message_of("xa p n c w={w}\nxb p n c w={w}", 3);
    CHECK_MESSAGE(endless.find("does not finish") != std::string::npos, endless);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(15));
}

TEST_CASE("ranges that are none are refused by option") {
    const auto with = [](auto change) {
        CharacteriseSettings settings;
        change(settings);
        (void)run("rx p n {1e4*(1+w)}", settings);
    };
    CHECK_THROWS_WITH_AS(with([](auto& s) { s.last_state = -1; }), Contains("--range"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(with([](auto& s) { s.lowest_voltage = 0.1; }), Contains("--voltage"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(with([](auto& s) { s.read_voltage = 0.4; }), Contains("--voltage"),
                         InvalidInput);
}
