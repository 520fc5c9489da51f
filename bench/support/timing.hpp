#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

namespace kirchnet::bench {

inline double seconds_on(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Seconds on a clock that `work` takes. CLOCK_THREAD_CPUTIME_ID leaves out what other jobs on the
/// machine take, CLOCK_MONOTONIC is wall time.
template <typename Work>
double seconds_of(Work work, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
    const double start = seconds_on(clock);
    work();
    return seconds_on(clock) - start;
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace kirchnet::bench
