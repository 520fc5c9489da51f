#include "data/network_file.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// The fixture after `edit`, a Python line that changes the open h5py file `f`.
std::optional<std::string> refusal_after(const std::string& edit) {
    const TemporaryFolder folder;
    const auto path = folder / "net.h5";
    write_file(path, read_file(fixture("h5py_files/network.h5")));
    const auto output = python("f = h5py.File(sys.argv[1], 'a')\n" + edit + "\nf.close()", path);
    if (!output) return std::nullopt;
    CHECK(*output == "");
    const std::string message = refusal([&] { read_network(path); });
    CHECK_MESSAGE(message.starts_with(path.string()), message);
    return message;
}

void check_refused(const std::string& edit, const std::string& key) {
    const auto message = refusal_after(edit);
    if (message) CHECK_MESSAGE(message->find(key) != std::string::npos, *message);
}

}  // namespace

TEST_CASE("a network is read back exactly as it was written") {
    const TemporaryFolder folder;
    const Network network = small_network();
    write_network(folder / "net.h5", network);
    CHECK(read_network(folder / "net.h5") == network);
    CHECK(is_network_file(folder / "net.h5"));
    CHECK(folder.entries() == 1);
}

TEST_CASE("a written network reads as intended in h5py") {
    const TemporaryFolder folder;
    write_network(folder / "net.h5", small_network());
    const auto output = python(R"(
f = h5py.File(sys.argv[1], 'r')
print(f.attrs['format'], f.attrs['format_version'], f.attrs['name'], list(f.attrs['input_shape']))
print(*f['nodes'])
c = f['nodes/layer1.0.conv1']
print(c.attrs['op'], list(c.attrs['inputs']), c.attrs['stride'], c.attrs['padding'], c.attrs['groups'])
print(c['weight'].shape, c['weight'].dtype, c['weight'][2, 0, 1, 1], c['weight'].attrs['units'])
print(list(f['nodes/add'].attrs['inputs']), f['nodes/pool'].attrs['kind'], f['provenance'].attrs['licence'])
print('inputs' in f['nodes/zero'].attrs, 'bias' in f['nodes/fc'], f['deviation'][1])
print(np.float32(f['nodes/bn'].attrs['epsilon']), f['nodes/bn/running_variance'][3])
)",
                               folder / "net.h5");
    // Weights are -1 + 0.1 i: index (2, 0, 1, 1) of 4 x 1 x 3 x 2 is i = 2 * 6 + 1 * 2 + 1 = 15.
    if (output)
        CHECK(*output ==
              "kirchnet network 1 small [2, 5, 4]\n"
              "zero layer1.0.conv1 bn relu again add pad pool mean fc\n"
              "conv ['zero'] 2 1 2\n"
              "(4, 1, 3, 2) float32 0.5 1\n"
              "['relu', 'again'] maximum none\n"
              "False False 0.4\n"
              "0.001 4.3\n");
}

TEST_CASE("a network file written by h5py after the documentation is understood") {
    const Network network = read_network(fixture("h5py_files/network.h5"));
    CHECK(network.name == "every operator");
    CHECK(network.input == ImageShape{2, 5, 4});
    CHECK(network.mean == std::vector<float>{0.5F, 0.25F});
    CHECK(network.deviation == std::vector<float>{0.125F, 2.0F});
    CHECK(network.provenance.at("source") == "drawn up by hand");
    REQUIRE(network.nodes.size() == 9);
    CHECK(network.nodes[0] == Node{"image", InputOp{}, {}});
    const auto& conv = std::get<ConvOp>(network.nodes[1].operation);
    CHECK(conv.weight.shape == std::vector<std::size_t>{4, 1, 3, 2});
    CHECK(conv.weight.values[23] == -3 + 23 * 0.25F);
    CHECK(conv.bias.values == std::vector<float>{0, 0.25F, 0.5F, 0.75F});
    CHECK(conv.stride == 2);
    CHECK(conv.padding == 1);
    CHECK(conv.groups == 2);
    const auto& norm = std::get<BatchNormOp>(network.nodes[2].operation);
    CHECK(norm.weight.values[0] == 1);
    CHECK(norm.bias.values[0] == 2);
    CHECK(norm.running_mean.values[0] == 3);
    CHECK(norm.running_variance.values[3] == 4.75F);
    CHECK(norm.epsilon == 0.001F);
    CHECK(network.nodes[4] == Node{"narrow", PoolOp{PoolOp::Kind::maximum, 3, 1, 1}, {"relu"}});
    CHECK(network.nodes[5] == Node{"sum", AddOp{}, {"narrow", "relu"}});
    CHECK(network.nodes[6] == Node{"pad", PadShortcutOp{2, 6}, {"sum"}});
    CHECK(network.nodes[8].name == "fc");
    CHECK(std::get<LinearOp>(network.nodes[8].operation).bias == Tensor{});
}

TEST_CASE("a layer keeps the ratio it was pruned to, and one that was not has no attribute") {
    const TemporaryFolder folder;
    Network network = small_network();
    network.nodes[1].pruned_ratio = 0.625;
    write_network(folder / "net.h5", network);
    CHECK(read_network(folder / "net.h5") == network);
    const auto output = python(R"(
f = h5py.File(sys.argv[1], 'r')
print(f['nodes/layer1.0.conv1'].attrs['pruned_ratio'], 'pruned_ratio' in f['nodes/fc'].attrs)
)",
                               folder / "net.h5");
    if (output) CHECK(*output == "0.625 False\n");
    // A file from before there were ratios.
    CHECK(read_network(fixture("h5py_files/network.h5")).nodes[1].pruned_ratio == 0);
}

TEST_CASE("a wrong network file is refused by file and key") {
    SUBCASE("other format") {
        check_refused("f.attrs['format'] = 'kirchnet images'", "is a 'kirchnet images' file");
    }
    SUBCASE("no format") {
        check_refused("del f.attrs['format']", "'format' is missing");
    }
    SUBCASE("format is a number") {
        check_refused("f.attrs['format'] = 3", "'format'");
    }
    SUBCASE("version") {
        check_refused("f.attrs['format_version'] = 2", "format_version 2");
    }
    SUBCASE("missing tensor") {
        check_refused("del f['nodes/conv/weight']", ":/nodes/conv/weight: data set is missing");
    }
    SUBCASE("group instead of tensor") {
        check_refused("del f['nodes/conv/weight']; f.create_group('nodes/conv/weight')",
                      ":/nodes/conv/weight: is not a data set");
    }
    SUBCASE("text instead of numbers") {
        check_refused("del f['mean']; f['mean'] = ['a', 'b']", ":/mean: holds text");
    }
    SUBCASE("rank") {
        check_refused("del f['nodes/fc/weight']; f['nodes/fc/weight'] = np.ones(18)",
                      ":/nodes/fc/weight: has shape 18, 2 dimensions are needed");
    }
    SUBCASE("NaN") {
        check_refused("f['nodes/conv/weight'][1, 0, 2, 1] = np.nan",
                      ":/nodes/conv/weight: value 11 is nan");
    }
    SUBCASE("infinity from a double that no float holds") {
        check_refused("del f['nodes/conv/bias']; f['nodes/conv/bias'] = [1e300, 0, 0, 0]",
                      ":/nodes/conv/bias: value 0 is inf");
    }
    SUBCASE("operator") {
        check_refused("f['nodes/relu'].attrs['op'] = 'softmax'", "operator 'softmax'");
    }
    SUBCASE("later node as input") {
        check_refused("f['nodes/conv'].attrs['inputs'] = ['fc']", "input 'fc' is no earlier node");
    }
    SUBCASE("index twice") {
        check_refused("f['nodes/relu'].attrs['index'] = 1", "shares its attribute 'index'");
    }
    SUBCASE("pruned ratio") {
        check_refused("f['nodes/conv'].attrs['pruned_ratio'] = 1.5",
                      ":/nodes/conv: attribute 'pruned_ratio' is 1.5");
    }
    SUBCASE("negative stride") {
        check_refused("f['nodes/conv'].attrs['stride'] = -2", ":/nodes/conv: attribute 'stride'");
    }
    SUBCASE("fractional padding") {
        check_refused("f['nodes/conv'].attrs['padding'] = 0.5", "attribute 'padding'");
    }
    SUBCASE("pool kind") {
        check_refused("f['nodes/pool'].attrs['kind'] = 'min'", "'min'");
    }
    SUBCASE("input shape") {
        check_refused("f.attrs['input_shape'] = [3, 0, 4]", "input_shape");
    }
    SUBCASE("deviation") {
        check_refused("f['deviation'][1] = 0", ":/deviation: channel 1");
    }
    SUBCASE("no node") {
        check_refused("del f['nodes']; f.create_group('nodes')", "no node");
    }
}

TEST_CASE("a header that announces more than the file holds takes no memory") {
    SUBCASE("nothing was ever written") {
        check_refused(
            "del f['nodes/conv/weight']\n"
            "f.create_dataset('nodes/conv/weight', (1 << 20, 1 << 20, 3, 3), 'f4')",
            "announces");
    }
    SUBCASE("chunked, one chunk written") {
        check_refused(
            "del f['nodes/conv/weight']\n"
            "d = f.create_dataset('nodes/conv/weight', (1 << 15, 1 << 15, 3, 3), 'f4',\n"
            "                     chunks=(4, 1, 3, 2), compression='gzip')\n"
            "d[0:4, 0:1, :, 0:2] = 1",
            "announces");
    }
    SUBCASE("more elements than any memory counts") {
        check_refused(
            "del f['nodes/conv/weight']\n"
            "f.create_dataset('nodes/conv/weight', (1 << 31, 1 << 31, 3, 3), 'f4',\n"
            "                 chunks=(4, 1, 3, 2))",
            "nodes/conv/weight");
    }
    SUBCASE("values in another file") {
        check_refused(
            "del f['mean']\n"
            "f.create_dataset('mean', (2,), 'f4', external=[('/etc/passwd', 0, 8)])",
            ":/mean: ");
    }
}

TEST_CASE("a node name that is no HDF5 name is refused before anything is written") {
    const TemporaryFolder folder;
    for (const char* name : {"", ".", "a/b"}) {
        Network network = small_network();
        network.nodes[0].name = name;
        CHECK(refusal([&] { write_network(folder / "net.h5", network); }).find("name '") == 0);
    }
    CHECK(folder.entries() == 0);
}

TEST_CASE("a tensor whose shape and values disagree is refused before anything is written") {
    const TemporaryFolder folder;
    Network network = small_network();
    std::get<LinearOp>(network.nodes.back().operation).weight.shape = {3, 7};
    CHECK(refusal([&] {
              write_network(folder / "net.h5", network);
          }).find("shape 3x7 needs 21 values, there are 24") != std::string::npos);
    CHECK(folder.entries() == 0);
}

namespace {

/// A detector with one of each operator that has no weights.
Network small_detector() {
    Network network = small_network();
    network.nodes = {
        {"image", InputOp{}, {}},
        {"mish", ActivationOp{.kind = ActivationOp::Kind::mish}, {"image"}},
        {"leaky", ActivationOp{.kind = ActivationOp::Kind::leaky_relu, .slope = 0.3F}, {"mish"}},
        {"both", ConcatOp{}, {"image", "leaky", "mish"}},
        {"part", SliceOp{2, 3}, {"both"}},
        {"large", UpsampleOp{4}, {"part"}},
        {"pool", PoolOp{PoolOp::Kind::average, 3, 2, 0, 1, false}, {"large"}}};
    network.detection_classes = 2;
    network.heads = {{"pool", {{10, 13}, {16.5F, 30}}, 1.05F}, {"part", {{1, 2}}, 1}};
    return network;
}

}  // namespace

TEST_CASE("a detector with its heads is read back exactly as it was written") {
    const TemporaryFolder folder;
    write_network(folder / "net.h5", small_detector());
    CHECK(read_network(folder / "net.h5") == small_detector());
    const auto output = python(R"(
f = h5py.File(sys.argv[1], 'r')
d = f['detection']
print(d.attrs['classes'], *d, d['head0'].attrs['node'], d['head1'].attrs['index'])
print(d['head0/anchors'][:].tolist(), np.float32(d['head0'].attrs['scale_xy']))
n = f['nodes']
print(n['mish'].attrs['kind'], np.float32(n['leaky'].attrs['slope']), list(n['both'].attrs['inputs']))
print(n['part'].attrs['first'], n['part'].attrs['count'], n['large'].attrs['factor'])
print(n['pool'].attrs['extra_padding'], n['pool'].attrs['counts_padding'])
)",
                               folder / "net.h5");
    if (output)
        CHECK(*output ==
              "2 head0 head1 pool 1\n"
              "[[10.0, 13.0], [16.5, 30.0]] 1.05\n"
              "mish 0.3 ['image', 'leaky', 'mish']\n"
              "2 3 4\n"
              "1 0\n");
}

TEST_CASE("a file without the later attributes of pools means centred pools that count padding") {
    const TemporaryFolder folder;
    const auto path = folder / "net.h5";
    write_network(path, small_network());
    const auto output = python(
        "f = h5py.File(sys.argv[1], 'a')\n"
        "for p in ('pool', 'mean'):\n"
        "    del f['nodes'][p].attrs['extra_padding'], f['nodes'][p].attrs['counts_padding']\n"
        "f.close()",
        path);
    if (output) CHECK(read_network(path) == small_network());
}

TEST_CASE("an unknown activation and damaged heads are refused by name") {
    const TemporaryFolder folder;
    const auto path = folder / "net.h5";
    const auto refused = [&](const std::string& edit, const std::string& words) {
        write_network(path, small_detector());
        const auto output =
            python("f = h5py.File(sys.argv[1], 'a')\n" + edit + "\nf.close()", path);
        if (!output) return;
        const std::string message = refusal([&] { read_network(path); });
        CHECK_MESSAGE(message.find(words) != std::string::npos, message);
    };
    refused("f['nodes/mish'].attrs['kind'] = 'gelu'", "/nodes/mish: activation 'gelu' is none of");
    refused("del f['detection'].attrs['classes']", "classes");
    refused("f['detection/head1'].attrs['index'] = 0", "shares its attribute 'index'");
    refused(
        "del f['detection/head0/anchors']\n"
        "f['detection/head0/anchors'] = np.ones((2, 3), 'f4')",
        "width and height");
}
