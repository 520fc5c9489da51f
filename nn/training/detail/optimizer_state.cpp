#include "nn/training/detail/optimizer_state.hpp"

#include <type_traits>

#include "circuit/error.hpp"
#include "nn/training/detail/host_tensor.hpp"

namespace kirchnet::detail {
namespace {

using torch::optim::AdamWParamState;
using torch::optim::Optimizer;
using torch::optim::SGDParamState;

/// libtorch files a parameter's state under its address, as text up to version 1.13.
template <typename Key>
Key key_of(const torch::Tensor& parameter) {
    if constexpr (std::is_same_v<Key, std::string>)
        return c10::guts::to_string(parameter.unsafeGetTensorImpl());
    else
        return parameter.unsafeGetTensorImpl();
}

using States = std::remove_reference_t<decltype(std::declval<Optimizer&>().state())>;
using StateKey = States::key_type;

std::vector<torch::Tensor> parameters_of(Optimizer& optimizer) {
    std::vector<torch::Tensor> parameters;
    for (const auto& group : optimizer.param_groups())
        parameters.insert(parameters.end(), group.params().begin(), group.params().end());
    return parameters;
}

}  // namespace

std::vector<Tensor> read_optimizer_state(Optimizer& optimizer) {
    std::vector<Tensor> state;
    for (const torch::Tensor& parameter : parameters_of(optimizer)) {
        const auto found = optimizer.state().find(key_of<StateKey>(parameter));
        if (found == optimizer.state().end()) return {};
        if (const auto* sgd = dynamic_cast<const SGDParamState*>(found->second.get())) {
            state.push_back(to_host(sgd->momentum_buffer()));
        } else {
            const auto& adam = dynamic_cast<const AdamWParamState&>(*found->second);
            state.push_back(to_host(adam.exp_avg()));
            state.push_back(to_host(adam.exp_avg_sq()));
        }
    }
    return state;
}

void write_optimizer_state(Optimizer& optimizer, const std::vector<Tensor>& state,
                           std::size_t steps) {
    optimizer.state().clear();
    if (state.empty()) return;
    const auto parameters = parameters_of(optimizer);
    const bool is_sgd = dynamic_cast<torch::optim::SGD*>(&optimizer) != nullptr;
    if (state.size() != parameters.size() * (is_sgd ? 1 : 2))
        throw InvalidInput("optimiser state", "does not fit the network's parameters");
    auto next = state.begin();
    for (const torch::Tensor& parameter : parameters) {
        auto& its = optimizer.state()[key_of<StateKey>(parameter)];
        if (is_sgd) {
            auto sgd = std::make_unique<SGDParamState>();
            sgd->momentum_buffer(to_torch_like(*next++, parameter));
            its = std::move(sgd);
        } else {
            auto adam = std::make_unique<AdamWParamState>();
            adam->step(static_cast<std::int64_t>(steps));
            adam->exp_avg(to_torch_like(*next++, parameter));
            adam->exp_avg_sq(to_torch_like(*next++, parameter));
            its = std::move(adam);
        }
    }
}

}  // namespace kirchnet::detail
