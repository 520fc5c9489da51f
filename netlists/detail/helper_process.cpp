#include "netlists/detail/helper_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "circuit/error.hpp"
#include "netlists/detail/wire_protocol.hpp"

namespace kirchnet::detail {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t largest_payload = std::uint64_t{1} << 34;  // beyond any circuit that runs

/// The environment of the helper: nothing that could bring in a user's settings.
std::vector<std::string> helper_environment(const std::filesystem::path& directory) {
    std::vector<std::string> variables{"HOME=" + directory.string(),
                                       "SPICE_USERINIT_DIR=" + directory.string(), "LC_ALL=C",
                                       "OMP_NUM_THREADS=1"};
    for (const char* kept : {"PATH", "LD_LIBRARY_PATH", "SPICE_LIB_DIR", "ASAN_OPTIONS",
                             "UBSAN_OPTIONS", "LSAN_OPTIONS"})
        if (const char* value = std::getenv(kept))
            variables.push_back(std::string(kept) + "=" + value);
    return variables;
}

class SpawnActions {
  public:
    SpawnActions() { posix_spawn_file_actions_init(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
    posix_spawn_file_actions_t* get() { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

pid_t spawn(const std::filesystem::path& program, const std::filesystem::path& directory,
            const std::filesystem::path& error_file, int socket) {
    SpawnActions actions;
    posix_spawn_file_actions_adddup2(actions.get(), socket, STDIN_FILENO);
    posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, error_file.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(actions.get(), STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addchdir_np(actions.get(), directory.c_str());
    std::vector<std::string> variables = helper_environment(directory);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    std::string name = program.string();
    std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t process = -1;
    const int status = posix_spawn(&process, program.c_str(), actions.get(), nullptr,
                                   arguments.data(), environment.data());
    if (status != 0)
        throw NgspiceError(fmt::format("cannot start {}: {}", name, std::strerror(status)));
    return process;
}

/// Waits until the socket is ready for `event`; false when the deadline has passed.
bool wait_ready(int socket, short event, Clock::time_point deadline) {
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() < 0) return false;
        pollfd entry{socket, event, 0};
        const auto wait = std::min<std::int64_t>(left.count() + 1, 1'000'000);
        const int ready = poll(&entry, 1, static_cast<int>(wait));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true;  // the transfer itself will say what is wrong
    }
}

Clock::time_point deadline_after(double seconds) {
    constexpr double a_year = 3.2e7;  // more would overflow the clock
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                              std::chrono::duration<double>(std::clamp(seconds, 0.0, a_year)));
}

[[noreturn]] void report_time_out(double limit) {
    throw NgspiceError(fmt::format(
        "ngspice took longer than its limit of {:g} s and was stopped; raise the time limit, or "
        "take a smaller array",
        limit));
}

std::string describe_status(int status) {
    if (WIFSIGNALED(status)) return fmt::format("died of signal {}", WTERMSIG(status));
    return fmt::format("ended with status {}", WIFEXITED(status) ? WEXITSTATUS(status) : status);
}

}  // namespace

HelperProcess::HelperProcess(const std::filesystem::path& program,
                             const std::filesystem::path& directory)
    : error_file_(directory / "printed.txt") {
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw NgspiceError(fmt::format("cannot open a socket pair: {}", std::strerror(errno)));
    socket_ = ends[0];
    try {
        process_ = spawn(program, directory, error_file_, ends[1]);
    } catch (...) {
        close(ends[0]);
        close(ends[1]);
        throw;
    }
    close(ends[1]);
}

HelperProcess::~HelperProcess() {
    close(socket_);
    if (process_ < 0) return;
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void HelperProcess::report_death() {
    int status = 0;
    pid_t waited = -1;
    while ((waited = waitpid(process_, &status, 0)) < 0 && errno == EINTR) continue;
    const bool known = waited == process_;
    process_ = -1;
    std::string printed = error_output();
    while (!printed.empty() && printed.back() == '\n') printed.pop_back();
    const std::size_t last_line = printed.rfind('\n') + 1;  // npos + 1 is the beginning
    throw NgspiceError(fmt::format("ngspice's process {} before it answered{}{}",
                                   known ? describe_status(status) : "was lost",
                                   printed.empty() ? "" : ": ", printed.substr(last_line)));
}

void HelperProcess::send(std::string_view payload, double time_limit_s) {
    const auto deadline = deadline_after(time_limit_s);
    const std::string frame = frame_header(payload.size()) + std::string(payload);
    for (std::size_t done = 0; done < frame.size();) {
        if (!wait_ready(socket_, POLLOUT, deadline)) report_time_out(time_limit_s);
        const ssize_t sent =
            ::send(socket_, frame.data() + done, frame.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (sent <= 0) report_death();
        done += static_cast<std::size_t>(sent);
    }
}

std::string HelperProcess::receive(double time_limit_s) {
    const auto deadline = deadline_after(time_limit_s);
    const auto read_exactly = [&](std::size_t size) {
        std::string bytes(size, '\0');
        for (std::size_t done = 0; done < size;) {
            if (!wait_ready(socket_, POLLIN, deadline)) report_time_out(time_limit_s);
            const ssize_t got = recv(socket_, bytes.data() + done, size - done, MSG_DONTWAIT);
            if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (got <= 0) report_death();
            done += static_cast<std::size_t>(got);
        }
        return bytes;
    };
    const std::uint64_t size = payload_size(read_exactly(header_size));
    if (size > largest_payload) throw NgspiceError("ngspice's process sent a garbled answer");
    return read_exactly(static_cast<std::size_t>(size));
}

std::string HelperProcess::error_output() const {
    std::ifstream file(error_file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace kirchnet::detail
