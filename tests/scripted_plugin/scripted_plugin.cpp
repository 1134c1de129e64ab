// A plugin that does what its arguments say, for tests of the whole daemon.
//
// Arguments, a JSON object:
//
//   journal    the absolute path of the file to write to; required. For each call a line
//              {"time_ns", "pid", "plugin", "callback", "event", "type", "attribute", "attempt",
//              "redelivered",
//               "session_uuid", "phase"}
//              with the phase "start" before the rules are followed, and another with "end" after them: a
//              call that failed, crashed or was killed has no "end". `time_ns` is CLOCK_MONOTONIC.
//   whole      true: the lines at "start" also have the "row", parsed from what the site sent.
//   filter     which events, as EventFilter::from_json reads it; null (the default) is every event.
//   only, never, fields, concurrency, coalesce_ms, settle_ms   of every callback, as in a registration
//   keep_order  "project", "nothing" or "type" (a key of the plugin's own); entity by default
//   callbacks  the names of the callbacks to register, all with the same filter; ["scripted"] by default.
//   register   instead of registering: "throw", "throw_int", "crash", "hang", "exit", "nothing".
//   rules      a list of objects, followed in order at each call. A rule holds for a call when all of these
//   do:
//     every      the event's id is a multiple of this number
//     events     the event's id is in this list
//     callback   the callback has this name
//     attempts   the attempt is at most this number: 1 is the first attempt only
//   Without them it holds always. Nothing is counted in memory, so the same events meet the same rules after
//   any crash or restart. What it does:
//     {"do": "sleep", "ms": 20}          sleeps, whatever is asked of it
//     {"do": "throw", "text": "…"}       throws std::runtime_error
//     {"do": "throw_error", "cause": "busy"}  throws sg::Error: "busy", or anything else for "invalid"
//     {"do": "throw_int"}                throws an int
//     {"do": "crash"}                    writes through a null pointer
//     {"do": "abort"}, {"do": "exit", "code": 3}
//     {"do": "spin"}                     computes until it is killed
//     {"do": "gate", "file": "/path"}    waits until the file exists; heeds no stop
//     {"do": "wait"}                     waits until it is asked to stop, then throws sg::Error(stopped)
//     {"do": "overflow"}                 runs out of stack
//     {"do": "print", "text": "…"}       writes to standard error
//     {"do": "log", "text": "…"}         logs at info
//     {"do": "update", "data": {…}}      updates the event's entity on the site
//     {"do": "find", "type": "Shot", "filters": […]}  asks the site, and throws away the answer

#include <time.h>
#include <unistd.h>
#include <sg/plugin.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "plugins/recorder/line_file.hpp"

namespace {

using nlohmann::json;

/// Looks again and again, as slowly as a test can bear: what is waited for is another process's.
template <class Condition>
void wait_until(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

void crash() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    // A sanitizer would report what is meant here, and a report fails the test that asked for it.
    std::signal(SIGSEGV, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGSEGV);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // threads of the daemon hold signals back
    ::raise(SIGSEGV);
#else
    volatile int* volatile nowhere = nullptr;  // both, or the optimiser leaves the write out
    *nowhere = 1;
#endif
}

void spin() {
    for (volatile unsigned i = 0;;) i = i + 1;
}

int overflow(int depth) {
    volatile char space[4096] = {};
    space[depth % 4096] = 1;
    return depth < 0 ? 0 : overflow(depth + 1) + space[0];
}

[[noreturn]] void throw_error(const std::string& cause) {
    throw sg::Error(cause == "busy" ? sg::Cause::busy : sg::Cause::invalid, "scripted: " + cause);
}

class Scripted {
public:
    Scripted(std::string plugin, std::string callback, const json& args)
        : plugin_(std::move(plugin)),
          callback_(std::move(callback)),
          rules_(args.value("rules", json::array())),
          whole_(args.value("whole", false)),
          journal_(std::make_shared<sg::recorder::LineFile>(args.at("journal").get<std::string>())) {}

    void operator()(const sg::Event& event, sg::Context& context) {
        record(event, context, "start");
        for (const auto& rule : rules_)
            if (holds(rule, event, context)) follow(rule, event, context);
        record(event, context, "end");
    }

private:
    void record(const sg::Event& event, sg::Context& context, const char* phase) {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        json line{{"time_ns", std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec},
                  {"pid", ::getpid()},
                  {"plugin", plugin_},
                  {"callback", callback_},
                  {"event", event.id()},
                  {"type", event.type()},
                  {"attribute", event.attribute()},
                  {"attempt", context.attempt()},
                  {"redelivered", context.redelivered()},
                  {"session_uuid", event.session_uuid()},
                  {"phase", phase}};
        if (context.merged().size() > 1) line["merged"] = context.merged();
        if (whole_ && phase == std::string_view("start")) line["row"] = event.json();
        journal_->append(line.dump());
    }

    bool holds(const json& rule, const sg::Event& event, const sg::Context& context) const {
        if (rule.contains("every") && event.id() % rule.at("every").get<std::int64_t>() != 0) return false;
        if (rule.contains("events")) {
            const auto& ids = rule.at("events");
            if (std::find(ids.begin(), ids.end(), event.id()) == ids.end()) return false;
        }
        if (rule.contains("callback") && rule.at("callback") != callback_) return false;
        return !rule.contains("attempts") || context.attempt() <= rule.at("attempts").get<std::uint32_t>();
    }

    void follow(const json& rule, const sg::Event& event, sg::Context& context) const {
        const auto what = rule.at("do").get<std::string>();
        const auto text = rule.value("text", "scripted");
        if (what == "sleep")
            std::this_thread::sleep_for(std::chrono::milliseconds(rule.at("ms").get<int>()));
        else if (what == "throw")
            throw std::runtime_error(text);
        else if (what == "throw_error")
            throw_error(rule.value("cause", "invalid"));
        else if (what == "throw_int")
            throw 42;
        else if (what == "crash")
            crash();
        else if (what == "abort")
            std::abort();
        else if (what == "exit")
            std::exit(rule.value("code", 0));  // NOLINT(concurrency-mt-unsafe): rude on purpose
        else if (what == "spin")
            spin();
        else if (what == "gate")
            wait_until([file = rule.at("file").get<std::string>()] { return std::filesystem::exists(file); });
        else if (what == "wait")
            wait_for_stop(context);
        else if (what == "overflow")
            overflow(1);
        else if (what == "print")
            fmt::print(stderr, "{}\n", text);
        else if (what == "log")
            context.logger().info("{}", text);
        else if (what == "update")
            context.site().update(event.entity(), rule.at("data"));
        else if (what == "find")
            context.site().find(rule.at("type").get<std::string>(), rule.value("filters", json::array()));
        else
            throw std::invalid_argument("the script does not know '" + what + "'");
    }

    static void wait_for_stop(sg::Context& context) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        never.wait(lock, context.stop_token(), [] { return false; });
        throw sg::Error(sg::Cause::stopped, "scripted: asked to stop");
    }

    std::string plugin_, callback_;
    json rules_;
    bool whole_;
    std::shared_ptr<sg::recorder::LineFile> journal_;  // of all copies of the callback
};

/// What a registration can do other than register.
void misbehave(const std::string& how) {
    if (how == "throw") throw std::runtime_error("scripted: the registration throws");
    if (how == "throw_int") throw 42;
    if (how == "crash") crash();
    if (how == "hang") wait_until([] { return false; });
    if (how == "exit") std::exit(3);  // NOLINT(concurrency-mt-unsafe): rude on purpose
    if (how != "nothing") throw std::invalid_argument("the script does not know registration '" + how + "'");
}

void keep_order(sg::Registration& registration, const std::string& what) {
    if (what == "project") registration.keep_order = sg::KeepOrder::project;
    if (what == "nothing") registration.keep_order = sg::KeepOrder::nothing;
    if (what != "type") return;
    registration.keep_order = sg::KeepOrder::by_key;
    registration.key = [](const sg::Event& event) { return std::string(event.type()); };
}

}  // namespace

SG_PLUGIN(registrar) {
    const auto& args = registrar.args();
    if (!args.is_object()) throw std::invalid_argument("the scripted plugin needs arguments: see its source");
    if (args.contains("register")) return misbehave(args.at("register").get<std::string>());
    for (const auto& name : args.value("callbacks", json::array({"scripted"}))) {
        sg::Registration registration{
            .name = name.get<std::string>(),
            .filter = sg::EventFilter::from_json(args.value("filter", json())),
            .callback = Scripted(std::string(registrar.plugin()), name.get<std::string>(), args),
            .concurrency = args.value("concurrency", 1),
            .only = sg::EventTraits::from_json(args.value("only", json())),
            .never = sg::EventTraits::from_json(args.value("never", json())),
            .fields = args.value("fields", std::vector<std::string>()),
            .coalesce = std::chrono::milliseconds(args.value("coalesce_ms", 0)),
            .settle = std::chrono::milliseconds(args.value("settle_ms", 0))};
        keep_order(registration, args.value("keep_order", "entity"));
        registrar.add(std::move(registration));
    }
}
