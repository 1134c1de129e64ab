#pragma once
// A queue for thousands of small things.

#include <boost/container/deque.hpp>

namespace sg {

/// As `std::deque`, which asks for memory for every few elements; this one for four times as many.
template <class T>
using LongDeque = boost::container::deque<
    T, void, typename boost::container::deque_options<boost::container::block_bytes<2048u>>::type>;

}  // namespace sg
