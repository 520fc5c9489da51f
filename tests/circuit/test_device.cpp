#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "circuit/crossbar.hpp"
#include "circuit/device.hpp"
#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"

using namespace kirchnet;

namespace {

/// I = shape(g, v) by any function, with its slope.
class LawOf final : public CustomCellLaw {
  public:
    using Function = std::function<double(double g, double v)>;
    LawOf(Function current, Function slope)
        : current_(std::move(current)), slope_(std::move(slope)) {}

    [[nodiscard]] std::string name() const override { return "test law"; }
    void current(std::span<const double> g, std::span<const double> v,
                 std::span<double> i) const override {
        for (std::size_t k = 0; k < v.size(); ++k) i[k] = current_(g[k], v[k]);
    }
    void derivative(std::span<const double> g, std::span<const double> v,
                    std::span<double> s) const override {
        for (std::size_t k = 0; k < v.size(); ++k) s[k] = slope_(g[k], v[k]);
    }

  private:
    Function current_;
    Function slope_;
};

CellLaw law_of(LawOf::Function current, LawOf::Function slope) {
    return CellLaw::custom(std::make_shared<LawOf>(std::move(current), std::move(slope)));
}

}  // namespace

TEST_CASE("a cell is ohmic unless told otherwise") {
    const CellLaw law;
    CHECK(law.is_linear());
    CHECK(law.current(1e-5, 0.25) == 1e-5 * 0.25);
    CHECK(law.derivative(1e-5, 0.2) == 1e-5);
    CHECK(to_string(law) == "linear");
}

TEST_CASE("a sinh cell carries g sinh(a v) / a") {
    const CellLaw law = CellLaw::sinh(2);
    CHECK_FALSE(law.is_linear());
    // sinh(0.4) = 0.41075232580281550854, cosh(0.4) = 1.0810723718384548093 (mpmath, 20 digits)
    CHECK(law.current(1e-5, 0.2) == doctest::Approx(0.20537616290140775e-5).epsilon(1e-15));
    CHECK(law.derivative(1e-5, 0.2) == doctest::Approx(1.0810723718384548e-5).epsilon(1e-15));
    CHECK(law.current(1e-5, -0.2) == -law.current(1e-5, 0.2));
    CHECK(law.current(1e-5, 0) == 0);
    CHECK(law.derivative(1e-5, 0) == 1e-5);
}

TEST_CASE("a sinh cell keeps its digits at voltages where sinh(x) and x agree") {
    CHECK(CellLaw::sinh(2).current(1e-5, 1e-12) == 1e-17);
    CHECK(CellLaw::sinh(1e-300).current(1e-5, 0.2) == doctest::Approx(2e-6).epsilon(1e-15));
}

TEST_CASE("an open sinh cell carries nothing, however high the voltage") {
    const CellLaw law = CellLaw::sinh(1000);
    CHECK(law.current(0, 5) == 0);
    CHECK(law.derivative(0, 5) == 0);
}

TEST_CASE("factors that are not positive and finite are refused") {
    for (const double a : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
        CAPTURE(a);
        CHECK_THROWS_AS((void)CellLaw::sinh(a), InvalidInput);
    }
}

TEST_CASE("laws read back from their text") {
    CHECK(parse_cell_law("linear") == CellLaw());
    CHECK(parse_cell_law("sinh:2.5") == CellLaw::sinh(2.5));
    CHECK(parse_cell_law(to_string(CellLaw::sinh(0.1))) == CellLaw::sinh(0.1));
    for (const char* text :
         {"sinh", "sinh:", "sinh:0", "sinh:-2", "sinh:x", "sinh:inf", "tanh:2", ""})
        CHECK_THROWS_AS((void)parse_cell_law(text), InvalidInput);
}

TEST_CASE("a caller's law is used as given, and equals itself alone") {
    const CellLaw cubic = law_of([](double g, double v) { return g * (v + v * v * v); },
                                 [](double g, double v) { return g * (1 + 3 * v * v); });
    CHECK_FALSE(cubic.is_linear());
    CHECK(cubic.current(2, 0.5) == 1.25);
    CHECK(cubic.derivative(2, 0.5) == 3.5);
    CHECK(to_string(cubic) == "test law");
    const CellLaw copy = cubic;
    CHECK(copy == cubic);
    CHECK_FALSE(cubic == CellLaw());
}

TEST_CASE("a caller's law that is no odd monotone law through g is refused, saying why") {
    const auto one = [](double g, double) { return g; };
    CHECK_THROWS_WITH_AS(law_of([](double g, double v) { return g * (v + v * v); },
                                [](double g, double v) { return g * (1 + 2 * v); }),
                         doctest::Contains("not odd"), InvalidInput);
    CHECK_THROWS_WITH_AS(law_of([](double g, double v) { return -g * v; }, one),
                         doctest::Contains("falls"), InvalidInput);
    CHECK_THROWS_WITH_AS(law_of([](double g, double v) { return 2 * g * v; },
                                [](double g, double) { return 2 * g; }),
                         doctest::Contains("slope"), InvalidInput);
    CHECK_THROWS_WITH_AS(law_of([](double g, double v) { return g * v + 1e-9; }, one),
                         doctest::Contains("no current"), InvalidInput);
    CHECK_THROWS_AS((void)CellLaw::custom(nullptr), InvalidInput);
}

TEST_CASE("the law is part of a crossbar and of its comparison") {
    const Crossbar ohmic(CellMatrix::Constant(2, 3, 1e-5));
    const Crossbar sinh = ohmic.with_law(CellLaw::sinh(2));
    CHECK(ohmic.law().is_linear());
    CHECK(sinh.law() == CellLaw::sinh(2));
    CHECK_FALSE(sinh == ohmic);
    CHECK(sinh.with_law({}) == ohmic);
}

TEST_CASE("the ideal engine sums cell currents, and has no transfer matrix for sinh cells") {
    CellMatrix g(2, 2);
    g << 1e-5, 2e-5, 3e-5, 4e-5;
    const Crossbar crossbar = Crossbar(g).with_law(CellLaw::sinh(2));
    Eigen::MatrixXd v(2, 1);
    v << 0.2, -0.1;
    IdealSolver solver;
    const auto point = solver.solve(crossbar, v, Voltages::skip);
    CHECK(point.current(1, 0) ==
          doctest::Approx(2e-5 * std::sinh(0.4) / 2 - 4e-5 * std::sinh(0.2) / 2).epsilon(1e-15));
    CHECK_THROWS_WITH_AS((void)solver.transfer(crossbar), doctest::Contains("linear cells"),
                         InvalidInput);
}
