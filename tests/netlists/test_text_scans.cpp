#include <doctest/doctest.h>

#include "netlists/detail/deck_scan.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/message_scan.hpp"

using namespace kirchnet::detail;

TEST_CASE("users' text becomes one harmless line") {
    CHECK(one_line("a\n.end\r\tb") == "a .end  b");
    CHECK(one_line("\xc3\xbc\x01") == "?? ");
    CHECK(comment("#quit") == "* #quit\n");
    CHECK(comment("") == "* \n");
}

TEST_CASE("each phrase by which ngspice admits a failure is found") {
    for (const char* phrase :
         {"Error: circuit not parsed.", "Warning: singular matrix:  check node x",
          "unknown parameter (nan)", "Could not find include file /x", "missing token",
          "Undefined parameter [zz]", "op simulation(s) aborted"})
        CHECK(find_failure("stderr Note: all well\nstderr " + std::string(phrase) + "\n") ==
              phrase);
}

TEST_CASE("harmless words are no failure") {
    CHECK(find_failure("") == "");
    CHECK(find_failure("stderr Note: No compatibility mode selected!\n") == "");
    CHECK(find_failure("stdout Circuit: * layer error_unknown\n") == "");
    CHECK(find_failure("stdout Error: no such thing\n") == "Error: no such thing");
}

TEST_CASE("a report of failure names at most three lines") {
    CHECK(find_failure("error 1\nerror 2\nerror 3\nerror 4\n") == "error 1 | error 2 | error 3");
}

TEST_CASE("resistors that ngspice would take as 1 milliohm are found") {
    CHECK(find_silent_fault("r9 in the title\nr1 a 0 1k\n.end\n") == "");
    CHECK(find_silent_fault("t\nr1 a 0\n").find("r1 has no value") != std::string::npos);
    CHECK(find_silent_fault("t\nR1 a 0 ; 1k\n").find("r1 has no value") != std::string::npos);
    CHECK(find_silent_fault("t\nr1 a 0 0.0\n").find("r1 is 0 ohm") != std::string::npos);
    CHECK(find_silent_fault("t\nr1 a\n+ 0\n+ 5\n") == "");
    CHECK(find_silent_fault("t\nr1 a 0 {rw}\n* r2 a 0\n") == "");
}

TEST_CASE("a net that current sources alone reach is found") {
    CHECK(find_silent_fault("t\ni1 0 x dc 1e-5\n").find("net x") != std::string::npos);
    CHECK(find_silent_fault("t\ni1 x y 1\ni2 y 0 1\nr1 x 0 1\n").find("net y") !=
          std::string::npos);
    CHECK(find_silent_fault("t\ni1 0 X dc 1e-5\nr1 x gnd 5\n") == "");
}
