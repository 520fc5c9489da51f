#include <doctest/doctest.h>

#include "circuit/elements.hpp"
#include "circuit/power.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "random_crossbars.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

double current_of(const Crossbar& crossbar, const LineCurrents& currents, const Element& element) {
    const Index r = element.word_line;
    const Index c = element.bit_line;
    switch (element.kind) {
        case ElementKind::cell:
            return currents.cell(r, c);
        case ElementKind::word_line_segment:
            return currents.word_line(r, c);
        case ElementKind::bit_line_segment:
            return currents.bit_line(r, c);
        case ElementKind::right_end:
            return currents.right_end(r);
        case ElementKind::top_end:
            return currents.top_end(c);
        case ElementKind::word_line_bridge:
        case ElementKind::bit_line_bridge:
            break;
    }
    const auto lines =
        element.kind == ElementKind::word_line_bridge ? Bridge::Lines::word : Bridge::Lines::bit;
    const auto& bridges = crossbar.wires().bridges;
    for (std::size_t i = 0; i < bridges.size(); ++i)
        if (bridges[i].lines == lines && bridges[i].word_line == r && bridges[i].bit_line == c)
            return currents.bridge[i];
    FAIL("no such bridge");
    return 0;
}

}  // namespace

TEST_CASE("ngspice finds the same current in every segment, and the same power in its sources") {
    NodalSolver solver;
    double worst = 0;
    int segments = 0;
    for (std::uint64_t number = 100; number < 115; ++number) {
        CAPTURE(number);
        const Crossbar crossbar = random_crossbar(number);
        const Eigen::VectorXd input = random_inputs(number, crossbar.shape().word_lines, 1);
        const Expansion circuit = expand(crossbar);
        std::vector<std::string> wanted;
        for (Index r = 0; r < circuit.word_lines; ++r)
            wanted.push_back("v_" + circuit.net_name(circuit.source(r)) + "#branch");
        std::vector<Element> elements;
        for (const Element& element : circuit.elements) {
            if (element.conductance == 0) continue;
            elements.push_back(element);
            const char* const mark = element.kind == ElementKind::cell ? "r" : "";
            wanted.push_back("@" + (mark + circuit.element_name(element)) + "[i]");
        }
        const auto found = run_operating_point(write_flat_deck(crossbar, input, "power"), wanted);
        const OperatingPoint point = solver.solve(crossbar, input, Voltages::keep);
        const auto& word = point.word_line_voltage.front();
        const auto& bit = point.bit_line_voltage.front();
        const LineCurrents currents = line_currents(crossbar, word, bit, input);
        const ArrayPower power = array_power(crossbar, word, bit, input, currents);
        double delivered = 0;
        double scale = 0;
        double largest = 1e-12;  // [A]
        for (Index r = 0; r < circuit.word_lines; ++r) {
            const double drawn = -found.at(wanted[static_cast<std::size_t>(r)]);
            delivered += input(r) * drawn;
            scale += std::abs(input(r) * drawn);
            largest = std::max(largest, std::abs(drawn));
        }
        // ngspice keeps voltages to 1e-6 relative or 1 nV between iterations, but a linear circuit
        // takes one: what is left is rounding, amplified by shorts of 1e3 S beside cells of 1e-6 S.
        CHECK(std::abs(power.delivered - delivered) <= 1e-9 * scale);
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const std::string& name = wanted[static_cast<std::size_t>(circuit.word_lines) + i];
            const double ours = current_of(crossbar, currents, elements[i]);
            if (std::isnan(ours)) continue;
            CAPTURE(name);
            CHECK(std::abs(ours - found.at(name)) <= 1e-9 * largest);
            worst = std::max(worst, std::abs(ours - found.at(name)) / largest);
            ++segments;
        }
    }
    MESSAGE(segments << " elements, worst difference " << worst
                     << " of the largest source current");
    CHECK(segments > 1000);
}
