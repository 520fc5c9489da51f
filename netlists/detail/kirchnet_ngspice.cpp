// The process that holds the ngspice shared library: one circuit per life. It reports facts and
// judges nothing, because ngspice returns 0 for almost every failure; the receiver knows what was
// asked and decides.
#include <fcntl.h>
#include <ngspice/sharedspice.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "netlists/detail/wire_protocol.hpp"

namespace {

using kirchnet::detail::Reply;
using kirchnet::detail::Request;

constexpr std::size_t most_message_bytes = 1 << 20;
constexpr std::size_t most_listing_bytes = std::size_t{1} << 31;

/// What ngspice's callbacks tell, gathered for the next reply.
struct Witness {
    int channel = -1;
    bool is_listing = false;  ///< whether what ngspice prints is the listing
    Reply reply;
};

Witness& witness() {
    static Witness instance;  // the library has global state, so its witness may
    return instance;
}

void send_reply() {
    Reply& reply = witness().reply;
    kirchnet::detail::write_frame(witness().channel, encode(reply));
    reply = Reply{};
}

int on_text(char* text, int /*id*/, void* /*user*/) {
    const bool is_listing = witness().is_listing && std::string_view(text).starts_with("stdout ");
    std::string& kept = is_listing ? witness().reply.listing : witness().reply.messages;
    if (kept.size() < (is_listing ? most_listing_bytes : most_message_bytes))
        kept.append(text).append("\n");
    return 0;
}

/// Any further call into the library may crash after this, so the process ends here.
int on_exit(int /*status*/, bool /*immediate*/, bool /*by_quit*/, int /*id*/, void* /*user*/) {
    witness().reply.exited = true;
    try {
        send_reply();
    } catch (const std::exception&) {
        _exit(1);
    }
    _exit(0);
}

int on_plot(pvecinfoall plot, int /*id*/, void* /*user*/) {
    witness().reply.title = plot->title != nullptr ? plot->title : "";
    return 0;
}

int on_status(char* /*text*/, int /*id*/, void* /*user*/) {
    return 0;
}
int on_data(pvecvaluesall /*values*/, int /*count*/, int /*id*/, void* /*user*/) {
    return 0;
}
int on_thread(bool /*idle*/, int /*id*/, void* /*user*/) {
    return 0;
}

void command(std::string text) {
    ngSpice_Command(text.data());  // its result says nothing about success
}

void load(const std::string& deck) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < deck.size();) {
        const std::size_t end = std::min(deck.find('\n', begin), deck.size());
        lines.push_back(deck.substr(begin, end - begin));
        begin = end + 1;
    }
    std::vector<char*> pointers;
    for (std::string& line : lines) pointers.push_back(line.data());
    pointers.push_back(nullptr);
    ngSpice_Circ(pointers.data());
}

std::string current_plot() {
    const char* name = ngSpice_CurPlot();
    return name != nullptr ? name : "";
}

void alter_sources(const Request& request, std::uint64_t point) {
    const std::size_t count = request.sources.size();
    for (std::size_t s = 0; s < count; ++s) {
        char value[40];
        std::snprintf(value, sizeof value, "%.17g", request.values.at(point * count + s));
        command("alter " + request.sources[s] + " dc = " + value);
    }
}

void collect(const Request& request) {
    Reply& reply = witness().reply;
    for (std::string name : request.wanted) {
        const pvector_info vector = ngGet_Vec_Info(name.data());
        const bool is_real = vector != nullptr && vector->v_realdata != nullptr;
        const int length = is_real ? vector->v_length : 0;
        reply.lengths.push_back(is_real ? length : -1);
        if (request.whole_vectors)
            reply.values.insert(reply.values.end(), is_real ? vector->v_realdata : nullptr,
                                is_real ? vector->v_realdata + length : nullptr);
        else
            reply.values.push_back(length > 0 ? vector->v_realdata[0] : 0.0);
    }
}

/// Of a long run every net would otherwise be kept at every time.
void keep_only(const std::vector<std::string>& wanted) {
    for (const std::string& name : wanted) command("save " + name);
}

void run_point(const Request& request, std::uint64_t point) {
    alter_sources(request, point);
    witness().reply.plot_before = current_plot();
    command(request.analysis);
    witness().reply.plot_after = current_plot();
    collect(request);
    send_reply();
    command("destroy all");  // a plot kept per point would fill the memory
}

void send_listing() {
    witness().is_listing = true;
    command("listing expand");
    witness().is_listing = false;
    send_reply();
}

#ifndef __SANITIZE_ADDRESS__
/// A deck that calls itself, or doubles at every level, would otherwise take all there is. The
/// sanitizer's own memory counts here too, so that under it there is no limit.
void limit_memory() {
    constexpr rlim_t most_bytes = rlim_t{6} << 30;
    const rlimit limit{most_bytes, most_bytes};
    setrlimit(RLIMIT_AS, &limit);
}
#else
void limit_memory() {}
#endif

/// The socket arrives as standard input; whatever the library prints by itself goes to the
/// error file, never between two frames.
int take_channel() {
    const int channel = dup(STDIN_FILENO);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    return channel;
}

void serve() {
    witness().channel = take_channel();
    const Request request =
        kirchnet::detail::decode_request(kirchnet::detail::read_frame(witness().channel));
    ngSpice_Init(on_text, on_status, on_exit, on_data, on_plot, on_thread, nullptr);
    std::setlocale(LC_NUMERIC, "C");  // after Init, which may have read the environment
    if (request.listing) limit_memory();
    load(request.deck);
    if (request.whole_vectors) keep_only(request.wanted);
    if (request.listing) send_listing();
    for (std::uint64_t point = 0; point < request.points; ++point) run_point(request, point);
}

bool is_started_by_kirchnet() {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

}  // namespace

int main() {
    if (!is_started_by_kirchnet()) {
        std::fputs(
            "kirchnet-ngspice runs circuits for kirchnet and is started by it alone; to run "
            "a deck by hand use: ngspice -b DECK\n",
            stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // no orphan computes on
    try {
        serve();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "kirchnet-ngspice: %s\n", problem.what());
        _exit(1);
    }
    _exit(0);  // the library's own clean-up at exit is where it crashes
}
