// TR-BDF2 (R. E. Bank et al., "Transient simulation of silicon devices and circuits", IEEE Trans.
// Electron Devices ED-32, 1985), docs/methods/general-circuits.md. For v' = f, gamma = 2 - sqrt(2):
//     v_g = v_0 + gamma h / 2 (f_0 + f_g)                                      trapezoidal rule
//     f_1 = ((2 - gamma) / (1 - gamma) v_1 - v_g / (gamma (1 - gamma))
//            + (1 - gamma) / gamma v_0) / h                                    BDF2
// Both rules have the slope a = 2 / (gamma h). The local error k h^3 v''', k the constant below,
// comes from the second divided difference of f. It is held small at the capacitors themselves, so
// that a step over a corner of a law is not taken for good because its end is, and, by the
// Jacobian, at all nets (M. E. Hosea, L. F. Shampine, Appl. Numer. Math. 20, 1996).
#include "solver/transient.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"
#include "solver/detail/circuit_checks.hpp"
#include "solver/detail/operating_point_search.hpp"

namespace kirchnet {
namespace {

using detail::Conditions;
using detail::Precise;
using detail::PreciseVector;
using Eigen::Index;

const double stage = 2 - std::sqrt(2.0);                                                  // gamma
const double error_constant = (-3 * stage * stage + 4 * stage - 2) / (12 * (2 - stage));  // k

constexpr double first_step_share = 1e-4;  // of the way to the next corner
constexpr double shortest_step_share = 1e-13;
constexpr double safety = 0.9;
constexpr double most_growth = 5;
constexpr double least_growth = 1.3;  // less is not worth new factors
constexpr double most_shrinkage = 0.2;
constexpr double newton_share = 0.01;  // of the absolute tolerance
constexpr int most_newton_steps = 12;

/// Times that a step must end at: corners of waveforms, and the end.
std::vector<double> corners_of(const Circuit& circuit, double stop) {
    std::vector<double> times{stop};
    const auto add = [&](const Waveform& waveform) {
        for (const auto& [time, value] : waveform.corners)
            if (time > 0 && time < stop) times.push_back(time);
    };
    for (const CircuitDevice& device : circuit.devices()) {
        if (const auto* voltage = std::get_if<VoltageSource>(&device.model)) add(voltage->voltage);
        if (const auto* current = std::get_if<CurrentSource>(&device.model)) add(current->current);
    }
    std::sort(times.begin(), times.end());
    std::vector<double> apart;
    for (const double time : times)
        if (apart.empty() || time - apart.back() > 1e-12 * stop) apart.push_back(time);
    apart.back() = stop;
    return apart;
}

/// The circuit at one time, with the currents of its capacitors.
struct Moment {
    double time = 0;
    PreciseVector unknowns;
    PreciseVector charging;  ///< currents of capacitors [A]
};

/// One step's outcome.
struct Step {
    Moment middle;
    Moment end;
    double error = 0;  ///< 1 is the tolerance
};

class Integrator {
  public:
    Integrator(const Circuit& circuit, const TransientSettings& settings, double stop)
        : settings_(settings),
          stop_(stop),
          equations_(circuit),
          newton_(equations_),
          largest_(Eigen::VectorXd::Zero(equations_.voltages())) {
        for (const std::size_t k : equations_.capacitors())
            capacitance_.push_back(std::get<Capacitor>(circuit.devices()[k].model).capacitance);
    }

    [[nodiscard]] const detail::CircuitEquations& equations() const { return equations_; }
    [[nodiscard]] int newton_steps() const { return newton_.steps(); }

    Moment start() {
        Moment moment;
        moment.unknowns =
            detail::find_operating_point(equations_, newton_, settings_.operating_point).unknowns;
        moment.charging = PreciseVector::Zero(std::ssize(capacitance_));
        remember(moment);
        return moment;
    }

    /// Nothing where Newton's method fails.
    std::optional<Step> step(const Moment& from, double h);

    /// Keeps the largest voltages, against which errors are measured.
    void remember(const Moment& moment) {
        for (Index net = 0; net < equations_.voltages(); ++net)
            largest_(net) =
                std::max(largest_(net), static_cast<double>(std::abs(moment.unknowns(net))));
    }

    [[noreturn]] void refuse(const Moment& at) const {
        const Circuit& circuit = equations_.circuit();
        const CircuitNet net = equations_.net_of_row(newton_.singular() ? Index{*newton_.singular()}
                                                                        : newton_.worst_row());
        throw NotConverged(
            circuit.net_name(net),
            fmt::format("transient, at {:.6g} s steps would have to be shorter than "
                        "{:.2g} s; what meets there: {}",
                        at.time, shortest_step_share * stop_, detail::devices_at(circuit, net)));
    }

  private:
    [[nodiscard]] Precise capacitor_voltage(const Moment& moment, std::size_t k) const {
        return equations_.drop(moment.unknowns, equations_.capacitors()[k]);
    }
    /// Solves moment.unknowns, which hold a guess, and gives the charging currents.
    bool solve(Moment& moment, double rate, const PreciseVector& history) {
        const Conditions conditions{
            .time = moment.time, .capacitor_rate = rate, .history = &history};
        const double small = newton_share * settings_.absolute_tolerance;
        const bool found = newton_.correct(moment.unknowns, conditions, most_newton_steps, small,
                                           rate == factored_rate_);
        factored_rate_ = found ? rate : 0;
        moment.charging.resize(history.size());
        for (std::size_t k = 0; k < capacitance_.size(); ++k)
            moment.charging(static_cast<Index>(k)) =
                rate * capacitance_[k] * capacitor_voltage(moment, k) +
                history(static_cast<Index>(k));
        return found;
    }
    [[nodiscard]] PreciseVector trapezoidal_history(const Moment& from, double rate) const;
    [[nodiscard]] PreciseVector bdf2_history(const Moment& from, const Moment& middle,
                                             double h) const;
    /// Error that a net's voltage may take in a step [V].
    [[nodiscard]] double allowed(CircuitNet net) const {
        const double largest = net == circuit_ground ? 0 : largest_(net - 1);
        return settings_.absolute_tolerance + settings_.relative_tolerance * largest;
    }
    [[nodiscard]] double error_of(const Moment& from, const Step& step, double h);

    const TransientSettings& settings_;
    double stop_;
    detail::CircuitEquations equations_;
    detail::CircuitNewton newton_;
    std::vector<double> capacitance_;
    Eigen::VectorXd largest_;  ///< |voltage| so far [V]
    double factored_rate_ = 0;
};

PreciseVector Integrator::trapezoidal_history(const Moment& from, double rate) const {
    PreciseVector history(std::ssize(capacitance_));
    for (std::size_t k = 0; k < capacitance_.size(); ++k)
        history(static_cast<Index>(k)) = -rate * capacitance_[k] * capacitor_voltage(from, k) -
                                         from.charging(static_cast<Index>(k));
    return history;
}

PreciseVector Integrator::bdf2_history(const Moment& from, const Moment& middle, double h) const {
    const double of_middle = -1 / (stage * (1 - stage) * h);
    const double of_start = (1 - stage) / (stage * h);
    PreciseVector history(std::ssize(capacitance_));
    for (std::size_t k = 0; k < capacitance_.size(); ++k)
        history(static_cast<Index>(k)) =
            capacitance_[k] *
            (of_middle * capacitor_voltage(middle, k) + of_start * capacitor_voltage(from, k));
    return history;
}

double Integrator::error_of(const Moment& from, const Step& step, double h) {
    const double rate = 2 / (stage * h);
    Eigen::VectorXd missing = Eigen::VectorXd::Zero(equations_.size());
    const PreciseVector bend = from.charging / stage -
                               step.middle.charging / (stage * (1 - stage)) +
                               step.end.charging / (1 - stage);
    double largest = 0;
    for (std::size_t k = 0; k < capacitance_.size(); ++k) {
        if (capacitance_[k] == 0) continue;
        const double charge =
            2 * error_constant * h * static_cast<double>(bend(static_cast<Index>(k)));
        const auto& nets = equations_.circuit().devices()[equations_.capacitors()[k]].nets;
        largest = std::max(largest, std::abs(charge / capacitance_[k]) /
                                        std::max(allowed(nets[0]), allowed(nets[1])));
        if (nets[0] != circuit_ground) missing(nets[0] - 1) += rate * charge;
        if (nets[1] != circuit_ground) missing(nets[1] - 1) -= rate * charge;
    }
    const Eigen::VectorXd error = newton_.solve(std::move(missing));
    for (CircuitNet net = 1; net <= equations_.voltages(); ++net)
        largest = std::max(largest, std::abs(error(net - 1)) / allowed(net));
    return largest;
}

std::optional<Step> Integrator::step(const Moment& from, double h) {
    const double rate = 2 / (stage * h);
    Step step;
    step.middle.time = from.time + stage * h;
    step.middle.unknowns = from.unknowns;
    if (!solve(step.middle, rate, trapezoidal_history(from, rate))) return std::nullopt;
    step.end.time = from.time + h;
    step.end.unknowns = from.unknowns + (step.middle.unknowns - from.unknowns) / Precise{stage};
    if (!solve(step.end, rate, bdf2_history(from, step.middle, h))) return std::nullopt;
    step.error = equations_.size() > 0 ? error_of(from, step, h) : 0;
    return step;
}

/// Waveforms that grow with the steps.
class Recorder {
  public:
    Recorder(const detail::CircuitEquations& equations, const std::vector<std::string>& nets,
             const std::vector<std::string>& currents, TransientResult& result) {
        for (const std::string& name : nets)
            signals_.push_back({equations.circuit().find_net(name) - 1, &result.voltage[name]});
        for (const std::string& name : currents) {
            const std::int32_t unknown = equations.branch(equations.circuit().device_index(name));
            if (unknown < 0)
                throw InvalidInput(name,
                                   "is no voltage source; its current over time is not "
                                   "recorded");
            signals_.push_back({unknown, &result.current[name]});
        }
        for (const auto& [unknown, waveform] : signals_) *waveform = {};
    }
    void record(const Moment& moment) {
        for (const auto& [unknown, waveform] : signals_) {
            waveform->time.push_back(moment.time);
            waveform->value.push_back(unknown < 0 ? 0.0
                                                  : static_cast<double>(moment.unknowns(unknown)));
        }
    }

  private:
    std::vector<std::pair<std::int32_t, SampledWaveform*>> signals_;
};

/// Chooses steps: short at corners, then as long as the error allows.
class StepControl {
  public:
    StepControl(std::vector<double> corners, double largest)
        : corners_(std::move(corners)), largest_(largest) {}

    /// The step from a time, which starts anew behind each corner.
    double choose(double time) {
        const double left = corners_[next_] - time;
        if (step_ == 0) step_ = first_step_share * left;
        step_ = std::min(step_, largest_);
        // Two equal steps rather than a long one and a tiny one.
        if (step_ >= left) return left;
        return 2 * step_ > left ? left / 2 : step_;
    }
    void accept(double taken, double error) {
        const double growth = error > 0 ? safety / std::cbrt(error) : most_growth;
        if (growth >= least_growth || growth < 1) step_ = taken * std::min(growth, most_growth);
    }
    void reject(double taken, double error) {
        step_ = taken * std::clamp(safety / std::cbrt(error), most_shrinkage, safety);
    }
    void fail(double taken) { step_ = taken / 8; }
    /// Whether a time is the next corner; then goes on to the one behind it.
    bool reaches_corner(double time) {
        if (time < corners_[next_]) return false;
        ++next_;
        step_ = 0;
        return true;
    }
    [[nodiscard]] bool is_done() const { return next_ == corners_.size(); }
    [[nodiscard]] double corner() const { return corners_[next_]; }

  private:
    std::vector<double> corners_;
    double largest_;
    std::size_t next_ = 0;
    double step_ = 0;
};

void check(double stop, const TransientSettings& settings) {
    const auto require = [](bool holds, std::string_view what, double value) {
        if (!holds)
            throw InvalidInput("transient", fmt::format("{} {} is out of range", what, value));
    };
    require(std::isfinite(stop) && stop > 0, "end", stop);
    require(settings.relative_tolerance > 0 && settings.relative_tolerance < 1,
            "relative tolerance", settings.relative_tolerance);
    require(settings.absolute_tolerance > 0, "absolute tolerance", settings.absolute_tolerance);
    require(settings.largest_step >= 0, "largest step", settings.largest_step);
    require(settings.max_steps > 0, "number of steps", settings.max_steps);
}

}  // namespace

TransientResult solve_transient(const Circuit& circuit, double stop,
                                const std::vector<std::string>& nets,
                                const std::vector<std::string>& currents,
                                const TransientSettings& settings) {
    check(stop, settings);
    detail::check_solvable(circuit);
    Integrator integrator(circuit, settings, stop);
    TransientResult result;
    Recorder recorder(integrator.equations(), nets, currents, result);
    StepControl control(corners_of(circuit, stop),
                        settings.largest_step > 0 ? settings.largest_step : stop / 50);
    Moment now = integrator.start();
    recorder.record(now);
    while (!control.is_done()) {
        const double h = control.choose(now.time);
        if (h < shortest_step_share * stop) integrator.refuse(now);
        std::optional<Step> step = integrator.step(now, h);
        if (!step || step->error > 1) {
            ++result.rejected;
            step ? control.reject(h, step->error) : control.fail(h);
            continue;
        }
        if (++result.steps > settings.max_steps)
            throw NotConverged(nets.empty() ? "0" : nets.front(),
                               fmt::format("transient, {} steps end at {:.6g} s of {:.6g} s",
                                           settings.max_steps, now.time, stop));
        // The corner itself, not a sum that rounds past it.
        if (control.corner() - step->end.time < 1e-12 * stop) step->end.time = control.corner();
        recorder.record(step->middle);
        recorder.record(step->end);
        integrator.remember(step->end);
        control.accept(h, step->error);
        now = std::move(step->end);
        (void)control.reaches_corner(now.time);
        if (settings.after_step) settings.after_step(now.time);
    }
    result.iterations = integrator.newton_steps();
    return result;
}

double SampledWaveform::at(double moment) const {
    if (time.empty()) return 0;
    if (moment <= time.front()) return value.front();
    if (moment >= time.back()) return value.back();
    const auto after = std::upper_bound(time.begin(), time.end(), moment);
    const auto place = static_cast<std::size_t>(after - time.begin()) - 1;
    const std::size_t k = place - place % 2;  // where the step begins
    const double t0 = time[k];
    const double t1 = time[k + 1];
    const double t2 = time[k + 2];
    const double first = (value[k + 1] - value[k]) / (t1 - t0);
    const double second = ((value[k + 2] - value[k + 1]) / (t2 - t1) - first) / (t2 - t0);
    return value[k] + (moment - t0) * (first + (moment - t1) * second);
}

std::optional<double> settling_time(const SampledWaveform& waveform, double final_value,
                                    double tolerance) {
    const auto is_outside = [&](double value) { return std::abs(value - final_value) > tolerance; };
    std::size_t last = waveform.time.size();
    while (last > 0 && !is_outside(waveform.value[last - 1])) --last;
    if (last == waveform.time.size()) return std::nullopt;  // also of a waveform without samples
    if (last == 0) return waveform.time.front();
    double outside = waveform.time[last - 1];
    double inside = waveform.time[last];
    constexpr int halvings = 60;
    for (int i = 0; i < halvings; ++i) {
        const double middle = (outside + inside) / 2;
        (is_outside(waveform.at(middle)) ? outside : inside) = middle;
    }
    return inside;
}

}  // namespace kirchnet
