#include <numeric>

#include "data/import.hpp"
#include "data/network_file.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

using Names = std::vector<std::string>;
using Shape = std::vector<std::size_t>;

Names names(const Network& network) {
    Names all;
    for (const Node& each : network.nodes) all.push_back(each.name);
    return all;
}

struct Parameters {
    std::size_t count = 0;
    double sum = 0;

    void add(const Tensor& tensor) {
        count += tensor.values.size();
        sum = std::accumulate(tensor.values.begin(), tensor.values.end(), sum);
    }
};

Parameters parameters(const Network& network) {
    Parameters total;
    for (const Node& each : network.nodes) {
        if (const auto* conv = std::get_if<ConvOp>(&each.operation)) total.add(conv->weight);
        if (const auto* linear = std::get_if<LinearOp>(&each.operation)) {
            total.add(linear->weight);
            total.add(linear->bias);
        }
        if (const auto* norm = std::get_if<BatchNormOp>(&each.operation))
            for (const Tensor* tensor :
                 {&norm->weight, &norm->bias, &norm->running_mean, &norm->running_variance})
                total.add(*tensor);
    }
    return total;
}

/// What is said about `name` after `edit`, Python that changes the open file `f`.
std::string refusal_after(const std::string& name, const std::string& edit) {
    const TemporaryFolder folder;
    const auto path = folder / "state.h5";
    write_file(path, read_file(fixture("state_dicts/" + name)));
    const auto output = python("f = h5py.File(sys.argv[1], 'a')\n" + edit + "\nf.close()", path);
    if (!output) return "";
    CHECK(*output == "");
    const std::string message = refusal([&] { import_network(path); });
    CHECK_MESSAGE(message.starts_with(path.string()), message);
    return message;
}

void check_refused(const std::string& name, const std::string& edit, const std::string& words) {
    const std::string message = refusal_after(name, edit);
    if (!message.empty()) CHECK_MESSAGE(message.find(words) != std::string::npos, message);
}

}  // namespace

TEST_CASE("torchvision's names with projections become a graph of the same names") {
    const Network network = import_network(fixture("state_dicts/downsample.h5"));
    CHECK(names(network) == Names{"input",
                                  "conv1",
                                  "bn1",
                                  "relu1",
                                  "layer1.0.conv1",
                                  "layer1.0.bn1",
                                  "layer1.0.relu1",
                                  "layer1.0.conv2",
                                  "layer1.0.bn2",
                                  "layer1.0.add",
                                  "layer1.0.relu2",
                                  "layer1.1.conv1",
                                  "layer1.1.bn1",
                                  "layer1.1.relu1",
                                  "layer1.1.conv2",
                                  "layer1.1.bn2",
                                  "layer1.1.add",
                                  "layer1.1.relu2",
                                  "layer2.0.conv1",
                                  "layer2.0.bn1",
                                  "layer2.0.relu1",
                                  "layer2.0.conv2",
                                  "layer2.0.bn2",
                                  "layer2.0.downsample.0",
                                  "layer2.0.downsample.1",
                                  "layer2.0.add",
                                  "layer2.0.relu2",
                                  "avgpool",
                                  "fc"});
    CHECK(network.input == ImageShape{3, 32, 32});
    CHECK(network.mean == std::vector<float>{0, 0, 0});
    CHECK(network.deviation == std::vector<float>{1, 1, 1});
    CHECK(network.provenance.at("assumed_normalisation").find("mean 0, deviation 1") !=
          std::string::npos);
    CHECK(node(network, "layer1.1.add").inputs == Names{"layer1.1.bn2", "layer1.0.relu2"});
    CHECK(node(network, "layer2.0.add").inputs == Names{"layer2.0.bn2", "layer2.0.downsample.1"});
    CHECK(node(network, "layer2.0.downsample.0").inputs == Names{"layer1.1.relu2"});
    const auto& half = operation<ConvOp>(network, "layer2.0.conv1");
    CHECK(half.stride == 2);
    CHECK(half.padding == 1);
    CHECK(half.weight.shape == Shape{3, 2, 3, 3});
    // Tensors count 5 in the stem, 10 in each block of layer1, so this is number 25 (make.py).
    CHECK(half.weight.values[53] == 25 + 53 / 1024.0F);
    const auto& projection = operation<ConvOp>(network, "layer2.0.downsample.0");
    CHECK(projection.stride == 2);
    CHECK(projection.padding == 0);
    CHECK(projection.weight.shape == Shape{3, 2, 1, 1});
    CHECK(operation<ConvOp>(network, "layer1.1.conv1").stride == 1);
    CHECK(operation<BatchNormOp>(network, "bn1").epsilon == 1e-5F);
    CHECK(operation<BatchNormOp>(network, "bn1").running_variance.values[1] == 4 + 1 / 1024.0F);
    CHECK(operation<LinearOp>(network, "fc").bias.shape == Shape{5});
}

TEST_CASE("file attributes give image, normalisation and batch-norm epsilon") {
    const Network network = import_network(fixture("state_dicts/shortcut.h5"));
    CHECK(network.input == ImageShape{1, 28, 20});
    CHECK(network.mean == std::vector<float>{0.25F});
    CHECK(network.deviation == std::vector<float>{0.5F});
    CHECK(operation<BatchNormOp>(network, "bn1").epsilon == 0.01F);
    CHECK(network.provenance.at("bn_eps") == "0.01");
    CHECK(!network.provenance.contains("assumed_normalisation"));
    CHECK(operation<ConvOp>(network, "layer1.0.shortcut.0").stride == 1);
    CHECK(operation<LinearOp>(network, "classifier.4").bias == Tensor{});
    CHECK(network.nodes.back().name == "classifier.4");
}

TEST_CASE("a block that grows without projection gets a padded shortcut") {
    const Network network = import_network(fixture("state_dicts/padded.h5"));
    CHECK(node(network, "layer2.0.shortcut") ==
          Node{"layer2.0.shortcut", PadShortcutOp{2, 6}, {"layer1.0.relu2"}});
    CHECK(node(network, "layer2.0.add").inputs == Names{"layer2.0.bn2", "layer2.0.shortcut"});
    CHECK(network.provenance.at("license") == "MIT");
}

TEST_CASE("what does not fit a CIFAR ResNet is refused by file and tensor") {
    SUBCASE("missing tensor") {
        check_refused("padded.h5", "del f['layer2.0.bn1.running_var']",
                      ":/layer2.0.bn1.running_var: tensor is missing");
    }
    SUBCASE("missing first convolution") {
        check_refused("padded.h5", "del f['conv1.weight']", ":/conv1.weight: tensor is missing");
    }
    SUBCASE("missing block") {
        check_refused("downsample.h5", "for k in list(f):\n  if 'layer1.0' in k: del f[k]",
                      "layer1.1");
    }
    SUBCASE("missing classifier") {
        check_refused("padded.h5", "del f['linear.weight']", "classifier");
    }
    SUBCASE("tensor without a place") {
        check_refused("padded.h5", "f['layer2.0.conv3.weight'] = np.ones((6, 6, 1, 1), 'f4')",
                      "1 tensor has no place in a CIFAR ResNet of basic blocks: "
                      "layer2.0.conv3.weight");
    }
    SUBCASE("two classifiers") {
        check_refused("padded.h5", "f['aux.weight'] = np.ones((4, 6), 'f4')",
                      "more than one classifier: aux.weight, linear.weight");
    }
    SUBCASE("channels") {
        check_refused(
            "padded.h5",
            "del f['layer1.0.conv1.weight']\n"
            "f['layer1.0.conv1.weight'] = np.ones((2, 5, 3, 3), 'f4')",
            ":/layer1.0.conv1.weight: has shape 2x5x3x3, a 3x3 convolution of 2 channels");
    }
    SUBCASE("ImageNet's first convolution, which has projections for shortcuts") {
        check_refused("padded.h5",
                      "del f['conv1.weight']; f['conv1.weight'] = np.ones((2, 3, 7, 7), 'f4')",
                      ":/layer2.0.bn2.weight: gives 6 channels of 28x28 pixels, its shortcut 2");
    }
    SUBCASE("batch norm of another width") {
        check_refused("padded.h5", "del f['bn1.bias']; f['bn1.bias'] = np.ones(3, 'f4')",
                      ":/bn1.bias: has shape 3, its neighbours need 2");
    }
    SUBCASE("odd padding") {
        check_refused("downsample.h5", "for k in list(f):\n  if 'downsample' in k: del f[k]",
                      "layer2.0.downsample.0.weight: is missing, and 2 channels cannot be padded");
    }
    SUBCASE("NaN") {
        check_refused("padded.h5", "f['layer1.0.conv2.weight'][1, 0, 0, 2] = np.nan",
                      ":/layer1.0.conv2.weight: value 20 is nan");
    }
    SUBCASE("negative variance") {
        check_refused("padded.h5", "f['bn1.running_var'][0] = -1",
                      ":/bn1.running_var: holds -1, a negative variance");
    }
    SUBCASE("words instead of weights") {
        check_refused("padded.h5", "del f['bn1.bias']; f['bn1.bias'] = ['a', 'b']",
                      ":/bn1.bias: holds text");
    }
    SUBCASE("normalisation of another number of channels") {
        check_refused("padded.h5", "f.attrs['normalisation_mean'] = [0.5]",
                      "'normalisation_mean' holds 1 values for 3 channels");
    }
    SUBCASE("zero deviation") {
        check_refused("padded.h5", "f.attrs['normalisation_std'] = [1, 0, 1.]",
                      "'normalisation_std' holds 0");
    }
    SUBCASE("input shape") {
        check_refused("padded.h5", "f.attrs['input_shape'] = '32 x 32'", "'32 x 32'");
        check_refused("padded.h5", "f.attrs['input_shape'] = '1x32x32'", "takes 3 channels");
    }
    SUBCASE("not a ResNet") {
        check_refused("padded.h5", "for k in list(f):\n  if 'layer' in k: del f[k]",
                      "parameters do not tell what else it does");
    }
}

TEST_CASE("the published CIFAR-10 ResNets are imported whole") {
    // Number and sum of all parameters: h5py, math.fsum over every data set of the file; the
    // single weight: the same data set indexed by h5py. Sums here are plain, hence 1e-9.
    struct Published {
        const char* file;
        std::size_t depth;  ///< blocks per stage
        bool projection;
        std::size_t count;
        double sum;
        float last_of_stage3;  ///< [stage 3].0.conv1.weight[63, 31, 0, 2]
    };
    const Published all[] = {
        {"cifar10_resnet20_optA.h5", 3, false, 271098, 139.78264955982084, -0.16229012608528137F},
        {"cifar10_resnet32_optA.h5", 5, false, 466426, 721.5178900284964, 0.092913419008255F},
        {"cifar10_resnet56_optA.h5", 9, false, 857082, 1427.8790116970986, -0.11866819113492966F},
        {"cifar10_resnet20_optB.h5", 3, true, 274042, 21828.32732920499, -0.3013819754123688F},
        {"cifar10_resnet32_optB.h5", 5, true, 469370, 81210.30583302287, 0.4374030828475952F},
        {"cifar10_resnet56_optB.h5", 9, true, 860026, 234752.16824535342, -0.20596589148044586F}};
    for (const Published& published : all) {
        const auto path = external(std::string("networks/") + published.file);
        if (!path) return;
        CAPTURE(published.file);
        const Network network = import_network(*path);
        // Stem 4, seven per block, two shortcuts of one or two nodes, pool and classifier.
        CHECK(network.nodes.size() ==
              4 + 7 * 3 * published.depth + (published.projection ? 4 : 2) + 2);
        const Parameters found = parameters(network);
        CHECK(found.count == published.count);
        CHECK(found.sum == doctest::Approx(published.sum).epsilon(1e-9));
        const std::string stage = published.projection ? "res" : "layer";
        const auto& conv = operation<ConvOp>(network, stage + "3.0.conv1");
        CHECK(conv.weight.shape == Shape{64, 32, 3, 3});
        CHECK(conv.stride == 2);
        CHECK(conv.weight.values[((63 * 32 + 31) * 3 + 0) * 3 + 2] == published.last_of_stage3);
        CHECK(operation<BatchNormOp>(network, "bn1").epsilon ==
              (published.projection ? 1e-3F : 1e-5F));
        CHECK(operation<BatchNormOp>(network, stage + "1.0.bn1").epsilon == 1e-5F);
        CHECK(network.mean == std::vector<float>{0.485F, 0.456F, 0.406F});
        CHECK(network.deviation == std::vector<float>{0.229F, 0.224F, 0.225F});
        CHECK(network.input == ImageShape{3, 32, 32});
        CHECK(network.nodes.back().name == (published.projection ? "classifier.2" : "linear"));
        CHECK(network.provenance.at("dataset") == "CIFAR-10");
        if (!published.projection)
            CHECK(operation<PadShortcutOp>(network, "layer3.0.shortcut") == PadShortcutOp{2, 64});
        const TemporaryFolder folder;
        write_network(folder / "net.h5", network);
        CHECK(read_network(folder / "net.h5") == network);
    }
}
