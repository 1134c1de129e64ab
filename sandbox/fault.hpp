#pragma once
// What can go wrong on request.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sandbox/gate.hpp"
#include "sandbox/journal.hpp"

namespace sg::sandbox {

enum class FaultKind {
    none,          ///< an honest answer, delayed or behind a gate
    never_answer,  ///< the request is read, and that is all
    hang_in_body,  ///< half of the body, then nothing more
    cut_in_body,   ///< half of the body, or up to `cut_at`, then the connection is closed
    drip,          ///< the body byte by byte, `interval` apart
    close,         ///< the connection is closed before the answer
    reset,         ///< the same, as a connection that breaks: with RST
    status,        ///< an HTTP status with a page
    body,          ///< status 200 with a body of the test's own
    truncated_json,
    invalid_json,
    rows_reversed,
    row_twice,     ///< the first row once more, at the end of the page
    row_below,     ///< a row more, whose id is not above the one asked for
    unknown_field  ///< every row has a field that nobody asked for
};

std::string_view name_of(FaultKind kind) noexcept;

/// One thing that goes wrong: which requests meet it, how often, and how. Written as one chain:
///
///     site.inject(Fault::status(503).retry_after(2s).on("read", "EventLogEntry").times(3));
///
/// A request meets the first fault, in the order they were injected, that matches and is not used up.
struct Fault {
    FaultKind kind = FaultKind::none;
    std::uint64_t count = 1;  ///< requests it meets before it is used up; 0: until it is cleared
    std::uint64_t each = 1;   ///< it meets every so-manieth request that matches
    std::string method, entity_type, script;   ///< empty: any
    std::function<bool(const Request&)> also;  ///< further condition; runs on the server's thread
    unsigned http_status = 200;
    std::string text, content_type;
    std::optional<std::string> retry_after_text;
    std::chrono::milliseconds interval{0};  ///< of a drip
    std::chrono::milliseconds delay{0};     ///< before the answer
    std::shared_ptr<Gate> gate;             ///< before the answer
    std::optional<std::uint64_t> cut_at;    ///< of the body, where it is cut or hangs; unset: in the middle
    bool gzip = false;
    bool acts = false;                 ///< true: a write takes effect although its answer is lost
    bool dated = true;                 ///< false: the answer has no Date
    std::chrono::seconds date_off{0};  ///< what Date is wrong by; the site's own clock is right

    static Fault of(FaultKind kind) {
        Fault fault;
        fault.kind = kind;
        return fault;
    }
    static Fault honest() { return {}; }
    static Fault never_answer() { return of(FaultKind::never_answer); }
    static Fault hang_in_body() { return of(FaultKind::hang_in_body); }
    static Fault cut_in_body() { return of(FaultKind::cut_in_body); }
    static Fault drip(std::chrono::milliseconds interval) {
        auto fault = of(FaultKind::drip);
        fault.interval = interval;
        return fault;
    }
    static Fault close() { return of(FaultKind::close); }
    static Fault status(unsigned code) {
        auto fault = of(FaultKind::status);
        fault.http_status = code;
        return fault;
    }
    static Fault reset() { return of(FaultKind::reset); }
    /// What the site says when it refuses a call, for causes that cannot be had otherwise.
    static Fault refused(int code, const std::string& message) {
        return body(
            nlohmann::ordered_json{{"exception", true}, {"message", message}, {"error_code", code}}.dump());
    }
    /// An HTML page with status 200.
    static Fault html() {
        return body("<!DOCTYPE html><html><body>Be right back.</body></html>", "text/html");
    }
    static Fault body(std::string text, std::string content_type = "application/json; charset=utf-8") {
        auto fault = of(FaultKind::body);
        fault.text = std::move(text);
        fault.content_type = std::move(content_type);
        return fault;
    }
    static Fault gzipped() {
        auto fault = honest();
        fault.gzip = true;
        return fault;
    }

    Fault times(std::uint64_t n) const {
        return with([&](Fault& f) { f.count = n; });
    }
    Fault until_cleared() const { return times(0); }
    Fault every(std::uint64_t n) const {
        return with([&](Fault& f) { f.each = n; });
    }
    Fault without_date() const {
        return with([](Fault& f) { f.dated = false; });
    }
    Fault with_date_off_by(std::chrono::seconds off) const {
        return with([&](Fault& f) { f.date_off = off; });
    }
    Fault on(std::string rpc_method, std::string type = {}) const {
        return with([&](Fault& f) { f.method = std::move(rpc_method), f.entity_type = std::move(type); });
    }
    /// Requests of this script only.
    Fault from(std::string script_name) const {
        return with([&](Fault& f) { f.script = std::move(script_name); });
    }
    Fault when(std::function<bool(const Request&)> condition) const {
        return with([&](Fault& f) { f.also = std::move(condition); });
    }
    Fault retry_after(std::chrono::seconds wait) const { return retry_after(std::to_string(wait.count())); }
    Fault retry_after(std::string header) const {
        return with([&](Fault& f) { f.retry_after_text = std::move(header); });
    }
    Fault after(std::chrono::milliseconds wait) const {
        return with([&](Fault& f) { f.delay = wait; });
    }
    Fault behind(std::shared_ptr<Gate> door) const {
        return with([&](Fault& f) { f.gate = std::move(door); });
    }
    /// Where the body is cut or hangs.
    Fault at(std::uint64_t bytes) const {
        return with([&](Fault& f) { f.cut_at = bytes; });
    }
    /// The request takes effect on the site, whatever becomes of its answer.
    Fault and_acts() const {
        return with([](Fault& f) { f.acts = true; });
    }

private:
    template <class Change>
    Fault with(const Change& change) const {
        auto copy = *this;
        change(copy);
        return copy;
    }
};

using FaultId = std::uint64_t;

}  // namespace sg::sandbox
