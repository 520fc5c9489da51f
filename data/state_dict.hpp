#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "data/network.hpp"

namespace kirchnet {

/// A word, number or list about a network as a whole: `license`, `bn_eps`, `normalisation_mean`.
using Attribute = std::variant<std::string, double, std::vector<double>>;

/// Parameters of a trained network by their PyTorch names, whatever file they came from. A builder
/// takes each tensor out once; what is left in the end has found no place. Prefixes that every
/// name carries (`module.` of parallel training, `model.`) are not part of the names.
class StateDict {
  public:
    using Tensors = std::map<std::string, Tensor>;
    using Attributes = std::map<std::string, Attribute>;

    /// @param source  the file, for messages
    /// @throws InvalidInput  when there is no tensor
    StateDict(std::string source, Tensors tensors, Attributes attributes = {});

    [[nodiscard]] const std::string& source() const { return source_; }
    /// @throws InvalidInput  about the tensor `name`, under its full name in the file
    [[noreturn]] void fail(const std::string& name, const std::string& problem) const;

    [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
    /// @throws InvalidInput  when there is no such tensor
    [[nodiscard]] const std::vector<std::size_t>& shape(const std::string& name) const;
    /// Hands over a tensor of `rank` dimensions.
    /// @throws InvalidInput  when it is missing, of another rank, empty or not finite
    [[nodiscard]] Tensor take(const std::string& name, std::size_t rank);
    /// @throws InvalidInput  as `take`, and when it has another shape
    [[nodiscard]] Tensor take_shaped(const std::string& name,
                                     const std::vector<std::size_t>& shape);

    /// Names of the tensors nobody took, sorted.
    [[nodiscard]] std::vector<std::string> unused() const;
    /// @throws InvalidInput  naming the tensors left over, of which `architecture` has no use
    void check_all_used(std::string_view architecture) const;

    [[nodiscard]] const Attributes& attributes() const { return attributes_; }
    [[nodiscard]] bool has_attribute(const std::string& name) const {
        return attributes_.contains(name);
    }
    /// Replaces what the file says.
    void set_attribute(const std::string& name, Attribute value) {
        attributes_.insert_or_assign(name, std::move(value));
    }
    /// @throws InvalidInput  naming the attribute when it is missing or not one number
    [[nodiscard]] double number(const std::string& name) const;
    /// One number is a list of one; text such as `[0.5, 0.25]` is read as what it says.
    /// @throws InvalidInput  naming the attribute when it is missing or text
    [[nodiscard]] std::vector<double> numbers(const std::string& name) const;

  private:
    [[nodiscard]] const Tensor& find(const std::string& name) const;
    void check_names() const;
    void strip_common_prefixes();

    std::string source_;
    std::string prefix_;  ///< stripped from every name
    Tensors tensors_;
    Attributes attributes_;
};

/// Whether a tensor only counts training's batches (`bn1.num_batches_tracked`): no parameter, and
/// no part of a StateDict.
bool is_batch_counter(std::string_view name);

/// Reads a file of parameters; its content, not its name, tells its format.
/// @throws InvalidInput  naming the file and what is wrong with it
StateDict read_state_dict(const std::filesystem::path& path);

}  // namespace kirchnet
