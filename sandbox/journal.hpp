#pragma once
// What was asked of the site, and what became of it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sg::sandbox {

/// What happened on the wire after the request was read; filled in as it happens.
struct Fate {
    std::atomic<bool> answered{false};     ///< every byte that was meant to go was handed to the kernel
    std::atomic<bool> interleaved{false};  ///< the next request came on the connection before the answer left
    std::atomic<bool> client_left{false};  ///< the client closed before the answer left
};

struct Request {
    std::uint64_t number = 0;  ///< from 1, in the order they were read
    std::chrono::steady_clock::time_point at;
    std::uint64_t connection = 0;  ///< from 1, in the order they were accepted
    std::string method;            ///< RPC method; empty for anything but an envelope
    std::string entity_type;
    std::string script;
    std::string session_uuid;
    nlohmann::json params;  ///< without the auth block
    std::string fault;      ///< the kind of fault it met; empty if none
    unsigned status = 0;    ///< HTTP status of the answer
    std::shared_ptr<const Fate> fate;

    /// The ids that the filter's conditions on `id` name with `relation`.
    std::vector<std::int64_t> filter_ids(std::string_view relation) const;
    /// True for a `read` of the event log.
    bool reads_events() const { return method == "read" && entity_type == "EventLogEntry"; }
};

}  // namespace sg::sandbox
