#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include "circuit/error.hpp"
#include "program.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/utf8.hpp"
#include "tools/settings/experiment.hpp"

using namespace kirchnet;
using kirchnet::test::TemporaryFolder;

namespace {

std::string refusal(const std::string& toml) {
    const TemporaryFolder folder;
    Experiment experiment;
    try {
        read_experiment(experiment, folder.write("e.toml", toml));
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("an experiment file sets what it names and leaves the rest") {
    const TemporaryFolder folder;
    Experiment e;
    read_experiment(e, folder.write("e.toml", R"(
        images = 500
        [array]
        size = "64x32"
        segment = "2.12"
        layout = "interleaved"
        drive = "both"
        sense_at = "top"
        [cells]
        on = "33u"
        [mapping]
        names = ["differential", "offset"]
        [faults]
        rate = 5e-3
    )"));
    CHECK(e.images == 500);
    CHECK(e.array == ArrayShape{64, 32});
    CHECK(e.word_line_segment == 2.12);
    CHECK(e.bit_line_segment == 2.12);
    CHECK(e.layout == Layout::interleaved);
    CHECK(e.drive == DriveSide::both);
    CHECK(e.sense_at == SenseSide::top);
    const Wires wires = e.tile_settings(Mapping::offset).wires;
    CHECK(wires.drive == DriveSide::both);
    CHECK(wires.sense_at == SenseSide::top);
    CHECK(e.device.on == 33e-6);
    CHECK(e.device.off == 1e-6);
    CHECK(e.mappings == std::vector{Mapping::differential, Mapping::offset});
    CHECK(e.fault_law.rate == 0.005);
    CHECK(e.fault_law.stuck_on_per_off == 5.2);
}

TEST_CASE("keys given later win over the file") {
    const TemporaryFolder folder;
    const auto file = folder.write("e.toml", "[array]\nsize = \"64x64\"\n");
    const auto e = make_experiment(file, {{"array.size", "32x16"}, {"array.segment", "1k"}});
    CHECK(e.array == ArrayShape{32, 16});
    CHECK(e.bit_line_segment == 1000);
}

TEST_CASE("an experiment written as TOML reads back as the same experiment") {
    const TemporaryFolder folder;
    Experiment e;
    e.network = "a \"quoted\\ name\n.h5";
    e.device = {1.0 / 3e4, 1.0 / 7e6};
    e.mappings = {Mapping::offset};
    e.seed = 18446744073709551615ULL;
    e.converters = {0, 12, Operators::ideal};
    e.unused = Unused::trim;
    e.drive = DriveSide::right;
    e.sense_at = SenseSide::both;
    e.cell_law = "table:cell.csv";
    e.read_voltage = 0.15;
    e.nonlinear_layers = {"conv1", "layer1.0.conv1"};
    e.nonlinear_positions = 0;
    e.readout_kind = Readout::opamp;
    e.readout.circuit.amplifier = {.gain = 500, .offset = 1e-3, .swing = 0.9};
    e.readout.circuit.feedback_resistance = 1234.5;
    e.readout.mismatch = 0.01;
    e.readout.feedback_mismatch = 0.02;
    e.readout.offset_deviation = 3e-3;
    e.readout.circuit.kind = SubtractorKind::current_mode;
    e.readout.circuit.amplifier.limit = SwingLimit::hard;
    e.readout.circuit.hold = {
        .capacitance = 1e-14, .pedestal = 1e-3, .hold_time = 1e-8, .temperature = 0};
    e.has_converters = true;
    e.correction = {CorrectionKind::reference_column, CorrectionFit::chip};
    e.trials = 7;
    e.device_laws = {0.1, 0.01, 0.02, 0.03, 0.05, 0.005, 3600};
    const std::string text = to_toml(e);
    Experiment again;
    read_experiment(again, folder.write("e.toml", text));
    CHECK(again.network == e.network);
    CHECK(again.device == e.device);
    CHECK(again.seed == e.seed);
    CHECK(again.converters.adc_bits == 12);
    CHECK(again.converters.calibrate_on == Operators::ideal);
    CHECK(again.unused == Unused::trim);
    CHECK(again.drive == DriveSide::right);
    CHECK(again.sense_at == SenseSide::both);
    CHECK(again.cell_law == "table:cell.csv");
    CHECK(again.read_voltage == 0.15);
    CHECK(again.nonlinear_layers == e.nonlinear_layers);
    CHECK(again.nonlinear_positions == 0);
    CHECK(again.device_laws == e.device_laws);
    CHECK(again.readout_kind == Readout::opamp);
    CHECK(again.readout == e.readout);
    CHECK(again.has_converters);
    CHECK(again.linear_readout()->read_voltage == 0.15);
    CHECK(again.correction == e.correction);
    CHECK(again.tile_settings(Mapping::offset).reference_column);
    CHECK(again.trials == 7);
    CHECK(to_toml(again) == text);
}

TEST_CASE("files of before keep being read where keys that are gone changed nothing") {
    const TemporaryFolder folder;
    const auto neutral = folder.write(
        "old.toml",
        "[readout]\nadc_bits = 0\nadc_range = 0\nadc_offset = 0\nadc_gain = 1\nadc_inl = []\n");
    CHECK(to_toml(make_experiment(neutral, {})) == to_toml(Experiment()));
    const auto used = folder.write("used.toml", "[readout]\nadc_bits = 6\n");
    CHECK_THROWS_WITH_AS(make_experiment(used, {}), doctest::Contains("converters.adc_bits"),
                         InvalidInput);
}

TEST_CASE("a preset is set before the other keys of its source, wherever it stands") {
    const TemporaryFolder folder;
    // TOML has no order: `array` sorts before `preset`.
    const auto file = folder.write("e.toml", "preset = \"isaac\"\n[array]\nsize = \"64x64\"\n");
    const auto e = make_experiment(file, {});
    CHECK(e.array == ArrayShape{64, 64});
    CHECK(e.bits_per_cell == 2);
    const auto again = make_experiment(file, {{"mapping.bits_per_cell", "4"}, {"preset", "prime"}});
    CHECK(again.array == ArrayShape{256, 256});
    CHECK(again.bits_per_cell == 4);
    CHECK(again.preset == "prime");
}

TEST_CASE("presets are the designs of their sources") {
    const auto preset = [](const std::string& name) {
        return make_experiment("", {{"preset", name}});
    };
    // Shafiee et al., ISCA 2016: 128 columns at 1.28 GS/s are one cycle of 100 ns, and one of the
    // ADC's 255 codes is one level of a 2-bit cell.
    const auto isaac = preset("isaac");
    const auto& timing = isaac.converters.timing;
    CHECK(timing.columns_per_adc / timing.adc_rate == doctest::Approx(timing.cycle_time));
    const double levels = 128 * 3 * isaac.device.on / isaac.device.span();
    CHECK(isaac.converters.adc_full_scale * levels == doctest::Approx(255).epsilon(1e-12));
    CHECK(slice_count(isaac.tile_settings(Mapping::offset)) == 8);
    // Chi et al., ISCA 2016: two cells a weight, two reads an input.
    const auto prime = preset("prime");
    CHECK(slice_count(prime.tile_settings(Mapping::two_column)) == 2);
    CHECK(input_reads(prime.converters.dac(1, false)).size() == 2);
    // He et al., DAC 2019: g_wire = 0.0357 S, 3 kohm and 3 Mohm.
    const auto pytorx = preset("pytorx");
    CHECK(1 / pytorx.word_line_segment == doctest::Approx(0.0357).epsilon(1e-3));
    CHECK(1 / pytorx.device.off == doctest::Approx(3e6).epsilon(2e-3));
    CHECK(1 / preset("neurosim").device.on == doctest::Approx(240e3));
    CHECK(preset("ideal").converters.adc_bits == 0);
    CHECK_THROWS_WITH_AS((void)preset("tpu"), doctest::Contains("ideal, pytorx, isaac"),
                         InvalidInput);
}

TEST_CASE(
    "an experiment with a preset reads back, changed keys too, with sources beside the rest") {
    const TemporaryFolder folder;
    for (const std::string name : {"ideal", "pytorx", "isaac", "prime", "neurosim"}) {
        const auto e = make_experiment(
            "", {{"preset", name}, {"array.size", "40x30"}, {"converters.adc_percentile", "99.5"}});
        const auto text = to_toml(e);
        const auto again = make_experiment(folder.write("e.toml", text), {});
        CHECK(to_toml(again) == text);
        CHECK(again.preset == name);
        CHECK(again.converters.adc_percentile == 99.5);
        CHECK_FALSE(test::contains(text, "\"40x30\"  #"));
        CHECK(test::contains(text, "  # " + name + ": "));
    }
}

TEST_CASE("errors of ADCs have keys that read back, seed and trial with them") {
    const auto e = make_experiment("", {{"converters.adc_offset", "-0.5"},
                                        {"converters.adc_offset_deviation", "0.25"},
                                        {"converters.adc_gain", "1.02"},
                                        {"converters.adc_gain_deviation", "0.01"},
                                        {"converters.adc_inl", "0,1.5,-1.5,0"},
                                        {"converters.adc_noise", "0.7"},
                                        {"faults.seed", "12"},
                                        {"faults.trial", "3"}});
    const AdcErrors errors = e.converter_settings().adc_errors;
    CHECK(errors.offset == -0.5);
    CHECK(errors.offset_deviation == 0.25);
    CHECK(errors.gain == 1.02);
    CHECK(errors.gain_deviation == 0.01);
    CHECK(errors.inl == std::vector{0.0, 1.5, -1.5, 0.0});
    CHECK(errors.noise == 0.7);
    CHECK(errors.seed == 12);
    CHECK(errors.trial == 3);
    Experiment again;
    const TemporaryFolder folder;
    read_experiment(again, folder.write("e.toml", to_toml(e)));
    CHECK(to_toml(again) == to_toml(e));
    CHECK_FALSE(Experiment().converters.adc_errors.are_there());
}

TEST_CASE("precision has keys, and each names itself when it is refused") {
    using test::contains;
    const auto e = make_experiment("", {{"mapping.bits_per_cell", "2"},
                                        {"converters.input_bits", "8"},
                                        {"converters.dac_bits", "1"},
                                        {"converters.signed_inputs", "two_pass"},
                                        {"converters.adc_range", "manual"},
                                        {"converters.adc_full_scale", "0.5"},
                                        {"converters.subtract", "after"},
                                        {"converters.columns_per_adc", "8"},
                                        {"converters.adc_rate", "1.28G"},
                                        {"converters.cycle_time", "100n"}});
    CHECK(e.tile_settings(Mapping::two_column).bits_per_cell == 2);
    CHECK(e.tile_settings(Mapping::two_column).subtraction == Subtraction::after);
    CHECK(e.converters.dac(1, false).bits == 8);
    CHECK(e.converters.dac(1, false).bits_per_read == 1);
    CHECK(e.converters.timing.adc_rate == 1.28e9);
    CHECK(contains(refusal("[converters]\nadc_percentile = 120\n"), "converters.adc_percentile"));
    CHECK(contains(refusal("[converters]\nadc_full_scale = 0\n"), "converters.adc_full_scale"));
    CHECK(contains(refusal("[converters]\nadc_gain = 0\n"), "converters.adc_gain"));
    CHECK(contains(refusal("[converters]\nadc_noise = -1\n"), "converters.adc_noise"));
    CHECK(contains(refusal("[converters]\nadc_inl = [1.5]\n"), "converters.adc_inl"));
    CHECK(contains(refusal("[converters]\nadc_range = \"auto\"\n"), "full, calibrated, manual"));
    CHECK(contains(refusal("[converters]\ncolumns_per_adc = 0\n"), "columns_per_adc"));
    CHECK(contains(refusal("[converters]\nsubtract = \"no\"\n"), "neither before nor after"));
    CHECK(contains(refusal("preset = \"tpu\"\n"), "e.toml:1:"));
}

TEST_CASE("what is wrong in a file is named with line and column") {
    using test::contains;
    CHECK(contains(refusal("images = 3\n[array]\nsise = \"8x8\"\n"), "e.toml:3:"));
    CHECK(contains(refusal("[array]\nsise = \"8x8\"\n"), "did you mean array.size?"));
    CHECK(contains(refusal("[array]\nsize = \"8\"\n"), "array.size"));
    CHECK(contains(refusal("[array\n"), "e.toml:1:"));
    CHECK(contains(refusal("images = -1\n"), "not a whole number"));
    CHECK(contains(refusal("images = true\n"), "'true' is not a whole number"));
    CHECK(contains(refusal("[faults]\nrate = 1.5\n"), "not within 0 and 1"));
    CHECK(contains(refusal("[faults]\nrate = nan\n"), "faults.rate"));
    CHECK(contains(refusal("[array]\ndriver = -3\n"), "negative"));
    CHECK(contains(refusal("[mapping]\nnames = [\"offset\", \"offset\"]\n"), "twice"));
    CHECK(contains(refusal("[readout]\ngain = 0\n"), "readout.gain"));
    CHECK(contains(refusal("[budget]\ntrials = 0\n"), "at least one trial"));
    CHECK(refusal("[budget]\ntrials = \"auto\"\n") == "accepted");
    CHECK(contains(refusal("[device]\nvariation = -0.1\n"), "device.variation"));
    CHECK(contains(refusal("[device]\ntime_ratio = 0\n"), "above 0"));
    CHECK(refusal("[array]\ndriver = inf\n") == "accepted");
    CHECK(refusal("\xEF\xBB\xBFimages = 3\n") == "accepted");
    CHECK(contains(refusal("\xEF\xBB\xBF?"), "e.toml:1:"));
    CHECK(contains(refusal("images = 3 # \xC3("), "UTF-8"));
    Experiment e;
    CHECK_THROWS_AS(read_experiment(e, "no/such/file.toml"), InvalidInput);
}

TEST_CASE("well-formed UTF-8 is told from malformed (RFC 3629, section 4)") {
    CHECK_FALSE(find_invalid_utf8("plain"));
    CHECK_FALSE(find_invalid_utf8("\xCE\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
    CHECK(find_invalid_utf8("a\x80") == std::size_t{1});
    CHECK(find_invalid_utf8("\xC0\xAF") == std::size_t{0});          // overlong
    CHECK(find_invalid_utf8("\xE0\x80\x80") == std::size_t{0});      // overlong
    CHECK(find_invalid_utf8("\xED\xA0\x80") == std::size_t{0});      // surrogate
    CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == std::size_t{0});  // beyond U+10FFFF
    CHECK(find_invalid_utf8("ab\xE2\x82") == std::size_t{2});        // cut short
}

TEST_CASE("a limit of threads holds as long as it lives") {
    const auto allowed = [] {
        return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    };
    const std::size_t before = allowed();
    {
        const ThreadLimit limit(1);
        CHECK(allowed() == 1);
    }
    CHECK(allowed() == before);
}
