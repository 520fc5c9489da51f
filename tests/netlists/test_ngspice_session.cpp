#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "circuit/error.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "run_deck.hpp"
#include "tests/scratch_folder.hpp"

using namespace kirchnet;
using kirchnet::test::ScratchFolder;
namespace fs = std::filesystem;

namespace {

/// An environment variable for the time of one test.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        setenv(name, value.c_str(), 1);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() {
        if (old_)
            setenv(name_, old_->c_str(), 1);
        else
            unsetenv(name_);
    }

  private:
    const char* name_;
    std::optional<std::string> old_;
};

std::string deck_with(const std::string& lines) {
    return "* a title\nv1 a 0 dc 1\nr1 a x 1k\n" + lines + "\n.end\n";
}

/// What ngspice is said to have done wrong; "" when it answered.
std::string refusal(const std::string& deck, const NgspiceSettings& settings = {}) {
    try {
        (void)run_operating_point(deck, {"x"}, settings);
        return "";
    } catch (const NgspiceError& error) {
        return error.what();
    }
}

bool mentions(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
}

const NgspiceSettings lying{.helper = KIRCHNET_LYING_HELPER, .time_limit_s = 30};

}  // namespace

TEST_CASE("a voltage divider reads back by its vectors' names") {
    const auto found = run_operating_point(deck_with("r2 x 0 3k"), {"x", "v1#branch"});
    CHECK(found.at("x") == doctest::Approx(0.75).epsilon(1e-14));
    CHECK(found.at("v1#branch") == doctest::Approx(-0.25e-3).epsilon(1e-14));
}

TEST_CASE("altered sources give one column per point, without loss of digits") {
    SourceSweep sweep{{"v1"}, Eigen::MatrixXd(1, 3)};
    sweep.values << 1.0 / 3, -2, 0;
    const auto found = run_operating_points(deck_with("r2 x 0 1k"), sweep, {"x", "a"});
    CHECK(found(0, 0) == doctest::Approx(1.0 / 6).epsilon(1e-15));
    CHECK(found(1, 0) == doctest::Approx(1.0 / 3).epsilon(1e-15));
    CHECK(found(0, 1) == -1.0);
    CHECK(found(0, 2) == 0.0);
}

TEST_CASE("a deck's own control block is not run") {
    CHECK(run_operating_point(deck_with("r2 x 0 1k\n.control\nalter v1 dc = 7\nquit\n.endc"), {"x"})
              .at("x") == doctest::Approx(0.5));
}

TEST_CASE("every kind of bad deck is an error that says why, never a number") {
    const ScratchFolder directory;
    const fs::path quits = directory.path() / "quits.inc";
    std::ofstream(quits) << "* included\n.control\nquit\n.endc\n";
    const auto check = [](const std::string& deck, const std::string& word) {
        CAPTURE(deck);
        const std::string why = refusal(deck);
        CHECK_MESSAGE(mentions(why, word), why);
    };
    check(deck_with("d1 x 0 nomodel\nr2 x 0 1k"), "valid modelname");
    check(deck_with("b1 x 0 v = foo(("), "Error");
    check(deck_with("r2 x 0 1k\nr2 x 0 2k"), "Error");
    check(deck_with("r2 x 0 nan"), "nan");
    check(deck_with("x1 x 0 nosuchcell"), "nosuchcell");
    check(deck_with("r2 x 0 1k\n.include /nonexistent/models.inc"), "/nonexistent/models.inc");
    check(deck_with("r2 x 0 {nowhere}"), "nowhere");
    check(deck_with("r2 x 0 1k\n.subckt open_ended p q\nr3 p q 1"), ".ends");
    check(deck_with("r2 x 0 1k\nv2 x 0 dc 1\nv3 x 0 dc 2"), "singular");
    check(deck_with("r2 x 0 1k\nr3 y z 1k\ni1 0 y dc 1e-6"), "singular");
    check(deck_with("r2 x 0 1k\ni1 0 y dc 1e-6"), "net y");
    check(deck_with("r2 x 0 0"), "0 ohm");
    check(deck_with("r2 x 0"), "no value");
    check(deck_with("b1 x 0 v = 1/0"), "x");
    check(deck_with("r2 x 0 1k\n.include " + quits.string()), "quit");
    check(deck_with("r2 x 0 1k\n*# quit"), "quit");
    check("* no end\nv1 x 0 dc 1\nr1 x 0 1k\n", ".end");
    check(deck_with("r2 x 0 1k\n.control"), ".endc");
    check("", ".end");
    check(std::string("* t\nr1 x 0 1\0\n.end\n", 19), "NUL");
}

TEST_CASE("after a bad deck the next one is solved as if nothing had been") {
    CHECK(refusal(deck_with("d1 x 0 nomodel")) != "");
    CHECK(refusal(deck_with("r2 x 0 1k")) == "");
}

TEST_CASE("a vector that the circuit does not have is an error") {
    CHECK_THROWS_AS(run_operating_point(deck_with("r2 x 0 1k"), {"nonesuch"}), NgspiceError);
    SourceSweep sweep{{"v9"}, Eigen::MatrixXd::Ones(1, 1)};
    CHECK_THROWS_AS(run_operating_points(deck_with("r2 x 0 1k"), sweep, {"x"}), NgspiceError);
}

TEST_CASE("a sweep must fit its sources and be finite") {
    SourceSweep sweep{{"v1"}, Eigen::MatrixXd::Ones(2, 1)};
    CHECK_THROWS_AS(run_operating_points(deck_with("r2 x 0 1k"), sweep, {"x"}), InvalidInput);
    sweep.values = Eigen::MatrixXd::Constant(1, 1, std::nan(""));
    CHECK_THROWS_AS(run_operating_points(deck_with("r2 x 0 1k"), sweep, {"x"}), InvalidInput);
}

TEST_CASE("an RC charges in ngspice as its closed form says, at ngspice's own times") {
    const std::string deck =
        "* rc\n.options reltol=1e-6 chgtol=1e-22 trtol=1\n"
        "v1 a 0 dc 0 pwl(0 0 1e-12 1)\nr1 a x 1k\nc1 x 0 1e-12\n.end\n";
    const NgspiceWaveforms found = run_transient(deck, {"x", "v1#branch"}, {.stop = 5e-9});
    REQUIRE(found.time.size() > 1000);
    REQUIRE(found.values.cols() == found.time.size());
    CHECK(found.time(0) == 0);
    CHECK(found.time(found.time.size() - 1) == doctest::Approx(5e-9).epsilon(1e-9));
    for (Eigen::Index t = 0; t < found.time.size(); ++t) {
        if (found.time(t) < 2e-12) continue;
        const double x = 1 - std::exp(-(found.time(t) - 0.5e-12) / 1e-9);
        CHECK(std::abs(found.values(0, t) - x) < 1e-5);
        CHECK(std::abs(found.values(1, t) + (1 - x) / 1e3) < 1e-8);
    }
}

TEST_CASE("a transient that is refused says why") {
    const auto why = [](const std::string& deck, const std::string& wanted,
                        const TransientSpan& span, const NgspiceSettings& settings) {
        try {
            (void)run_transient(deck, {wanted}, span, settings);
            return std::string();
        } catch (const NgspiceError& error) {
            return std::string(error.what());
        }
    };
    const std::string good = deck_with("r2 x 0 1k");
    const TransientSpan span{.stop = 1e-6};
    CHECK(why(good, "x", span, {}) == "");
    CHECK(mentions(why(good, "nonesuch", span, {}), "nonesuch"));
    CHECK(mentions(why(deck_with("r2 x 0 1k\nd1 x 0 nomodel"), "x", span, {}), "modelname"));
    CHECK(mentions(why(deck_with("r2 x 0 1k\nv2 x 0 1\nv3 x 0 2"), "x", span, {}), "singular"));
    CHECK_THROWS_AS((void)run_transient(good, {"x"}, {.stop = 0}), InvalidInput);
    CHECK_THROWS_AS((void)run_transient(good, {"x"}, {.stop = 1, .step = -1}), InvalidInput);

    const auto deck = [](const std::string& title) { return "* " + title + "\nr1 x 0 1\n.end\n"; };
    CHECK(why(deck("honest"), "x", span, lying) == "");
    CHECK(mentions(why(deck("stale"), "x", span, lying), "another circuit"));
    CHECK(mentions(why(deck("backwards"), "x", span, lying), "do not rise"));
    CHECK(mentions(why(deck("early end"), "x", span, lying), "ended at 9e-07 s"));
    CHECK(mentions(why(deck("infinite"), "x", span, lying), "1e+35"));
    CHECK(mentions(why(deck("absent"), "x", span, lying), "no vector"));
    CHECK(mentions(why(deck("short"), "x", span, lying), "values came back"));
    CHECK(mentions(why(deck("same plot"), "x", span, lying), "no transient"));
    CHECK(mentions(why(deck("other title"), "x", span, lying), "titled"));
    CHECK(mentions(why(deck("singular"), "x", span, lying), "singular"));
    CHECK(why(deck("crash"), "x", span, lying) != "");
    const NgspiceSettings hurried{.helper = KIRCHNET_LYING_HELPER, .time_limit_s = 0.3};
    CHECK(why(deck("hang"), "x", span, hurried) != "");
}

TEST_CASE("an answer that is stale, incomplete or not finite is refused") {
    const auto deck = [](const std::string& title) { return "* " + title + "\nr1 x 0 1\n.end\n"; };
    CHECK(refusal(deck("honest"), lying) == "");
    CHECK(mentions(refusal(deck("stale"), lying), "another circuit"));
    CHECK(mentions(refusal(deck("nan"), lying), "nan"));
    CHECK(mentions(refusal(deck("infinite"), lying), "1e+35"));
    CHECK(mentions(refusal(deck("absent"), lying), "no vector 'x'"));
    CHECK(mentions(refusal(deck("long"), lying), "2 values"));
    CHECK(mentions(refusal(deck("short"), lying), "1 of 2"));
    CHECK(mentions(refusal(deck("same plot"), lying), "no operating point"));
    CHECK(mentions(refusal(deck("other title"), lying), "another"));
    CHECK(mentions(refusal(deck("singular"), lying), "singular"));
    CHECK(mentions(refusal(deck("exited"), lying), "quit"));
    CHECK(mentions(refusal(deck("printed"), lying), "Fatal thing"));
    CHECK(mentions(refusal(deck("garbled"), lying), "garbled"));
    CHECK(mentions(refusal(deck("end"), lying), "status 3"));
}

TEST_CASE("a helper that crashes is one failed job") {
    const std::string why = refusal("* crash\nr1 x 0 1\n.end\n", lying);
    // Sanitizers turn the signal into an exit status.
    CHECK_MESSAGE((mentions(why, "signal 11") || mentions(why, "status")), why);
}

TEST_CASE("a helper that hangs is killed after the time limit") {
    NgspiceSettings hasty = lying;
    hasty.time_limit_s = 0.2;
    const auto start = std::chrono::steady_clock::now();
    CHECK(mentions(refusal("* hang\nr1 x 0 1\n.end\n", hasty), "0.2 s"));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("a circuit too large for the time limit is stopped") {
    Wires wires;
    wires.word_line_segment = 1.0;
    wires.bit_line_segment = 1.0;
    const Crossbar large(CellMatrix::Constant(64, 64, 1e-4), wires);
    NgspiceSettings hasty;
    hasty.time_limit_s = 0.1;
    const auto deck = write_flat_deck(large, Eigen::VectorXd::Ones(64), "large");
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(run_operating_point(deck, {"vs_a_0#branch"}, hasty), NgspiceError);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("a program that is no helper, or none at all, is named") {
    const std::string deck = deck_with("r2 x 0 1k");
    CHECK(mentions(refusal(deck, {.helper = "/nonexistent/kirchnet-ngspice"}),
                   "/nonexistent/kirchnet-ngspice"));
    CHECK(mentions(refusal(deck, {.helper = "/bin/true"}), "status 0"));
    const Variable named("KIRCHNET_NGSPICE", "/nonexistent/other");
    CHECK(mentions(refusal(deck), "/nonexistent/other"));
    CHECK(mentions(refusal(deck), "KIRCHNET_NGSPICE"));
}

TEST_CASE("KIRCHNET_NGSPICE names the helper") {
    const Variable named("KIRCHNET_NGSPICE", KIRCHNET_LYING_HELPER);
    CHECK(run_operating_point("* honest\nr1 x 0 7\n.end\n", {"x"}).at("x") == 1.0);
}

TEST_CASE("a user's ngspice settings are not read, and nothing stays behind") {
    const ScratchFolder home;
    const ScratchFolder temporary;
    std::ofstream(home.path() / ".spiceinit") << "quit\n";
    const fs::path before = fs::current_path();
    fs::current_path(home.path());
    {
        const Variable home_variable("HOME", home.path().string());
        const Variable init_variable("SPICE_USERINIT_DIR", home.path().string());
        const Variable temporary_variable("TMPDIR", temporary.path().string());
        CHECK(refusal(deck_with("r2 x 0 1k")) == "");
        CHECK(refusal(deck_with("d1 x 0 nomodel")) != "");
    }
    fs::current_path(before);
    CHECK(fs::is_empty(temporary.path()));
}

TEST_CASE("numbers are read with a decimal point whatever the locale") {
    const Variable locale("LC_ALL", "de_DE.UTF-8");
    CHECK(run_operating_point(deck_with("r2 x 0 1.5k"), {"x"}).at("x") == doctest::Approx(0.6));
}
