#include "site/form.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

#include "site/json_text.hpp"
#include "site/wire.hpp"

namespace sg::site {
namespace {

using nlohmann::json;

std::string in_lower_case(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

void append_encoded(std::string& out, std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF", plain = "-_.~";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || plain.find(c) != std::string_view::npos)
            out += c;
        else if (c == ' ')
            out += '+';
        else
            (out += '%') += {digits[byte >> 4U], digits[byte & 15U]};
    }
}

/// A name in a quoted string of a header: what would end it is escaped as browsers do.
std::string in_quotes(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == '"')
            out += "%22";
        else if (c == '\r')
            out += "%0D";
        else if (c == '\n')
            out += "%0A";
        else
            out += c;
    }
    return out;
}

std::string new_boundary() {
    std::random_device random;
    return fmt::format("sgeventd-{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

void add_auth(FormFields& fields, const json& auth) {
    for (const auto& [name, value] : auth.items()) {
        if (value.is_null()) continue;
        if (value.is_string())
            fields.emplace_back(name, value.get<std::string>());
        else if (value.is_boolean())
            fields.emplace_back(name, value.get<bool>() ? "True" : "False");
        else
            fields.emplace_back(name, value.dump());
    }
}

std::string url_encoded(const FormFields& fields) {
    std::string out;
    for (const auto& [name, value] : fields) {
        if (!out.empty()) out += '&';
        append_encoded(out, name);
        out += '=';
        append_encoded(out, value);
    }
    return out;
}

std::string content_type_of(std::string_view file_name) {
    using Pair = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Pair, 30> types{
        {{"jpg", "image/jpeg"},        {"jpeg", "image/jpeg"},     {"png", "image/png"},
         {"gif", "image/gif"},         {"tif", "image/tiff"},      {"tiff", "image/tiff"},
         {"bmp", "image/bmp"},         {"webp", "image/webp"},     {"svg", "image/svg+xml"},
         {"exr", "image/x-exr"},       {"dpx", "image/x-dpx"},     {"tga", "image/x-tga"},
         {"mov", "video/quicktime"},   {"qt", "video/quicktime"},  {"mp4", "video/mp4"},
         {"m4v", "video/x-m4v"},       {"webm", "video/webm"},     {"avi", "video/x-msvideo"},
         {"mxf", "application/mxf"},   {"wav", "audio/x-wav"},     {"mp3", "audio/mpeg"},
         {"aif", "audio/x-aiff"},      {"pdf", "application/pdf"}, {"zip", "application/zip"},
         {"json", "application/json"}, {"xml", "text/xml"},        {"csv", "text/csv"},
         {"txt", "text/plain"},        {"htm", "text/html"},       {"html", "text/html"}}};
    const auto dot = file_name.rfind('.');
    const auto extension =
        dot == std::string_view::npos ? std::string() : in_lower_case(file_name.substr(dot + 1));
    const auto* const found =
        std::find_if(types.begin(), types.end(), [&](const Pair& pair) { return pair.first == extension; });
    return std::string(found == types.end() ? "application/octet-stream" : found->second);
}

MultipartBody::MultipartBody(const FormFields& fields, const std::string& file_field,
                             const std::string& file_name, BodySource& file)
    : boundary_(new_boundary()), file_(file) {
    for (const auto& [name, value] : fields)
        before_ += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", boundary_,
                               in_quotes(name), value);
    before_ += fmt::format(
        "--{}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n"
        "Content-Length: {}\r\n\r\n",
        boundary_, in_quotes(file_field), in_quotes(file_name), content_type_of(file_name), file.size());
    after_ = fmt::format("\r\n--{}--\r\n\r\n", boundary_);
}

Result<std::size_t> MultipartBody::read(char* out, std::size_t most) {
    const auto end_of_file = before_.size() + file_.size();
    std::size_t n = 0;
    if (given_ < before_.size()) {
        n = before_.copy(out, most, static_cast<std::size_t>(given_));
    } else if (given_ < end_of_file) {
        auto got = file_.read(out, most);
        if (!got) return got;
        n = *got;
    } else if (given_ < size()) {
        n = after_.copy(out, most, static_cast<std::size_t>(given_ - end_of_file));
    }
    given_ += n;
    return n;
}

void MultipartBody::seek(std::uint64_t offset) {
    given_ = offset;
    file_.seek(offset < before_.size() ? 0 : std::min(offset - before_.size(), file_.size()));
}

Result<FormAnswer> read_form_answer(const HttpAnswer& answer) {
    if (auto fine = check_status(answer); !fine) return tl::unexpected(std::move(fine.error()));
    if (answer.body.empty()) return fail(Cause::bad_answer, "the answer is empty");
    FormAnswer out;
    out.text = answer.body;
    out.verdict = answer.body.front();
    for (std::string_view rest = answer.body;;) {
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out.lines.emplace_back(line);
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    if (out.verdict == '1' || out.verdict == '2') return out;
    Failure failure{Cause::bad_request, "", 0, answer.status, {}};
    if (out.verdict == '<' || in_lower_case(answer.content_type).starts_with("text/html")) {
        failure.cause = Cause::bad_answer;
        failure.message = "the answer is a page and not a verdict";
    } else {
        auto reason = std::string_view(out.text).substr(out.verdict == '0' ? 1 : 0);
        reason.remove_prefix(std::min(reason.find_first_not_of(": \r\n"), reason.size()));
        failure.message = "the site refused: " + std::string(reason.empty() ? "it gave no reason" : reason);
    }
    return tl::unexpected(std::move(failure));
}

std::optional<EntityId> attachment_id(const FormAnswer& answer) {
    const std::string_view line = answer.lines.front();
    if (!line.starts_with("1:")) return std::nullopt;
    EntityId id = 0;
    const auto digits = line.substr(2);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    return read.ec == std::errc() && id > 0 ? std::optional(id) : std::nullopt;
}

}  // namespace sg::site
