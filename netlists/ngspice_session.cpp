#include "netlists/ngspice_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string_view>

#include "circuit/error.hpp"
#include "netlists/detail/deck_scan.hpp"
#include "netlists/detail/helper_location.hpp"
#include "netlists/detail/helper_process.hpp"
#include "netlists/detail/message_scan.hpp"
#include "netlists/detail/private_directory.hpp"
#include "netlists/detail/wire_protocol.hpp"

namespace kirchnet {
namespace {

using Eigen::Index;

/// A source whose value no other circuit has: when it reads back, the numbers beside it belong to
/// this deck and this operating point. ngspice answers a bad deck with the circuit before.
struct Canary {
    int nonce = 0;

    /// Whole volts read back exactly, and stay small enough not to trouble convergence.
    static Canary draw() {
        std::random_device device;
        return {std::uniform_int_distribution<int>(100'000, 999'999)(device)};
    }
    [[nodiscard]] std::string source() const { return fmt::format("vcanary_{}", nonce); }
    [[nodiscard]] std::string net() const { return fmt::format("canary_{}", nonce); }
    [[nodiscard]] std::string line() const {
        return fmt::format("{} {} 0 dc {}\n", source(), net(), nonce);
    }
    [[nodiscard]] double value_at(Index point) const {
        return static_cast<double>(nonce) + static_cast<double>(point) + 1;
    }
    [[nodiscard]] bool is_value_at(Index point, double value) const {
        return std::abs(value - value_at(point)) < 0.25;
    }
};

std::string lower(std::string_view text) {
    std::string result;
    for (const char letter : text)
        result += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return result;
}

/// Words in lower case with single blanks between: how titles are compared.
std::string squeeze(std::string_view text) {
    std::string result;
    for (const char letter : lower(text))
        if (std::isspace(static_cast<unsigned char>(letter)) == 0)
            result += letter;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    if (!result.empty() && result.back() == ' ') result.pop_back();
    return result;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!lines.back().empty() && lines.back().back() == '\r') lines.back().remove_suffix(1);
    }
    return lines;
}

struct PreparedDeck {
    std::string title;
    std::string text;
};

/// Leaves out control blocks and adds the canary before `.end`.
PreparedDeck prepare(const std::string& deck, const Canary& canary) {
    if (deck.find('\0') != std::string::npos) throw NgspiceError("the deck holds a NUL byte");
    PreparedDeck prepared;
    bool in_control = false;
    bool ended = false;
    bool is_first = true;
    for (const std::string_view line : lines_of(deck)) {
        const std::string word = squeeze(line);
        if (is_first) prepared.title = word;
        if (!is_first && word == ".end") {
            ended = true;
            break;
        }
        if (!is_first && word == ".control") in_control = true;
        if (!in_control) prepared.text.append(line).append("\n");
        if (word == ".endc") in_control = false;
        is_first = false;
    }
    if (!ended) throw NgspiceError(fmt::format("the deck '{}' has no .end line", prepared.title));
    if (in_control)
        throw NgspiceError(fmt::format("the deck '{}' has .control without .endc", prepared.title));
    prepared.text += canary.line() + ".end\n";
    return prepared;
}

detail::Request make_request(const PreparedDeck& deck, const Canary& canary,
                             const SourceSweep& sweep, const std::vector<std::string>& wanted) {
    detail::Request request;
    request.deck = deck.text;
    request.sources = sweep.sources;
    request.sources.push_back(canary.source());
    request.wanted = wanted;
    request.wanted.push_back(canary.net());
    request.points = static_cast<std::uint64_t>(sweep.values.cols());
    for (Index point = 0; point < sweep.values.cols(); ++point) {
        for (Index s = 0; s < sweep.values.rows(); ++s)
            request.values.push_back(sweep.values(s, point));
        request.values.push_back(canary.value_at(point));
    }
    return request;
}

[[noreturn]] void refuse(const PreparedDeck& deck, std::string_view problem) {
    throw NgspiceError(fmt::format("ngspice, deck '{}': {}", deck.title, problem));
}

void check_value(const PreparedDeck& deck, const std::string& name, double value) {
    // ngspice writes 1e35 for a division by zero.
    if (!(std::abs(value) < 1e30)) refuse(deck, fmt::format("'{}' is {}", name, value));
}

void check_vector(const PreparedDeck& deck, const std::string& name, std::int32_t length,
                  std::int32_t wanted) {
    if (length < 0) refuse(deck, fmt::format("no vector '{}'", name));
    if (length != wanted)
        refuse(deck, fmt::format("vector '{}' has {} values instead of {}", name, length,
                                 wanted == 1 ? "one" : std::to_string(wanted)));
}

/// Every sign that the reply belongs to this deck and is new.
void check_origin(const detail::Reply& reply, const PreparedDeck& deck,
                  std::string_view nothing_made) {
    if (const std::string failure = detail::find_failure(reply.messages); !failure.empty())
        refuse(deck, failure);
    if (reply.exited) refuse(deck, "ngspice quit");
    if (reply.plot_after == reply.plot_before || reply.plot_after.empty())
        refuse(deck, std::string(nothing_made));
    if (squeeze(reply.title) != deck.title)
        refuse(deck, fmt::format("the answer is titled '{}'", reply.title));
}

[[noreturn]] void refuse_as_stale(const PreparedDeck& deck) {
    refuse(deck, "the numbers belong to another circuit (control source does not read back)");
}

/// And that it is complete.
void check_reply(const detail::Reply& reply, const PreparedDeck& deck,
                 const detail::Request& request, const Canary& canary, Index point) {
    check_origin(reply, deck, "no operating point was made");
    const std::size_t count = request.wanted.size();
    if (reply.lengths.size() != count || reply.values.size() != count)
        refuse(deck, fmt::format("{} of {} values came back", reply.values.size(), count));
    for (std::size_t i = 0; i < count; ++i) {
        check_vector(deck, request.wanted[i], reply.lengths[i], 1);
        check_value(deck, request.wanted[i], reply.values[i]);
    }
    if (!canary.is_value_at(point, reply.values.back())) refuse_as_stale(deck);
}

/// Whole vectors of a reply, all of one length: what was wanted, and last the canary.
Eigen::MatrixXd vectors_of(const detail::Reply& reply, const PreparedDeck& deck,
                           const detail::Request& request, std::string_view nothing_made) {
    check_origin(reply, deck, nothing_made);
    const std::size_t count = request.wanted.size();
    if (reply.lengths.size() != count)
        refuse(deck, fmt::format("{} of {} vectors came back", reply.lengths.size(), count));
    const std::int32_t times = reply.lengths.front();
    for (std::size_t i = 0; i < count; ++i)
        check_vector(deck, request.wanted[i], reply.lengths[i], times);
    if (reply.values.size() != count * static_cast<std::size_t>(times))
        refuse(deck, fmt::format("{} values came back for {} vectors of {}", reply.values.size(),
                                 count, times));
    Eigen::MatrixXd values(static_cast<Index>(count), times);
    for (Index i = 0; i < values.rows(); ++i)
        for (Index t = 0; t < values.cols(); ++t) {
            values(i, t) = reply.values[static_cast<std::size_t>(i * values.cols() + t)];
            check_value(deck, request.wanted[static_cast<std::size_t>(i)], values(i, t));
        }
    return values;
}

/// Whether time rises from 0 to the end of the span.
void check_times(const PreparedDeck& deck, const Eigen::VectorXd& time, double stop) {
    bool rises = time.size() >= 2 && time(0) == 0;
    for (Index t = 1; t < time.size(); ++t) rises = rises && time(t) > time(t - 1);
    if (!rises) refuse(deck, "the times of the transient do not rise from 0");
    if (std::abs(time(time.size() - 1) - stop) > 1e-6 * stop)
        refuse(deck, fmt::format("the transient ended at {} s instead of {} s",
                                 time(time.size() - 1), stop));
}

void check_span(const TransientSpan& span) {
    if (!(span.stop > 0) || !std::isfinite(span.stop))
        throw InvalidInput("transient",
                           fmt::format("end {} s is not finite and above 0", span.stop));
    for (const double step : {span.step, span.largest_step})
        if (!(step >= 0) || !std::isfinite(step))
            throw InvalidInput("transient",
                               fmt::format("step {} s is not finite and at least 0", step));
}

std::string transient_command(const TransientSpan& span) {
    const double step = span.step > 0 ? span.step : span.stop / 1000;
    const double largest = span.largest_step > 0 ? span.largest_step : step;
    return fmt::format("tran {:.17g} {:.17g} 0 {:.17g}", step, span.stop, largest);
}

detail::Reply receive_reply(detail::HelperProcess& helper, const NgspiceSettings& settings) {
    const std::string payload = helper.receive(settings.time_limit_s);
    try {
        return detail::decode_reply(payload);
    } catch (const std::runtime_error& problem) {
        throw NgspiceError(problem.what());
    }
}

/// `    20 : v_in_a_0 in_a_0 0 dc 2e-01`, as the library prints it, without what stands before the
/// device.
std::string_view listed_line(std::string_view line) {
    const std::size_t colon = line.find(" : ");
    if (colon == std::string_view::npos) return {};
    line.remove_prefix(colon + 3);
    while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
    return line;
}

/// Whether the listing holds the canary of this deck; a refused deck gives that of none.
std::vector<std::string> devices_of(const std::string& listing, const PreparedDeck& deck,
                                    const Canary& canary) {
    std::vector<std::string> devices;
    bool is_ours = false;
    for (const std::string_view line : lines_of(listing)) {
        const std::string_view device = listed_line(line);
        if (device.starts_with(canary.source()))
            is_ours = true;
        else if (!device.empty() && device.front() != '*')
            devices.emplace_back(device);
    }
    if (!is_ours) refuse(deck, "ngspice made no circuit of it");
    return devices;
}

void check_sweep(const SourceSweep& sweep) {
    if (sweep.values.rows() != static_cast<Index>(sweep.sources.size()))
        throw InvalidInput("source sweep", fmt::format("{} values for {} sources",
                                                       sweep.values.rows(), sweep.sources.size()));
    if (!sweep.values.allFinite()) throw InvalidInput("source sweep", "holds NaN or infinity");
}

PreparedDeck prepare_and_scan(const std::string& deck, const Canary& canary) {
    PreparedDeck prepared = prepare(deck, canary);
    if (const std::string fault = detail::find_silent_fault(prepared.text); !fault.empty())
        refuse(prepared, fault);
    return prepared;
}

void check_error_output(const detail::HelperProcess& helper, const PreparedDeck& deck) {
    if (const std::string failure = detail::find_failure(helper.error_output()); !failure.empty())
        refuse(deck, failure);
}

/// One analysis whose vectors come back whole.
/// @return  [wanted × entries], without the canary
Eigen::MatrixXd run_whole(const PreparedDeck& deck, const detail::Request& request,
                          const Canary& canary, const NgspiceSettings& settings,
                          std::string_view nothing_made) {
    const auto program = detail::locate_helper(settings);
    const detail::PrivateDirectory directory;
    detail::HelperProcess helper(program, directory.path());
    helper.send(detail::encode(request), settings.time_limit_s);
    const detail::Reply reply = receive_reply(helper, settings);
    Eigen::MatrixXd values = vectors_of(reply, deck, request, nothing_made);
    for (const double value : values.bottomRows(1).reshaped())
        if (!canary.is_value_at(0, value)) refuse_as_stale(deck);
    check_error_output(helper, deck);
    values.conservativeResize(values.rows() - 1, Eigen::NoChange);
    return values;
}

}  // namespace

Eigen::MatrixXd run_operating_points(const std::string& deck, const SourceSweep& sweep,
                                     const std::vector<std::string>& wanted,
                                     const NgspiceSettings& settings) {
    check_sweep(sweep);
    const Canary canary = Canary::draw();
    const PreparedDeck prepared = prepare_and_scan(deck, canary);
    const detail::Request request = make_request(prepared, canary, sweep, wanted);
    Eigen::MatrixXd result(static_cast<Index>(wanted.size()), sweep.values.cols());
    if (sweep.values.cols() == 0) return result;

    const auto program = detail::locate_helper(settings);
    const detail::PrivateDirectory directory;
    detail::HelperProcess helper(program, directory.path());
    helper.send(detail::encode(request), settings.time_limit_s);
    for (Index point = 0; point < result.cols(); ++point) {
        const detail::Reply reply = receive_reply(helper, settings);
        check_reply(reply, prepared, request, canary, point);
        for (Index i = 0; i < result.rows(); ++i)
            result(i, point) = reply.values[static_cast<std::size_t>(i)];
    }
    check_error_output(helper, prepared);
    return result;
}

NgspiceWaveforms run_transient(const std::string& deck, const std::vector<std::string>& wanted,
                               const TransientSpan& span, const NgspiceSettings& settings) {
    check_span(span);
    const Canary canary = Canary::draw();
    const PreparedDeck prepared = prepare_and_scan(deck, canary);
    detail::Request request = make_request(prepared, canary, {{}, Eigen::MatrixXd(0, 1)}, wanted);
    request.wanted.insert(request.wanted.begin(), "time");
    request.analysis = transient_command(span);
    request.whole_vectors = true;

    const Eigen::MatrixXd values =
        run_whole(prepared, request, canary, settings, "no transient was made");
    check_times(prepared, values.row(0).transpose(), span.stop);
    return {values.row(0).transpose(), values.bottomRows(values.rows() - 1)};
}

Eigen::MatrixXd run_dc_sweep(const std::string& deck, const std::string& source, Index points,
                             const std::vector<std::string>& wanted,
                             const NgspiceSettings& settings) {
    if (points < 2)
        throw InvalidInput("dc sweep", fmt::format("{} points; it takes two at least", points));
    const Canary canary = Canary::draw();
    const PreparedDeck prepared = prepare_and_scan(deck, canary);
    detail::Request request = make_request(prepared, canary, {{}, Eigen::MatrixXd(0, 1)}, wanted);
    request.analysis = fmt::format("dc {} 0 {} 1", source, points - 1);
    request.whole_vectors = true;
    Eigen::MatrixXd values = run_whole(prepared, request, canary, settings, "no sweep was made");
    if (values.cols() != points)
        refuse(prepared,
               fmt::format("the sweep ended after {} of {} points", values.cols(), points));
    return values;
}

std::vector<std::string> expand_deck(const std::string& deck, const NgspiceSettings& settings) {
    const Canary canary = Canary::draw();
    const PreparedDeck prepared = prepare(deck, canary);
    detail::Request request;
    request.deck = prepared.text;
    request.listing = true;
    const auto program = detail::locate_helper(settings);
    const detail::PrivateDirectory directory;
    detail::HelperProcess helper(program, directory.path());
    helper.send(detail::encode(request), settings.time_limit_s);
    const detail::Reply reply = receive_reply(helper, settings);
    const std::string messages = reply.messages + helper.error_output();
    if (!detail::find_failure(messages).empty()) refuse(prepared, detail::all_that_tells(messages));
    if (reply.exited) refuse(prepared, "ngspice quit");
    return devices_of(reply.listing, prepared, canary);
}

std::map<std::string, double> run_operating_point(const std::string& deck,
                                                  const std::vector<std::string>& wanted,
                                                  const NgspiceSettings& settings) {
    const Eigen::MatrixXd values =
        run_operating_points(deck, {{}, Eigen::MatrixXd(0, 1)}, wanted, settings);
    std::map<std::string, double> named;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        named[wanted[i]] = values(static_cast<Index>(i), 0);
    return named;
}

}  // namespace kirchnet
