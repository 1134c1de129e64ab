#pragma once
// A plugin's shared library, loaded.

#include <memory>
#include <sg/registrar.hpp>
#include <string>

#include "util/result.hpp"

namespace sg::host {

/// Keeps the library mapped as long as it lives; everything that came from the plugin goes first.
class Library {
public:
    /// Binds every symbol at once, so that one that nobody defines is an error here.
    /// Errors: `invalid`, with the loader's own words.
    static Result<Library> load(const std::string& file);
    Library(Library&&) noexcept;
    Library& operator=(Library&&) noexcept;
    ~Library();

    /// The plugin's code: throws whatever it likes.
    void enter(Registrar& registrar) const;

    /// Never unloads it: for a plugin that may still be running somewhere.
    void keep_mapped() noexcept;

private:
    struct Loaded;
    explicit Library(std::unique_ptr<Loaded> loaded);
    std::unique_ptr<Loaded> loaded_;
};

}  // namespace sg::host
