#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace kirchnet::detail {

/// A spawned `kirchnet-ngspice` and the socket to it. Killed and awaited when it goes.
class HelperProcess {
  public:
    /// @param directory  empty: the process's home and working directory
    /// @throws NgspiceError  when it cannot be started
    HelperProcess(const std::filesystem::path& program, const std::filesystem::path& directory);
    HelperProcess(const HelperProcess&) = delete;
    HelperProcess& operator=(const HelperProcess&) = delete;
    ~HelperProcess();

    /// @throws NgspiceError  when the helper is dead, or does not take or give the frame in time
    void send(std::string_view payload, double time_limit_s);
    [[nodiscard]] std::string receive(double time_limit_s);

    /// What the process printed by itself, past ngspice's callbacks.
    [[nodiscard]] std::string error_output() const;

  private:
    [[noreturn]] void report_death();

    std::filesystem::path error_file_;
    int socket_ = -1;
    pid_t process_ = -1;
};

}  // namespace kirchnet::detail
