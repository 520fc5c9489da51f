#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What passes between a program and the process that holds the ngspice library. Each message is a
// frame: its length (8 bytes), then its payload. Both sides run on one machine, so numbers travel
// as the bytes they are in memory and doubles lose nothing.
namespace kirchnet::detail {

/// One circuit and what is wanted of it: operating points, or one transient.
struct Request {
    std::string deck;
    std::string analysis = "op";       ///< the command to run at each point
    bool whole_vectors = false;        ///< send all entries back, not the first of each
    std::vector<std::string> sources;  ///< altered before each point
    std::vector<std::string> wanted;   ///< vectors to send back
    std::uint64_t points = 0;
    std::vector<double> values;  ///< sources' values, point after point
    bool listing = false;        ///< first answer with the circuit as ngspice expanded it
};

/// What ngspice made of one point, or of the deck where a listing was asked for: facts only, judged
/// by the receiver.
struct Reply {
    bool exited = false;      ///< ngspice asked to be unloaded
    std::string plot_before;  ///< name of the current plot before and after
    std::string plot_after;
    std::string title;                  ///< of the plot, as ngspice read it from the deck
    std::string messages;               ///< everything printed since the last reply, line by line
    std::vector<std::int32_t> lengths;  ///< per wanted vector; -1: absent or complex
    std::vector<double> values;  ///< first entry of each, 0 where absent; or all entries, vector
                                 ///< after vector
    std::string listing;         ///< `listing expand`, line by line
};

std::string encode(const Request& request);
std::string encode(const Reply& reply);
/// @throws std::runtime_error  when the payload is no such message
Request decode_request(std::string_view payload);
Reply decode_reply(std::string_view payload);

/// The eight bytes that announce a payload of this size, and back.
std::string frame_header(std::size_t size);
std::uint64_t payload_size(std::string_view header);
inline constexpr std::size_t header_size = 8;

/// Blocking transfer for the helper's side.
/// @throws std::runtime_error  when the other side is gone
void write_frame(int descriptor, std::string_view payload);
std::string read_frame(int descriptor);

}  // namespace kirchnet::detail
