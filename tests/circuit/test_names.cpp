#include <doctest/doctest.h>

#include <set>
#include <string>

#include "circuit/names.hpp"

using namespace kirchnet;

TEST_CASE("names carry polarity, word line and bit line") {
    const CellPosition position{Polarity::b, 3, 17};
    CHECK(cell_name(position) == "xc_b_3_17");
    CHECK(word_line_node(position) == "wl_b_3_17");
    CHECK(bit_line_node(position) == "bl_b_3_17");
    CHECK(sense_node(Polarity::a, 7) == "out_a_7");
    CHECK(input_node(ColumnPattern::all_a, 3) == "in_a_3");
    CHECK(input_node(ColumnPattern::all_b, 3) == "in_b_3");
    CHECK(input_node(ColumnPattern::interleaved, 3) == "in_ab_3");
}

TEST_CASE("cell names and positions are a bijection") {
    std::set<std::string> seen;
    for (const auto polarity : {Polarity::a, Polarity::b})
        for (const Index word_line : {0, 1, 9, 10, 11, 127, 65535})
            for (const Index bit_line : {0, 1, 9, 10, 11, 127, 65535}) {
                const CellPosition position{polarity, word_line, bit_line};
                const std::string name = cell_name(position);
                CHECK(seen.insert(name).second);
                CHECK(parse_cell_name(name) == position);
            }
}

TEST_CASE("what is no cell name stands for no cell") {
    for (const auto* text : {"",
                             "xc",
                             "xc_",
                             "xc_a",
                             "xc_a_3",
                             "xc_a_3_",
                             "xc_a__7",
                             "xc_c_3_7",
                             "xc_a_3_7_1",
                             "xc_a_03_7",
                             "xc_a_3_07",
                             "xc_a_-3_7",
                             "xc_a_3_-7",
                             "xc_a_-0_7",
                             "xc_a_+3_7",
                             "XC_A_3_7",
                             "xc_a_3_7 ",
                             " xc_a_3_7",
                             "wl_a_3_7",
                             "xc_a_3x7",
                             "xc_a_3.5_7",
                             "xc_ab_3_7",
                             "xc_a_99999999999999999999_7"})
        CHECK_MESSAGE(!parse_cell_name(text).has_value(), text);
}

TEST_CASE("layer names become SPICE identifiers") {
    CHECK(spice_identifier("layer1.0.Conv2") == "layer1_0_conv2");
    CHECK(spice_identifier("a b\nc*") == "a_b_c_");
    CHECK(spice_identifier("\xc3\xa4") == "__");  // no letters outside ASCII
}
