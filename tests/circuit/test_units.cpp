#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "circuit/error.hpp"
#include "circuit/units.hpp"

using namespace kirchnet;

TEST_CASE("quantities read as plain numbers") {
    CHECK(parse_quantity("1e-4", "x") == 1e-4);
    CHECK(parse_quantity("-2.5", "x") == -2.5);
    CHECK(parse_quantity("+3", "x") == 3);
    CHECK(parse_quantity(".5", "x") == 0.5);
    CHECK(parse_quantity("0", "x") == 0);
    CHECK(parse_quantity("inf", "x") == std::numeric_limits<double>::infinity());
}

TEST_CASE("SI suffixes mean what SI says") {
    // Equality, not approximation: a suffix is exactly the literal with that exponent.
    CHECK(parse_quantity("1f", "x") == 1e-15);
    CHECK(parse_quantity("4p", "x") == 4e-12);
    CHECK(parse_quantity("3n", "x") == 3e-9);
    CHECK(parse_quantity("20u", "x") == 20e-6);
    CHECK(parse_quantity("1m", "x") == 1e-3);
    CHECK(parse_quantity("1k", "x") == 1e3);
    CHECK(parse_quantity("1M", "x") == 1e6);  // mega, unlike SPICE
    CHECK(parse_quantity("2G", "x") == 2e9);
    CHECK(parse_quantity("1T", "x") == 1e12);
    CHECK(parse_quantity("1e3k", "x") == 1e6);
    CHECK(parse_quantity("-7m", "x") == -7e-3);
}

TEST_CASE("what is no quantity is refused with the name of the option") {
    for (const auto* text :
         {"",      "k",      "+",       "-",    "+-5",  "++5", "1x",   "1kk",  "1 k",
          " 1",    "1 ",     "1meg",    "1MHz", "0x10", "nan", "-inf", "+inf", "infinity",
          "1e400", "1e300T", "-1e300T", "1,5",  "one",  "1k ", "1K"})
        CHECK_THROWS_AS_MESSAGE(parse_quantity(text, "--segment"), InvalidInput, text);
    try {
        parse_quantity("1x", "--segment");
    } catch (const InvalidInput& error) {
        CHECK(error.where() == "--segment");
        CHECK(std::string(error.what()).find("'1x'") != std::string::npos);
    }
}

TEST_CASE("quantities print with prefix and unit") {
    CHECK(format_quantity(1e4, "ohm") == "10 kohm");
    CHECK(format_quantity(3.33e-5, "S") == "33.3 uS");
    CHECK(format_quantity(1e-4, "S") == "100 uS");
    CHECK(format_quantity(1.5, "V") == "1.5 V");
    CHECK(format_quantity(-2e-3, "A") == "-2 mA");
    CHECK(format_quantity(0, "S") == "0 S");
    CHECK(format_quantity(2.5e6, "ohm") == "2.5 Mohm");
    CHECK(format_quantity(std::numeric_limits<double>::infinity(), "ohm") == "inf ohm");
    CHECK(format_quantity(999.99999, "ohm") == "1 kohm");  // rounds into the next prefix
}

TEST_CASE("exact text reads back as the same double") {
    CHECK(format_exact(0.1) == "0.1");
    CHECK(format_exact(1e-7) == "1e-07");
    for (const double value : {1.0 / 3, 1e-6 + 1e-4 * 0.7, 5e-324, 1.7976931348623157e308, -0.0}) {
        const double again = std::strtod(format_exact(value).c_str(), nullptr);
        CHECK(again == value);
        CHECK(std::signbit(again) == std::signbit(value));
    }
}
