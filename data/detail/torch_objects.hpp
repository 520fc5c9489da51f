#pragma once

#include <map>

#include "data/detail/pickle.hpp"

namespace kirchnet {

/// The few names of PyTorch, Python and NumPy that files of parameters need: tensors and how they
/// are put together, ordered dictionaries, sizes. All else is refused by name.
class TorchObjects : public pickle::Host {
  public:
    /// @param where  the file, for messages
    explicit TorchObjects(std::string where);

    pickle::Value find(const std::string& module, const std::string& name) override;
    pickle::Value call(const pickle::Callable& callable,
                       const pickle::Sequence& arguments) override;
    pickle::Value load(const pickle::Value& id) override;

    /// The storages that were named, by key.
    [[nodiscard]] const std::map<std::string, pickle::Storage>& storages() const {
        return storages_;
    }

  private:
    [[noreturn]] void fail(const std::string& problem) const;
    [[nodiscard]] pickle::Value rebuild_tensor(const pickle::Sequence& arguments) const;
    [[nodiscard]] pickle::Value rebuild_parameter(const pickle::Sequence& arguments) const;
    [[nodiscard]] pickle::Value make_dictionary(const pickle::Sequence& arguments);
    [[nodiscard]] pickle::Value make_size(const pickle::Sequence& arguments) const;
    [[nodiscard]] std::size_t extent(const pickle::Value& value) const;
    [[nodiscard]] Shape extents(const pickle::Value& value) const;

    std::string where_;
    std::size_t copies_left_;  ///< of the items of lists
    std::map<std::string, pickle::Storage> storages_;
};

}  // namespace kirchnet
