#include <doctest/doctest.h>

#include "data/cell_table.hpp"
#include "support.hpp"

using namespace kirchnet;
using kirchnet::test::TemporaryFolder;

namespace {

std::string refusal_of(const std::string& text) {
    const TemporaryFolder folder;
    test::write_file(folder / "cell.csv", text);
    return test::refusal([&] { (void)read_cell_table(folder / "cell.csv"); });
}

bool says(const std::string& text, const std::string& words) {
    const bool found = text.find(words) != std::string::npos;
    if (!found) MESSAGE(text);
    return found;
}

}  // namespace

TEST_CASE("a cell's curve is read, comments, blanks and CRLF included") {
    const TemporaryFolder folder;
    test::write_file(folder / "cell.csv", "# V, I\r\n0,0\r\n 0.1, 2e-6\r\n# more\r\n0.2,6e-6\r\n");
    const CellLaw law = read_cell_table(folder / "cell.csv");
    // Slopes 2e-5 and 4e-5 S, so twice as steep above 0.1 V.
    CHECK(law.current(1e-4, 0.15) == doctest::Approx(1e-4 * (0.1 + 2 * 0.05)).epsilon(1e-14));
    CHECK(law.reach() == 0.2);
    CHECK(to_string(law) == "table:" + (folder / "cell.csv").string());
}

TEST_CASE("what is wrong with a curve is named with file and line") {
    CHECK(says(refusal_of("0,0\n0.1,2e-6\n0.2,1e-6\n"), "cell.csv: line 3 carries"));
    CHECK(says(refusal_of("# V, I\n0,0\n# here\n0.1,2e-6\n# and here\n0.05,3e-6\n"),
               "line 6 is at 0.05 V"));
    CHECK(says(refusal_of("# V, I\n0.1,2e-6\n"), "line 2 is 0.1 V"));
    CHECK(says(refusal_of("0,0\n0.1,x\n"), "line 2, column 2"));
    CHECK(says(refusal_of("0,0,0\n"), "3 columns"));
    CHECK(says(refusal_of("0,0\n0.1,inf\n"), "line 2 is not finite"));
    CHECK(says(refusal_of("0,0\n"), "one sample more"));
    CHECK(says(refusal_of(""), "no numbers"));
    CHECK(says(test::refusal([] { (void)read_cell_table("no/such/cell.csv"); }),
               "no/such/cell.csv: cannot be opened"));
}
