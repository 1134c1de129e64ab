// Files from a site: where they are, what is cut, and what appears under their name.

#include "catch.hpp"
#include "file_studio.hpp"
#include "site/file_calls.hpp"
#include "wait_for.hpp"

using namespace sg;
using namespace sg::test;
using namespace std::chrono_literals;
using nlohmann::json;
using sandbox::Fault;

namespace {

/// A studio with one file on the site.
struct Shelf : FileStudio {
    explicit Shelf(std::size_t bytes = 3'000'000) : Shelf(bytes, [](site::Settings&) {}) {}
    template <class Change>
    Shelf(std::size_t bytes, Change change) : FileStudio(true, change), content(noise(bytes)) {
        write_file(dir / "sent.mov", content);
        const auto done = client->upload(movie(dir / "sent.mov"), script());
        if (!done) throw std::runtime_error(done.error().message);
        id = *done;
        std::filesystem::create_directory(dir / "in");
        site.forget_requests();
    }
    auto fetch(const json& attachment) {
        return client->download({attachment, dir / "in/got.mov", {}}, script());
    }
    auto fetch() { return fetch(id); }
    std::string got() const { return read_file(dir / "in/got.mov"); }
    std::vector<std::string> left() const { return names_in(dir / "in"); }
    /// The ranges that the storage was asked for, empty for a whole file.
    std::vector<std::string> ranges() const {
        std::vector<std::string> out;
        for (const auto& request : site.requests())
            if (request.method == "storage_get") out.push_back(request.params.value("range", ""));
        return out;
    }

    std::string content;
    EntityId id = 0;
};

using Names = std::vector<std::string>;

/// A site whose files are on another server.
struct TwoServers {
    explicit TwoServers(RawServer::Handler storage_handler)
        : storage(std::move(storage_handler)), site([this](const RawRequest& request, RawPeer& peer) {
              if (request.head.starts_with("POST")) return peer.send(results({{"session_id", "t0ken"}}));
              peer.send(http("", 302, "Location: " + storage.url() + "/key?sig=s1gnature\r\n"));
          }) {}
    auto fetch(site::DownloadRequest request = {}) {
        if (request.attachment.is_null()) request.attachment = 7;
        if (request.to.empty()) request.to = dir / "got";
        return site.client->download(request, as("relay"));
    }
    TempDir dir;
    RawServer storage;
    TestSite site;
};

std::string part_of(std::string_view all, std::size_t from, std::string_view more = "") {
    return http(all.substr(from), 206,
                "ETag: \"e1\"\r\nContent-Range: bytes " + std::to_string(from) + "-" +
                    std::to_string(all.size() - 1) + "/" + std::to_string(all.size()) + "\r\n" +
                    std::string(more),
                "video/quicktime");
}

/// The head and the first bytes of an answer that promises more.
std::string cut_short(std::string_view all, std::size_t bytes, std::string_view headers) {
    const auto whole = http(all, 200, headers, "video/quicktime");
    return whole.substr(0, whole.size() - all.size() + bytes);
}

}  // namespace

TEST_CASE("an attachment is found by id, by url, and as an entity, and by nothing else") {
    const auto url = [](const json& attachment) { return site::attachment_url(attachment, "https://h"); };
    const std::optional<std::string> served = "https://h/file_serve/attachment/5";
    CHECK(url(5).value() == served);
    CHECK(url({{"type", "Attachment"}, {"id", 5}}).value() == served);
    CHECK(url({{"type", "Attachment"}, {"id", 5}, {"url", "https://s3/x?a=b"}}).value() ==
          "https://s3/x?a=b");
    CHECK(url("http://s3/thumb.jpg").value() == "http://s3/thumb.jpg");
    CHECK(url(nullptr).value() == std::nullopt);
    const json wrong =
        GENERATE(json(0), json(-3), json(1.5), json(""), json("nonsense"), json("ftp://h/x"),
                 json({{"type", "Shot"}, {"id", 5}}), json({{"type", "Attachment"}}), json::array(),
                 json({{"url", nullptr}}), json({{"url", "file:///mnt/p/a.mov"}}));
    INFO(wrong.dump());
    CHECK(failure_of(url(wrong)).cause == Cause::invalid);
}

TEST_CASE("a file appears whole under its name and replaces what was there") {
    Shelf shelf;
    write_file(shelf.dir / "in/got.mov", "old");
    bool half = false;
    std::uint64_t last = 0;
    const auto done =
        shelf.client->download({shelf.id, shelf.dir / "in/got.mov",
                                [&](std::uint64_t n, std::optional<std::uint64_t> total) {
                                    last = n;
                                    half = half || total != shelf.content.size() || shelf.got() != "old";
                                }},
                               shelf.script());
    INFO(failure_of(done).message);
    REQUIRE((done && *done));
    CHECK_FALSE(half);
    CHECK(last == shelf.content.size());
    CHECK((*done)->bytes == shelf.content.size());
    CHECK((*done)->content_type == "video/quicktime");
    CHECK((*done)->resumed == 0);
    CHECK(shelf.got() == shelf.content);
    CHECK(shelf.left() == Names{"got.mov"});
}

TEST_CASE("nothing to download is no failure and makes no file") {
    Shelf shelf(10);
    const auto none = shelf.fetch(nullptr);
    REQUIRE(none);
    CHECK_FALSE(*none);
    CHECK(shelf.left().empty());
}

TEST_CASE("a transfer that is cut goes on where it was") {
    Shelf shelf(9'000'000);
    shelf.site.inject(Fault::cut_in_body().at(4'000'000).on("storage_get"));
    shelf.site.inject(Fault::cut_in_body().at(1'000'000).on("storage_get"));
    const auto done = shelf.fetch();
    INFO(failure_of(done).message);
    REQUIRE((done && *done));
    CHECK((*done)->resumed == 2);
    CHECK((*done)->restarted == 0);
    CHECK(shelf.got() == shelf.content);
    CHECK(shelf.ranges() == Names{"", "bytes=4000000-", "bytes=5000000-"});
    CHECK(shelf.site.request_count("file_serve") == 3);  // each way begins at the site: its link is a new one
}

TEST_CASE("progress makes attempts count anew, and a transfer that gets nowhere ends and leaves nothing") {
    Shelf shelf(9'000'000, [](site::Settings& settings) { settings.attempts = 2; });
    SECTION("six cuts, two attempts") {
        for (int i = 0; i < 6; ++i) shelf.site.inject(Fault::cut_in_body().at(1'200'000).on("storage_get"));
        CHECK(shelf.fetch());
        CHECK(shelf.got() == shelf.content);
    }
    SECTION("always cut at once") {
        shelf.site.inject(Fault::cut_in_body().at(0).until_cleared().on("storage_get"));
        const auto failure = failure_of(shelf.fetch());
        INFO(failure.message);
        CHECK(failure.cause == Cause::network);
        CHECK(failure.message.find("attempt 2 of 2") != std::string::npos);
        CHECK(shelf.left().empty());
    }
    SECTION("cut while there is an older file of that name") {
        write_file(shelf.dir / "in/got.mov", "old");
        shelf.site.inject(Fault::cut_in_body().at(500'000).until_cleared().on("storage_get"));
        CHECK_FALSE(shelf.client->download({shelf.id, shelf.dir / "in/got.mov", {}}, [&] {
            auto options = shelf.script();
            options.attempts = 1;
            return options;
        }()));
        CHECK(shelf.got() == "old");
        CHECK(shelf.left() == Names{"got.mov"});
    }
}

TEST_CASE("a file that cannot be gone on with is fetched anew") {
    const std::string all = noise(5000), other = noise(5000, 2);
    struct Row {
        const char* what;
        const char* headers;   // of the answer that is cut
        bool asks_for_rest;    // what the second request does
        bool second_is_other;  // and another file is there by then
    };
    const auto row = GENERATE(Row{"the server ignores Range", "ETag: \"e1\"\r\n", true, false},
                              Row{"the file is another by then", "ETag: \"e1\"\r\n", true, true},
                              Row{"a weak ETag", "ETag: W/\"e1\"\r\n", false, true},
                              Row{"no ETag at all", "", false, true});
    INFO(row.what);
    const auto& second = row.second_is_other ? other : all;
    TwoServers servers([&, n = 0](const RawRequest&, RawPeer& peer) mutable {
        if (n++ > 0) return peer.send(http(second, 200, "ETag: \"e2\"\r\n", "video/quicktime"));
        peer.send(cut_short(all, 2000, row.headers));
        peer.close();
    });
    const auto done = servers.fetch();
    INFO(failure_of(done).message);
    REQUIRE((done && *done));
    CHECK((*done)->restarted == 1);
    CHECK(read_file(servers.dir / "got") == second);
    const auto seen = servers.storage.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[1].header("range") == (row.asks_for_rest ? "bytes=2000-" : ""));
    CHECK(seen[1].header("if-range") == (row.asks_for_rest ? "\"e1\"" : ""));
}

TEST_CASE("Last-Modified serves where there is no ETag") {
    const std::string all = noise(5000);
    TwoServers servers([&, n = 0](const RawRequest& request, RawPeer& peer) mutable {
        if (n++ > 0) return peer.send(part_of(all, request.header("range") == "bytes=2000-" ? 2000 : 1));
        peer.send(cut_short(all, 2000, "Last-Modified: Wed, 04 Mar 2026 05:06:07 GMT\r\n"));
        peer.close();
    });
    CHECK(servers.fetch());
    CHECK(servers.storage.requests().back().header("if-range") == "Wed, 04 Mar 2026 05:06:07 GMT");
    CHECK(read_file(servers.dir / "got") == all);
}

TEST_CASE("a rest that is not the one asked for is never put behind the beginning") {
    const std::string all = noise(5000);
    const auto wrong =
        GENERATE_COPY(part_of(all, 3000), part_of(all.substr(0, 4000), 2000),
                      http("x", 206, "", "video/quicktime"), http("no", 416, "", "text/plain"));
    std::atomic<bool> anew{false};
    TwoServers servers([&, n = 0](const RawRequest& request, RawPeer& peer) mutable {
        switch (n++) {
            case 0:
                peer.send(cut_short(all, 2000, "ETag: \"e1\"\r\n"));
                return peer.close();
            case 1:
                return peer.send(wrong);
            default:
                anew = request.header("range").empty();
                peer.send(http(all, 200, "ETag: \"e1\"\r\n", "video/quicktime"));
        }
    });
    const auto done = servers.fetch();
    INFO(failure_of(done).message);
    CHECK(done);
    CHECK(anew);
    CHECK(servers.storage.count() == 3);
    CHECK(read_file(servers.dir / "got") == all);
}

TEST_CASE(
    "the session goes to the site and to no other host, and neither it nor a signature into a message") {
    TwoServers servers([](const RawRequest&, RawPeer& peer) {
        peer.send(http("<Error><Message>Request has expired</Message></Error>", 403, "", "application/xml"));
    });
    const auto failure = failure_of(servers.fetch());
    INFO(failure.message);
    CHECK(failure.cause == Cause::permission);
    CHECK(failure.http_status == 403);
    CHECK(failure.message.find("Request has expired") != std::string::npos);
    CHECK(failure.message.find("t0ken") == std::string::npos);
    CHECK(failure.message.find("s1gnature") == std::string::npos);
    const auto at_site = servers.site.server.requests();
    REQUIRE(at_site.size() == 2);
    CHECK(at_site[0].method() == "get_session_token");
    CHECK(at_site[1].head.starts_with("GET /file_serve/attachment/7 HTTP/1.1\r\n"));
    CHECK(at_site[1].header("cookie") == "_session_id=t0ken");
    CHECK(at_site[1].header("authorization").empty());
    REQUIRE(servers.storage.count() == 1);
    CHECK(servers.storage.requests()[0].head.starts_with("GET /key?sig=s1gnature HTTP/1.1\r\n"));
    for (const auto* header : {"cookie", "authorization"})
        CHECK(servers.storage.requests()[0].header(header).empty());
}

TEST_CASE("a link of a field is fetched as it is, and the site is not asked for a session") {
    TwoServers servers(
        [](const RawRequest&, RawPeer& peer) { peer.send(http("bytes", 200, "", "image/png")); });
    CHECK(servers.fetch({{{"url", servers.storage.url() + "/x?sig=1#part"}}, {}, {}}));
    CHECK(servers.site.server.count() == 0);
    CHECK(servers.storage.requests()[0].header("cookie").empty());
}

TEST_CASE("redirects end, and lead to HTTP and nowhere else") {
    const std::string to =
        GENERATE("/again", "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x");
    TestSite site([&](const RawRequest& request, RawPeer& peer) {
        if (request.head.starts_with("POST")) return peer.send(results({{"session_id", "t"}}));
        peer.send(http("", 302, "Location: " + to + "\r\n"));
    });
    TempDir dir;
    const auto failure = failure_of(site.client->download({7, dir / "got", {}}, as("relay")));
    INFO(failure.message);
    CHECK(failure.cause == Cause::bad_answer);
    CHECK(site.server.count() == (to == "/again" ? 12U : 2U));
    CHECK(names_in(dir.path()).empty());
}

TEST_CASE("what the site says instead of a file is told apart, and nothing is left on the disk") {
    struct Row {
        int status;
        const char* type;
        Cause cause;
        const char* text;
        std::size_t requests;
    };
    const auto row = GENERATE(Row{400, "text/plain", Cause::bad_request, "no such attachment", 1},
                              Row{401, "text/plain", Cause::authentication, "401", 1},
                              Row{403, "text/plain", Cause::permission, "403", 1},
                              Row{404, "text/plain", Cause::bad_request, "404", 1},
                              Row{409, "text/plain", Cause::busy, "scanned for malware", 1},
                              Row{410, "text/plain", Cause::bad_request, "malware was found", 1},
                              Row{500, "text/plain", Cause::bad_answer, "500", 3},
                              Row{503, "text/html", Cause::busy, "503", 3},
                              Row{200, "text/html", Cause::bad_answer, "a page and not", 1});
    TestSite site(
        [&](const RawRequest& request, RawPeer& peer) {
            if (request.head.starts_with("POST")) return peer.send(results({{"session_id", "t"}}));
            peer.send(http("<p>sorry</p>", row.status, "", row.type));
        },
        [](site::Settings& settings) { settings.attempts = 3; });
    TempDir dir;
    const auto failure = failure_of(site.client->download({7, dir / "got", {}}, as("relay")));
    INFO(row.status << ": " << failure.message);
    CHECK(failure.cause == row.cause);
    if (row.status != 200) CHECK(failure.http_status == row.status);
    CHECK(failure.message.find(row.text) != std::string::npos);
    CHECK(site.server.count() == row.requests + 1);
    CHECK(names_in(dir.path()).empty());
}

TEST_CASE("pauses of a download follow Retry-After and the clock of the process") {
    ManualClock clock;
    CaptureLog log;
    RawServer server([n = 0](const RawRequest&, RawPeer& peer) mutable {
        peer.send(n++ == 0 ? http("later", 503, "Retry-After: 7\r\n") : http("bytes", 200, "", "image/png"));
    });
    auto settings = quick("http://127.0.0.1:1");  // the site itself is not needed
    const auto client = make_client(settings, clock, log);
    TempDir dir;
    Failure failure;
    std::jthread caller([&] {
        failure = failure_of(client->download({server.url() + "/x.png", dir / "got", {}}, as("relay")));
    });
    REQUIRE(wait_for([&] { return log.count("wait_ms=7000") == 1; }));
    CHECK(server.count() == 1);
    clock.advance(7s);
    caller.join();
    CHECK(failure.site_code == -1);
    CHECK(server.count() == 2);
}

TEST_CASE("a download that is stopped ends within 100 ms and leaves nothing") {
    std::chrono::milliseconds best = 1h;
    for (int i = 0; i < 5 && best >= 100ms; ++i) {
        Shelf shelf;
        shelf.site.inject(Fault::hang_in_body().on("storage_get"));
        std::stop_source stop;
        auto options = shelf.script();
        options.stop = stop.get_token();
        std::atomic<std::uint64_t> got{0};
        Failure failure;
        std::chrono::steady_clock::time_point ended;
        std::jthread caller([&] {
            failure = failure_of(shelf.client->download(
                {shelf.id, shelf.dir / "in/got.mov", [&](std::uint64_t n, auto) { got = n; }}, options));
            ended = std::chrono::steady_clock::now();
        });
        REQUIRE(wait_for([&] { return got == shelf.content.size() / 2; }));
        const auto asked = std::chrono::steady_clock::now();
        stop.request_stop();
        caller.join();
        CHECK(failure.cause == Cause::stopped);
        CHECK(shelf.left().empty());
        best = std::min(best, std::chrono::duration_cast<std::chrono::milliseconds>(ended - asked));
    }
    CHECK(best < 100ms);
}

TEST_CASE("a transfer that stands still costs the limit on that, and one that only takes long is fine") {
    const bool hangs = GENERATE(true, false);
    const std::string all = noise(40);
    RawServer server([&](const RawRequest&, RawPeer& peer) {
        const auto whole = http(all, 200, "", "image/png");
        peer.send(whole.substr(0, whole.size() - 20));
        if (hangs) return peer.hang();
        std::this_thread::sleep_for(150ms);  // the fault itself, nothing waits on it
        peer.send(all.substr(20));
    });
    auto settings = quick("http://127.0.0.1:1");  // the file is elsewhere, and needs no session
    settings.limits.slow_window = hangs ? 200ms : 30s;
    settings.limits.total = 50ms;  // of a call, not of a file
    settings.attempts = 1;
    SystemClock clock;
    CaptureLog log;
    TempDir dir;
    const auto client = make_client(settings, clock, log);
    const auto done = client->download({server.url() + "/x", dir / "got", {}}, as("relay"));
    CHECK(done.has_value() != hangs);
    if (hangs) CHECK(failure_of(done).cause == Cause::timed_out);
}

TEST_CASE("a place that cannot be written to, or a disk too small, is said before and after the first byte") {
    TwoServers servers([](const RawRequest&, RawPeer& peer) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000\r\nETag: \"e\"\r\n\r\nx");
        peer.hang();
    });
    std::filesystem::create_directory(servers.dir / "folder");
    CHECK(failure_of(servers.fetch({7, servers.dir / "folder", {}})).cause == Cause::invalid);
    CHECK(failure_of(servers.fetch({7, servers.dir / "absent/file", {}})).cause == Cause::invalid);
    CHECK(servers.site.server.count() == 0);
    const auto full = failure_of(servers.fetch({7, servers.dir / "big", {}}));
    INFO(full.message);
    CHECK(full.cause == Cause::internal);
    CHECK(full.message.find("9000000000000000 bytes are to come") != std::string::npos);
    CHECK(servers.storage.count() == 1);
    CHECK(names_in(servers.dir.path()) == Names{"folder"});
}

TEST_CASE("a file of no bytes is a file") {
    TwoServers servers([](const RawRequest&, RawPeer& peer) { peer.send(http("", 200, "", "text/plain")); });
    const auto done = servers.fetch();
    REQUIRE((done && *done));
    CHECK((*done)->bytes == 0);
    CHECK(std::filesystem::file_size(servers.dir / "got") == 0);
}
