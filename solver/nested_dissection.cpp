// Nested dissection (A. George, SIAM J. Numer. Anal. 10, 1973) of a crossbar. Only word lines cross
// a cut between two bit lines, and only bit lines a cut between two word lines, so the separator of
// an h x w box cut across its width is h word-line nets, not 2h nodes. A net merged over the cut
// is the very net that the separator takes, so zero resistances need no special case.
#include "solver/nested_dissection.hpp"

namespace kirchnet {
namespace {

/// Cells with first <= index < last.
struct Box {
    Index first_word_line;
    Index last_word_line;
    Index first_bit_line;
    Index last_bit_line;

    [[nodiscard]] Index height() const { return last_word_line - first_word_line; }
    [[nodiscard]] Index width() const { return last_bit_line - first_bit_line; }
};

/// Numbers nets from the last eliminated to the first: separators come before what they separate.
class Dissection {
  public:
    explicit Dissection(const Expansion& expansion)
        : expansion_(expansion),
          taken_(static_cast<std::size_t>(expansion.unknowns), false),
          order_(static_cast<std::size_t>(expansion.unknowns)),
          left_(order_.size()) {}

    std::vector<std::int32_t> run() {
        dissect({0, expansion_.word_lines, 0, expansion_.bit_lines});
        return std::move(order_);
    }

  private:
    void dissect(const Box& box) {
        if (box.height() == 1 && box.width() == 1) {
            take(word_net(box.first_word_line, box.first_bit_line));
            take(bit_net(box.first_word_line, box.first_bit_line));
        } else if (box.width() >= box.height()) {
            cut_between_bit_lines(box);
        } else {
            cut_between_word_lines(box);
        }
    }

    void cut_between_bit_lines(const Box& box) {
        const Index middle = box.first_bit_line + box.width() / 2;
        for (Index r = box.first_word_line; r < box.last_word_line; ++r) take(word_net(r, middle));
        dissect({box.first_word_line, box.last_word_line, middle, box.last_bit_line});
        dissect({box.first_word_line, box.last_word_line, box.first_bit_line, middle});
    }

    void cut_between_word_lines(const Box& box) {
        const Index middle = box.first_word_line + box.height() / 2;
        for (Index c = box.first_bit_line; c < box.last_bit_line; ++c) take(bit_net(middle, c));
        dissect({middle, box.last_word_line, box.first_bit_line, box.last_bit_line});
        dissect({box.first_word_line, middle, box.first_bit_line, box.last_bit_line});
    }

    void take(NetIndex net) {
        if (!expansion_.is_unknown(net) || taken_[static_cast<std::size_t>(net)]) return;
        taken_[static_cast<std::size_t>(net)] = true;
        order_[--left_] = net;
    }

    [[nodiscard]] NetIndex word_net(Index r, Index c) const {
        return expansion_.word_net[static_cast<std::size_t>(r * expansion_.bit_lines + c)];
    }
    [[nodiscard]] NetIndex bit_net(Index r, Index c) const {
        return expansion_.bit_net[static_cast<std::size_t>(r * expansion_.bit_lines + c)];
    }

    const Expansion& expansion_;
    std::vector<bool> taken_;
    std::vector<std::int32_t> order_;
    std::size_t left_;
};

}  // namespace

std::vector<std::int32_t> nested_dissection(const Expansion& expansion) {
    return Dissection(expansion).run();
}

}  // namespace kirchnet
