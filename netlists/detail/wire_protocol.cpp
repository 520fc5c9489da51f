#include "netlists/detail/wire_protocol.hpp"

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <type_traits>

namespace kirchnet::detail {
namespace {

// Opens every payload, so that a helper of another version is noticed.
constexpr std::uint64_t request_mark = 0x32716572'746b6e6bULL;
constexpr std::uint64_t reply_mark = 0x32706572'746b6e6bULL;

class Encoder {
  public:
    template <typename T>
    void put(const T& value) {
        static_assert(std::is_arithmetic_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put(const std::string& text) {
        put(static_cast<std::uint64_t>(text.size()));
        bytes_ += text;
    }
    template <typename T>
    void put(const std::vector<T>& list) {
        put(static_cast<std::uint64_t>(list.size()));
        for (const T& item : list) put(item);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

class Decoder {
  public:
    explicit Decoder(std::string_view bytes) : rest_(bytes) {}

    template <typename T>
    void get(T& value) {
        static_assert(std::is_arithmetic_v<T>);
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
    }
    void get(std::string& text) { text = std::string(take(size())); }
    template <typename T>
    void get(std::vector<T>& list) {
        const std::size_t count = size();
        if (count > rest_.size()) refuse();  // every item takes a byte at least
        list.resize(count);
        for (T& item : list) get(item);
    }
    void expect(std::uint64_t mark) {
        std::uint64_t found = 0;
        get(found);
        if (found != mark) refuse();
    }

  private:
    [[noreturn]] static void refuse() {
        throw std::runtime_error(
            "a message between kirchnet and kirchnet-ngspice is garbled; "
            "are they of one version?");
    }
    std::size_t size() {
        std::uint64_t value = 0;
        get(value);
        return static_cast<std::size_t>(value);
    }
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) refuse();
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::string_view rest_;
};

}  // namespace

std::string encode(const Request& request) {
    Encoder out;
    out.put(request_mark);
    out.put(request.deck);
    out.put(request.analysis);
    out.put(static_cast<std::uint8_t>(request.whole_vectors ? 1 : 0));
    out.put(request.sources);
    out.put(request.wanted);
    out.put(request.points);
    out.put(request.values);
    out.put(static_cast<std::uint8_t>(request.listing ? 1 : 0));
    return out.take();
}

std::string encode(const Reply& reply) {
    Encoder out;
    out.put(reply_mark);
    out.put(static_cast<std::uint8_t>(reply.exited ? 1 : 0));
    out.put(reply.plot_before);
    out.put(reply.plot_after);
    out.put(reply.title);
    out.put(reply.messages);
    out.put(reply.lengths);
    out.put(reply.values);
    out.put(reply.listing);
    return out.take();
}

Request decode_request(std::string_view payload) {
    Decoder in(payload);
    Request request;
    in.expect(request_mark);
    in.get(request.deck);
    in.get(request.analysis);
    std::uint8_t whole_vectors = 0;
    in.get(whole_vectors);
    request.whole_vectors = whole_vectors != 0;
    in.get(request.sources);
    in.get(request.wanted);
    in.get(request.points);
    in.get(request.values);
    std::uint8_t listing = 0;
    in.get(listing);
    request.listing = listing != 0;
    return request;
}

Reply decode_reply(std::string_view payload) {
    Decoder in(payload);
    Reply reply;
    std::uint8_t exited = 0;
    in.expect(reply_mark);
    in.get(exited);
    reply.exited = exited != 0;
    in.get(reply.plot_before);
    in.get(reply.plot_after);
    in.get(reply.title);
    in.get(reply.messages);
    in.get(reply.lengths);
    in.get(reply.values);
    in.get(reply.listing);
    return reply;
}

std::string frame_header(std::size_t size) {
    Encoder out;
    out.put(static_cast<std::uint64_t>(size));
    return out.take();
}

std::uint64_t payload_size(std::string_view header) {
    Decoder in(header);
    std::uint64_t size = 0;
    in.get(size);
    return size;
}

namespace {

void write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) throw std::runtime_error("the receiver is gone");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string read_exactly(int descriptor, std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t done = 0; done < size;) {
        const ssize_t got = recv(descriptor, bytes.data() + done, size - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw std::runtime_error("the sender is gone");
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

}  // namespace

void write_frame(int descriptor, std::string_view payload) {
    write_all(descriptor, frame_header(payload.size()));
    write_all(descriptor, payload);
}

std::string read_frame(int descriptor) {
    const std::string header = read_exactly(descriptor, header_size);
    return read_exactly(descriptor, static_cast<std::size_t>(payload_size(header)));
}

}  // namespace kirchnet::detail
