#include "solver/sparsity.hpp"

#include <algorithm>

namespace kirchnet {
namespace {

using Columns = std::vector<std::vector<std::int32_t>>;

std::size_t at(std::int32_t x) {
    return static_cast<std::size_t>(x);
}

bool couples_unknowns(const Expansion& expansion, const Element& element) {
    return expansion.is_unknown(element.from) && expansion.is_unknown(element.to);
}

Columns rows_by_column(const Expansion& expansion) {
    Columns columns(at(expansion.unknowns));
    for (std::int32_t net = 0; net < expansion.unknowns; ++net) columns[at(net)].push_back(net);
    for (const Element& element : expansion.elements)
        if (couples_unknowns(expansion, element)) {
            columns[at(element.from)].push_back(element.to);
            columns[at(element.to)].push_back(element.from);
        }
    for (auto& rows : columns) {
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    }
    return columns;
}

void compress(const Columns& columns, Sparsity& sparsity) {
    sparsity.column_start.push_back(0);
    for (const auto& rows : columns) {
        sparsity.row.insert(sparsity.row.end(), rows.begin(), rows.end());
        sparsity.column_start.push_back(static_cast<std::int32_t>(sparsity.row.size()));
    }
}

std::int32_t slot(const Sparsity& sparsity, std::int32_t row, std::int32_t column) {
    const auto first = sparsity.row.begin() + sparsity.column_start[at(column)];
    const auto last = sparsity.row.begin() + sparsity.column_start[at(column) + 1];
    return static_cast<std::int32_t>(std::lower_bound(first, last, row) - sparsity.row.begin());
}

StampSlots slots_of(const Expansion& expansion, const Sparsity& sparsity, const Element& element) {
    StampSlots slots;
    if (expansion.is_unknown(element.from))
        slots.from_from = slot(sparsity, element.from, element.from);
    if (expansion.is_unknown(element.to)) slots.to_to = slot(sparsity, element.to, element.to);
    if (couples_unknowns(expansion, element)) {
        slots.from_to = slot(sparsity, element.from, element.to);
        slots.to_from = slot(sparsity, element.to, element.from);
    }
    return slots;
}

}  // namespace

Sparsity make_sparsity(const Expansion& expansion) {
    Sparsity sparsity;
    sparsity.size = expansion.unknowns;
    compress(rows_by_column(expansion), sparsity);
    sparsity.slots.reserve(expansion.elements.size());
    for (const Element& element : expansion.elements)
        sparsity.slots.push_back(slots_of(expansion, sparsity, element));
    return sparsity;
}

bool same_pattern(const Expansion& x, const Expansion& y) {
    const auto same_nets = [](const Element& a, const Element& b) {
        return a.from == b.from && a.to == b.to;
    };
    return x.word_lines == y.word_lines && x.bit_lines == y.bit_lines && x.unknowns == y.unknowns &&
           x.word_net == y.word_net && x.bit_net == y.bit_net &&
           std::equal(x.elements.begin(), x.elements.end(), y.elements.begin(), y.elements.end(),
                      same_nets);
}

}  // namespace kirchnet
