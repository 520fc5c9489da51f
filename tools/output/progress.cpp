#include "tools/output/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto quiet_time = std::chrono::milliseconds(500);
constexpr auto redraw_time = std::chrono::milliseconds(100);

volatile std::sig_atomic_t interrupted = 0;

void note_signal(int) {
    interrupted = 1;
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<long>(seconds + 0.5);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
    return fmt::format("{}:{:02} h", whole / 3600, whole % 3600 / 60);
}

std::string bar(double share) {
    constexpr int width = 24;
    const int filled = static_cast<int>(share * width);
    return std::string(static_cast<std::size_t>(filled), '#') +
           std::string(static_cast<std::size_t>(width - filled), '.');
}

}  // namespace

ProgressBar::ProgressBar(std::string title, std::string unit)
    : title_(std::move(title)), unit_(std::move(unit)), start_(Clock::now()), drawn_(start_) {}

ProgressBar::~ProgressBar() {
    clear();
}

void ProgressBar::update(std::size_t done, std::size_t total) {
    const auto now = Clock::now();
    const bool due = now - start_ > quiet_time && now - drawn_ > redraw_time;
    if (!due || total == 0 || isatty(STDERR_FILENO) == 0) return;
    drawn_ = now;
    visible_ = true;
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const double rate = static_cast<double>(done) / elapsed;
    const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
    fmt::print(stderr, "\r\033[K{} [{}] {}/{}  {:.3g} {}/s  {} left{}{}", title_, bar(share), done,
               total, rate, unit_, duration_text(left), note_.empty() ? "" : "  ", note_);
    std::fflush(stderr);
}

void ProgressBar::clear() {
    if (!visible_) return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    visible_ = false;
}

Progress show_progress(const std::string& title, const std::string& unit) {
    return
        [shown = std::make_shared<ProgressBar>(title, unit)](std::size_t done, std::size_t total) {
            check_interrupted();
            shown->update(done, total);
            if (done == total) shown->clear();
        };
}

void stop_at_safe_places() {
    std::signal(SIGINT, note_signal);
    std::signal(SIGTERM, note_signal);
}

void check_interrupted() {
    if (interrupted != 0) throw Interrupted();
}

}  // namespace kirchnet
