#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "nn/operators.hpp"

namespace kirchnet {

/// A line on standard error with share done, rate and time left. Silent when standard error is no
/// terminal, and for work done within half a second.
class ProgressBar {
  public:
    ProgressBar(std::string title, std::string unit);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void update(std::size_t done, std::size_t total);
    /// What stands behind the bar from the next drawing on.
    void note(std::string text) { note_ = std::move(text); }
    void clear();

  private:
    std::string title_;
    std::string unit_;
    std::string note_;
    std::chrono::steady_clock::time_point start_;
    std::chrono::steady_clock::time_point drawn_;
    bool visible_ = false;
};

/// A progress callback that draws a bar and throws `Interrupted` once Ctrl-C was pressed.
Progress show_progress(const std::string& title, const std::string& unit);

/// From now on Ctrl-C and SIGTERM only ask: `check_interrupted` throws at the next safe place.
void stop_at_safe_places();
/// @throws Interrupted
void check_interrupted();

}  // namespace kirchnet
