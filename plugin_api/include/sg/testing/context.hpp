#pragma once
// The context of one call, with every value to be chosen.

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sg/context.hpp>
#include <sg/logger.hpp>
#include <sg/site.hpp>
#include <sg/testing/retriever.hpp>
#include <sg/testing/tasks.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sg::testing {

/// What a call is like, beyond its event.
struct Call {
    std::uint32_t attempt = 1;
    bool redelivered = false;
    bool dry_run = false;
    std::string idempotency_key = "test";
    std::optional<std::chrono::steady_clock::time_point> deadline = {};
    std::stop_token stop = {};
    Files files = {};  ///< of the data retriever
    std::vector<EventId> merged = {};
};

/// Site, logger and arguments are the caller's and must live as long as this.
class FakeContext final : public Context {
public:
    FakeContext(Site& site, Logger& logger, const nlohmann::json& args, Call call = {})
        : site_(site),
          logger_(logger),
          args_(args),
          call_(std::move(call)),
          retriever_(site, tasks_, call_.files) {}

    Site& site() override { return site_; }
    Logger& logger() override { return logger_; }
    const nlohmann::json& args() const override { return args_; }
    std::uint32_t attempt() const noexcept override { return call_.attempt; }
    bool redelivered() const noexcept override { return call_.redelivered; }
    std::string_view idempotency_key() const noexcept override { return call_.idempotency_key; }
    std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept override {
        return call_.deadline;
    }
    bool dry_run() const noexcept override { return call_.dry_run; }
    std::stop_token stop_token() const noexcept override { return call_.stop; }
    FakeTasks& tasks() override { return tasks_; }
    FakeRetriever& retriever() override { return retriever_; }
    const std::vector<EventId>& merged() const override { return call_.merged; }

private:
    Site& site_;
    Logger& logger_;
    const nlohmann::json& args_;
    Call call_;
    FakeTasks tasks_;
    FakeRetriever retriever_;
};

}  // namespace sg::testing
