// Callbacks that are coroutines. What one does is the event's type, and the arguments: with `journal`, each
// passage is written there; with `gate`, the task waits until that file exists, or until it is stopped.
#include <filesystem>
#include <fstream>
#include <sg/plugin.hpp>
#include <thread>

namespace {

/// Goes on on a thread of the plugin's own.
struct OnThread {
    std::jthread& thread;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const {
        auto& own = thread;  // once it runs, this object may be gone
        own = std::jthread([waiting] { waiting.resume(); });
    }
    void await_resume() const noexcept {}
};

struct Leaves {
    sg::Context& context;
    ~Leaves() { context.logger().info("left"); }
};

class Awaits {
public:
    Awaits() : thread_(std::make_shared<std::jthread>()) {}

    sg::Async operator()(const sg::Event& event, sg::Context& context) const {
        const Leaves leaves{context};
        write("start", event, context);
        if (event.type() == "Elsewhere") {
            OnThread on_thread{*thread_};
            co_await on_thread;
        }
        auto work = context.tasks().async(
            [type = std::string(event.type()), gate = text(context, "gate")](std::stop_token stop) {
                if (type == "Bad") throw sg::Error(sg::Cause::network, "the far end hung up");
                while (type == "Hold" || (!gate.empty() && !std::filesystem::exists(gate))) {
                    if (stop.stop_requested()) return std::string("stopped");
                    std::this_thread::sleep_for(std::chrono::milliseconds(2));
                }
                return type;
            });
        const std::string type = co_await work;
        if (type == "Throws") throw std::runtime_error("after a resume");
        context.logger().info("resumed event={} type={} meta={}", event.id(), type, event.meta().dump());
        write("end", event, context);
    }

private:
    static std::string text(sg::Context& context, const char* name) {
        return context.args().is_object() ? context.args().value(name, std::string()) : std::string();
    }
    static void write(const char* phase, const sg::Event& event, sg::Context& context) {
        const auto file = text(context, "journal");
        if (file.empty()) return;
        const nlohmann::json line{
            {"phase", phase}, {"event", event.id()}, {"redelivered", context.redelivered()}};
        std::ofstream(file, std::ios::app) << line.dump() + "\n";
    }
    std::shared_ptr<std::jthread> thread_;
};

}  // namespace

SG_PLUGIN(registrar) { registrar.on("*", Awaits{}); }
