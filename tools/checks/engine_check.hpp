#pragma once

#include <string>
#include <vector>

#include "circuit/crossbar.hpp"
#include "circuit/operating_point_solver.hpp"
#include "data/result_file.hpp"
#include "tools/arguments.hpp"
#include "tools/checks/circuit_check.hpp"

namespace kirchnet {

/// One array with its inputs, and what to call it.
struct NamedArray {
    std::string name;
    Crossbar crossbar;
    Eigen::MatrixXd inputs;  ///< read voltages [V], [word_lines × batch]
};

/// A comparison and what is accepted of it.
struct Checked {
    AgreementRecord record;
    double tolerance = 0;
    bool is_gated = true;  ///< false: shown, as engines without wires are

    [[nodiscard]] bool agrees() const { return record.worst <= tolerance; }
};

/// Runs engines on arrays, and both roads on whole circuits, one after the other, and keeps the
/// records. Column currents are compared as |ΔI_c| / Σ_r |T_cr V_r|.
class EngineCheck {
  public:
    /// @param arguments  outlive the object
    /// @throws InvalidInput  for engines that are not, or fewer than two, or a tolerance not above
    /// 0
    explicit EngineCheck(const CheckArguments& arguments);

    void check(const NamedArray& given);
    /// Left out with a note where ngspice would need minutes, unless --large.
    void check(const WholeCircuit& whole);

    [[nodiscard]] bool asks_ngspice() const;
    [[nodiscard]] const std::vector<Checked>& results() const { return results_; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    /// Of arrays.
    [[nodiscard]] double tolerance() const { return tolerance_; }
    [[nodiscard]] const CellLaw& law() const { return law_; }
    /// Whether all that is gated agrees.
    [[nodiscard]] bool agree() const;
    /// The gated result that comes nearest to its tolerance; null where none is gated.
    [[nodiscard]] const Checked* worst() const;

  private:
    bool is_too_large(const std::string& engine, const NamedArray& circuit);
    void note(const std::string& text);
    [[nodiscard]] OperatingPoint run(const std::string& engine, const NamedArray& circuit) const;
    [[nodiscard]] AgreementRecord compare(const NamedArray& circuit, const std::string& engine,
                                          const OperatingPoint& reference,
                                          const OperatingPoint& other,
                                          const Eigen::MatrixXd& T) const;

    const CheckArguments& arguments_;
    CellLaw law_;
    double tolerance_;
    std::vector<std::string> engines_;
    std::vector<Checked> results_;
    std::vector<std::string> notes_;
};

}  // namespace kirchnet
