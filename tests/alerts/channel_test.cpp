// Grouping, sparing, trying again and giving up, on a clock of the test's own.

#include "alerts/channel.hpp"

#include <condition_variable>
#include <deque>

#include "capture_log.hpp"
#include "catch.hpp"
#include "wait_for.hpp"

namespace channel_test {

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using alerts::Alert;
using alerts::Channel;
using alerts::Message;

namespace {

const std::vector<std::string> td{"td@studio.example"}, sup{"sup@studio.example"};

/// What a sender does, and what it was given.
class Desk {
public:
    void refuse(bool refuse) { refuse_ = refuse; }
    void hang(bool hang) { hang_ = hang; }
    bool is_hanging() const { return hanging_; }
    std::vector<Message> messages() const {
        std::lock_guard lock(mutex_);
        return messages_;
    }
    int attempts() const { return attempts_; }

    Result<void> take(const Message& message, const std::stop_token& stop) {
        ++attempts_;
        if (hang_) {
            hanging_ = true;
            std::unique_lock lock(mutex_);
            std::condition_variable_any never;
            never.wait(lock, stop, [] { return false; });
            hanging_ = false;
        }
        if (stop.stop_requested()) return fail(Cause::stopped, "stopped");
        if (refuse_) return fail(Cause::network, "the desk is closed");
        std::lock_guard lock(mutex_);
        messages_.push_back(message);
        return {};
    }

private:
    mutable std::mutex mutex_;
    std::vector<Message> messages_;
    std::atomic<int> attempts_{0};
    std::atomic<bool> refuse_{false}, hang_{false}, hanging_{false};
};

class DeskSender final : public alerts::Sender {
public:
    explicit DeskSender(Desk& desk) : desk_(desk) {}
    Result<void> send(const Message& message, std::stop_token stop) override {
        return desk_.take(message, stop);
    }

private:
    Desk& desk_;
};

struct Fixture {
    Desk desk;
    ManualClock clock;
    CaptureLog log;
    Channel channel{
        {"mail", {10s, 5min, 20}, 3, {100ms, 10s, 5min}}, std::make_unique<DeskSender>(desk), clock, log};

    void add(int count, const std::vector<std::string>& to = td, const std::string& code = "CALL-SKIPPED") {
        for (int i = 0; i < count; ++i)
            channel.add({clock.utc(), LogLevel::error, "engine", "review", code, "text " + std::to_string(i)},
                        to);
    }
    /// Moves the clock in steps until `condition` holds.
    template <class Condition>
    bool pass_until(Condition condition) {
        return wait_for([&] {
            if (condition()) return true;
            clock.advance(1s);
            return false;
        });
    }
    bool pass_until_messages(std::size_t count) {
        return pass_until([&] { return channel.status().messages >= count; });
    }
};

}  // namespace

TEST_CASE("C132 a thousand alerts in ten seconds are two messages, which say how many were held back") {
    Fixture f;
    for (int second = 0; second < 10; ++second) {
        f.add(100);
        f.clock.advance(999ms);
    }
    const auto begun = f.clock.now();
    REQUIRE(f.pass_until_messages(1));
    const auto first = f.desk.messages().front();
    CHECK(first.count() == 1000);
    CHECK(first.alerts.size() == 20);
    CHECK(first.alerts.front().text == "text 0");
    CHECK(first.held_back == std::map<std::string, std::size_t>{{"[CALL-SKIPPED] of review", 980}});
    f.add(500);
    f.clock.advance(4min);
    f.add(1);
    CHECK(f.channel.status().waiting == 501);
    REQUIRE(f.pass_until_messages(2));
    CHECK(f.clock.now() - begun > 4min);
    CHECK(f.desk.messages().back().count() == 501);
    CHECK(f.channel.status().sent == 1501);
    CHECK(f.channel.status().held_back == 980 + 481);
    CHECK(f.channel.status().messages == 2);
}

TEST_CASE("people who share nothing are told apart, each at their own pace") {
    Fixture f;
    f.add(2, td);
    f.add(3, sup);
    REQUIRE(f.pass_until_messages(2));
    const auto messages = f.desk.messages();
    CHECK(messages[0].to != messages[1].to);
    for (const auto& message : messages) CHECK(message.count() == (message.to == td ? 2 : 3));
}

TEST_CASE("kinds that were held back are counted one by one, and beyond fifty together") {
    Fixture f;
    for (int i = 0; i < 100; ++i) f.add(1, td, "CODE-" + std::to_string(i));
    REQUIRE(f.pass_until_messages(1));
    const auto message = f.desk.messages().front();
    CHECK(message.held_back.size() == 51);
    CHECK(message.held_back.at("others") == 30);
    CHECK(message.held_back.at("[CODE-20] of review") == 1);
}

TEST_CASE("C131 a message that cannot be sent is tried again, then counted as lost and logged, once each") {
    Fixture f;
    f.desk.refuse(true);
    f.add(30);
    REQUIRE(f.pass_until([&] { return f.channel.status().lost == 30; }));
    CHECK(f.desk.attempts() == 3);
    CHECK(f.channel.status().failures == 3);
    CHECK(f.channel.status().waiting == 0);
    CHECK(f.channel.status().last_error == "the desk is closed");
    REQUIRE(wait_for([&] { return f.log.count("[ALERTS-LOST]") == 1; }));
    CHECK(f.log.count("alerts=30 lost=30 why=the desk is closed") == 1);
    CHECK(f.log.count("[ALERT-FAILED] An alert could not be sent; trying again.") == 2);
    for (const auto& line : f.log.lines())
        if (line.text.find("attempt=2") != std::string::npos) CHECK(line.level == LogLevel::debug);
    f.desk.refuse(false);
    f.add(1);
    REQUIRE(f.pass_until_messages(1));
    CHECK(f.channel.status().last_error.empty());
    CHECK(f.channel.status().lost == 30);
}

TEST_CASE("C131 whoever adds an alert never waits for a server that hangs, and what waits stays small") {
    Fixture f;
    f.desk.hang(true);
    f.add(1);
    REQUIRE(f.pass_until([&] { return f.desk.is_hanging(); }));
    const auto begun = std::chrono::steady_clock::now();
    f.add(100'000);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);  // not the hour that the desk would take
    CHECK(f.channel.status().waiting == 100'001);
    f.channel.stop(0ms);
    CHECK(f.channel.status().lost == 100'001);
    CHECK(f.log.count("[ALERTS-LOST]") == 2);
}

TEST_CASE("what waits is sent at the end, without waiting for more") {
    Fixture f;
    f.add(1, td);
    f.add(1, sup);
    f.channel.stop(1h);
    CHECK(f.desk.messages().size() == 2);
    CHECK(f.channel.status().lost == 0);
}

}  // namespace channel_test
