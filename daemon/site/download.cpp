#include <algorithm>
#include <charconv>

#include "site/file_calls.hpp"
#include "site/json_text.hpp"
#include "site/secrets.hpp"
#include "site/wire.hpp"

namespace sg::site {

using nlohmann::json;

namespace {

constexpr int most_redirects = 10;

/// A file that got on by less does not count as one that got on.
constexpr std::uint64_t worth_counting = std::uint64_t{1} << 20;

bool is_redirect(const HttpAnswer& answer) {
    const auto s = answer.status;
    return (s == 301 || s == 302 || s == 303 || s == 307 || s == 308) && !answer.location.empty();
}

/// `bytes 100-199/1000`; false where it is written otherwise.
bool read_content_range(std::string_view text, std::uint64_t& first, std::uint64_t& total) {
    if (!text.starts_with("bytes ")) return false;
    text.remove_prefix(6);
    const auto dash = text.find('-'), slash = text.find('/');
    if (dash == std::string_view::npos || slash == std::string_view::npos) return false;
    const auto number = [](std::string_view digits, std::uint64_t& out) {
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    };
    return number(text.substr(0, dash), first) && number(text.substr(slash + 1), total);
}

Failure refusal(const HttpAnswer& answer, bool from_site) {
    auto failure = storage_failure(answer);
    if (!from_site) {
        if (answer.status == 403)
            failure.message += " (a link is good for some minutes only: read the field again)";
        return failure;
    }
    failure.message = fmt::format("the site answered with HTTP status {}", answer.status);
    if (answer.status == 400) failure.message += ": there is no such attachment, or it is a local file";
    if (answer.status == 409) {
        failure.cause = Cause::busy;
        failure.message += ": it is being scanned for malware; try again in some minutes";
    }
    if (answer.status == 410) failure.message += ": malware was found in it";
    return failure;
}

}  // namespace

Result<std::optional<std::string>> attachment_url(const json& attachment, std::string_view root) {
    const auto served = [&](std::int64_t id) {
        return std::optional(fmt::format("{}/file_serve/attachment/{}", root, id));
    };
    if (attachment.is_null()) return std::nullopt;
    std::string url;
    if (attachment.is_number_integer() && attachment > 0) return served(attachment.get<std::int64_t>());
    if (attachment.is_string()) url = attachment.get<std::string>();
    if (attachment.is_object()) {
        if (const auto found = attachment.find("url"); found != attachment.end() && found->is_string()) {
            url = found->get<std::string>();
        } else if (attachment.value("type", json()) == "Attachment") {
            const auto id = attachment.value("id", json());
            if (id.is_number_integer() && id > 0) return served(id.get<std::int64_t>());
        }
    }
    if (url.starts_with("file:"))
        return fail(Cause::invalid, "it is a file of a file system, not of the site");
    if (origin_of(url).empty())
        return fail(Cause::invalid,
                    "it is neither an id, nor an Attachment, nor has it a url that leads somewhere");
    return url;
}

/// One download: where it stands, and where its bytes go.
class Client::Files::Fetch final : public BodySink {
public:
    Fetch(Files& files, const DownloadRequest& request, std::string url, NewFile& file)
        : files_(files), request_(request), url_(std::move(url)), file_(file) {}

    Downloaded result;

    /// Follows the way from its beginning, which may end elsewhere each time: links are signed anew.
    Calls::Attempt attempt();
    std::uint64_t progress() const { return furthest_ / worth_counting; }

    Result<bool> begin(const HttpAnswer& head) override;
    Result<void> write(std::string_view bytes) override;

private:
    Calls::Attempt end(Calls::Attempt attempt, bool at_site);
    Calls::Attempt fetch(const std::string& url, bool at_site);
    Result<bool> go_on(const HttpAnswer& head);

    Files& files_;
    const DownloadRequest& request_;
    const std::string url_;
    NewFile& file_;
    std::string validator_;  // of the bytes in the file; empty: nothing can be added to them
    std::optional<std::uint64_t> total_;
    std::uint64_t furthest_ = 0;
    std::string token_;
    bool begun_ = false, asked_for_rest_ = false;
};

Result<bool> Client::Files::Fetch::go_on(const HttpAnswer& head) {
    std::uint64_t first = 0, total = 0;
    const bool fits = asked_for_rest_ && read_content_range(head.content_range, first, total) &&
                      first == file_.size() && (!total_ || *total_ == total);
    if (!fits) {
        validator_.clear();  // and the next attempt begins anew
        return fail(Cause::network, "the rest that came is not the rest that was asked for");
    }
    total_ = total;
    ++result.resumed;
    return true;
}

Result<bool> Client::Files::Fetch::begin(const HttpAnswer& head) {
    begun_ = true;
    if (head.status == 206) return go_on(head);
    if (head.status != 200) return false;
    if (file_.size() > 0) {
        ++result.restarted;
        if (auto emptied = file_.restart(); !emptied) return tl::unexpected(std::move(emptied.error()));
    }
    // A weak ETag promises no equal bytes.
    validator_ = head.etag.starts_with("W/") || head.etag.empty() ? head.last_modified : head.etag;
    total_ = head.content_length;
    if (total_)
        if (auto room = file_.check_room(*total_); !room) return tl::unexpected(std::move(room.error()));
    return true;
}

Result<void> Client::Files::Fetch::write(std::string_view bytes) {
    auto written = file_.write(bytes);
    if (!written) return written;
    furthest_ = std::max(furthest_, file_.size());
    if (request_.progress) request_.progress(furthest_, total_);
    return {};
}

Client::Calls::Attempt Client::Files::Fetch::fetch(const std::string& url, bool at_site) {
    HttpRequest get;
    get.verb = HttpRequest::Verb::get;
    get.url = url;
    get.sink = this;
    get.resend = Resend::before_an_answer;
    get.takes_its_time = true;
    get.headers = {"Accept:"};
    if (at_site) get.headers.push_back("Cookie: _session_id=" + token_);
    asked_for_rest_ = file_.size() > 0 && !validator_.empty();
    if (asked_for_rest_) {
        get.headers.push_back(fmt::format("Range: bytes={}-", file_.size()));
        get.headers.push_back("If-Range: " + validator_);
    }
    begun_ = false;
    return files_.calls_.exchange(get, at_site, Repeat::harmless, files_.options_);
}

Client::Calls::Attempt Client::Files::Fetch::attempt() {
    const auto site = origin_of(files_.root_);
    auto url = url_;
    for (int hop = 0; hop <= most_redirects; ++hop) {
        const bool at_site = origin_of(url) == site;
        if (at_site && token_.empty()) {
            auto token = files_.session_token();
            if (!token) return {tl::unexpected(std::move(token.error())), false};
            token_ = std::move(*token);
        }
        auto tried = fetch(url, at_site);
        if (!tried.answer || !is_redirect(*tried.answer)) {
            result.final_url = url;
            return end(std::move(tried), at_site);
        }
        const auto next = tried.answer->location;
        const bool less_safe = url.starts_with("https:") && !next.starts_with("https:");
        if (origin_of(next).empty() || less_safe)
            return {fail(Cause::bad_answer, "{} leads to {}, where this does not go", shown_url(url),
                         shown_url(next)),
                    false};
        url = next;
    }
    return {fail(Cause::bad_answer, "more than {} redirects", most_redirects), false};
}

Client::Calls::Attempt Client::Files::Fetch::end(Calls::Attempt tried, bool at_site) {
    if (!tried.answer) return tried;
    const auto& answer = *tried.answer;
    if (!begun_)  // a body of no bytes
        if (auto begun = begin(answer); !begun) return {tl::unexpected(std::move(begun.error())), true};
    if (answer.status == 416 && file_.size() > 0) {
        validator_.clear();
        return {fail(Cause::network, "there is no such rest of the file any more"), true};
    }
    if (answer.status != 200 && answer.status != 206) {
        auto failure = refusal(answer, at_site);
        const bool passing = failure.cause == Cause::busy || failure.cause == Cause::timed_out;
        return {tl::unexpected(std::move(failure)),
                answer.status != 409 && (passing || answer.status == 500)};
    }
    if (at_site && answer.content_type.starts_with("text/html") && answer.disposition.empty())
        return {fail(Cause::bad_answer, "the site answered with a page and not with a file"), false};
    if (total_ && file_.size() != *total_)
        return {fail(Cause::network, "{} bytes came of {}", file_.size(), *total_), true};
    result.bytes = file_.size();
    result.content_type = answer.content_type;
    return tried;
}

Result<std::string> Client::Files::session_token() {
    auto answer = calls_.call("get_session_token", nullptr, Repeat::harmless, options_);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    const auto token = answer->is_object() ? answer->value("session_id", json()) : json();
    if (!token.is_string() ||
        token.get_ref<const std::string&>().find_first_of("\r\n;, ") != std::string::npos)
        return fail(Cause::bad_answer, "the site gave no session token");
    return token.get<std::string>();
}

Result<std::optional<Downloaded>> Client::Files::download(const DownloadRequest& request) {
    auto url = attachment_url(request.attachment, root_);
    if (!url) return tl::unexpected(std::move(url.error()));
    if (!*url) return std::nullopt;
    auto file = NewFile::create(request.to);
    if (!file) return tl::unexpected(std::move(file.error()));
    const auto what = "fetching " + printable(shown_url(**url), 300);
    Fetch fetch(*this, request, std::move(**url), *file);
    auto answer = calls_.persist(
        what, options_, [&] { return fetch.attempt(); }, [&] { return fetch.progress(); });
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (auto done = file->finish(); !done) return tl::unexpected(std::move(done.error()));
    return fetch.result;
}

Result<std::optional<Downloaded>> Client::download(const DownloadRequest& request,
                                                   const CallOptions& options) {
    auto done = Files(*calls_, options).download(request);
    if (!done) return fail(std::move(done.error()), "downloading {}", printable(request.to.string(), 300));
    return done;
}

}  // namespace sg::site
