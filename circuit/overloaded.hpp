#pragma once

namespace kirchnet {

/// One visitor for std::visit out of a lambda per alternative.
template <typename... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace kirchnet
