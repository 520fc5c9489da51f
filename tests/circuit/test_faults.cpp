#include <Random123/philox.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "circuit/error.hpp"
#include "circuit/faults.hpp"

using namespace kirchnet;

namespace {

constexpr int cells = 1000000;

CellAddress address(int number) {
    return {.output_channel = number / 1000, .input_channel = number % 1000};
}

std::vector<Fault> chip(const FaultDraw& draw, std::string_view layer = "conv1",
                        Polarity polarity = Polarity::a) {
    std::vector<Fault> faults;
    faults.reserve(cells);
    for (int i = 0; i < cells; ++i) {
        CellAddress cell = address(i);
        cell.polarity = polarity;
        faults.push_back(draw_fault(draw, layer, cell).kind);
    }
    return faults;
}

int count(const std::vector<Fault>& faults, Fault wanted) {
    int number = 0;
    for (const Fault fault : faults) number += fault == wanted ? 1 : 0;
    return number;
}

/// |k - N p| < 5 sigma: one failure in 1.7 million for a right law.
bool likely(int found, double probability) {
    return std::abs(found - cells * probability) <
           5 * std::sqrt(cells * probability * (1 - probability));
}

/// Whether two chips share faults as often as independent ones do.
bool independent(const std::vector<Fault>& x, const std::vector<Fault>& y, double rate) {
    int shared = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        shared += x[i] != Fault::none && y[i] != Fault::none ? 1 : 0;
    return likely(shared, rate * rate);
}

/// Whether the cell's uniform number is exactly `u`: with stuck-off faults alone, a cell is faulty
/// at every rate above u and at none up to u.
bool draws(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell, double u) {
    const auto faulty_at = [&](double rate) {
        FaultDraw with_rate = draw;
        with_rate.law = {.rate = rate, .stuck_on_per_off = 0};
        return draw_fault(with_rate, layer, cell) == Fault::stuck_off;
    };
    return !faulty_at(u) && faulty_at(std::nextafter(u, 2.0));
}

}  // namespace

TEST_CASE("Philox4x64-10 gives Random123's published answers") {
    // File kat_vectors of Random123, lines "philox4x64 10"; numpy's Philox agrees.
    using Philox = r123::Philox4x64;
    constexpr std::uint64_t ones = 0xffffffffffffffffULL;
    CHECK(Philox{}({{0, 0, 0, 0}}, {{0, 0}}) ==
          Philox::ctr_type{{0x16554d9eca36314cULL, 0xdb20fe9d672d0fdcULL, 0xd7e772cee186176bULL,
                            0x7e68b68aec7ba23bULL}});
    CHECK(Philox{}({{ones, ones, ones, ones}}, {{ones, ones}}) ==
          Philox::ctr_type{{0x87b092c3013fe90bULL, 0x438c3c67be8d0224ULL, 0x9cc7d7c69cd777b6ULL,
                            0xa09caebf594f0ba0ULL}});
}

TEST_CASE("a cell's number is Philox of seed, layer, trial and address") {
    // Values from philox_values.py, numpy's own Philox4x64-10. A change here changes every chip
    // that anyone has on record.
    CHECK(draws({.seed = 1}, "conv1", CellAddress{}, 0x1.47d10db6defacp-1));
    CHECK(draws({.seed = 1}, "conv1", CellAddress{.polarity = Polarity::b}, 0x1.881f5831ceceep-1));
    CHECK(
        draws({.seed = 2021, .trial = 7}, "layer1.0.conv2",
              CellAddress{.output_channel = 63, .input_channel = 15, .kernel_y = 2, .kernel_x = 1},
              0x1.12b3f3897bd22p-1));
    CHECK(
        draws({.seed = ~0ULL, .trial = ~0U}, "fc",
              CellAddress{
                  .output_channel = 9, .input_channel = 4095, .slice = 3, .polarity = Polarity::b},
              0x1.67e1dfa299ef1p-1));
    CHECK(draws({.seed = 1}, "conv1", PaddingCell{}, 0x1.fab3c291a9200p-1));
    CHECK(draws({.seed = 5, .trial = 2}, "fc", PaddingCell{3, 1, 127, 64, Polarity::b},
                0x1.e4ce9ec9e7b20p-5));
}

TEST_CASE("faults are as frequent as their law says") {
    for (const double rate : {0.0005, 0.01, 0.3, 1.0}) {
        const auto faults = chip({.law = {.rate = rate}, .seed = 42});
        CAPTURE(rate);
        CHECK(likely(count(faults, Fault::stuck_off), rate / 6.2));
        CHECK(likely(count(faults, Fault::stuck_on), rate * 5.2 / 6.2));
        CHECK(count(faults, Fault::open) == 0);
    }
    CHECK(count(chip({.law = {.rate = 0}}), Fault::none) == cells);
    CHECK(count(chip({.law = {.rate = 1}}), Fault::none) == 0);
}

TEST_CASE("the ratio of stuck-on to stuck-off is kept") {
    const auto even = chip({.law = {.rate = 0.1, .stuck_on_per_off = 1}});
    CHECK(likely(count(even, Fault::stuck_off), 0.05));
    CHECK(likely(count(even, Fault::stuck_on), 0.05));
    CHECK(count(chip({.law = {.rate = 0.1, .stuck_on_per_off = 0}}), Fault::stuck_on) == 0);
}

TEST_CASE("a cell faulty at some rate has the same fault at every higher rate") {
    auto lower = chip({.law = {.rate = 1e-4}, .seed = 9});
    for (const double rate : {5e-4, 1e-3, 0.01, 0.2, 0.7, 1.0}) {
        auto higher = chip({.law = {.rate = rate}, .seed = 9});
        for (std::size_t i = 0; i < lower.size(); ++i)
            if (lower[i] != Fault::none) REQUIRE(higher[i] == lower[i]);
        lower = std::move(higher);
    }
}

TEST_CASE("faults do not depend on the order in which cells are asked") {
    const FaultDraw draw{.law = {.rate = 0.2}, .seed = 4};
    const auto forwards = chip(draw);
    for (int i = cells - 1; i >= 0; i -= 97)
        REQUIRE(draw_fault(draw, "conv1", address(i)) == forwards[static_cast<std::size_t>(i)]);
}

TEST_CASE("seeds, trials, layers and polarities are independent") {
    constexpr double rate = 0.1;
    const FaultDraw draw{.law = {.rate = rate}, .seed = 1, .trial = 0};
    const auto faults = chip(draw);
    CHECK(independent(faults, chip({.law = draw.law, .seed = 2}), rate));
    CHECK(independent(faults, chip({.law = draw.law, .seed = 1, .trial = 1}), rate));
    CHECK(independent(faults, chip(draw, "conv2"), rate));
    CHECK(independent(faults, chip(draw, "conv1", Polarity::b), rate));
    CHECK_FALSE(independent(faults, faults, rate));
}

TEST_CASE("every part of an address counts") {
    const FaultDraw draw{.law = {.rate = 0.5, .stuck_on_per_off = 1}};
    const auto differs = [&](const auto& change) {
        int different = 0;
        for (int i = 0; i < 200; ++i) {
            CellAddress changed = address(i);
            change(changed);
            different +=
                draw_fault(draw, "fc", changed) != draw_fault(draw, "fc", address(i)) ? 1 : 0;
        }
        return different > 0;
    };
    CHECK(differs([](CellAddress& cell) { cell.output_channel += 1; }));
    CHECK(differs([](CellAddress& cell) { cell.input_channel += 1; }));
    CHECK(differs([](CellAddress& cell) { cell.kernel_y += 1; }));
    CHECK(differs([](CellAddress& cell) { cell.kernel_x += 1; }));
    CHECK(differs([](CellAddress& cell) { cell.slice += 1; }));
    CHECK(differs([](CellAddress& cell) { cell.polarity = Polarity::b; }));
    CHECK_FALSE(differs([](CellAddress&) {}));
}

TEST_CASE("a fault map remembers, replaces and forgets") {
    FaultMap map;
    const CellIdentity weight = CellAddress{.output_channel = 1, .input_channel = 2};
    const CellIdentity padding = PaddingCell{.word_line = 1, .bit_line = 2};
    CHECK(map.at("fc", weight) == Fault::none);
    map.set("fc", weight, Fault::stuck_on);
    map.set("fc", padding, Fault::open);
    CHECK(map.cells() == 2);
    CHECK(map.at("fc", weight) == Fault::stuck_on);
    CHECK(map.at("fc", padding) == Fault::open);
    CHECK(map.at("conv1", weight) == Fault::none);
    CHECK(map.at("fc", CellAddress{.output_channel = 1}) == Fault::none);
    map.set("fc", weight, Fault::stuck_off);
    CHECK(map.at("fc", weight) == Fault::stuck_off);
    CHECK(map.cells() == 2);
    map.set("fc", weight, Fault::none);
    map.set("fc", padding, Fault::none);
    map.set("conv1", padding, Fault::none);
    CHECK(map == FaultMap());
}

TEST_CASE("a fault source is a law or a map") {
    const CellIdentity cell = CellAddress{};
    FaultMap map;
    map.set("fc", cell, Fault::open);
    const auto only_cell = [&](const FaultSource& source) {
        return faults_of_array(source, "fc", {}, {1, 1}, {}, [&](Index, Index) { return cell; })
            .cells(0, 0);
    };
    CHECK(only_cell(map) == Fault::open);
    CHECK(only_cell(FaultDraw{.law = {.rate = 1, .stuck_on_per_off = 0}}) == Fault::stuck_off);
}

TEST_CASE("fault words read back, others are refused") {
    for (const Fault fault : all_faults) CHECK(parse_fault(to_string(fault)) == fault);
    CHECK_THROWS_AS(parse_fault("SA0"), InvalidInput);  // its polarity differs between papers
}

TEST_CASE("laws that are none are refused") {
    constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK_NOTHROW(check(FaultLaw{.rate = 1, .stuck_on_per_off = 0}));
    for (const FaultLaw& law :
         {FaultLaw{-0.1, 5.2}, FaultLaw{1.1, 5.2}, FaultLaw{not_a_number, 5.2}, FaultLaw{0.1, -1},
          FaultLaw{0.1, not_a_number}, FaultLaw{0.1, infinity}})
        CHECK_THROWS_AS(check(law), InvalidInput);
}
