// Subcommands about networks and what is wrong with the chips that hold them.
#include <CLI/CLI.hpp>

#include "tools/commands/commands.hpp"
#include "tools/options/option_groups.hpp"
#include "tools/options/subcommands.hpp"

namespace kirchnet {
namespace {

void add_import(Subcommands& commands) {
    const auto added = commands.add<ImportArguments>(
        "import", "A trained network into our network file", run_import,
        "  kirchnet import resnet20.h5 -o net.h5\n"
        "  kirchnet import checkpoint.pth -o net.h5\n"
        "  kirchnet import resnet20.h5 -o pruned.h5 --prune 0.5\n"
        "  kirchnet import model.onnx -o net.h5 --mean 0.485,0.456,0.406 "
        "--std 0.229,0.224,0.225\n"
        "  kirchnet import lenet.safetensors -o net.h5 --input 1x28x28\n"
        "  kirchnet import yolo.weights --cfg yolo.cfg -o yolo.h5");
    CLI::App& sub = added.sub;
    ImportArguments& arguments = added.arguments;
    sub.add_option("source", arguments.source,
                   "ONNX model, or state dict with PyTorch's parameter names (.h5, .pth, .pt, "
                   ".safetensors; nothing in it is run), or Darknet weights with --cfg")
        ->type_name("MODEL")
        ->required();
    sub.add_option("-o,--out", arguments.out, "Network file to write")
        ->type_name("NET.h5")
        ->required();
    sub.add_option("--cfg", arguments.cfg,
                   "Darknet configuration; the state is then .weights or has tensors named "
                   "layerNNN.conv.weight")
        ->type_name("NET.cfg");
    sub.add_option("--prune", arguments.prune,
                   "Share of smallest |W| set to 0 in each convolution and linear layer [0]")
        ->type_name("P");
    sub.add_option("--mean", arguments.mean, "Of pixel / 255, per input channel [the file's, or 0]")
        ->type_name("R,G,B")
        ->delimiter(',');
    sub.add_option("--std", arguments.deviation,
                   "Of pixel / 255, per input channel [the file's, or 1]")
        ->type_name("R,G,B")
        ->delimiter(',');
    sub.add_option("--input", arguments.input,
                   "Shape of the images [the file's, or the usual one of the architecture]")
        ->type_name("CxHxW");
    sub.add_option("--array", arguments.array, "Array size for the tile count [128x128]")
        ->type_name("MxN");
    sub.add_option("--bits-per-cell", arguments.bits_per_cell,
                   "Bits per cell for the tile count, of 8-bit weights [0: one cell]")
        ->type_name("BITS");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_training_options(CLI::App& sub, PruneArguments& arguments) {
    sub.add_option("--epochs", arguments.epochs, "Of masked retraining [2]")->type_name("N");
    sub.add_option("--learning-rate", arguments.learning_rate,
                   "Of SGD with momentum 0.9 at the start [0.02]")
        ->type_name("RATE");
    sub.add_option("--batch", arguments.batch_size, "Images per step [128]")->type_name("N");
    sub.add_option("--training-images", arguments.training_images,
                   "Train on the first so many alone [all]")
        ->type_name("N");
    sub.add_option("--augment", arguments.augment,
                   "crop-mirror (frame of 4, random crop, mirror), crop, none, or auto: "
                   "crop-mirror for images in colour [auto]")
        ->type_name("WORD");
    sub.add_option("--seed", arguments.seed, "Of order and augmentation of the images [1]")
        ->type_name("N");
    sub.add_option("--threads", arguments.threads,
                   "More than 1 may change the last digits of what is trained [1]")
        ->type_name("N");
    sub.add_option("--rho", arguments.rho,
                   "Of the first stage of ADMM, tenfold in each next [1e-3]")
        ->type_name("RHO");
    sub.add_option("--rho-stages", arguments.rho_stages, "Stages of ADMM [3]")->type_name("N");
    sub.add_option("--admm-epochs", arguments.admm_epochs, "Of each stage [2]")->type_name("N");
    sub.add_option("--admm-interval", arguments.admm_interval,
                   "Batches between updates of Z and U [an epoch]")
        ->type_name("N");
    sub.add_option("--checkpoint", arguments.checkpoint,
                   "State after each epoch, removed at the end [OUT.h5.checkpoint]")
        ->type_name("FILE");
    sub.add_flag("--resume", arguments.resume, "Go on from the checkpoint where there is one");
}

void add_hierarchical_options(CLI::App& sub, PruneArguments& arguments) {
    auto& settings = arguments.settings;
    sub.add_option("--inner", arguments.inner,
                   "How hpp prunes: one-shot, fine-tune, admm [one-shot]")
        ->type_name("METHOD");
    sub.add_option("--candidates", arguments.candidates,
                   "Ratios hpp tries, ascending [0.1,...,0.9]")
        ->type_name("LIST")
        ->delimiter(',');
    sub.add_option("--rates", arguments.rates,
                   "Fault rates; hpp's accuracy is the mean over them [key faults.rate]")
        ->type_name("LIST")
        ->delimiter(',');
    sub.add_option("--trials", arguments.trials, "Faulty chips per rate [100]")->type_name("T");
    sub.add_option("--threshold", arguments.threshold,
                   "A step is taken if it loses less [points of accuracy] [0.2]")
        ->type_name("POINTS");
    sub.add_flag("--advance-p", arguments.advance_p,
                 "After a step not taken, go on to the next ratio (the paper's listing) instead "
                 "of trying it again on fewer layers (its text)");
    sub.add_flag("--strict-best", arguments.strict_best,
                 "Keep the most accurate network, not the last that beat the one before it");
    add_key(sub, settings, "--images", "images", "hpp measures on the first N test images [all]",
            "N");
    add_key(sub, settings, "--mapping", "mapping.names",
            "hpp's two_column, offset or differential [two_column]", "MAPPING");
    add_set(sub, settings);
}

void add_prune(Subcommands& commands, const Trainer& trainer) {
    const auto added = commands.add<PruneArguments>(
        "prune", "Take weights away, and let the others learn", run_prune,
        "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.5\n"
        "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.6 --method fine-tune --data cifar10\n"
        "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.6 --layer-ratio conv1=0.2 "
        "--method admm --data cifar10 --epochs 4\n"
        "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.6 --method admm --data cifar10 "
        "--epochs 4 --resume\n"
        "  kirchnet prune net.h5 -o pruned.h5 --method hpp --data cifar10 --images 1000 "
        "--mapping differential --rates 0.005 --trials 20");
    CLI::App& sub = added.sub;
    PruneArguments& arguments = added.arguments;
    arguments.pruner = trainer.pruner;
    arguments.command_line = trainer.command_line;
    sub.add_option("network", arguments.network, "Network file, made by 'kirchnet import'")
        ->type_name("NET.h5")
        ->required();
    sub.add_option("-o,--out", arguments.out, "Network file to write; hpp writes its log beside it")
        ->type_name("OUT.h5")
        ->required();
    sub.add_option("--method", arguments.method,
                   "one-shot (smallest |W|), fine-tune (then masked retraining), admm (before "
                   "it), or hpp (hierarchical, by accuracy on faulty chips) [one-shot]")
        ->type_name("METHOD");
    sub.add_option("--ratio", arguments.ratio,
                   "Share of weights to take from each convolution and linear layer")
        ->type_name("P");
    sub.add_option("--layer-ratio", arguments.layer_ratios,
                   "Ratio of one layer instead; may be repeated")
        ->type_name("NAME=P")
        ->take_all()
        ->allow_extra_args(false);
    add_key(sub, arguments.settings, "--data", "data",
            "Training and test images: CIFAR-10 folder, IDX folder, or images file (.h5)", "PATH");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
    add_training_options(sub, arguments);
    add_hierarchical_options(sub, arguments);
}

void add_faults(Subcommands& commands) {
    const auto added = commands.add<FaultsArguments>(
        "faults", "Draw what is wrong with one chip, cells and wires, and save it", run_faults,
        "  kirchnet faults net.h5 --fault-rate 0.005 --seed 7 --trial 3 -o chip.h5\n"
        "  kirchnet faults net.h5 --set faults.word_line_open=1e-4 --set "
        "faults.bit_line_bridge=1e-5 -o chip.h5\n"
        "  kirchnet compare net.h5 --data cifar10 --mapping two_column --faults chip.h5");
    CLI::App& sub = added.sub;
    FaultsArguments& arguments = added.arguments;
    add_source(sub, arguments.settings, arguments.experiment, true);
    add_chip_keys(sub, arguments.settings);
    add_set(sub, arguments.settings);
    sub.add_option("--mapping", arguments.mapping,
                   "Decides which cells exist [two_column, or that of a preset]")
        ->type_name("MAPPING");
    sub.add_option("-o,--out", arguments.out, "Fault map file")->type_name("F.h5");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_info(Subcommands& commands) {
    const auto added =
        commands.add<InfoArguments>("info", "What is in a file of ours", run_info,
                                    "  kirchnet info net.h5\n  kirchnet info result.h5 --json");
    CLI::App& sub = added.sub;
    InfoArguments& arguments = added.arguments;
    sub.add_option("file", arguments.file, "Network, images, fault map, crossbar or result file")
        ->required();
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

}  // namespace

void add_network_commands(Subcommands& commands, const Trainer& trainer) {
    add_import(commands);
    add_prune(commands, trainer);
    add_faults(commands);
    add_info(commands);
}

}  // namespace kirchnet
