#pragma once
// Plugins that get each event one after another.

#include <map>
#include <memory>
#include <sg/types.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sg::dispatch {

class Lane;

/// The lanes of ordered collections, in their order: each may hand out what all before it are done with. One
/// whose plugin is not there, or stands at an event, holds nobody up.
///
/// Loop thread only.
class Turns {
public:
    explicit Turns(std::vector<std::string> collections) : collections_(std::move(collections)) {}

    /// The lane's plugin is in this file now. Whether it takes turns.
    bool place(const std::shared_ptr<Lane>& lane, std::string_view file);

    /// Up to which event those before the lane are done.
    EventId done_before(const Lane& lane) const;

    void pump();

private:
    // By collection, then by the file's name, byte by byte.
    std::map<std::pair<std::size_t, std::string>, std::weak_ptr<Lane>> lanes_;
    const std::vector<std::string> collections_;
};

}  // namespace sg::dispatch
