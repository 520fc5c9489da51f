#include "tools/command_line.hpp"

int main(int argc, char** argv) {
    return kirchnet::run_command_line(argc, argv);
}
