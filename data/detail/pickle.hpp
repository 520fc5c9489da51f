#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "data/detail/tensor_values.hpp"

namespace kirchnet::pickle {

struct Value;

struct None {};
/// Something that is understood to be harmless and of no use here: a device, a random state.
struct Opaque {};
/// A function or class the host knows, by a number of the host's.
struct Callable {
    int which = 0;
};
struct Sequence {
    std::vector<Value*> items;  ///< of a list or tuple
};
struct Dictionary {
    std::vector<std::pair<Value*, Value*>> items;  ///< a later key replaces an equal earlier one
};
/// Numbers that lie outside the pickle.
struct Storage {
    std::string key;
    NumberType type = NumberType::f32;
    std::size_t size = 0;  ///< [numbers]
};
struct TensorView {
    Storage storage;
    TensorLayout layout;
};

struct Value {
    std::variant<None, Opaque, bool, std::int64_t, double, std::string, Callable, Sequence,
                 Dictionary, Storage, TensorView>
        content;

    template <class Kind>
    [[nodiscard]] const Kind* get_if() const {
        return std::get_if<Kind>(&content);
    }
};

/// Owner of all values of a file. They may refer to one another in circles.
using Heap = std::deque<Value>;

/// What a pickle may name and call: the host decides, and nothing else is ever run.
class Host {
  public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    /// `module.name` as a value.
    /// @throws InvalidInput  when it is not allowed
    virtual Value find(const std::string& module, const std::string& name) = 0;
    /// What `callable(*arguments)` returns.
    virtual Value call(const Callable& callable, const Sequence& arguments) = 0;
    /// The object outside the pickle that `id` stands for.
    virtual Value load(const Value& id) = 0;
};

/// Runs the pickle program at the start of `bytes`, protocols 2 to 5. Each of its operations makes
/// at most one value, so memory is bounded by the program's length.
/// @param where  the file and the part of it, for messages
/// @return       the object, owned by `heap`, and where the program ended
/// @throws InvalidInput  when the program is damaged, too long, or the host refuses
std::pair<const Value*, std::size_t> run(std::string_view bytes, Host& host, Heap& heap,
                                         const std::string& where);

}  // namespace kirchnet::pickle
