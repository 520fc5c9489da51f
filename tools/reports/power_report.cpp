#include "tools/reports/power_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

std::string watts(double value) {
    return format_quantity(value, "W");
}

std::string share(double part, double whole) {
    return whole > 0 ? fmt::format("{:.3g}", 100 * part / whole) : "";
}

/// Current of a segment, with its density where the wire's cross-section is known.
std::string current_text(const SegmentCurrent& segment, const PowerTerms& terms) {
    if (segment.name.empty()) return "none";
    std::string text = format_quantity(segment.current, "A");
    if (terms.wire_area > 0)  // [A/m²] to [MA/cm²]
        text += fmt::format(" ({:.3g} MA/cm2)", segment.current / terms.wire_area * 1e-10);
    return text;
}

/// A worst segment and where in the network it lies.
struct PlacedSegment {
    SegmentCurrent segment;
    std::string place;  ///< `layer1.0.conv1 tile 0,1`

    void keep_larger(const SegmentCurrent& found, const std::string& where) {
        if (found.current <= segment.current) return;
        segment = found;
        place = where;
    }
};

struct WorstSegments {
    PlacedSegment word_line;
    PlacedSegment bit_line;
};

std::string tile_text(const NetworkPowerReport& report, Mapping mapping, const TilePower& tile) {
    return "tile " + to_string(tile.place, report.experiment.tile_settings(mapping));
}

void add_worst(const NetworkPowerReport& report, Mapping mapping, const LayerPower& layer,
               WorstSegments& worst) {
    for (const TilePower& tile : layer.tiles)
        for (const ArrayStress& array : tile.arrays) {
            const std::string place = fmt::format("{} {}", report.graph.layer_name(layer.layer),
                                                  tile_text(report, mapping, tile));
            worst.word_line.keep_larger(array.word_line, place);
            worst.bit_line.keep_larger(array.bit_line, place);
        }
}

/// A whole mapping's sums.
struct Totals {
    std::size_t arrays = 0;
    ArrayPower power;
    ReadoutPower readout;
    double energy = 0;  ///< of one image [J]
    WorstSegments worst;
};

Totals totals_of(const NetworkPowerReport& report, const MappingPower& mapping) {
    Totals totals;
    for (const LayerPower& layer : mapping.layers) {
        totals.arrays += layer.arrays();
        totals.power += layer.array_power();
        totals.readout += layer.readout_power();
        totals.energy += layer.energy_per_image(report.terms.read_time);
        add_worst(report, mapping.mapping, layer, totals.worst);
    }
    return totals;
}

const std::vector<std::string> block_names{"cells [%]", "word lines [%]", "bit lines [%]",
                                           "drivers [%]", "sense [%]"};

void add_blocks(const ArrayPower& power, std::vector<std::string>& row) {
    for (const double part :
         {power.cells, power.word_lines, power.bit_lines, power.drivers, power.sense})
        row.push_back(share(part, power.delivered));
}

std::vector<std::string> with_blocks(std::vector<std::string> before,
                                     const std::vector<std::string>& behind) {
    before.insert(before.end(), block_names.begin(), block_names.end());
    before.insert(before.end(), behind.begin(), behind.end());
    return before;
}

std::string per_array(const ArrayPower& power, std::size_t arrays) {
    return arrays == 0 ? "" : watts(power.delivered / static_cast<double>(arrays));
}

std::string summary_table(const NetworkPowerReport& report) {
    TextTable table(with_blocks({"mapping", "arrays", "an array"},
                                {"all arrays", "their read-out", "energy per image",
                                 "worst word-line segment", "worst bit-line segment"}));
    for (const MappingPower& mapping : report.mappings) {
        const Totals totals = totals_of(report, mapping);
        std::vector<std::string> row{std::string(to_string(mapping.mapping)),
                                     fmt::to_string(totals.arrays),
                                     per_array(totals.power, totals.arrays)};
        add_blocks(totals.power, row);
        row.push_back(watts(totals.power.delivered));
        row.push_back(watts(totals.readout.total()));
        row.push_back(format_quantity(totals.energy, "J"));
        for (const PlacedSegment* worst : {&totals.worst.word_line, &totals.worst.bit_line})
            row.push_back(fmt::format("{}, {} of {}", current_text(worst->segment, report.terms),
                                      worst->segment.name, worst->place));
        table.add(std::move(row));
    }
    return table.markdown();
}

std::string layer_table(const NetworkPowerReport& report, const MappingPower& mapping) {
    TextTable table(with_blocks({"layer", "arrays", "an array"},
                                {"all arrays", "their read-out", "reads", "energy per image",
                                 "worst word-line segment", "worst bit-line segment"}));
    for (const LayerPower& layer : mapping.layers) {
        const ArrayPower power = layer.array_power();
        std::vector<std::string> row{report.graph.layer_name(layer.layer),
                                     fmt::to_string(layer.arrays()),
                                     per_array(power, layer.arrays())};
        add_blocks(power, row);
        row.push_back(watts(power.delivered));
        row.push_back(watts(layer.readout_power().total()));
        row.push_back(fmt::to_string(layer.reads));
        row.push_back(format_quantity(layer.energy_per_image(report.terms.read_time), "J"));
        WorstSegments worst;
        add_worst(report, mapping.mapping, layer, worst);
        for (const PlacedSegment* of : {&worst.word_line, &worst.bit_line})
            row.push_back(fmt::format("{}, {} of {}", current_text(of->segment, report.terms),
                                      of->segment.name, of->place.substr(of->place.find(' ') + 1)));
        table.add(std::move(row));
    }
    return table.markdown();
}

std::string explanation(const NetworkPowerReport& report) {
    const Experiment& e = report.experiment;
    std::string text = fmt::format(
        "\nPower is the mean over {} image{}, every output position and every read; an array's is "
        "the mean over arrays, too. A read takes {}; all arrays of a layer are read at once.\n"
        "Worst currents are those of the {} strongest different inputs (largest sum of |V|) of "
        "each tile among these.\n",
        report.images, report.images == 1 ? "" : "s", format_quantity(report.terms.read_time, "s"),
        report.strongest);
    if (e.readout_kind == Readout::ideal)
        text +=
            "The read-out is ideal and takes no power; --set readout.kind=opamp adds "
            "amplifiers.\n";
    else if (report.terms.supply.current == 0)
        text +=
            "Of the read-out, resistors alone are counted; --amplifier-current adds the "
            "amplifiers' supplies.\n";
    return text;
}

nlohmann::json to_json(const ArrayPower& power) {
    return {{"delivered", power.delivered},   {"drivers", power.drivers},
            {"word_lines", power.word_lines}, {"cells", power.cells},
            {"bit_lines", power.bit_lines},   {"sense", power.sense}};
}

nlohmann::json to_json(const ReadoutPower& power) {
    return {
        {"feedback", power.feedback}, {"bridge", power.bridge}, {"amplifiers", power.amplifiers}};
}

nlohmann::json to_json(const SegmentCurrent& segment, const PowerTerms& terms) {
    nlohmann::json object{{"segment", segment.name}, {"current", segment.current}};
    if (terms.wire_area > 0) object["current_density"] = segment.current / terms.wire_area;
    return object;
}

nlohmann::json to_json(const WorstSegments& worst, const PowerTerms& terms) {
    const auto placed = [&](const PlacedSegment& of) {
        nlohmann::json object = to_json(of.segment, terms);
        object["place"] = of.place;
        return object;
    };
    return {{"word_line", placed(worst.word_line)}, {"bit_line", placed(worst.bit_line)}};
}

nlohmann::json layer_json(const NetworkPowerReport& report, const MappingPower& mapping,
                          const LayerPower& layer) {
    WorstSegments worst;
    add_worst(report, mapping.mapping, layer, worst);
    return {{"layer", report.graph.layer_name(layer.layer)},
            {"arrays", layer.arrays()},
            {"reads_per_image", layer.reads},
            {"power", to_json(layer.array_power())},
            {"readout_power", to_json(layer.readout_power())},
            {"energy_per_image", layer.energy_per_image(report.terms.read_time)},
            {"worst_segments", to_json(worst, report.terms)}};
}

nlohmann::json mapping_json(const NetworkPowerReport& report, const MappingPower& mapping) {
    const Totals totals = totals_of(report, mapping);
    auto layers = nlohmann::json::array();
    for (const LayerPower& layer : mapping.layers)
        layers.push_back(layer_json(report, mapping, layer));
    return {{"arrays", totals.arrays},
            {"power_per_array", totals.power.delivered / static_cast<double>(totals.arrays)},
            {"power", to_json(totals.power)},
            {"readout_power", to_json(totals.readout)},
            {"energy_per_image", totals.energy},
            {"worst_segments", to_json(totals.worst, report.terms)},
            {"layers", layers}};
}

nlohmann::json terms_json(const PowerTerms& terms) {
    return {{"read_time", terms.read_time},
            {"amplifier_current", terms.supply.current},
            {"amplifier_supply", terms.supply.voltage},
            {"wire_area", terms.wire_area}};
}

void add_entry(PowerTable& table, const std::string& place, double reads,
               const ArrayStress& array) {
    table.places.push_back(place);
    table.reads.push_back(reads);
    table.delivered.push_back(array.mean.delivered);
    table.drivers.push_back(array.mean.drivers);
    table.word_lines.push_back(array.mean.word_lines);
    table.cells.push_back(array.mean.cells);
    table.bit_lines.push_back(array.mean.bit_lines);
    table.sense.push_back(array.mean.sense);
    table.word_line_segment.push_back(array.word_line.name);
    table.word_line_current.push_back(array.word_line.current);
    table.bit_line_segment.push_back(array.bit_line.name);
    table.bit_line_current.push_back(array.bit_line.current);
}

void add_readout(PowerTable& table, const std::string& tile, const ReadoutPower& power) {
    table.readout_tiles.push_back(tile);
    table.feedback.push_back(power.feedback);
    table.bridge.push_back(power.bridge);
    table.amplifiers.push_back(power.amplifiers);
}

PowerTable table_of(const NetworkPowerReport& report, const MappingPower& mapping) {
    PowerTable table;
    table.name = to_string(mapping.mapping);
    const TileSettings settings = report.experiment.tile_settings(mapping.mapping);
    for (const LayerPower& layer : mapping.layers)
        for (const TilePower& tile : layer.tiles) {
            const std::string name = report.graph.layer_name(layer.layer);
            const std::string place = to_string(tile.place, settings);
            for (const ArrayStress& array : tile.arrays) {
                table.layers.push_back(name);
                add_entry(table, fmt::format("{} {}", place, array_letters(array.pattern)),
                          static_cast<double>(layer.reads), array);
            }
            if (report.experiment.readout_kind == Readout::opamp)
                add_readout(table, name + " " + place, tile.readout);
        }
    return table;
}

PowerRecord record_of(const PowerTerms& terms) {
    PowerRecord record;
    record.read_time = terms.read_time;
    record.amplifier_current = terms.supply.current;
    record.amplifier_supply = terms.supply.voltage;
    record.wire_area = terms.wire_area;
    return record;
}

}  // namespace

std::string power_text(const NetworkPowerReport& report) {
    std::string text = summary_table(report);
    for (const MappingPower& mapping : report.mappings)
        text += fmt::format("\n{}\n\n", to_string(mapping.mapping)) + layer_table(report, mapping);
    return text + explanation(report);
}

nlohmann::json power_json(const NetworkPowerReport& report) {
    nlohmann::json mappings = nlohmann::json::object();
    for (const MappingPower& mapping : report.mappings)
        mappings[std::string(to_string(mapping.mapping))] = mapping_json(report, mapping);
    return {{"images", report.images},
            {"strongest_inputs", report.strongest},
            {"terms", terms_json(report.terms)},
            {"settings", to_toml(report.experiment)},
            {"mappings", mappings}};
}

PowerRecord power_record(const NetworkPowerReport& report) {
    PowerRecord record = record_of(report.terms);
    record.settings = to_toml(report.experiment);
    record.network = report.experiment.network;
    record.data = report.experiment.data;
    record.images = static_cast<double>(report.images);
    for (const MappingPower& mapping : report.mappings)
        record.tables.push_back(table_of(report, mapping));
    return record;
}

std::string power_text(const ArrayPowerReport& report) {
    TextTable table(with_blocks({"input", "power"}, {"energy per read", "worst word-line segment",
                                                     "worst bit-line segment"}));
    for (std::size_t k = 0; k < report.of_inputs.size(); ++k) {
        const ArrayStress& input = report.of_inputs[k];
        std::vector<std::string> row{fmt::to_string(k), watts(input.mean.delivered)};
        add_blocks(input.mean, row);
        row.push_back(format_quantity(input.mean.delivered * report.terms.read_time, "J"));
        for (const SegmentCurrent* worst : {&input.word_line, &input.bit_line})
            row.push_back(fmt::format("{}, {}", current_text(*worst, report.terms), worst->name));
        table.add(std::move(row));
    }
    return table.markdown() +
           fmt::format("\nA read takes {}.\n", format_quantity(report.terms.read_time, "s"));
}

nlohmann::json power_json(const ArrayPowerReport& report) {
    auto inputs = nlohmann::json::array();
    for (const ArrayStress& input : report.of_inputs)
        inputs.push_back({{"power", to_json(input.mean)},
                          {"energy", input.mean.delivered * report.terms.read_time},
                          {"word_line", to_json(input.word_line, report.terms)},
                          {"bit_line", to_json(input.bit_line, report.terms)}});
    return {{"array", report.array}, {"terms", terms_json(report.terms)}, {"inputs", inputs}};
}

PowerRecord power_record(const ArrayPowerReport& report) {
    PowerRecord record = record_of(report.terms);
    record.network = report.array;
    record.data = report.inputs;
    PowerTable table;
    table.name = "array";
    for (std::size_t k = 0; k < report.of_inputs.size(); ++k)
        add_entry(table, fmt::format("input {}", k), 1, report.of_inputs[k]);
    record.tables.push_back(std::move(table));
    return record;
}

}  // namespace kirchnet
