#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/program.hpp"

using namespace kirchnet::test;

namespace {

const std::string chip = digits + " --data " + digit_images + " --images 4 --array 32x32 ";

}  // namespace

TEST_CASE("readout tells each mapping's common mode, layer by layer") {
    const auto run = run_kirchnet("readout " + chip + "--segment 1 --json");
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    const auto report = nlohmann::json::parse(run.out);
    for (const char* mapping : {"two_column", "offset", "differential"}) {
        CAPTURE(mapping);
        const auto& layers = report["mappings"][mapping];
        REQUIRE(layers.size() == 5);
        CHECK(layers[0]["layer"] == "conv1");
        for (const auto& layer : layers) {
            CHECK(layer["saturated"] == 0);
            CHECK(layer["swing_used"].get<double>() < 0.8);  // what R_f leaves by default
        }
    }
    // Zeros are two cells that conduct: the pair's common mode is large, its difference is not.
    const auto ratio = [&](const char* mapping) {
        const auto& layer = report["mappings"][mapping][2];
        return layer["side_rms"].get<double>() / layer["difference_rms"].get<double>();
    };
    CHECK(ratio("two_column") < 2);
    CHECK(ratio("differential") > 5);
}

TEST_CASE("readout counts the columns that a given R_f drives out of their swing") {
    const auto run =
        run_kirchnet("readout " + chip + "--mapping differential --set readout.feedback=12k");
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "| saturated columns |"));
    CHECK(contains(run.out, "12 kohm"));
    CHECK(contains(run.out, "R_f is as given"));
}

TEST_CASE("readout names what is wrong") {
    const auto refused = [](const std::string& arguments, const std::string& name) {
        const auto run = run_kirchnet("readout " + arguments);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(contains(run.err, name));
    };
    refused(chip + "--strongest 0", "--strongest");
    refused(chip + "--set readout.gain=0", "readout.gain");
    refused(chip + "--set readout.swing=-1", "readout.swing");
    refused(chip + "--set readout.subtractor=magic", "'magic' is neither difference nor");
    refused(chip + "--set converters.adc_inl=0.5", "two entries");
    refused(chip + "--set readout.adc_bits=6", "converters.adc_bits");
    refused(chip + "--set cells.law=sinh:4", "cells.law");
    refused(digits, "data");
}
