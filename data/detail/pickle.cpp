// The stack machine of Python's pickle format (PEP 307, 3154, 574; `pickletools` documents every
// opcode). Opcodes are those that pickling of tensors, numbers, texts and containers emits in
// binary protocols; text opcodes of protocol 0 and those that make instances are left out.
#include "data/detail/pickle.hpp"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "circuit/error.hpp"
#include "data/detail/little_endian.hpp"

namespace kirchnet::pickle {
namespace {

constexpr std::size_t most_operations = 1U << 20U;  // some 30,000 tensors
constexpr std::size_t longest_integer = 8;          // [bytes] longer ones are of no use here

class Machine {
  public:
    Machine(std::string_view bytes, Host& host, Heap& heap, const std::string& where)
        : bytes_(bytes), host_(host), heap_(heap), where_(where) {}

    std::pair<const Value*, std::size_t> run();

  private:
    struct Instruction {
        unsigned char opcode;
        void (Machine::*execute)();
    };
    static const Instruction instructions[];

    [[noreturn]] void fail(const std::string& problem) const {
        throw InvalidInput(where_,
                           fmt::format("damaged or unknown pickle, byte {}: {}", at_, problem));
    }

    // The program.
    std::string_view next(std::uint64_t size) {
        if (size > bytes_.size() - at_) fail("ends too early");
        const auto part = bytes_.substr(at_, size);
        at_ += size;
        return part;
    }
    template <class Number>
    Number next_number() {
        return load_little_endian<Number>(next(sizeof(Number)), 0);
    }
    std::string next_line() {
        const std::size_t end = bytes_.find('\n', at_);
        if (end == std::string_view::npos) fail("a name has no end");
        const std::string line(next(end - at_));
        next(1);
        return line;
    }
    void execute(unsigned char opcode);

    // The stack.
    Value* make(Value value) { return &heap_.emplace_back(std::move(value)); }
    void push(Value* value) { stack_.push_back(value); }
    template <class Content>
    void push_new(Content content) {
        push(make({std::move(content)}));
    }
    Value* top() {
        const std::size_t floor = marks_.empty() ? 0 : marks_.back();
        if (stack_.size() <= floor) fail("takes a value from an empty stack");
        return stack_.back();
    }
    Value* pop() {
        Value* value = top();
        stack_.pop_back();
        return value;
    }
    /// Everything above the last mark, and the mark.
    std::vector<Value*> pop_marked() {
        if (marks_.empty()) fail("has no mark on its stack");
        const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<Value*> values(first, stack_.end());
        stack_.erase(first, stack_.end());
        marks_.pop_back();
        return values;
    }
    template <class Kind>
    Kind& top_as(const char* kind) {
        auto* found = std::get_if<Kind>(&top()->content);
        if (found == nullptr) fail(fmt::format("needs a {}", kind));
        return *found;
    }
    template <class Kind>
    Kind pop_as(const char* kind) {
        Kind value = top_as<Kind>(kind);
        pop();
        return value;
    }

    // Groups of opcodes.
    void push_tuple(std::size_t size);
    void recall(std::uint32_t index);
    void store(std::uint32_t index) { memo_[index] = top(); }
    void push_integer(std::uint64_t size);
    void push_text(std::uint64_t size) { push_new(std::string(next(size))); }
    void push_bytes(std::uint64_t size) {
        next(size);
        push_new(Opaque{});
    }
    void append(const std::vector<Value*>& values);
    void set_items(const std::vector<Value*>& values);

    // Opcodes.
    void stop() { stopped_ = true; }
    void protocol();
    void frame() { next_number<std::uint64_t>(); }
    void mark() { marks_.push_back(stack_.size()); }
    void drop() { pop(); }
    void drop_marked() { pop_marked(); }
    void duplicate() { push(top()); }
    void none() { push_new(None{}); }
    void yes() { push_new(true); }
    void no() { push_new(false); }
    void int4() { push_new(std::int64_t{next_number<std::int32_t>()}); }
    void int1() { push_new(std::int64_t{next_number<std::uint8_t>()}); }
    void int2() { push_new(std::int64_t{next_number<std::uint16_t>()}); }
    void long1() { push_integer(next_number<std::uint8_t>()); }
    void long4() { push_integer(next_number<std::uint32_t>()); }
    void real();
    void text1() { push_text(next_number<std::uint8_t>()); }
    void text4() { push_text(next_number<std::uint32_t>()); }
    void text8() { push_text(next_number<std::uint64_t>()); }
    void bytes1() { push_bytes(next_number<std::uint8_t>()); }
    void bytes4() { push_bytes(next_number<std::uint32_t>()); }
    void bytes8() { push_bytes(next_number<std::uint64_t>()); }
    void empty_tuple() { push_new(Sequence{}); }
    void tuple1() { push_tuple(1); }
    void tuple2() { push_tuple(2); }
    void tuple3() { push_tuple(3); }
    void tuple() { push_new(Sequence{pop_marked()}); }
    void empty_dictionary() { push_new(Dictionary{}); }
    void append_one() { append({pop()}); }
    void append_marked() { append(pop_marked()); }
    void set_one();
    void set_marked() { set_items(pop_marked()); }
    void get1() { recall(next_number<std::uint8_t>()); }
    void get4() { recall(next_number<std::uint32_t>()); }
    void put1() { store(next_number<std::uint8_t>()); }
    void put4() { store(next_number<std::uint32_t>()); }
    void memoize() { store(static_cast<std::uint32_t>(memo_.size())); }
    void global();
    void stack_global();
    void reduce();
    void build();
    void persistent() { push(make(host_.load(*pop()))); }

    std::string_view bytes_;
    std::size_t at_ = 0;
    Host& host_;
    Heap& heap_;
    const std::string& where_;
    std::vector<Value*> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint32_t, Value*> memo_;
    bool stopped_ = false;
};

const Machine::Instruction Machine::instructions[] = {
    {'.', &Machine::stop},          {0x80, &Machine::protocol},
    {0x95, &Machine::frame},        {'(', &Machine::mark},
    {'0', &Machine::drop},          {'1', &Machine::drop_marked},
    {'2', &Machine::duplicate},     {'N', &Machine::none},
    {0x88, &Machine::yes},          {0x89, &Machine::no},
    {'J', &Machine::int4},          {'K', &Machine::int1},
    {'M', &Machine::int2},          {0x8a, &Machine::long1},
    {0x8b, &Machine::long4},        {'G', &Machine::real},
    {0x8c, &Machine::text1},        {'X', &Machine::text4},
    {0x8d, &Machine::text8},        {'U', &Machine::text1},
    {'T', &Machine::text4},         {'C', &Machine::bytes1},
    {'B', &Machine::bytes4},        {0x8e, &Machine::bytes8},
    {')', &Machine::empty_tuple},   {0x85, &Machine::tuple1},
    {0x86, &Machine::tuple2},       {0x87, &Machine::tuple3},
    {'t', &Machine::tuple},         {']', &Machine::empty_tuple},
    {'l', &Machine::tuple},         {'}', &Machine::empty_dictionary},
    {'a', &Machine::append_one},    {'e', &Machine::append_marked},
    {'s', &Machine::set_one},       {'u', &Machine::set_marked},
    {'h', &Machine::get1},          {'j', &Machine::get4},
    {'q', &Machine::put1},          {'r', &Machine::put4},
    {0x94, &Machine::memoize},      {'c', &Machine::global},
    {0x93, &Machine::stack_global}, {'R', &Machine::reduce},
    {'b', &Machine::build},         {'Q', &Machine::persistent}};

void Machine::protocol() {
    constexpr int newest = 5;
    const int version = next_number<std::uint8_t>();
    if (version < 2 || version > newest)
        fail(fmt::format("protocol {} is not between 2 and {}", version, newest));
}

/// Two's complement of any length, little-endian.
void Machine::push_integer(std::uint64_t size) {
    const std::string_view digits = next(size);
    if (size > longest_integer) return push_new(Opaque{});
    const bool negative = !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80U);
    std::uint64_t bits = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;)
        bits = bits << 8U | static_cast<unsigned char>(digits[i]);
    push_new(static_cast<std::int64_t>(bits));
}

/// The one number that is big-endian.
void Machine::real() {
    push_new(std::bit_cast<double>(__builtin_bswap64(next_number<std::uint64_t>())));
}

void Machine::push_tuple(std::size_t size) {
    std::vector<Value*> items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = pop();
    push_new(Sequence{std::move(items)});
}

void Machine::recall(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail(fmt::format("memo {} was never stored", index));
    push(found->second);
}

void Machine::append(const std::vector<Value*>& values) {
    auto& items = top_as<Sequence>("list").items;
    items.insert(items.end(), values.begin(), values.end());
}

void Machine::set_items(const std::vector<Value*>& values) {
    auto& items = top_as<Dictionary>("dictionary").items;
    if (values.size() % 2 != 0) fail("a key has no value");
    for (std::size_t i = 0; i < values.size(); i += 2) items.emplace_back(values[i], values[i + 1]);
}

void Machine::set_one() {
    Value* value = pop();
    Value* key = pop();
    set_items({key, value});
}

void Machine::global() {
    const std::string module = next_line();
    const std::string name = next_line();
    push(make(host_.find(module, name)));
}

void Machine::stack_global() {
    const auto name = pop_as<std::string>("name");
    const auto module = pop_as<std::string>("name of a module");
    push(make(host_.find(module, name)));
}

void Machine::reduce() {
    const auto& arguments = top_as<Sequence>("tuple of arguments");
    pop();
    const auto callable = pop_as<Callable>("function");
    push(make(host_.call(callable, arguments)));
}

/// Drops what an object has beside its content: versions of layers, hooks.
void Machine::build() {
    pop();
    top();
}

void Machine::execute(unsigned char opcode) {
    for (const Instruction& instruction : instructions)
        if (instruction.opcode == opcode) return (this->*instruction.execute)();
    fail(fmt::format("opcode 0x{:02x} is not known here", opcode));
}

std::pair<const Value*, std::size_t> Machine::run() {
    for (std::size_t operations = 0; !stopped_; ++operations) {
        if (operations == most_operations)
            fail(fmt::format("has more than {} operations", most_operations));
        execute(next_number<std::uint8_t>());
    }
    return {pop(), at_};
}

}  // namespace

std::pair<const Value*, std::size_t> run(std::string_view bytes, Host& host, Heap& heap,
                                         const std::string& where) {
    return Machine(bytes, host, heap, where).run();
}

}  // namespace kirchnet::pickle
