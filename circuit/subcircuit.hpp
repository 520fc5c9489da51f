#pragma once

#include <map>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"

namespace kirchnet {

/// Adds devices to a circuit as SPICE unfolds an instance: its devices and inner nets get its name
/// in front (`xt0_1.wl_a_3_7`), its pins are nets of the circuit, ground stays ground. Without a
/// name devices and nets are those of the circuit itself. Refers to the circuit, which outlives it.
class Subcircuit {
  public:
    /// @param instance  `xt0_1`; empty: none
    /// @param pins      inner name to net of the circuit
    explicit Subcircuit(Circuit& circuit, const std::string& instance = {},
                        std::map<std::string, std::string> pins = {});

    /// As `Circuit::add`, names as they are within.
    /// @throws InvalidInput  as it does
    void add(const std::string& name, std::vector<std::string> nets, DeviceModel model);
    /// What an inner net is called in the circuit.
    [[nodiscard]] std::string net(const std::string& name) const;

  private:
    Circuit& circuit_;
    std::string prefix_;
    std::map<std::string, std::string> pins_;
};

}  // namespace kirchnet
