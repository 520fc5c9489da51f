#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "circuit/error.hpp"
#include "tools/output/plots/axis.hpp"
#include "tools/output/plots/bar_chart.hpp"
#include "tools/output/plots/heat_map.hpp"
#include "tools/output/plots/line_chart.hpp"
#include "tools/output/plots/schematic.hpp"
#include "tools/output/plots/svg.hpp"
#include "tools/output/plots/waterfall.hpp"

using namespace kirchnet;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t number = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
    return number;
}

/// Whether Python's XML parser takes it; true where there is no Python to ask. The file stays for
/// people to look at.
bool is_well_formed(const std::string& svg, const std::string& name) {
    const auto path = std::filesystem::path(KIRCHNET_PLOTS_DIR) / (name + ".svg");
    std::ofstream(path) << svg;
    if (std::system("python3 -c 'import xml.dom.minidom' 2>/dev/null") != 0) return true;
    const std::string command =
        "python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' '" + path.string() +
        "'";
    return std::system(command.c_str()) == 0;
}

BarChart accuracy_chart() {
    return {.title = "Accuracy of resnet20 on 10000 images, 128x128 arrays, 1 ohm segments",
            .y_label = "accuracy [%]",
            .groups = {"two_column", "offset", "differential"},
            .series = {{"software", {91.73, 91.73, 91.73}},
                       {"ideal", {91.6, 91.5, 91.6}},
                       {"circuit", {88.2, 71.9, 10.0}},
                       {"ideal, faults 0.005", {85.1, 40.2, 90.9}},
                       {"circuit, faults 0.005", {80.3, 22.5, not_a_number}}},
            .y_max = 100,
            .decimals = 2};
}

/// Voltage that grows away from the drivers, smooth but nowhere constant.
Eigen::MatrixXd smooth_map(Eigen::Index rows, Eigen::Index columns) {
    Eigen::MatrixXd values(rows, columns);
    for (Eigen::Index r = 0; r < rows; ++r)
        for (Eigen::Index c = 0; c < columns; ++c)
            values(r, c) = 0.08 * static_cast<double>(c) / static_cast<double>(columns) +
                           0.01 * std::sin(0.3 * static_cast<double>(r));
    return values;
}

HeatMap drop_map(Eigen::MatrixXd values) {
    return {.title = "IR drop, layer3.0.conv1 tile 2,0",
            .value_label = "IR drop",
            .unit = "V",
            .values = std::move(values),
            .marks = {}};
}

}  // namespace

TEST_CASE("a bar chart is well-formed and says everything") {
    const std::string svg = bar_chart(accuracy_chart());
    CHECK(is_well_formed(svg, "bar_chart"));
    for (const auto* label :
         {"two_column", "offset", "differential", "software", "91.73", "circuit, faults 0.005",
          "accuracy [%]", "22.50", ">100<", "<title", "<desc", "fill=\"#ffffff\""})
        CHECK_MESSAGE(contains(svg, label), label);
    // 14 bars (one place is empty), 5 legend squares, 1 background.
    CHECK(count(svg, "<rect") == 14 + 5 + 1);
    CHECK_FALSE(contains(svg, "nan"));
}

TEST_CASE("the height of a bar is its value") {
    const std::string svg = bar_chart(
        {.title = "t", .y_label = "y", .groups = {"g"}, .series = {{"s", {25}}}, .y_max = 100});
    CHECK(contains(svg, "height=\"75\""));  // a quarter of 300 px
    CHECK(is_well_formed(svg, "one_bar"));
}

TEST_CASE("values above the wished maximum stay inside the picture") {
    const std::string svg = bar_chart(
        {.title = "t", .y_label = "y", .groups = {"g"}, .series = {{"s", {150}}}, .y_max = 100});
    CHECK(contains(svg, "height=\"300\""));
}

TEST_CASE("charts of zeros and of nothing at all are drawn") {
    CHECK(is_well_formed(
        bar_chart({.title = "", .y_label = "", .groups = {"g"}, .series = {{"", {0}}}}), "zero"));
    CHECK(is_well_formed(
        bar_chart({.title = "", .y_label = "", .groups = {"g"}, .series = {{"", {not_a_number}}}}),
        "nothing"));
}

TEST_CASE("text from outside cannot break the markup") {
    BarChart chart = accuracy_chart();
    chart.title = "a<b & \"c\" > d \x01 </svg>";
    chart.groups[0] = "<script>";
    const std::string svg = bar_chart(chart);
    CHECK(is_well_formed(svg, "escaped"));
    CHECK_FALSE(contains(svg, "<script>"));
    CHECK(count(svg, "</svg>") == 1);
    CHECK(escape_xml("\x01<&>\"\n") == "&lt;&amp;&gt;&quot; ");
}

TEST_CASE("bar charts that are none are refused") {
    BarChart chart = accuracy_chart();
    SUBCASE("no group") {
        chart.groups.clear();
    }
    SUBCASE("no series") {
        chart.series.clear();
    }
    SUBCASE("a value missing") {
        chart.series[1].values.pop_back();
    }
    SUBCASE("negative") {
        chart.series[1].values[0] = -1;
    }
    SUBCASE("infinite") {
        chart.series[1].values[0] = std::numeric_limits<double>::infinity();
    }
    CHECK_THROWS_AS(bar_chart(chart), InvalidInput);
}

TEST_CASE("a heat map is well-formed and says everything") {
    HeatMap map = drop_map(smooth_map(128, 128));
    map.marks = {{5, 120, "xc_a_5_120"}, {0, 0, "xc_a_0_0"}, {90, 40, "xc_a_90_40"}};
    map.values.row(64).setConstant(not_a_number);
    const std::string svg = heat_map(map);
    CHECK(is_well_formed(svg, "heat_map"));
    for (const auto* label : {"IR drop", "bit line", "word line", "xc_a_5_120", ">100<", " mV<",
                              "<title", "<desc", "fill=\"#b0b0b0\""})
        CHECK_MESSAGE(contains(svg, label), label);
    CHECK(svg.size() < 1'500'000);
}

TEST_CASE("maps of noise stay small enough to open") {
    // Every cell another colour: no run is longer than one cell.
    Eigen::MatrixXd values(128, 128);
    for (Eigen::Index i = 0; i < values.size(); ++i)
        values(i / 128, i % 128) = static_cast<double>((i * 7919) % 16384);
    CHECK(heat_map(drop_map(values)).size() < 1'500'000);
    CHECK(heat_map(drop_map(Eigen::MatrixXd::Random(256, 256))).size() < 1'500'000);
}

TEST_CASE("row 0 is at the top and the largest value is brightest") {
    // Left to right 0 1 over 2 3, i.e. places 0, 1/3, 2/3, 1 of the colours.
    const std::string svg = heat_map(drop_map((Eigen::MatrixXd(2, 2) << 0, 1, 2, 3).finished()));
    CHECK(is_well_formed(svg, "four_cells"));
    const auto path_of = [&](const std::string& run) {
        const auto at = svg.find("d=\"" + run);
        REQUIRE(at != std::string::npos);
        return svg.substr(at - 9, 7);
    };
    // Ends of viridis, half a step of 1/128 inside: (68, 1, 84) and (253, 231, 37).
    CHECK(path_of("M0 0h1").substr(0, 3) == "#44");
    CHECK(path_of("M1 1h1").substr(0, 2) == "#f");
    CHECK(count(svg, "<path") == 4);
}

TEST_CASE("heat maps of odd shapes and constant values are drawn") {
    CHECK(is_well_formed(heat_map(drop_map(Eigen::MatrixXd::Zero(1, 1))), "one_cell"));
    CHECK(is_well_formed(heat_map(drop_map(smooth_map(4, 256))), "wide"));
    CHECK(is_well_formed(heat_map(drop_map(smooth_map(100, 3))), "tall"));
    CHECK(is_well_formed(heat_map(drop_map(Eigen::MatrixXd::Constant(2, 2, not_a_number))),
                         "no_values"));
}

TEST_CASE("heat maps that are none are refused") {
    HeatMap map = drop_map(smooth_map(3, 4));
    SUBCASE("empty") {
        map.values.resize(0, 0);
    }
    SUBCASE("infinite") {
        map.values(1, 1) = std::numeric_limits<double>::infinity();
    }
    SUBCASE("a mark below") {
        map.marks = {{3, 0, "x"}};
    }
    SUBCASE("a mark to the right") {
        map.marks = {{0, 4, "x"}};
    }
    SUBCASE("a mark before") {
        map.marks = {{-1, 0, "x"}};
    }
    CHECK_THROWS_AS(heat_map(map), InvalidInput);
}

TEST_CASE("ticks are round numbers within the range") {
    CHECK(round_ticks(0, 100, 5) == std::vector<double>{0, 20, 40, 60, 80, 100});
    CHECK(round_ticks(3, 17, 3) == std::vector<double>{5, 10, 15});
    CHECK(round_ticks(-1, 1, 4) == std::vector<double>{-1, -0.5, 0, 0.5, 1});
    CHECK(round_ticks(2, 2, 5) == std::vector<double>{2});
    CHECK(round_up(91.73) == 100);
    CHECK(round_up(100) == 100);
    CHECK(round_up(0.013) == doctest::Approx(0.015));
}

TEST_CASE("long titles break between words") {
    const auto lines = wrap_words("one two three", 60, 12);
    CHECK(lines == std::vector<std::string>{"one two", "three"});
    CHECK(wrap_words("", 60, 12).empty());
}

namespace {

Waterfall example_waterfall() {
    return {.title = "Error budget of resnet20, two_column, arrays 64x64",
            .y_label = "accuracy [%]",
            .start = "ideal",
            .start_level = 91.2,
            .end = "all",
            .steps = {{"weights and DAC", 91.0, -0.5, 0.1},
                      {"faults", 60.2, -40, -21.6},
                      {"IR drop", 61.4, -1, 3.4},
                      {"ADC", 61.4, 0, 0}}};
}

}  // namespace

TEST_CASE("a waterfall is well-formed, shows every change with its interval, and where it ends") {
    const std::string svg = waterfall(example_waterfall());
    CHECK(is_well_formed(svg, "waterfall"));
    for (const auto* label : {"accuracy [%]", "ideal", "weights and", "DAC", "IR drop", "91.2",
                              "-0.2", "-30.8", "+1.2", "+0.0", "61.4"})
        CHECK(contains(svg, std::string(">") + label + "</text>"));
    CHECK(contains(svg, "faults: -30.8 (-40.0 to -21.6)"));
    CHECK(count(svg, "<rect") == 1 + 6);  // the ground, and a bar each
    CHECK(count(svg, "#d55e00\"") == 2);  // losses
    CHECK(count(svg, "#009e73\"") == 2);  // gains, and what changes nothing
}

TEST_CASE("the whisker of a step stands where its interval says") {
    // Levels 0 to 100 over 300 px: a step from 91.0 to 60.2 with -40 .. -21.6 spans 51.0 to 69.4,
    // 55.2 px.
    const std::string svg = waterfall(example_waterfall());
    const double top = 20 + 22 + 24;
    const auto y = [&](double level) { return top + 300 * (1 - level / 100); };
    char line[64];
    std::snprintf(line, sizeof line, "y1=\"%g\" x2=\"300\" y2=\"%g\"", y(51.0), y(69.4));
    CHECK(contains(svg, line));
}

TEST_CASE("waterfalls that are none are refused") {
    Waterfall chart = example_waterfall();
    SUBCASE("no steps") {
        chart.steps.clear();
    }
    SUBCASE("a level above the axis") {
        chart.steps[1].level = 101;
    }
    SUBCASE("no number") {
        chart.steps[1].level = not_a_number;
    }
    SUBCASE("no interval") {
        chart.steps[1].change_low = not_a_number;
    }
    CHECK_THROWS_AS((void)waterfall(chart), InvalidInput);
}

namespace {

LineChart fault_chart() {
    return {.title = "Accuracy of resnet20 with stuck cells",
            .x_label = "fault rate per cell",
            .y_label = "accuracy [%]",
            .panels = {{"ideal",
                        {{"two_column", {{0, 88, 86, 90}, {1e-3, 60, 55, 66}, {1e-2, 12, 9, 15}}},
                         {"differential", {{1e-2, 75, 70, 81}, {0, 88, 86, 90}}}}},
                       {"circuit", {{"two_column", {{1e-3, 58, 50, 66}}}}}},
            .log_x = true};
}

}  // namespace

TEST_CASE("a line chart is well-formed and says everything") {
    const std::string svg = line_chart(fault_chart());
    CHECK(is_well_formed(svg, "line_chart"));
    for (const auto* label :
         {"two_column", "differential", "ideal", "circuit", "accuracy [%]", "fault rate per cell",
          ">0.001<", ">0.01<", ">0<", ">80<", "<title", "two_column at 0.001: 60.0 (55.0 to 66.0)"})
        CHECK_MESSAGE(contains(svg, label), label);
    CHECK(count(svg, "<polyline") == 2);  // the third series is a lone point with a whisker
    CHECK(count(svg, "<polygon") == 2);
    CHECK(count(svg, "<circle") == 6);
}

TEST_CASE("a curve's points lie where its numbers say") {
    // Levels 0 to 100 over 300 px of plot; x from 0 to 10 over 520 px, 12 px off the edges, right
    // of a margin of 70 px: x = 2.5 is at 70 + 12 + 496 / 4.
    const std::string svg = line_chart(
        {.title = "t",
         .x_label = "x",
         .y_label = "y",
         .panels = {{"", {{"s", {{0, 0, 0, 0}, {2.5, 50, 50, 50}, {10, 100, 100, 100}}}}}}});
    CHECK(contains(svg, "<polyline points=\"82,"));
    CHECK(contains(svg, " 206,"));
    CHECK(contains(svg, " 578,"));
    const auto y = [&](const std::string& x) {
        return std::stod(svg.substr(svg.find(x + ",") + x.size() + 1));
    };
    CHECK(y("\"82") - y(" 206") == doctest::Approx(150));
    CHECK(y(" 206") - y(" 578") == doctest::Approx(150));
}

TEST_CASE("zero has a place of its own on a logarithmic axis") {
    const AxisScale scale({0, 1e-4, 1e-2}, true);
    CHECK(scale.place(1e-2) == doctest::Approx(-2));
    CHECK(scale.place(0) < scale.place(1e-4));
    CHECK(scale.ticks(5).front().label == "0");
    CHECK(scale.ticks(5).back().label == "0.01");
    CHECK_FALSE(AxisScale({1, 10}, true).has_zero_apart());
    CHECK(AxisScale({3}, false).high() > 3);  // a single value has room around it
    CHECK(AxisScale({0}, true).high() > AxisScale({0}, true).low());
}

TEST_CASE("line charts of one value and of many series are drawn") {
    LineChart chart{.title = "", .panels = {{"", {}}}};
    for (int i = 0; i < 20; ++i)
        chart.panels[0].series.push_back({"series <" + std::to_string(i) + ">", {{1, 5, 5, 5}}});
    const std::string svg = line_chart(chart);
    CHECK(is_well_formed(svg, "many_series"));
    // 7 colours: the 13 series beyond them have a piece of their dashed line beside their name.
    CHECK(count(svg, "stroke-dasharray") == 13);
}

TEST_CASE("line charts that are none are refused") {
    LineChart chart = fault_chart();
    SUBCASE("no panel") {
        chart.panels.clear();
    }
    SUBCASE("no point") {
        chart.panels = {{"", {{"s", {}}}}};
    }
    SUBCASE("no number") {
        chart.panels[0].series[0].points[1].y = not_a_number;
    }
    SUBCASE("negative on a logarithmic axis") {
        chart.panels[0].series[0].points[1].x = -1;
    }
    CHECK_THROWS_AS(line_chart(chart), InvalidInput);
}

TEST_CASE("values of both signs have grey in their middle, and one sign keeps the usual colours") {
    Eigen::MatrixXd values(1, 3);
    values << -1, 0, 2;
    HeatMap map = drop_map(values);
    map.scale = ColourScale::by_sign;
    const std::string both = heat_map(map);
    // 0 lies in step 64 of 128, a sixteenth from grey (221, 221, 221) to (236, 211, 197); 2 in the
    // last step, a sixteenth before (180, 4, 38), from (203, 62, 56).
    CHECK(contains(both, "<path fill=\"#b50827\" d=\"M2 0"));
    CHECK(contains(both, "<path fill=\"#dedcdc\" d=\"M1 0"));
    CHECK(contains(both, ">-2 V<"));
    CHECK(is_well_formed(both, "signed_map"));
    map.values << 1, 0, 2;
    const std::string one = heat_map(map);
    map.scale = ColourScale::sequential;
    CHECK(one == heat_map(map));
    CHECK(one != both);
}

TEST_CASE("lines with names have them along the axes, and marks with shapes their meaning") {
    HeatMap map = drop_map(smooth_map(3, 2));
    map.x_names = {"out_a_0", "out_a_1"};
    map.y_names = {"in_a_0", "in_a_1", "in_a_2"};
    map.marks = {
        {0, 1, "", MarkShape::square}, {2, 0, "", MarkShape::circle}, {1, 1, "", MarkShape::cross}};
    map.meanings = {{MarkShape::square, "stuck on"},
                    {MarkShape::circle, "stuck off"},
                    {MarkShape::cross, "open"}};
    map.stands_alone = true;
    const std::string svg = heat_map(map);
    CHECK(is_well_formed(svg, "named_map"));
    for (const auto* label : {"out_a_0", "out_a_1", "in_a_0", "in_a_1", "in_a_2", "stuck on",
                              "stuck off", ">open<", "prefers-color-scheme: dark"})
        CHECK_MESSAGE(contains(svg, label), label);
    CHECK(count(svg, "<circle") == 2 * 2);    // the mark and its meaning, each with an edge
    CHECK(count(svg, "<polyline") == 2 * 4);  // two strokes, each with an edge
    map.x_names.pop_back();
    CHECK_THROWS_AS(heat_map(map), InvalidInput);
}

namespace {

CellMatrix cells_of(std::initializer_list<double> values, Eigen::Index columns) {
    CellMatrix cells(static_cast<Eigen::Index>(values.size()) / columns, columns);
    std::copy(values.begin(), values.end(), cells.data());
    return cells;
}

/// A pair of 2 x 2 arrays with one fault of each kind.
Schematic small_schematic() {
    Wires wires;
    wires.word_line_segment = 2;
    wires.bit_line_segment = 3;
    wires.driver = 50;
    wires.sense = 7;
    FaultMatrix faults = FaultMatrix::Constant(2, 2, Fault::none);
    faults(0, 1) = Fault::stuck_on;
    faults(1, 0) = Fault::stuck_off;
    faults(1, 1) = Fault::open;
    const CellMatrix intended = cells_of({2e-5, 4e-5, 6e-5, 8e-5}, 2);
    const CellMatrix actual = cells_of({2e-5, 1e-4, 1e-6, 0}, 2);
    return {.title = "a pair",
            .arrays = {Crossbar(intended, actual, faults, wires, ColumnPattern::all_a),
                       Crossbar(intended, wires, ColumnPattern::all_b)},
            .inputs = Eigen::Vector2d(0.2, -0.1),
            .outputs = {{"sub_0", {0, 0}, SchematicColumn{1, 0}},
                        {"sub_1", {0, 1}, SchematicColumn{1, 1}}}};
}

}  // namespace

TEST_CASE("a schematic has every value, name and fault of the circuit") {
    const std::string svg = schematic(small_schematic());
    CHECK(is_well_formed(svg, "schematic"));
    for (const auto* label : {"in_a_0",
                              "in_b_1",
                              "200 mV",
                              "-100 mV",
                              "out_a_1",
                              "out_b_0",
                              "50 ohm",
                              "driver",
                              "7 ohm",
                              "sense",
                              "20 uS",
                              "100 uS",
                              "stuck on",
                              "not 40 uS",
                              "stuck off",
                              "not 60 uS",
                              ">0 S<",
                              "not 80 uS",
                              "sub_0",
                              "sub_1",
                              "I(out_a_0)",
                              "I(out_b_1)",
                              "a pair",
                              "xc_a_0_1 is stuck on",
                              "xc_a_1_1 is open",
                              "<title",
                              "<desc",
                              "stuck on (1)"})
        CHECK_MESSAGE(contains(svg, label), label);
    CHECK(count(svg, ">2 ohm<") == 2 * 4);  // a word-line segment left of each cell
    CHECK(count(svg, ">3 ohm<") == 2 * 4);  // and one below
    CHECK(count(svg, "class=\"fault\"") == 3);
}

TEST_CASE("a schematic with amplifiers has their resistors") {
    Schematic drawing = small_schematic();
    drawing.readout = Readout::opamp;
    drawing.circuit.feedback_resistance = 2500;
    const std::string svg = schematic(drawing);
    CHECK(is_well_formed(svg, "schematic_opamp"));
    for (const auto* label : {"tia_a_0", "tia_b_1", "Rf 2.5 kohm", "R1 to R4", "10 kohm"})
        CHECK_MESSAGE(contains(svg, label), label);
    CHECK_FALSE(contains(svg, "I(out"));
}

TEST_CASE("a schematic in current mode couples a's amplifiers into b's, which are the outputs") {
    Schematic drawing = small_schematic();
    drawing.readout = Readout::opamp;
    drawing.circuit.feedback_resistance = 2500;
    drawing.circuit.kind = SubtractorKind::current_mode;
    const std::string svg = schematic(drawing);
    CHECK(is_well_formed(svg, "schematic_current_mode"));
    CHECK(count(svg, ">Rx<") == 2);
    CHECK(contains(svg, "sub_1"));
    CHECK_FALSE(contains(svg, "tia_b_"));
    CHECK_FALSE(contains(svg, "R1 to R4"));
}

TEST_CASE("a schematic shows lines driven and sensed at their further ends, and open ones") {
    Wires wires;
    wires.word_line_segment = std::numeric_limits<double>::infinity();
    wires.drive = DriveSide::both;
    wires.sense_at = SenseSide::both;
    const std::string svg = schematic({.title = "t",
                                       .arrays = {Crossbar(cells_of({1e-5, 2e-5}, 2), wires)},
                                       .inputs = Eigen::VectorXd::Constant(1, 0.1)});
    CHECK(is_well_formed(svg, "schematic_ends"));
    CHECK(count(svg, ">in_a_0<") == 2);
    CHECK(count(svg, ">out_a_1<") == 2);
    CHECK(count(svg, ">open<") == 3);
}

TEST_CASE("schematics that cannot be read or do not fit are refused") {
    Schematic drawing = small_schematic();
    SUBCASE("too large") {
        drawing.arrays = {Crossbar(CellMatrix::Constant(2, 9, 1e-5))};
        drawing.outputs.clear();
        try {
            schematic(drawing);
            FAIL("drawn");
        } catch (const InvalidInput& error) {
            CHECK(contains(error.what(), "2x9"));
            CHECK(contains(error.what(), "at most 8"));
            CHECK(contains(error.what(), "heat maps"));
        }
        return;
    }
    SUBCASE("no array") {
        drawing.arrays.clear();
    }
    SUBCASE("inputs of another array") {
        drawing.inputs = Eigen::VectorXd::Zero(3);
    }
    SUBCASE("an output of no array") {
        drawing.outputs[0].b = SchematicColumn{2, 0};
    }
    CHECK_THROWS_AS(schematic(drawing), InvalidInput);
}
