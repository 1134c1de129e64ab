// A stack machine that can build values and nothing else.

#include "legacy/pickle.hpp"

#include <fmt/format.h>

#include <optional>
#include <unordered_map>

namespace sg::legacy {
namespace {

namespace opcode {
enum : unsigned {
    mark = '(',
    stop = '.',
    bin_int = 'J',
    bin_int_1 = 'K',
    bin_int_2 = 'M',
    none = 'N',
    reduce = 'R',
    bin_string = 'T',
    short_bin_string = 'U',
    bin_unicode = 'X',
    short_bin_bytes = 'C',
    global = 'c',
    bin_get = 'h',
    long_bin_get = 'j',
    bin_put = 'q',
    long_bin_put = 'r',
    set_item = 's',
    set_items = 'u',
    empty_dict = '}',
    proto = 0x80,
    tuple_1 = 0x85,
    tuple_2 = 0x86,
    long_1 = 0x8a,
    short_bin_unicode = 0x8c,
    stack_global = 0x93,
    memoize = 0x94,
    frame = 0x95,
};
}  // namespace opcode

constexpr auto no_value = UINT32_MAX;  // a mark on the stack

/// What Python wrote as text to carry bytes: each character stands for one byte.
std::optional<std::string> bytes_of_latin1(std::string_view utf8) {
    std::string out;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto c = static_cast<unsigned char>(utf8[i]);
        if (c < 0x80) {
            out.push_back(utf8[i]);
        } else if ((c == 0xc2 || c == 0xc3) && i + 1 < utf8.size()) {
            out.push_back(
                static_cast<char>((unsigned{c} << 6U) | (static_cast<unsigned char>(utf8[++i]) & 0x3fU)));
        } else {
            return std::nullopt;
        }
    }
    return out;
}

std::optional<Pickle::DateTime> date_of(std::string_view ten) {
    if (ten.size() != 10) return std::nullopt;
    const auto byte = [&](std::size_t i) { return static_cast<int>(static_cast<unsigned char>(ten[i])); };
    Pickle::DateTime at;
    at.year = byte(0) * 256 + byte(1);
    at.month = byte(2) & 0x7f;  // the highest bit says which of the two 2:30 of an autumn night it is
    at.day = byte(3);
    at.hour = byte(4);
    at.minute = byte(5);
    at.second = byte(6);
    at.microsecond = (byte(7) * 256 + byte(8)) * 256 + byte(9);
    const bool fits = at.year >= 1 && at.year <= 9999 && at.month >= 1 && at.month <= 12 && at.day >= 1 &&
                      at.day <= 31 && at.hour < 24 && at.minute < 60 && at.second < 60 &&
                      at.microsecond < 1'000'000;
    return fits ? std::optional(at) : std::nullopt;
}

}  // namespace

class Pickle::Reader {
public:
    explicit Reader(std::string_view content) : content_(content) {}

    Result<Pickle> read() {
        if (content_.size() < 2 || byte_at(0) != opcode::proto || byte_at(1) < 2 || byte_at(1) > 5)
            return fail(Cause::invalid, "does not begin like a pickle of protocol 2 to 5");
        at_ = 2;
        while (!fault_ && !done_) step();
        if (fault_) return fail(Cause::invalid, "at byte {}: {}", begun_, *fault_);
        return std::move(out_);
    }

private:
    unsigned byte_at(std::size_t i) const { return static_cast<unsigned char>(content_[i]); }

    void refuse(std::string why) {
        if (!fault_) fault_ = std::move(why);
    }

    std::string_view take(std::size_t count) {
        if (content_.size() - at_ < count) {
            refuse("the file ends in the middle of a value");
            at_ = content_.size();
            return {};
        }
        const auto taken = content_.substr(at_, count);
        at_ += count;
        return taken;
    }
    /// Least significant byte first.
    std::uint64_t number(std::size_t width) {
        const auto bytes = take(width);
        std::uint64_t out = 0;
        for (std::size_t i = bytes.size(); i > 0; --i)
            out = out << 8U | static_cast<unsigned char>(bytes[i - 1]);
        return out;
    }
    std::string_view line() {
        const auto end = content_.find('\n', at_);
        if (end == std::string_view::npos) {
            refuse("the file ends in the middle of a name");
            return {};
        }
        const auto out = content_.substr(at_, end - at_);
        at_ = end + 1;
        return out;
    }

    void push(Value value) {
        out_.values_.push_back(std::move(value));
        stack_.push_back(static_cast<Index>(out_.values_.size() - 1));
    }
    /// The value on top; none, and a fault, where there is none.
    std::optional<Index> pop() {
        if (stack_.empty() || stack_.back() == no_value) {
            refuse("a value is missing");
            return std::nullopt;
        }
        const auto top = stack_.back();
        stack_.pop_back();
        return top;
    }
    template <class T>
    T* held(Index index) {
        return std::get_if<T>(&out_.values_[index]);
    }

    void step() {
        begun_ = at_;
        if (at_ == content_.size()) return refuse("the file ends without the end mark");
        const auto op = byte_at(at_++);
        switch (op) {
            case opcode::frame:
                static_cast<void>(number(8));  // says where to read ahead to; nobody has to
                return;
            case opcode::stop:
                return end();
            case opcode::none:
                return push(None{});
            case opcode::bin_int:
                return push(static_cast<std::int64_t>(static_cast<std::int32_t>(number(4))));
            case opcode::bin_int_1:
                return push(static_cast<std::int64_t>(number(1)));
            case opcode::bin_int_2:
                return push(static_cast<std::int64_t>(number(2)));
            case opcode::long_1:
                return push_long();
            case opcode::bin_string:
            case opcode::bin_unicode:
                return push(Text{std::string(take(number(4)))});
            case opcode::short_bin_string:
            case opcode::short_bin_bytes:
            case opcode::short_bin_unicode:
                return push(Text{std::string(take(number(1)))});
            case opcode::empty_dict:
                return push(Dict{});
            case opcode::mark:
                return stack_.push_back(no_value);
            case opcode::tuple_1:
            case opcode::tuple_2:
                return push_tuple(op == opcode::tuple_1 ? 1 : 2);
            case opcode::set_item:
                return set_one();
            case opcode::set_items:
                return set_many();
            default:
                return step_by_name(op);
        }
    }
    void step_by_name(unsigned op) {
        switch (op) {
            case opcode::memoize:
                return remember(memo_.size());
            case opcode::bin_put:
                return remember(number(1));
            case opcode::long_bin_put:
                return remember(number(4));
            case opcode::bin_get:
                return recall(number(1));
            case opcode::long_bin_get:
                return recall(number(4));
            case opcode::global: {
                const auto module = line();
                return push_global(module, line());
            }
            case opcode::stack_global:
                return push_stack_global();
            case opcode::reduce:
                return call();
            default:
                return refuse(fmt::format("opcode 0x{:02x}, which no position file needs", op));
        }
    }

    void end() {
        const auto root = pop();
        if (!root) return;
        if (!stack_.empty()) return refuse("values are left over");
        if (at_ != content_.size()) return refuse("something follows the end mark");
        out_.root_ = *root;
        done_ = true;
    }

    void push_long() {
        const auto width = number(1);
        if (width > 8) return refuse("a number of more than 64 bits");
        auto value = number(width);
        if (width > 0 && width < 8 && (value >> (8 * width - 1) & 1U) != 0) value |= ~0ULL << (8 * width);
        push(static_cast<std::int64_t>(value));
    }

    void push_tuple(int count) {
        Tuple tuple;
        const auto last = pop();
        const auto first = count == 2 ? pop() : std::nullopt;
        if (fault_) return;
        if (first) tuple.items.push_back(*first);
        tuple.items.push_back(*last);
        push(std::move(tuple));
    }

    void set_one() {
        const auto value = pop();
        const auto key = pop();
        if (!fault_) put({{*key, *value}});
    }
    void set_many() {
        std::vector<std::pair<Index, Index>> items;
        for (;;) {
            if (!stack_.empty() && stack_.back() == no_value) break;
            const auto value = pop();
            const auto key = pop();
            if (fault_) return;
            items.emplace_back(*key, *value);
        }
        stack_.pop_back();
        put({items.rbegin(), items.rend()});
    }
    void put(const std::vector<std::pair<Index, Index>>& items) {
        auto* dict = stack_.empty() || stack_.back() == no_value ? nullptr : held<Dict>(stack_.back());
        if (dict == nullptr) return refuse("an entry of something that is no dictionary");
        dict->items.insert(dict->items.end(), items.begin(), items.end());
    }

    void remember(std::uint64_t place) {
        if (stack_.empty() || stack_.back() == no_value) return refuse("a value is missing");
        memo_[place] = stack_.back();
    }
    void recall(std::uint64_t place) {
        const auto known = memo_.find(place);
        if (known == memo_.end()) return refuse("a value that was not remembered");
        stack_.push_back(known->second);
    }

    void push_global(std::string_view module, std::string_view name) {
        if (fault_) return;
        if (module == "datetime" && name == "datetime") return push(Global::datetime);
        if (module == "_codecs" && name == "encode") return push(Global::encode);
        refuse("calls something that is not a date; nothing of it was run");
    }
    void push_stack_global() {
        const auto name = pop();
        const auto module = pop();
        if (fault_) return;
        const auto *m = held<Text>(*module), *n = held<Text>(*name);
        if (m == nullptr || n == nullptr) return refuse("a name that is not text");
        const auto from = m->bytes, what = n->bytes;
        push_global(from, what);
    }

    /// What stands for a call: the two names are known, so their outcome is.
    void call() {
        const auto arguments = pop();
        const auto callable = pop();
        if (fault_) return;
        const auto* name = held<Global>(*callable);
        const auto* tuple = held<Tuple>(*arguments);
        if (name == nullptr || tuple == nullptr) return refuse("a call of something that is not a date");
        const auto* text = held<Text>(tuple->items.front());
        if (text == nullptr) return refuse("a date that is not made of bytes");
        if (*name == Global::encode) {
            const auto* coding = tuple->items.size() == 2 ? held<Text>(tuple->items[1]) : nullptr;
            auto bytes =
                coding != nullptr && coding->bytes == "latin1" ? bytes_of_latin1(text->bytes) : std::nullopt;
            if (!bytes) return refuse("bytes that are not written as latin1");
            return push(Text{std::move(*bytes)});
        }
        const auto date = tuple->items.size() == 1 ? date_of(text->bytes) : std::nullopt;
        if (!date) return refuse("a date that is none");
        push(*date);
    }

    const std::string_view content_;
    std::size_t at_ = 0, begun_ = 0;
    std::optional<std::string> fault_;
    bool done_ = false;
    std::vector<Index> stack_;
    std::unordered_map<std::uint64_t, Index> memo_;
    Pickle out_;
};

Result<Pickle> Pickle::read(std::string_view content) { return Reader(content).read(); }

}  // namespace sg::legacy
