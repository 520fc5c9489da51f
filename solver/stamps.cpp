// One element of conductance g between nets p and q adds
//     L(p,p) += g,  L(q,q) += g,  L(p,q) -= g,  L(q,p) -= g
// for those of p and q whose voltage is unknown.
#include "solver/stamps.hpp"

#include <cassert>

namespace kirchnet {
namespace {

void add(std::vector<double>& values, std::int32_t slot, double conductance) {
    if (slot != StampSlots::no_slot) values[static_cast<std::size_t>(slot)] += conductance;
}

}  // namespace

std::vector<double> stamp_conductances(const Expansion& expansion, const Sparsity& sparsity) {
    assert(expansion.elements.size() == sparsity.slots.size());
    std::vector<double> values(sparsity.entries(), 0.0);
    for (std::size_t k = 0; k < expansion.elements.size(); ++k) {
        const double g = expansion.elements[k].conductance;
        const StampSlots& slots = sparsity.slots[k];
        add(values, slots.from_from, g);
        add(values, slots.to_to, g);
        add(values, slots.from_to, -g);
        add(values, slots.to_from, -g);
    }
    return values;
}

Eigen::VectorXd conductance_at_nets(const Expansion& expansion) {
    Eigen::VectorXd diagonal = Eigen::VectorXd::Zero(expansion.unknowns);
    for (const Element& element : expansion.elements) {
        if (expansion.is_unknown(element.from)) diagonal(element.from) += element.conductance;
        if (expansion.is_unknown(element.to)) diagonal(element.to) += element.conductance;
    }
    return diagonal;
}

}  // namespace kirchnet
