#pragma once
// The part of Python's pickle format that position files of shotgunEvents are written in.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "util/result.hpp"

namespace sg::legacy {

/// What a pickle holds: values that point at each other by index, as its memo lets them share and even hold
/// themselves. Whoever walks them bounds the walk.
class Pickle {
public:
    using Index = std::uint32_t;
    struct None {};
    struct Text {
        std::string bytes;  ///< as written; not necessarily UTF-8
    };
    struct Tuple {
        std::vector<Index> items;  ///< one or two
    };
    struct Dict {
        std::vector<std::pair<Index, Index>> items;  ///< in the order of the file; a key may come twice
    };
    /// A date and time without a zone.
    struct DateTime {
        int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0;
    };
    /// A name that may stand before its arguments; never looked up anywhere.
    enum class Global : std::uint8_t { datetime, encode };
    using Value = std::variant<None, std::int64_t, Text, Tuple, Dict, DateTime, Global>;

    /// Reads protocols 2 to 5, and of their opcodes those that plain values, dictionaries and dates need.
    /// Nothing is executed; two names are known, `datetime.datetime` and `_codecs.encode`. Takes time and
    /// memory in proportion to the content.
    /// Errors: anything else, with the offset where it stands.
    static Result<Pickle> read(std::string_view content);

    Index root() const noexcept { return root_; }
    const Value& at(Index index) const { return values_[index]; }

private:
    class Reader;
    std::vector<Value> values_;
    Index root_ = 0;
};

}  // namespace sg::legacy
