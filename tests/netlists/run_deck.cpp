#include "run_deck.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/scratch_folder.hpp"

namespace kirchnet_test {
namespace fs = std::filesystem;

bool has_ngspice_program() {
    static const bool found = std::system("command -v ngspice >/dev/null 2>&1") == 0;
    if (!found) MESSAGE("skipped: the program ngspice is not installed");
    return found;
}

BatchRun run_ngspice_batch(const std::string& deck) {
    const kirchnet::test::ScratchFolder directory;
    const fs::path file = directory.path() / "deck.cir";
    std::ofstream(file) << deck;
    const std::string command = "ngspice -b '" + file.string() + "' 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    BatchRun run;
    char buffer[4096];
    for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
        run.output.append(buffer, got);
    run.status = WEXITSTATUS(pclose(pipe));
    std::istringstream lines(run.output);
    for (std::string line; std::getline(lines, line);)
        if (const auto equals = line.find(" = "); equals != std::string::npos)
            run.printed[line.substr(0, equals)] = std::strtod(line.c_str() + equals + 3, nullptr);
    return run;
}

}  // namespace kirchnet_test
