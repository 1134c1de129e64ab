#pragma once
// A studio with a Version in it, and files of the test's own.

#include <fstream>
#include <sstream>

#include "fixture.hpp"
#include "sandbox/site.hpp"
#include "temp_dir.hpp"

namespace sg::test {

/// Bytes that differ wherever one looks, and from one seed to the next.
inline std::string noise(std::size_t bytes, std::uint32_t seed = 1) {
    std::string out(bytes, '\0');
    std::uint32_t state = seed * 2'654'435'761U + 1;
    for (auto& c : out) {
        state = state * 1'664'525U + 1'013'904'223U;
        c = static_cast<char>(state >> 24U);
    }
    return out;
}

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
inline std::string read_file(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}
/// The names in a directory, hidden ones included.
inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        out.push_back(entry.path().filename().string());
    return out;
}

struct FileStudio {
    explicit FileStudio(bool direct = true) : FileStudio(direct, [](site::Settings&) {}) {}
    template <class Change>
    FileStudio(bool direct, Change change) : site(options(direct)) {
        auto settings = quick(site.url());
        change(settings);
        client = make_client(std::move(settings), clock, log);
        project = site.add("Project", {{"name", "Demo"}});
        version = site.add("Version", {{"code", "take2"}, {"project", link("Project", project)}});
    }
    static sandbox::Site::Options options(bool direct) {
        sandbox::Site::Options out;
        out.direct_uploads = direct;
        return out;
    }
    site::CallOptions script() const { return as(sandbox::Site::script, sandbox::Site::key); }
    static nlohmann::json link(const char* type, sandbox::Id id) { return {{"type", type}, {"id", id}}; }
    site::UploadRequest movie(const std::filesystem::path& file) const {
        site::UploadRequest request;
        request.type = "Version";
        request.id = version;
        request.file = file;
        request.field = "sg_uploaded_movie";
        return request;
    }
    /// What the field says, read as a client reads it.
    nlohmann::json field(const char* name) {
        const auto row = client->find_one({"Version", nlohmann::json::array(), "", {name}}, script());
        return row ? (*row)[name] : nlohmann::json(failure_of(row).message);
    }

    sandbox::Site site;
    SystemClock clock;
    CaptureLog log;
    TempDir dir;
    std::unique_ptr<site::Client> client;
    sandbox::Id project = 0, version = 0;
};

}  // namespace sg::test
