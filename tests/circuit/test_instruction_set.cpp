#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "circuit/error.hpp"
#include "circuit/instruction_set.hpp"

using namespace kirchnet;

namespace {

constexpr const char* variable = "KIRCHNET_INSTRUCTION_SET";

/// Sets the variable for one test and puts back what was there.
class Setting {
  public:
    explicit Setting(const std::string& value) {
        if (const char* before = std::getenv(variable)) before_ = before;
        setenv(variable, value.c_str(), 1);
    }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;
    ~Setting() {
        if (before_.empty())
            unsetenv(variable);
        else
            setenv(variable, before_.c_str(), 1);
    }

  private:
    std::string before_;
};

}  // namespace

TEST_CASE("names of instruction sets read back") {
    for (const auto set : {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512})
        CHECK(parse_instruction_set(to_string(set)) == set);
    CHECK_THROWS_AS(parse_instruction_set("sse"), InvalidInput);
}

TEST_CASE("every processor runs the baseline, and the widest set is taken unless told otherwise") {
    const auto available = available_instruction_sets();
    REQUIRE(!available.empty());
    CHECK(available.front() == InstructionSet::baseline);
    const Setting unset("");
    CHECK(best_instruction_set() == available.back());
}

TEST_CASE("the environment lowers the instruction set") {
    const Setting lowered("baseline");
    CHECK(best_instruction_set() == InstructionSet::baseline);
}

TEST_CASE("a word that is no instruction set is refused, naming the variable") {
    const Setting wrong("avx1024");
    CHECK_THROWS_WITH_AS(best_instruction_set(), doctest::Contains(variable), InvalidInput);
}
