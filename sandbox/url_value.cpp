// File and link fields: what may be written into them, and what is shown then.

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "sandbox/refusal.hpp"
#include "sandbox/values.hpp"

namespace sg::sandbox {
namespace {

constexpr std::array<const char*, 3> platforms{"linux", "mac", "windows"};

std::string text_of(const Json& value, const char* key) {
    const auto found = value.find(key);
    return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string last_part(const std::string& path) {
    const auto slash = path.find_last_of("/\\");
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string root_of(const Record& storage, const std::string& platform) {
    const auto& path = storage.value(platform + "_path");
    return path.is_string() ? path.get<std::string>() : std::string();
}

/// The read form of a file in a storage: its path on each platform that the storage has a root for.
Json local_file(const Record& storage, const std::string& relative, const Json& value) {
    auto name = text_of(value, "name");
    if (name.empty()) name = last_part(relative);
    const auto content_type = text_of(value, "content_type");
    Json out{{"name", name},
             {"content_type", content_type.empty() ? Json() : Json(content_type)},
             {"link_type", "local"},
             {"local_storage", {{"type", "LocalStorage"}, {"id", storage.id}, {"name", storage.name()}}},
             {"relative_path", relative}};
    for (const std::string platform : platforms) {
        const auto root = root_of(storage, platform);
        auto path = root + (platform == "windows" ? "\\" : "/") + relative;
        if (platform == "windows") std::ranges::replace(path, '/', '\\');
        out["local_path_" + platform] = root.empty() ? Json() : Json(path);
    }
    const auto& here = out["local_path_linux"];
    out["local_path"] = here;
    out["url"] = "file://" + (here.is_string() ? here.get<std::string>() : std::string());
    return out;
}

/// The storage with the longest root that `path` lies under, and what is left of the path.
std::pair<const Record*, std::string> storage_for(const std::string& path, const EntityStore& store) {
    std::pair<const Record*, std::string> best{nullptr, {}};
    std::size_t longest = 0;
    for (const auto& [id, storage] : store.rows("LocalStorage")) {
        if (storage.retired) continue;
        for (const auto* platform : platforms) {
            const auto root = root_of(storage, platform);
            if (root.empty() || root.size() < longest || !path.starts_with(root) ||
                path.size() <= root.size())
                continue;
            const char behind = path[root.size()];
            if (behind != '/' && behind != '\\') continue;
            longest = root.size();
            auto rest = path.substr(root.size() + 1);
            std::ranges::replace(rest, '\\', '/');
            best = {&storage, std::move(rest)};
        }
    }
    return best;
}

const Record* named_storage(const Json& link, const EntityStore& store) {
    if (!link.is_object()) return nullptr;
    const auto key = link_key(link);
    if (key.id != 0) return store.find("LocalStorage", key.id);
    for (const auto& [id, storage] : store.rows("LocalStorage"))
        if (!storage.retired && storage.name() == text_of(link, "name")) return &storage;
    return nullptr;
}

}  // namespace

Json accepted_url(const FieldDef& field, const EntityDef& def, const Json& value, std::string_view method,
                  const EntityStore& store) {
    const auto wrong = [&](std::string_view why) {
        refuse(fault_invalid, "API {}() {}.{} {}: {}", method, def.type, field.name, why, value.dump());
    };
    if (!value.is_object()) wrong("expected [Hash, NilClass] data type(s)");
    if (value.contains("local_path")) {
        const auto path = text_of(value, "local_path");
        const auto [storage, relative] = storage_for(path, store);
        if (storage == nullptr)
            refuse(
                fault_crud,
                "API {}() CRUD ERROR #6: Create failed for [Attachment]: Path {} doesn't match any defined "
                "Local Storage.",
                method, path);
        return local_file(*storage, relative, value);
    }
    if (value.contains("relative_path")) {
        const auto storage = value.find("local_storage");
        const auto* found = storage == value.end() ? nullptr : named_storage(*storage, store);
        if (found == nullptr) wrong("names no known 'local_storage'");
        const auto relative = text_of(value, "relative_path");
        if (relative.empty() || relative.find('\\') != std::string::npos)
            wrong("needs a 'relative_path' with forward slashes");
        return local_file(*found, relative, value);
    }
    const auto url = text_of(value, "url");
    if (url.empty()) wrong("needs 'url', 'local_path', or 'local_storage' and 'relative_path'");
    if (text_of(value, "link_type") == "upload")
        wrong("cannot be written: a file that was uploaded is linked by the upload");
    const auto name = text_of(value, "name");
    return {
        {"name", name.empty() ? url : name}, {"content_type", nullptr}, {"link_type", "web"}, {"url", url}};
}

}  // namespace sg::sandbox
