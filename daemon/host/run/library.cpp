#include "host/run/library.hpp"

#include <boost/dll/shared_library.hpp>

namespace sg::host {
namespace {

constexpr const char* entry_name = "sg_plugin_entry";

/// Boost wraps what the loader said in words of its own, and in an error code that means nothing.
std::string loader_text(const std::string& what) {
    constexpr std::string_view before = "dlerror system message: ";
    const auto from = what.find(before);
    const auto to = what.rfind("): ");
    if (from == std::string::npos || to == std::string::npos || to < from) return what;
    return what.substr(from + before.size(), to - from - before.size());
}

}  // namespace

struct Library::Loaded {
    boost::dll::shared_library library;
    void (*entry)(Registrar&) = nullptr;
};

Library::Library(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;
Library::~Library() = default;

Result<Library> Library::load(const std::string& file) {
    using boost::dll::load_mode::rtld_local;
    using boost::dll::load_mode::rtld_now;
    try {
        auto loaded = std::make_unique<Loaded>();
        loaded->library.load(std::filesystem::path(file), rtld_now | rtld_local);
        if (!loaded->library.has(entry_name))
            return fail(Cause::invalid,
                        "the library has no entry point '{}': a plugin has one SG_PLUGIN, and is built with "
                        "sg_add_plugin",
                        entry_name);
        loaded->entry = &loaded->library.get<void(Registrar&)>(entry_name);
        return Library(std::move(loaded));
    } catch (const std::exception& error) {
        return fail(Cause::invalid, "the library cannot be loaded: {}", loader_text(error.what()));
    }
}

void Library::enter(Registrar& registrar) const { loaded_->entry(registrar); }

void Library::keep_mapped() noexcept {
    if (loaded_) static_cast<void>(loaded_.release());
}

}  // namespace sg::host
