#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "program.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

namespace fs = std::filesystem;

void check_refused(const std::string& arguments, const std::string& words, int code = 2) {
    CAPTURE(arguments);
    const auto run = run_kirchnet("prune " + arguments);
    CHECK(run.code == code);
    CAPTURE(run.err);
    CHECK(is_one_line(run.err));
    CHECK(contains(run.err, words));
    CHECK(run.out.empty());
}

bool has_training() {
    return fs::exists(fs::path(KIRCHNET_PROGRAM).parent_path() / "kirchnet-training");
}

std::string files_in(const std::string& folder) {
    std::string names;
    for (const auto& entry : fs::directory_iterator(folder))
        names += entry.path().filename().string() + " ";
    return names;
}

/// Starts the program and does not wait for it.
pid_t start_kirchnet(const std::vector<std::string>& arguments) {
    const pid_t child = fork();
    if (child != 0) return child;
    std::vector<char*> argv;
    static std::string program = KIRCHNET_PROGRAM;
    argv.push_back(program.data());
    std::vector<std::string> copies = arguments;
    for (std::string& argument : copies) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (freopen("/dev/null", "w", stderr) == nullptr ||
        freopen("/dev/null", "w", stdout) == nullptr)
        _exit(3);
    execv(argv[0], argv.data());
    _exit(3);
}

}  // namespace

TEST_CASE("one-shot pruning takes the smallest weights, layer by layer") {
    const TemporaryFolder folder;
    const auto out = folder / "p.h5";
    const auto run = run_kirchnet("prune " + digits + " -o " + out +
                                  " --ratio 0.9 --layer-ratio fc2=0.75 --layer-ratio conv1=0");
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(contains(run.out, "weights are zero"));
    const Network pruned = read_network(out);
    Network expected = read_network(digits);
    prune_by_magnitude(expected, PruningRatios{0.9, {{"fc2", 0.75}, {"conv1", 0}}});
    CHECK(pruned.nodes == expected.nodes);
    CHECK(contains(pruned.provenance.at("pruning"), "0.75 of fc2"));
    const auto info = run_kirchnet("info " + out);
    CHECK(contains(info.out, "pruned to 0.75"));
    CHECK(contains(info.out, "pruned to 0.9"));
}

TEST_CASE("with data the pruned network's accuracy is measured and recorded") {
    const TemporaryFolder folder;
    const auto out = folder / "p.h5";
    const auto run = run_kirchnet("prune " + digits + " -o " + out + " --ratio 0.7 --data " +
                                  digit_images + " --json");
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    // As pruned already: kirchnet-make-embedded says 0.99.
    CHECK(nlohmann::json::parse(run.out)["software_accuracy"].get<double>() > 0.9);
    CHECK(contains(read_network(out).provenance.at("pruned_accuracy"), "digits-images.h5"));
}

TEST_CASE("prune names option, layer or file of what is wrong, and writes nothing") {
    const TemporaryFolder folder;
    const auto out = " -o " + (folder / "p.h5") + " ";
    const std::string net = digits + out;
    check_refused(net, "--ratio");
    check_refused(net + "--ratio 1", "pruning ratio: 1 is not");
    check_refused(net + "--ratio -0.1", "pruning ratio: -0.1");
    check_refused(net + "--ratio 0.5 --layer-ratio conv9=0.5", "layer 'conv9'");
    check_refused(net + "--layer-ratio conv1=2", "layer 'conv1'");
    check_refused(net + "--layer-ratio conv1", "'conv1' is not NAME=RATIO");
    check_refused(net + "--layer-ratio conv1=half", "--layer-ratio conv1");
    check_refused(net + "--layer-ratio conv1=0.1 --layer-ratio conv1=0.2", "twice");
    check_refused(net + "--ratio 0.5 --method melt", "'melt' is none of one-shot, fine-tune");
    check_refused(net + "--ratio 0.5 --method hpp", "--candidates");
    check_refused(net + "--ratio 0.5 --resume", "--resume");
    check_refused(net + "--ratio 0.5 --data nowhere", "nowhere");
    check_refused("missing.h5" + out + "--ratio 0.5", "missing.h5");
    check_refused(digit_images + out + "--ratio 0.5", "digits-images.h5");
    const std::string hpp = net + "--method hpp --data " + digit_images;
    check_refused(net + "--method hpp --rates 0.01", "--data");
    check_refused(hpp, "--rates");
    check_refused(hpp + " --rates 2", "2");
    check_refused(hpp + " --rates 0.01 --trials 0", "--trials");
    check_refused(hpp + " --rates 0.01 --candidates 0.5,0.4 --images 1", "candidates");
    check_refused(hpp + " --rates 0.01 --set melt=1", "melt");
    check_refused(digits + " -o " + (folder / "none/p.h5") + " --ratio 0.5", "p.h5", 1);
    CHECK(files_in(folder / "") == "");
}

TEST_CASE("hierarchical pruning writes the network and every decision") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet("prune " + digits + " -o " + (folder / "h.h5") +
                                  " --method hpp --data " + digit_images +
                                  " --images 30 --mapping differential --rates 0.005,0.01 "
                                  "--trials 2 --candidates 0.8,0.95 --threshold 3 --strict-best");
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    CHECK(contains(run.err, "p 0.8 on 5 layers"));
    const auto log = nlohmann::json::parse(read_file(folder / "h.json"));
    CHECK(log["settings"]["strict_best"] == true);
    CHECK(log["settings"]["threshold"].get<double>() == doctest::Approx(0.03));
    REQUIRE(!log["decisions"].empty());
    CHECK(log["decisions"][0]["layers"].size() == 5);
    CHECK(log["decisions"][0]["current_accuracy"] == log["first_accuracy"]);
    const Network best = read_network(folder / "h.h5");
    const Network last = read_network(folder / "h-last.h5");
    for (const Node& node : last.nodes)
        if (cell_weights(node.operation) != nullptr)
            CHECK(log["last"]["ratios"][node.name] == node.pruned_ratio);
    for (const Node& node : best.nodes)
        if (cell_weights(node.operation) != nullptr)
            CHECK(log["best"]["ratios"][node.name] == node.pruned_ratio);
    const std::string text = read_file(folder / "h.md");
    CHECK(contains(text, "| step"));
    CHECK(contains(text, "strict_best"));
    for (const Node& node : best.nodes)
        if (const Tensor* weights = cell_weights(node.operation))
            CHECK(contains(text, " " + std::to_string(weights->values.size()) + " |"));
}

TEST_CASE("without libtorch training is refused with the way out") {
    if (has_training()) return;
    const TemporaryFolder folder;
    const std::string net = digits + " -o " + (folder / "p.h5") + " --data " + digit_images;
    check_refused(net + " --ratio 0.5 --method fine-tune", "built without training");
    check_refused(net + " --ratio 0.5 --method admm", "--method admm");
    check_refused(net + " --method hpp --rates 0.01 --inner fine-tune", "--inner fine-tune");
}

TEST_CASE("fine-tuning wins back what pruning cost") {
    if (!has_training()) return;
    const TemporaryFolder folder;
    const auto accuracy = [&](const std::string& options) {
        const auto run = run_kirchnet("prune " + digits + " -o " + (folder / "p.h5") +
                                      " --ratio 0.93 --json --data " + digit_images + options);
        CAPTURE(run.err);
        REQUIRE(run.code == 0);
        CHECK(files_in(folder / "") == "p.h5 ");
        return nlohmann::json::parse(run.out)["software_accuracy"].get<double>();
    };
    const double one_shot = accuracy("");
    CHECK(accuracy(" --method fine-tune --epochs 3 --batch 32") > one_shot + 0.02);
    CHECK(accuracy(" --method admm --epochs 1 --admm-epochs 1 --rho-stages 1 --admm-interval 5 "
                   "--batch 32") > one_shot);
    CHECK(contains(read_network(folder / "p.h5").provenance.at("pruning"),
                   "updated every 5 batches"));
}

TEST_CASE("training asks for training images and refuses what it cannot take") {
    if (!has_training()) return;
    const TemporaryFolder folder;
    const std::string net = digits + " -o " + (folder / "p.h5") + " --ratio 0.5 --method fine-tune";
    const std::string data = " --data " + digit_images;
    check_refused(net, "--data");
    check_refused(net + data + " --learning-rate 0", "learning_rate");
    check_refused(net + data + " --augment zoom", "'zoom'");
    folder.write("p.h5.checkpoint", "not HDF5");
    check_refused(net + data, "--resume goes on from it");
    check_refused(net + data + " --resume", "p.h5.checkpoint");
}

TEST_CASE("a pruning that was killed goes on to the same bits") {
    if (!has_training()) return;
    const TemporaryFolder folder;
    const auto arguments = [&](const std::string& out) {
        return std::vector<std::string>{
            "prune",    digits, "-o",       folder / out,   "--ratio", "0.8",
            "--method", "admm", "--data",   digit_images,   "--batch", "32",
            "--epochs", "2",    "--resume", "--rho-stages", "1",       "--admm-epochs",
            "3"};
    };
    const auto finish = [&](const std::string& out) {
        std::string line;
        for (const std::string& argument : arguments(out)) line += argument + " ";
        const auto run = run_kirchnet(line);
        CAPTURE(run.err);
        REQUIRE(run.code == 0);
    };
    finish("whole.h5");
    const pid_t child = start_kirchnet(arguments("killed.h5"));
    const std::string checkpoint = folder / "killed.h5.checkpoint";
    for (int i = 0; i < 2000 && !fs::exists(checkpoint); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    REQUIRE(fs::exists(checkpoint));
    CHECK_FALSE(fs::exists(folder / "killed.h5"));
    finish("killed.h5");
    CHECK(read_network(folder / "killed.h5").nodes == read_network(folder / "whole.h5").nodes);
    CHECK_FALSE(fs::exists(checkpoint));
}
