#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/table_law.hpp"

using namespace kirchnet;

namespace {

// Slopes 1e-5, 2e-5 and 4e-5 S: f = 1, 2, 4 V per V.
const std::vector<CurveSample> bent{{0, 0}, {0.1, 1e-6}, {0.2, 3e-6}, {0.3, 7e-6}};

CellLaw law_of(const std::vector<CurveSample>& samples) {
    return CellLaw::custom(std::make_shared<TableLaw>("bent", samples));
}

}  // namespace

TEST_CASE("a table's law is the straight lines through its samples, scaled to g") {
    const CellLaw law = law_of(bent);
    CHECK(law.current(1e-4, 0.05) == doctest::Approx(5e-6).epsilon(1e-14));
    CHECK(law.current(1e-4, 0.1) == doctest::Approx(1e-5).epsilon(1e-14));
    CHECK(law.current(1e-4, 0.25) == doctest::Approx(1e-4 * (0.3 + 0.05 * 4)).epsilon(1e-14));
    CHECK(law.derivative(1e-4, 0.15) == doctest::Approx(2e-4).epsilon(1e-14));
    CHECK(law.derivative(1e-4, 0) == 1e-4);
    CHECK(law.current(0, 0.25) == 0);
}

TEST_CASE("a table's law is odd, and beyond its last sample its last line goes on") {
    const CellLaw law = law_of(bent);
    for (const double v : {1e-9, 0.03, 0.1, 0.17, 0.3, 5.0})
        CHECK(law.current(2e-5, -v) == -law.current(2e-5, v));
    CHECK(law.reach() == 0.3);
    CHECK(law.current(1, 0.5) == doctest::Approx(0.7 + 0.2 * 4).epsilon(1e-14));
    CHECK(law.derivative(1, -0.5) == doctest::Approx(4).epsilon(1e-14));
    CHECK(std::isinf(CellLaw::sinh(2).reach()));
}

TEST_CASE("the least table is a resistor") {
    const CellLaw law = law_of({{0, 0}, {0.7, 3e-5}});
    CHECK(law.current(1e-5, 0.1234) == 1e-5 * 0.1234);
    CHECK(law.derivative(1e-5, 9) == 1e-5);
}

TEST_CASE("curves that do not start at 0,0 or do not rise are refused by sample") {
    CHECK_THROWS_WITH_AS(law_of({{0, 1e-9}, {1, 1}}), doctest::Contains("sample 1"), InvalidInput);
    CHECK_THROWS_WITH_AS(law_of({{0.1, 0}, {1, 1}}), doctest::Contains("starts with 0,0"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(law_of({{0, 0}, {0.2, 1}, {0.2, 2}}), doctest::Contains("sample 3"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(law_of({{0, 0}, {0.2, 1}, {0.3, 1}}), doctest::Contains("not more"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS(law_of({{0, 0}}), doctest::Contains("one sample more"), InvalidInput);
    CHECK_THROWS_AS(law_of({}), InvalidInput);
    CHECK_THROWS_WITH_AS(law_of({{0, 0}, {0.1, INFINITY}}), doctest::Contains("not finite"),
                         InvalidInput);
}

TEST_CASE("a law tells whether a table is behind it") {
    CHECK(table_of(CellLaw()) == nullptr);
    CHECK(table_of(CellLaw::sinh(2)) == nullptr);
    const CellLaw law = law_of(bent);
    REQUIRE(table_of(law) != nullptr);
    const auto shape = table_of(law)->shape();
    REQUIRE(shape.size() == 4);
    CHECK(shape[3].voltage == 0.3);
    CHECK(shape[3].current == doctest::Approx(0.7).epsilon(1e-14));  // 7e-6 A / 1e-5 S
}
