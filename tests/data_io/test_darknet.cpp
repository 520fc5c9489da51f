// Networks from Darknet's configuration files and weights.
#include <cstring>

#include "data/import.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// Header of version 0.2 (images seen: 8 bytes), then the numbers 1, 2, ... `count`.
std::string weights_of(std::size_t count) {
    const std::int32_t header[5] = {0, 2, 5, 0, 0};
    std::string bytes(sizeof header + count * sizeof(float), '\0');
    std::memcpy(bytes.data(), header, sizeof header);
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<float>(i + 1);
        std::memcpy(bytes.data() + sizeof header + i * sizeof(float), &value, sizeof value);
    }
    return bytes;
}

struct Files {
    TemporaryFolder folder;
    fs::path cfg = folder / "net.cfg";
    fs::path weights = folder / "net.weights";

    Files(const std::string& text, std::size_t numbers) {
        write_file(cfg, text);
        write_file(weights, weights_of(numbers));
    }
    [[nodiscard]] Network import() const { return import_darknet(cfg, weights); }
    [[nodiscard]] std::string refused() const {
        return refusal([&] { (void)import(); });
    }
};

/// Every section of a YOLO detector: layers 0 to 10.
const std::string detector = R"([net]
# a comment; and another
width=8
height=6
channels=2
[convolutional] # 0: 2 biases, scales, means, variances, 2 x 2 x 1 x 1 weights
filters=2
batch_normalize=1
activation=leaky
[convolutional]  ; 1: the same with groups, 2 x 1 x 3 x 3
groups=2
filters=2
size=3
pad=1
batch_normalize=1
activation = mish
[shortcut]
from=-2
activation=linear
[maxpool]
size=5
stride=1
[route]
layers = -1, 0
[route]
layers=4
groups=2
group_id=1
[maxpool]
size=2
stride=2
[dropout]
probability=.2
[upsample]
stride=2
[convolutional] # 9: 7 biases, 7 x 2 x 1 x 1 weights
filters=7
activation=linear
[yolo]
mask=1
anchors=1,2, 3,4
classes=2
scale_x_y=1.05
)";
constexpr std::size_t detector_numbers = 4 * 2 + 4 + 4 * 2 + 18 + 7 + 14;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// The detector with one line changed.
std::string changed(const std::string& line, const std::string& by) {
    std::string text = detector;
    const std::size_t at = text.find(line);
    REQUIRE(at != std::string::npos);
    return text.replace(at, line.size(), by);
}

std::string refused_after(const std::string& line, const std::string& by) {
    return Files(changed(line, by), detector_numbers).refused();
}

}  // namespace

TEST_CASE("a configuration becomes the nodes its sections stand for") {
    const Network network = Files(detector, detector_numbers).import();
    CHECK(network.input == ImageShape{2, 6, 8});
    CHECK(network.name == "net");
    std::vector<std::string> names;
    for (const Node& each : network.nodes) names.push_back(each.name);
    CHECK(names ==
          std::vector<std::string>{"input", "layer000.conv", "layer000.bn", "layer000.leaky",
                                   "layer001.conv", "layer001.bn", "layer001.mish", "layer002.add",
                                   "layer003.maxpool", "layer004.concat", "layer005.slice0",
                                   "layer006.maxpool", "layer008.upsample", "layer009.conv"});
    CHECK(node(network, "layer002.add").inputs ==
          std::vector<std::string>{"layer001.mish", "layer000.leaky"});
    CHECK(node(network, "layer004.concat").inputs ==
          std::vector<std::string>{"layer003.maxpool", "layer000.leaky"});
    CHECK(operation<ActivationOp>(network, "layer000.leaky") ==
          ActivationOp{ActivationOp::Kind::leaky_relu, 0.1F});
    // Darknet lays size - 1 pixels around a maximum, the smaller half first.
    CHECK(operation<PoolOp>(network, "layer003.maxpool") ==
          PoolOp{PoolOp::Kind::maximum, 5, 1, 2, 0});
    CHECK(operation<PoolOp>(network, "layer006.maxpool") ==
          PoolOp{PoolOp::Kind::maximum, 2, 2, 0, 1});
    CHECK(operation<SliceOp>(network, "layer005.slice0") == SliceOp{2, 2});
    CHECK(node(network, "layer008.upsample").inputs.front() == "layer006.maxpool");
    CHECK(network.detection_classes == 2);
    CHECK(network.heads == std::vector<DetectionHead>{{"layer009.conv", {{3, 4}}, 1.05F}});
}

TEST_CASE("weights are read in Darknet's order: biases, scales, means, variances, weights") {
    const Network network = Files(detector, detector_numbers).import();
    const auto& norm = operation<BatchNormOp>(network, "layer001.bn");  // behind 12 numbers
    CHECK(norm.bias.values == std::vector<float>{13, 14});
    CHECK(norm.weight.values == std::vector<float>{15, 16});
    CHECK(norm.running_mean.values == std::vector<float>{17, 18});
    CHECK(norm.running_variance.values == std::vector<float>{19, 20});
    CHECK(norm.epsilon == 1e-5F);
    const auto& conv = operation<ConvOp>(network, "layer001.conv");
    CHECK(conv.weight.shape == std::vector<std::size_t>{2, 1, 3, 3});
    CHECK(conv.weight.values.front() == 21);
    CHECK(conv.padding == 1);
    CHECK(conv.groups == 2);
    const auto& last = operation<ConvOp>(network, "layer009.conv");
    CHECK(last.bias.values.front() == 39);
    CHECK(last.weight.shape == std::vector<std::size_t>{7, 2, 1, 1});
    CHECK(last.weight.values.back() == 59);
}

TEST_CASE("a state dict gives the same network as Darknet's weights") {
    const Files files(detector, detector_numbers);
    const auto output = python(R"(
f, at = h5py.File(sys.argv[1], 'w'), 0
def put(name, *shape):
    global at
    size = int(np.prod(shape))
    f[name] = np.arange(at + 1, at + size + 1, dtype='f4').reshape(shape)
    at += size
for i, shape in ((0, (2, 2, 1, 1)), (1, (2, 1, 3, 3))):
    for part in ('bias', 'weight', 'running_mean', 'running_var'):
        put('layer%03d.bn.%s' % (i, part), 2)
    put('layer%03d.conv.weight' % i, *shape)
put('layer009.conv.bias', 7)
put('layer009.conv.weight', 7, 2, 1, 1)
f.close())",
                               files.folder / "net.h5");
    if (!output) return;
    CHECK(import_darknet(files.cfg, files.folder / "net.h5").nodes == files.import().nodes);
}

TEST_CASE("weights of another configuration are refused") {
    CHECK(contains(Files(detector, detector_numbers - 1).refused(), "before its last layer"));
    CHECK(contains(Files(detector, detector_numbers + 1).refused(), "4 bytes behind the last"));
}

TEST_CASE("what a configuration holds that is not supported is refused by its line") {
    CHECK(contains(refused_after("[dropout]", "[lstm]"), "net.cfg:32: section [lstm]"));
    CHECK(contains(refused_after("activation = mish", "activation=selu"),
                   "net.cfg:16: activation 'selu'"));
    CHECK(contains(refused_after("pad=1", "pad=1\ndilation=2"), "net.cfg:15: 'dilation'"));
    CHECK(contains(refused_after("layers=4", "layers=5"), "reads 5, which does not come earlier"));
    CHECK(contains(refused_after("from=-2", "from=-4"), "reads -4"));
    CHECK(contains(refused_after("groups=2\nfilters=2", "groups=3\nfilters=2"), "3 groups"));
    CHECK(contains(refused_after("group_id=1", "group_id=2"), "group 2 of 2"));
    CHECK(contains(refused_after("mask=1", "mask=2"), "no anchor 2"));
    CHECK(contains(refused_after("size=5", "size=five"), "'five' is not a number"));
    CHECK(contains(refused_after("size=5", "size=5\nsize=5"), "the key 'size' already"));
    CHECK(contains(refused_after("size=5", "size"), "'size' is neither"));
    CHECK(contains(refused_after("width=8", ""), "width and height"));
    CHECK(contains(Files("width=8\n", 0).refused(), "before the first [section]"));
    CHECK(contains(Files("[convolutional]\n", 0).refused(), "does not begin with [net]"));
}
