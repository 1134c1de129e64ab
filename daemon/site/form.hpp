#pragma once
// Form posts, which the site's file endpoints take, and their answers in plain text.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "site/transfer.hpp"
#include "util/result.hpp"

namespace sg::site {

/// Fields in the order they are sent.
using FormFields = std::vector<std::pair<std::string, std::string>>;

/// Appends the members of the auth block: `True` and `False`, integers as digits; null is left out.
void add_auth(FormFields& fields, const nlohmann::json& auth);

/// `a=b&c=d`, UTF-8, a blank as `+`.
std::string url_encoded(const FormFields& fields);

/// What a file of this name probably is, by its extension; `application/octet-stream` otherwise.
std::string content_type_of(std::string_view file_name);

/// `multipart/form-data` with one file, which is read as it is sent.
class MultipartBody final : public BodySource {
public:
    /// `file` outlives it, and stands at its beginning.
    MultipartBody(const FormFields& fields, const std::string& file_field, const std::string& file_name,
                  BodySource& file);

    const std::string& boundary() const { return boundary_; }
    std::uint64_t size() const override { return before_.size() + file_.size() + after_.size(); }
    Result<std::size_t> read(char* out, std::size_t most) override;
    void seek(std::uint64_t offset) override;

private:
    std::string boundary_, before_, after_;
    BodySource& file_;
    std::uint64_t given_ = 0;
};

/// What a file endpoint said, judged by the first character as the site means it.
struct FormAnswer {
    char verdict = 0;                ///< `1` done, `2` not ready yet, anything else failed
    std::vector<std::string> lines;  ///< without their newlines, the verdict's first
    std::string text;                ///< all of it
};

/// Errors: those of an HTTP status that says no success; `bad_answer` for an empty answer or a page;
/// `bad_request` with the site's reason for a verdict that is neither `1` nor `2`.
Result<FormAnswer> read_form_answer(const HttpAnswer& answer);

/// The number behind `1:` of the first line; nullopt where there is none.
std::optional<EntityId> attachment_id(const FormAnswer& answer);

}  // namespace sg::site
