#pragma once
// A checksum over the columns of one row.

#include <boost/crc.hpp>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace sg::checkpoint {

/// SQLite checks its structure, not what a column says: a flipped bit in a cursor would be believed.
class RowSum {
public:
    RowSum& add(std::integral auto value) {
        const auto wide = static_cast<std::int64_t>(value);
        crc_.process_bytes(&wide, sizeof wide);
        return *this;
    }
    RowSum& add(std::string_view text) {
        add(text.size());  // or "ab","c" would sum up to the same as "a","bc"
        crc_.process_bytes(text.data(), text.size());
        return *this;
    }
    std::int64_t value() const { return static_cast<std::int64_t>(crc_.checksum()); }

private:
    boost::crc_32_type crc_;
};

}  // namespace sg::checkpoint
