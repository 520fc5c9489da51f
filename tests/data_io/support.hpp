#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "circuit/faults.hpp"
#include "data/network.hpp"
#include "tests/scratch_folder.hpp"

namespace kirchnet::test {

using TemporaryFolder = ScratchFolder;

/// A file that lies in the repository.
std::filesystem::path fixture(const std::string& name);

/// A file of the large data sets; nothing, with a message, where they are not set up.
std::optional<std::filesystem::path> external(const std::string& name);

/// What a Python program with numpy, h5py, sys and json at hand prints; nothing, with a message,
/// where Python has no h5py. `sys.argv[1]` is `argument`.
std::optional<std::string> python(const std::string& program,
                                  const std::filesystem::path& argument);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);

/// The message of the InvalidInput that `action` throws; a failed check where it throws none.
template <class Action>
std::string refusal(const Action& action);

/// The node of that name; a failed test where there is none.
const Node& node(const Network& network, const std::string& name);
template <class Op>
const Op& operation(const Network& network, const std::string& name) {
    return std::get<Op>(node(network, name).operation);
}

/// One of each operator, tensors of distinct extents and values.
Network small_network();

}  // namespace kirchnet::test

#include <doctest/doctest.h>

#include "circuit/error.hpp"

template <class Action>
std::string kirchnet::test::refusal(const Action& action) {
    try {
        action();
    } catch (const InvalidInput& problem) {
        return problem.what();
    }
    FAIL_CHECK("nothing was refused");
    return "";
}
