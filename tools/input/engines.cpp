#include "tools/input/engines.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "netlists/ngspice_solver.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/nonlinear_solver.hpp"
#include "solver/transfer_solver.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {

std::unique_ptr<OperatingPointSolver> make_engine(const std::string& name,
                                                  double ngspice_time_limit_s) {
    if (name == "ideal") return std::make_unique<IdealSolver>();
    if (name == "nodal") return std::make_unique<NodalSolver>();
    if (name == "nonlinear") return std::make_unique<NonlinearSolver>();
    if (name == "transfer") return std::make_unique<TransferSolver>();
    if (name == "ngspice") {
        NgspiceSettings settings;
        settings.time_limit_s = ngspice_time_limit_s;
        return std::make_unique<NgspiceSolver>(settings);
    }
    throw InvalidInput(
        fmt::format("engine '{}' is none of ideal, nodal, nonlinear, transfer, ngspice", name));
}

SolverFactory engine_factory(const std::string& name, std::shared_ptr<OperatorCache> cache) {
    (void)make_engine(name);
    if (cache == nullptr) return [name] { return make_engine(name); };
    return [name, cache = std::move(cache)] {
        return std::make_unique<CachedSolver>(make_engine(name), cache);
    };
}

std::shared_ptr<OperatorCache> open_operator_cache(const std::string& folder) {
    return folder.empty() ? nullptr : std::make_shared<OperatorCache>(folder);
}

void print_warnings(const OperatorCache* cache) {
    if (cache == nullptr) return;
    for (const std::string& warning : cache->warnings()) print_note(warning);
}

}  // namespace kirchnet
