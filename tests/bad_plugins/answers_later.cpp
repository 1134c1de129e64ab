// Tells that it is done from another thread: what a coroutine does.
#include <memory>
#include <sg/plugin.hpp>
#include <thread>

namespace {

class Later final : public sg::CallbackBase {
public:
    void start(const sg::Event& event, sg::Context& context, sg::Completion& done) override {
        thread_ = std::jthread([&event, &context, &done] {
            context.logger().info("later {}", event.meta().dump());
            if (event.type() == "Bad")
                done.failed(std::make_exception_ptr(sg::Error(sg::Cause::network, "the far end hung up")));
            else
                done.succeeded();
        });
    }

private:
    std::jthread thread_;
};

/// A registrar has no other way in for a callback of one's own making.
class Opener : public sg::Registrar {
public:
    static void add(sg::Registrar& registrar) {
        auto begin = &Opener::begin;
        auto commit = &Opener::commit;
        auto& builder = (registrar.*begin)("later");
        builder.run(std::make_unique<Later>());
        (registrar.*commit)();
    }

protected:
    ~Opener() = default;
};

}  // namespace

SG_PLUGIN(registrar) { Opener::add(registrar); }
