// Stands in for kirchnet-ngspice and misbehaves as the deck's title asks, so that the receiver's
// own checks are tested and not only ngspice's manners.
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>
#include <utility>

#include "netlists/detail/wire_protocol.hpp"

using namespace kirchnet::detail;

namespace {

/// Three times, 0 to the end that the command names, and as many values of each vector.
void give_waveforms(Reply& reply, const Request& request) {
    const double stop = std::stod(request.analysis.substr(request.analysis.find(' ', 5)));
    reply.lengths.assign(request.wanted.size(), 3);
    reply.values = {0, stop / 2, stop};
    reply.values.resize(3 * (request.wanted.size() - 1), 1.0);
    reply.values.resize(3 * request.wanted.size(), request.values.back());
}

/// An answer without fault: each wanted vector is 1, the control source (always last) reads back.
Reply honest_reply(const Request& request) {
    Reply reply;
    reply.plot_before = "const";
    reply.plot_after = "op1";
    reply.title = request.deck.substr(0, request.deck.find('\n'));
    reply.lengths.assign(request.wanted.size(), 1);
    reply.values.assign(request.wanted.size(), 1.0);
    reply.values.back() = request.values.back();
    if (request.whole_vectors) give_waveforms(reply, request);
    return reply;
}

void lie(Reply& reply, const std::string& how) {
    if (how == "* stale") reply.values.back() += 1;
    if (how == "* nan") reply.values.front() = std::nan("");
    if (how == "* infinite") reply.values.front() = 1e35;
    if (how == "* absent") reply.lengths.front() = -1;
    if (how == "* long") reply.lengths.front() = 2;
    if (how == "* short") reply.values.pop_back();
    if (how == "* backwards") std::swap(reply.values[0], reply.values[1]);
    if (how == "* early end") reply.values[2] *= 0.9;
    if (how == "* same plot") reply.plot_after = reply.plot_before;
    if (how == "* other title") reply.title = "* another";
    if (how == "* singular") reply.messages = "stderr Warning: singular matrix\n";
    if (how == "* exited") reply.exited = true;
}

}  // namespace

int main() {
    const Request request = decode_request(read_frame(STDIN_FILENO));
    Reply reply = honest_reply(request);
    const std::string how = reply.title;
    if (how == "* crash") std::raise(SIGSEGV);
    if (how == "* end") return 3;
    if (how == "* hang") std::this_thread::sleep_for(std::chrono::hours(1));
    if (how == "* printed") (void)!write(STDERR_FILENO, "Fatal thing\n", 12);
    if (how == "* garbled") {
        write_frame(STDIN_FILENO, "not a reply");
        return 0;
    }
    lie(reply, how);
    write_frame(STDIN_FILENO, encode(reply));
    return 0;
}
