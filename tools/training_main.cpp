#include "nn/training/pruning.hpp"
#include "tools/command_line.hpp"

/// The program `kirchnet` with libtorch: what it goes on as where a subcommand trains.
int main(int argc, char** argv) {
    return kirchnet::run_command_line(argc, argv, kirchnet::prune_and_train);
}
