// Modified nodal analysis (C.-W. Ho, A. E. Ruehli, P. A. Brennan, "The modified nodal approach to
// network analysis", IEEE Trans. Circuits Syst. CAS-22, 1975), docs/methods/general-circuits.md:
//     net n:     sum of currents out of n = 0       i_k = f_k(controls), or the unknown i_b
//     branch b:  v_from - v_to - f_b(controls) = 0
#include "solver/detail/circuit_equations.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "circuit/overloaded.hpp"
#include "solver/detail/device_laws.hpp"

namespace kirchnet::detail {
namespace {

using Index = Eigen::Index;

bool defines_voltage(const DeviceModel& model) {
    const Overloaded defines{[](const VoltageSource&) { return true; },
                             [](const VoltageControlledVoltageSource&) { return true; },
                             [](const CurrentSumSource&) { return true; },
                             [](const SmoothLimiter&) { return true; },
                             [](const HardLimiter&) { return true; },
                             [](const Quantizer&) { return true; },
                             [](const auto&) { return false; }};
    return std::visit(defines, model);
}

std::int32_t unknown_of(CircuitNet net) {
    return net - 1;
}

}  // namespace

CircuitEquations::CircuitEquations(Circuit circuit) : circuit_(std::move(circuit)) {
    place_devices();
    make_pattern();
}

void CircuitEquations::set_waveform(std::string_view source, Waveform waveform) {
    circuit_.set_waveform(source, std::move(waveform));
}

void CircuitEquations::place_devices() {
    const auto& devices = circuit_.devices();
    placed_.resize(devices.size());
    for (std::size_t k = 0; k < devices.size(); ++k) {
        const auto& nets = devices[k].nets;
        Placed& placed = placed_[k];
        const bool is_nmos = std::holds_alternative<Nmos>(devices[k].model);
        placed.from = unknown_of(nets[0]);
        placed.to = unknown_of(nets[is_nmos ? 2 : 1]);
        if (defines_voltage(devices[k].model)) {
            placed.branch = static_cast<std::int32_t>(voltages() + std::ssize(branches_));
            branches_.push_back(k);
        }
        if (std::holds_alternative<Capacitor>(devices[k].model)) {
            placed.capacitor = capacitors_.size();
            capacitors_.push_back(k);
        }
    }
    size_ = voltages() + std::ssize(branches_);
    for (std::size_t k = 0; k < devices.size(); ++k) {
        const auto& nets = devices[k].nets;
        const Overloaded controls{
            [](const VoltageSource&) { return std::vector<std::int32_t>{}; },
            [](const CurrentSource&) { return std::vector<std::int32_t>{}; },
            [&](const CurrentSumSource& sum) {
                std::vector<std::int32_t> unknowns;
                for (const auto& term : sum.terms)
                    unknowns.push_back(placed_[circuit_.device_index(term.source)].branch);
                return unknowns;
            },
            [&](const Nmos&) {
                return std::vector{unknown_of(nets[0]), unknown_of(nets[1]), unknown_of(nets[2])};
            },
            [&](const auto& model) {
                const std::size_t first = net_count(model) == 4 ? 2 : 0;
                return std::vector{unknown_of(nets[first]), unknown_of(nets[first + 1])};
            }};
        placed_[k].controls = std::visit(controls, devices[k].model);
    }
}

/// Places in the matrix, in the order in which `stamp` fills them.
std::vector<std::pair<std::int32_t, std::int32_t>> CircuitEquations::entries(const Placed& placed) {
    std::vector<std::pair<std::int32_t, std::int32_t>> places;
    const std::int32_t b = placed.branch;
    if (b >= 0) places = {{placed.from, b}, {placed.to, b}, {b, placed.from}, {b, placed.to}};
    for (const std::int32_t control : placed.controls) {
        if (b >= 0) {
            places.emplace_back(b, control);
        } else {
            places.emplace_back(placed.from, control);
            places.emplace_back(placed.to, control);
        }
    }
    return places;
}

void CircuitEquations::make_pattern() {
    std::vector<std::pair<std::int32_t, std::int32_t>> wanted;  // (column, row)
    std::vector<std::pair<std::int32_t, std::int32_t>> asked;
    for (Placed& placed : placed_) {
        placed.first_slot = asked.size();
        for (const auto& [row, column] : entries(placed)) asked.emplace_back(column, row);
    }
    for (const auto& place : asked)
        if (place.first >= 0 && place.second >= 0) wanted.push_back(place);
    for (std::int32_t net = 0; net < voltages(); ++net) wanted.emplace_back(net, net);  // gmin
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());

    column_start_.assign(static_cast<std::size_t>(size_) + 1, 0);
    for (const auto& [column, row] : wanted) {
        ++column_start_[static_cast<std::size_t>(column) + 1];
        row_.push_back(row);
    }
    for (std::size_t c = 1; c < column_start_.size(); ++c) column_start_[c] += column_start_[c - 1];
    const auto slot_of = [&](const std::pair<std::int32_t, std::int32_t>& place) {
        if (place.first < 0 || place.second < 0) return -1;
        const auto found = std::lower_bound(wanted.begin(), wanted.end(), place);
        return static_cast<std::int32_t>(found - wanted.begin());
    };
    for (const auto& place : asked) slots_.push_back(slot_of(place));
    for (std::int32_t net = 0; net < voltages(); ++net) diagonal_.push_back(slot_of({net, net}));
}

CircuitEquations::Response CircuitEquations::respond(std::size_t device,
                                                     const PreciseVector& unknowns,
                                                     const Conditions& conditions) const {
    const Placed& placed = placed_[device];
    const auto linear = [&](Precise factor) {
        const auto slope = static_cast<double>(factor);
        return Response{factor * control_drop(unknowns, placed), {slope, -slope, 0}};
    };
    const auto of_law = [](const LawPoint& point) {
        return Response{point.value, {point.slope, -point.slope, 0}};
    };
    const auto source = [&](const Waveform& waveform) {
        return Response{Precise{conditions.source_scale} * waveform.at(conditions.time), {}};
    };
    const Overloaded response{
        [&](const Resistor& x) { return linear(1 / Precise{x.resistance}); },
        [&](const Capacitor& x) {
            if (conditions.history == nullptr) return Response{};
            Response companion = linear(Precise{conditions.capacitor_rate} * x.capacitance);
            companion.value += (*conditions.history)(static_cast<Index>(placed.capacitor));
            return companion;
        },
        [&](const VoltageSource& x) { return source(x.voltage); },
        [&](const CurrentSource& x) { return source(x.current); },
        [&](const VoltageControlledVoltageSource& x) { return linear(x.gain); },
        [&](const VoltageControlledCurrentSource& x) { return linear(x.transconductance); },
        [&](const CurrentSumSource& x) {
            Response sum;
            for (std::size_t i = 0; i < x.terms.size(); ++i)
                sum.value += x.terms[i].factor * at(unknowns, placed.controls[i]);
            return sum;
        },
        [&](const NonlinearCell& x) {
            return of_law(cell_current(x, control_drop(unknowns, placed)));
        },
        [&](const DeadZoneConductor& x) {
            return of_law(dead_zone_current(x, control_drop(unknowns, placed)));
        },
        [&](const SmoothLimiter& x) {
            return of_law(smooth_limit(x, control_drop(unknowns, placed)));
        },
        [&](const HardLimiter& x) { return of_law(hard_limit(x, control_drop(unknowns, placed))); },
        [&](const Quantizer& x) { return of_law(quantize(x, control_drop(unknowns, placed))); },
        [&](const Nmos& x) {
            const NmosPoint point =
                nmos_current(x, at(unknowns, placed.controls[0]), at(unknowns, placed.controls[1]),
                             at(unknowns, placed.controls[2]));
            return Response{point.current, {point.drain, point.gate, point.source}};
        }};
    return std::visit(response, circuit_.devices()[device].model);
}

double CircuitEquations::slope(std::size_t device, std::size_t control,
                               const Response& response) const {
    const auto* sum = std::get_if<CurrentSumSource>(&circuit_.devices()[device].model);
    return sum != nullptr ? sum->terms[control].factor : response.slope[control];
}

void CircuitEquations::add_current(const Placed& placed, Precise current, Balance& balance) {
    const auto size = static_cast<double>(std::abs(current));
    if (placed.from >= 0) {
        balance.residual(placed.from) += current;
        balance.magnitude(placed.from) += size;
    }
    if (placed.to >= 0) {
        balance.residual(placed.to) -= current;
        balance.magnitude(placed.to) += size;
    }
}

void CircuitEquations::stamp(std::size_t device, const Response& response,
                             std::vector<double>& slopes) const {
    const Placed& placed = placed_[device];
    std::size_t next = placed.first_slot;
    const auto add = [&](double value) {
        const std::int32_t slot = slots_[next++];
        if (slot >= 0) slopes[static_cast<std::size_t>(slot)] += value;
    };
    if (placed.branch >= 0)
        for (const double incidence : {1.0, -1.0, 1.0, -1.0}) add(incidence);
    for (std::size_t c = 0; c < placed.controls.size(); ++c) {
        const double value = slope(device, c, response);
        if (placed.branch >= 0) {
            add(-value);
        } else {
            add(value);
            add(-value);
        }
    }
}

void CircuitEquations::evaluate(const PreciseVector& unknowns, const Conditions& conditions,
                                Balance& balance, std::vector<double>* slopes) const {
    balance.residual = PreciseVector::Zero(size_);
    balance.magnitude = Eigen::VectorXd::Zero(size_);
    balance.residual.head(voltages()) = Precise{conditions.gmin} * unknowns.head(voltages());
    if (slopes != nullptr) {
        slopes->assign(row_.size(), 0.0);
        for (const std::int32_t slot : diagonal_)
            (*slopes)[static_cast<std::size_t>(slot)] = conditions.gmin;
    }
    for (std::size_t k = 0; k < placed_.size(); ++k) {
        const Placed& placed = placed_[k];
        const Response response = respond(k, unknowns, conditions);
        if (placed.branch >= 0) {
            const Precise from = at(unknowns, placed.from);
            const Precise to = at(unknowns, placed.to);
            balance.residual(placed.branch) = from - to - response.value;
            balance.magnitude(placed.branch) =
                static_cast<double>(std::abs(from) + std::abs(to) + std::abs(response.value));
            add_current(placed, unknowns(placed.branch), balance);
        } else {
            add_current(placed, response.value, balance);
        }
        if (slopes != nullptr) stamp(k, response, *slopes);
    }
}

Precise CircuitEquations::drop(const PreciseVector& unknowns, std::size_t device) const {
    return at(unknowns, placed_[device].from) - at(unknowns, placed_[device].to);
}

std::vector<double> CircuitEquations::currents(const PreciseVector& unknowns,
                                               const Conditions& conditions) const {
    std::vector<double> result(placed_.size());
    for (std::size_t k = 0; k < placed_.size(); ++k)
        result[k] =
            static_cast<double>(placed_[k].branch >= 0 ? unknowns(placed_[k].branch)
                                                       : respond(k, unknowns, conditions).value);
    return result;
}

CircuitNet CircuitEquations::net_of_row(Eigen::Index row) const {
    if (row < voltages()) return static_cast<CircuitNet>(row) + 1;
    const auto& nets =
        circuit_.devices()[branches_[static_cast<std::size_t>(row - voltages())]].nets;
    return nets[0] != circuit_ground ? nets[0] : nets[1];
}

}  // namespace kirchnet::detail
