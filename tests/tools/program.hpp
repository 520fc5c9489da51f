#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/scratch_folder.hpp"

namespace kirchnet::test {

/// A folder of its own for one test, with names as command lines take them.
class TemporaryFolder {
  public:
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return (folder_ / name).string();
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return *this / name;
    }

  private:
    ScratchFolder folder_;
};

inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

struct Outcome {
    int code = -1;
    std::string out;
    std::string err;
};

/// Runs the built program as a user would.
inline Outcome run_kirchnet(const std::string& arguments) {
    const TemporaryFolder folder;
    const std::string command = std::string(KIRCHNET_PROGRAM) + " " + arguments + " >" +
                                (folder / "out") + " 2>" + (folder / "err") + " </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, read_file(folder / "out"),
            read_file(folder / "err")};
}

inline bool contains(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

/// One line that tells what is wrong, for whoever reads a terminal.
inline bool is_one_line(const std::string& text) {
    return !text.empty() && text.find('\n') == text.size() - 1;
}

inline const std::string embedded = KIRCHNET_EMBEDDED;
inline const std::string digits = embedded + "/digits.h5";
inline const std::string digit_images = embedded + "/digits-images.h5";

/// Whether a call is refused as bad input, in one line that says these words.
inline bool refuses(const std::string& arguments, const std::string& words) {
    const auto run = run_kirchnet(arguments);
    CAPTURE(arguments);
    CAPTURE(run.err);
    CHECK(run.code == 2);
    CHECK(is_one_line(run.err));
    return contains(run.err, words);
}

}  // namespace kirchnet::test
