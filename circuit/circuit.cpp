#include "circuit/circuit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "circuit/error.hpp"
#include "circuit/overloaded.hpp"

namespace kirchnet {
namespace {

void require(bool holds, const std::string& device, std::string_view quantity, double value,
             std::string_view range) {
    if (!holds) throw InvalidInput(device, fmt::format("{} {} is not {}", quantity, value, range));
}

void require_finite(const std::string& device, std::string_view quantity, double value) {
    require(std::isfinite(value), device, quantity, value, "finite");
}

void require_positive(const std::string& device, std::string_view quantity, double value) {
    require(std::isfinite(value) && value > 0, device, quantity, value, "finite and above 0");
}

void require_not_negative(const std::string& device, std::string_view quantity, double value) {
    require(std::isfinite(value) && value >= 0, device, quantity, value, "finite and at least 0");
}

void check_waveform(const std::string& device, const Waveform& waveform) {
    if (waveform.corners.empty()) throw InvalidInput(device, "its waveform has no corner");
    double last = -std::numeric_limits<double>::infinity();
    for (const auto& [time, value] : waveform.corners) {
        require_finite(device, "corner time", time);
        require_finite(device, "corner value", value);
        require(time > last, device, "corner time", time, "above the one before");
        last = time;
    }
}

void check_converter(const std::string& name, const Quantizer& converter) {
    require(converter.bits >= 1 && converter.bits <= 24, name, "resolution", converter.bits,
            "1 to 24 bits");
    require_finite(name, "low end", converter.low);
    require(std::isfinite(converter.high) && converter.high > converter.low, name, "high end",
            converter.high, "finite and above the low end");
    require_finite(name, "offset", converter.offset);
    require(std::isfinite(converter.gain) && converter.gain != 0, name, "gain", converter.gain,
            "finite and other than 0");
    for (const double inl : converter.inl) require_finite(name, "INL", inl);
    if (converter.inl.size() == 1) throw InvalidInput(name, "an INL table has two entries or more");
}

void check_model(const std::string& name, const DeviceModel& model) {
    const Overloaded check{
        [&](const Resistor& x) { require_positive(name, "resistance", x.resistance); },
        [&](const Capacitor& x) { require_not_negative(name, "capacitance", x.capacitance); },
        [&](const VoltageSource& x) { check_waveform(name, x.voltage); },
        [&](const CurrentSource& x) { check_waveform(name, x.current); },
        [&](const VoltageControlledVoltageSource& x) { require_finite(name, "gain", x.gain); },
        [&](const VoltageControlledCurrentSource& x) {
            require_finite(name, "transconductance", x.transconductance);
        },
        [&](const CurrentSumSource& x) {
            for (const auto& term : x.terms) require_finite(name, "factor", term.factor);
        },
        [&](const NonlinearCell& x) { require_not_negative(name, "conductance", x.conductance); },
        [&](const DeadZoneConductor& x) {
            require_not_negative(name, "conductance", x.conductance);
            require_not_negative(name, "dead zone", x.width);
        },
        [&](const SmoothLimiter& x) { require_positive(name, "swing", x.swing); },
        [&](const HardLimiter& x) { require_positive(name, "swing", x.swing); },
        [&](const Nmos& x) {
            require_finite(name, "threshold", x.threshold);
            require_positive(name, "beta", x.beta);
            require_not_negative(name, "channel-length modulation", x.modulation);
        },
        [&](const Quantizer& x) { check_converter(name, x); }};
    std::visit(check, model);
}

/// Pairs of nets between which direct current can flow.
std::vector<std::pair<CircuitNet, CircuitNet>> conducting_pairs(const CircuitDevice& device) {
    const auto first = std::pair{device.nets[0], device.nets[1]};
    const Overloaded pairs{
        [&](const Capacitor&) { return std::vector<std::pair<CircuitNet, CircuitNet>>{}; },
        [&](const CurrentSource&) { return std::vector<std::pair<CircuitNet, CircuitNet>>{}; },
        [&](const VoltageControlledCurrentSource&) {
            return std::vector<std::pair<CircuitNet, CircuitNet>>{};
        },
        [&](const NonlinearCell& x) {
            return x.conductance > 0 ? std::vector{first}
                                     : std::vector<std::pair<CircuitNet, CircuitNet>>{};
        },
        [&](const Nmos&) {
            return std::vector{std::pair{device.nets[0], device.nets[2]}};
        },
        [&](const auto&) { return std::vector{first}; }};
    return std::visit(pairs, device.model);
}

}  // namespace

double Waveform::at(double time) const {
    const auto after = std::upper_bound(
        corners.begin(), corners.end(), time,
        [](double t, const std::pair<double, double>& corner) { return t < corner.first; });
    if (after == corners.begin()) return corners.front().second;
    if (after == corners.end()) return corners.back().second;
    const auto& [t0, v0] = *std::prev(after);
    const auto& [t1, v1] = *after;
    return v0 + (v1 - v0) * ((time - t0) / (t1 - t0));
}

double inl_at(const Quantizer& converter, double position) {
    if (converter.inl.empty()) return 0;
    const double last = std::ldexp(1.0, converter.bits) - 1;
    const double spacing = last / static_cast<double>(converter.inl.size() - 1);
    const double place = std::clamp(position, 0.0, last) / spacing;
    const auto left = std::min(static_cast<std::size_t>(place), converter.inl.size() - 2);
    const double share = place - static_cast<double>(left);
    return converter.inl[left] * (1 - share) + converter.inl[left + 1] * share;
}

double code_of(const Quantizer& converter, double voltage) {
    const double last = std::ldexp(1.0, converter.bits) - 1;
    const double lsb = (converter.high - converter.low) / last;
    const double position = (converter.gain * voltage + converter.offset - converter.low) / lsb;
    return std::clamp(std::floor(position + inl_at(converter, position) + 0.5), 0.0, last);
}

int net_count(const DeviceModel& model) {
    const Overloaded count{[](const VoltageControlledVoltageSource&) { return 4; },
                           [](const VoltageControlledCurrentSource&) { return 4; },
                           [](const SmoothLimiter&) { return 4; },
                           [](const HardLimiter&) { return 4; },
                           [](const Quantizer&) { return 4; },
                           [](const Nmos&) { return 3; },
                           [](const auto&) { return 2; }};
    return std::visit(count, model);
}

Circuit::Circuit() : net_names_{"0"}, net_of_{{"0", circuit_ground}} {}

CircuitNet Circuit::net(std::string_view name) {
    const auto known = net_of_.find(name);
    if (known != net_of_.end()) return known->second;
    const CircuitNet number = nets();
    net_names_.emplace_back(name);
    net_of_.emplace(std::string(name), number);
    return number;
}

CircuitNet Circuit::find_net(std::string_view name) const {
    const auto known = net_of_.find(name);
    if (known == net_of_.end())
        throw InvalidInput(std::string(name), "the circuit has no such net");
    return known->second;
}

void Circuit::add(std::string name, std::vector<std::string> nets, DeviceModel model) {
    if (name.empty()) throw InvalidInput("circuit", "a device without a name");
    if (device_of_.contains(name))
        throw InvalidInput(name, "the circuit has such a device already");
    const int wanted = net_count(model);
    if (static_cast<int>(nets.size()) != wanted)
        throw InvalidInput(name, fmt::format("{} nets given, but it has {}", nets.size(), wanted));
    check_model(name, model);
    if (const auto* sum = std::get_if<CurrentSumSource>(&model))
        for (const auto& term : sum->terms)
            if (!std::holds_alternative<VoltageSource>(device(term.source).model))
                throw InvalidInput(name, term.source + " is no voltage source");
    CircuitDevice added{name, {}, std::move(model)};
    for (std::size_t i = 0; i < nets.size(); ++i) added.nets[i] = net(nets[i]);
    device_of_.emplace(std::move(name), devices_.size());
    devices_.push_back(std::move(added));
}

std::size_t Circuit::device_index(std::string_view name) const {
    const auto known = device_of_.find(name);
    if (known == device_of_.end())
        throw InvalidInput(std::string(name), "the circuit has no such device");
    return known->second;
}

const CircuitDevice& Circuit::device(std::string_view name) const {
    return devices_[device_index(name)];
}

bool Circuit::is_linear() const {
    const Overloaded linear{[](const NonlinearCell& x) { return x.law.is_linear(); },
                            [](const DeadZoneConductor& x) { return x.conductance == 0; },
                            [](const SmoothLimiter&) { return false; },
                            [](const HardLimiter&) { return false; },
                            [](const Nmos&) { return false; },
                            [](const Quantizer&) { return false; },
                            [](const auto&) { return true; }};
    return std::all_of(devices_.begin(), devices_.end(), [&](const CircuitDevice& device) {
        return std::visit(linear, device.model);
    });
}

void Circuit::set_waveform(std::string_view source, Waveform waveform) {
    CircuitDevice& device = devices_[device_index(source)];
    check_waveform(device.name, waveform);
    if (auto* voltage = std::get_if<VoltageSource>(&device.model))
        voltage->voltage = std::move(waveform);
    else if (auto* current = std::get_if<CurrentSource>(&device.model))
        current->current = std::move(waveform);
    else
        throw InvalidInput(device.name, "is no independent source");
}

std::vector<std::string> floating_nets(const Circuit& circuit) {
    std::vector<CircuitNet> parent(static_cast<std::size_t>(circuit.nets()));
    std::iota(parent.begin(), parent.end(), 0);
    const auto find = [&](CircuitNet net) {
        while (parent[static_cast<std::size_t>(net)] != net) {
            auto& up = parent[static_cast<std::size_t>(net)];
            net = up = parent[static_cast<std::size_t>(up)];
        }
        return net;
    };
    for (const CircuitDevice& device : circuit.devices())
        for (const auto& [x, y] : conducting_pairs(device)) {
            const CircuitNet a = find(x);
            const CircuitNet b = find(y);
            parent[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
        }
    std::vector<std::string> floating;
    for (CircuitNet net = 1; net < circuit.nets(); ++net)
        if (find(net) == net) floating.push_back(circuit.net_name(net));
    return floating;
}

}  // namespace kirchnet
