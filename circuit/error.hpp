#pragma once

#include <stdexcept>
#include <string>

namespace kirchnet {

/// Base of everything kirchnet throws. `what()` is one line in the circuit's language.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The caller's input is wrong: a value, a shape, a key, or the content of a file.
/// The program ends with exit code 2.
class InvalidInput : public Error {
  public:
    using Error::Error;
    /// @param where  file, key, cell or net the message is about
    InvalidInput(std::string where, const std::string& problem);

    [[nodiscard]] const std::string& where() const { return where_; }

  private:
    std::string where_;
};

/// The machine refused: a file that cannot be written, a full disk, a lost process.
class FileError : public Error {
  public:
    FileError(std::string path, const std::string& problem);

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// Elimination met a pivot it cannot use.
class SingularSystem : public Error {
  public:
    /// @param net     name of the net where elimination failed
    /// @param detail  shape of the circuit and condition estimate
    SingularSystem(std::string net, const std::string& detail);

    [[nodiscard]] const std::string& net() const { return net_; }

  private:
    std::string net_;
};

/// An iteration ended without a solution.
class NotConverged : public Error {
  public:
    /// @param net     name of the net where Kirchhoff's current law fails by most
    /// @param detail  what was tried, what is left, which devices meet there
    NotConverged(std::string net, const std::string& detail);

    [[nodiscard]] const std::string& net() const { return net_; }

  private:
    std::string net_;
};

/// ngspice refused a deck, died, or took longer than its limit.
class NgspiceError : public Error {
  public:
    using Error::Error;
};

/// The user asked the program to stop.
class Interrupted : public Error {
  public:
    Interrupted() : Error("interrupted") {}
};

}  // namespace kirchnet
