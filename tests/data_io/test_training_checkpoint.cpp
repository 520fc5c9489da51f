#include <chrono>
#include <thread>

#include "data/training_checkpoint.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

TrainingCheckpoint sample() {
    TrainingCheckpoint checkpoint;
    checkpoint.settings = "ratio 0.5\nepochs 3\n";
    checkpoint.stage = 1;
    checkpoint.epoch = 2;
    checkpoint.network = small_network();
    checkpoint.network.nodes[1].pruned_ratio = 0.5;
    checkpoint.masks = {{"layer1.0.conv1", {0, 1, 1}}, {"fc", {1, 0}}};
    for (int i = 0; i < 12; ++i)
        checkpoint.optimizer.push_back({{1, 2}, {0.5F, static_cast<float>(i)}});
    checkpoint.split = {{"fc", {{2, 1, 3}, {1, 2, 3, 4, 5, 6}}}};
    checkpoint.dual = {{"fc", {{2, 1, 3}, {-1, -2, -3, -4, -5, 1e-30F}}}};
    return checkpoint;
}

}  // namespace

TEST_CASE("a checkpoint is read back exactly as it was written") {
    const TemporaryFolder folder;
    write_checkpoint(folder / "c", sample());
    CHECK(read_checkpoint(folder / "c") == sample());
    CHECK(folder.entries() == 1);
}

TEST_CASE("a checkpoint before the first step has no buffers") {
    const TemporaryFolder folder;
    TrainingCheckpoint checkpoint;
    checkpoint.network = small_network();
    write_checkpoint(folder / "c", checkpoint);
    CHECK(read_checkpoint(folder / "c") == checkpoint);
}

TEST_CASE("a checkpoint reads as documented in h5py") {
    const TemporaryFolder folder;
    write_checkpoint(folder / "c", sample());
    const auto output = python(R"(
f = h5py.File(sys.argv[1], 'r')
print(f.attrs['format'], f.attrs['stage'], f.attrs['epoch'])
print(f['network/nodes/layer1.0.conv1'].attrs['pruned_ratio'], list(f['masks/layer1.0.conv1']))
print(len(f['optimizer']), f['optimizer/00011'][0, 1], f['split/fc'][1, 0, 2], f['dual/fc'][0, 0, 1])
)",
                               folder / "c");
    if (output)
        CHECK(*output == "kirchnet training checkpoint 1 2\n0.5 [0, 1, 1]\n12 11.0 6.0 -2.0\n");
}

TEST_CASE("a truncated checkpoint and one of another kind are refused by name") {
    const TemporaryFolder folder;
    write_checkpoint(folder / "c", sample());
    const std::string bytes = read_file(folder / "c");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{100}, bytes.size() / 2, bytes.size() - 8}) {
        write_file(folder / "short", bytes.substr(0, size));
        CHECK(refusal([&] {
                  (void)read_checkpoint(folder / "short");
              }).starts_with((folder / "short").string()));
    }
    CHECK(refusal([&] {
              (void)read_checkpoint(fixture("h5py_files/network.h5"));
          }).find("kirchnet network") != std::string::npos);
}

TEST_CASE("a fingerprint and a file do not depend on the time of day") {
    const TemporaryFolder folder;
    write_checkpoint(folder / "now", sample());
    const std::string now = fingerprint(small_network());
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 counts in seconds
    write_checkpoint(folder / "later", sample());
    CHECK(fingerprint(small_network()) == now);
    CHECK((read_file(folder / "now") == read_file(folder / "later")));
}

TEST_CASE("a fingerprint tells contents apart") {
    const Network network = small_network();
    CHECK(fingerprint(network) == fingerprint(small_network()));
    Network weight = network;
    std::get<ConvOp>(weight.nodes[1].operation).weight.values[5] += 1e-6F;
    Network ratio = network;
    ratio.nodes[1].pruned_ratio = 0.1;
    for (const Network& other : {weight, ratio}) CHECK(fingerprint(other) != fingerprint(network));
    const LabelledImages images{{1, 1, 2}, {1, 2, 3, 4}, {0, 1}};
    CHECK(fingerprint(images) == fingerprint(images));
    CHECK(fingerprint(images) != fingerprint(LabelledImages{{1, 1, 2}, {1, 2, 3, 5}, {0, 1}}));
    CHECK(fingerprint(images) != fingerprint(LabelledImages{{1, 1, 2}, {1, 2, 3, 4}, {1, 0}}));
    CHECK(fingerprint(images) != fingerprint(LabelledImages{{1, 2, 1}, {1, 2, 3, 4}, {0, 1}}));
}
