// Files: the forms of the site and the storage behind it, as any client may use them.

#include "catch.hpp"
#include "form_client.hpp"
#include "sandbox/site.hpp"

namespace files_test {

using namespace sg;
using namespace sg::test;
using sandbox::Fault;

namespace {

struct WithSite {
    sandbox::Site site;
};
struct FormClient : WithSite, FormHttp {
    FormClient() : FormHttp(site.url()) {}
    /// Stores `bytes` as the Version's movie; the id of its attachment.
    std::string stored(const std::string& bytes) {
        return FormHttp::stored(bytes, "entity_type=Version&entity_id=" + std::to_string(version),
                                "sg_uploaded_movie");
    }

    sandbox::Id project = site.add("Project", {{"name", "Demo"}});
    sandbox::Id version =
        site.add("Version", {{"code", "a"}, {"project", {{"type", "Project"}, {"id", project}}}});
};

}  // namespace

TEST_CASE("a stored file is served whole, in ranges, and under the condition of its ETag") {
    FormClient client;
    const std::string bytes = "0123456789";
    const auto id = client.stored(bytes);
    const auto redirect = client.get(client.site.url() + "/file_serve/attachment/" + id);
    CHECK(redirect.status == 302);
    const auto url = redirect.header("Location");
    const auto whole = client.get(url);
    CHECK(whole.status == 200);
    CHECK(whole.body == bytes);
    CHECK(whole.header("Content-Type") == "image/png");
    const auto etag = whole.header("ETag");
    struct Row {
        std::string range;
        long status;
        std::string body, content_range;
    };
    for (const auto& row :
         {Row{"bytes=0-0", 206, "0", "bytes 0-0/10"}, Row{"bytes=7-", 206, "789", "bytes 7-9/10"},
          Row{"bytes=7-99", 206, "789", "bytes 7-9/10"}, Row{"bytes=-2", 206, "89", "bytes 8-9/10"},
          Row{"bytes=-99", 206, bytes, "bytes 0-9/10"}, Row{"bytes=3-2", 200, bytes, ""},
          Row{"bytes=0-1,3-4", 200, bytes, ""}, Row{"lines=0-1", 200, bytes, ""}}) {
        INFO(row.range);
        const auto got = client.get(url, {"Range: " + row.range, "If-Range: " + etag});
        CHECK(got.status == row.status);
        CHECK(got.body == row.body);
        CHECK(got.header("Content-Range") == row.content_range);
    }
    const auto beyond = client.get(url, {"Range: bytes=10-"});
    CHECK(beyond.status == 416);
    CHECK(beyond.header("Content-Range") == "bytes */10");
    CHECK(client.get(url, {"Range: bytes=7-", "If-Range: \"other\""}).body == bytes);
}

TEST_CASE("a link to the storage is good for its verb, its file, and fifteen minutes") {
    FormClient client;
    const auto id = client.stored("bytes");
    const auto url = client.get(client.site.url() + "/file_serve/attachment/" + id).header("Location");
    CHECK(client.put(url, "other").status == 403);
    auto other = url;
    other.replace(other.find("/files/" + id), 7 + id.size(), "/files/4711");
    CHECK(client.get(other).status == 403);
    client.site.shift_clock(std::chrono::minutes(14));
    CHECK(client.get(url).status == 200);
    client.site.shift_clock(std::chrono::minutes(2));
    const auto late = client.get(url);
    CHECK(late.status == 403);
    CHECK(late.body.find("<Message>Request has expired</Message>") != std::string::npos);
    CHECK(client.get(client.site.url() + "/file_serve/attachment/4711").status == 400);
}

TEST_CASE("parts make a file only in order, whole, with their etags, and not too small") {
    FormClient client;
    const auto info = client.form("api_get_upload_link_info",
                                  "upload_type=Attachment&filename=a.exr&multipart_upload=True");
    const auto upload = "&upload_id=" + info.at(4);
    const auto part = [&](int n, const std::string& bytes) {
        const auto link =
            client.form("api_get_upload_link_for_part", "part_number=" + std::to_string(n) + upload);
        return client.put(link.at(1), bytes).header("ETag");
    };
    const auto complete = [&](const std::string& etags) {
        return client.form("api_complete_multipart_upload", "etags=" + FormClient::escaped(etags) + upload);
    };
    CHECK(complete("").at(0) == "0");
    const auto two = part(2, "tail");
    CHECK(complete(two).at(1).find("part 1 is missing") != std::string::npos);
    const auto small = part(1, "head");
    CHECK(complete(small + "," + two).at(1).find("EntityTooSmall") != std::string::npos);
    const auto one = part(1, std::string(5'300'000, 'x'));
    CHECK(complete(two + "," + one).at(1).find("etags") != std::string::npos);
    CHECK(complete(one + "," + two).at(0) == "1");
    CHECK(client.form("api_get_upload_link_for_part", "part_number=0" + upload).at(0) == "0");
}

TEST_CASE("forms refuse what is wrong, by name and with status 200") {
    FormClient client;
    CHECK(client.form("api_get_upload_link_info", "upload_type=Movie&filename=a").at(0) == "0");
    CHECK(client.form("api_link_file", "entity_type=Version&entity_id=1&upload_link_info=1")
              .at(1)
              .find("no upload") != std::string::npos);
    CHECK(client.form("frobnicate", "a=b").at(1).find("/upload/frobnicate") != std::string::npos);
    const std::string wrong = "script_name=sandbox&script_key=wrong&upload_type=Attachment&filename=a";
    const auto refused =
        client.go(client.site.url() + "/upload/api_get_upload_link_info", {}, nullptr, &wrong);
    CHECK(refused.status == 200);
    CHECK(refused.body.starts_with("0\nCan't authenticate script 'sandbox'"));
}

TEST_CASE("a file in a field leaves a row that names its attachment, and the attachment rows of its own") {
    FormClient client;
    const auto before = client.site.newest_id();
    const auto id = std::stoll(client.stored("bytes"));
    RawClient rpc(client.site.url());
    const auto rows = rpc.rows("EventLogEntry", {condition("id", "greater_than", before)},
                               {"event_type", "attribute_name", "meta", "entity"});
    REQUIRE(rows.size() > 1);
    CHECK(rows[rows.size() - 2]["event_type"] == "Shotgun_Attachment_New");
    const auto& last = rows.back();
    CHECK(last["event_type"] == "Shotgun_Version_Change");
    CHECK(last["attribute_name"] == "sg_uploaded_movie");
    CHECK(last["entity"]["id"] == client.version);
    CHECK(last["meta"]["field_data_type"] == "url");
    CHECK(last["meta"]["old_value"].is_null());
    CHECK(last["meta"]["new_value"]["attachment_id"] == id);
    CHECK(last["meta"]["new_value"]["attachment_type"] == "upload");
}

TEST_CASE("faults meet requests for files as they meet calls") {
    FormClient client;
    const auto id = client.stored(std::string(1000, 'x'));
    const auto url = client.get(client.site.url() + "/file_serve/attachment/" + id).header("Location");
    client.site.inject(Fault::cut_in_body().at(300).on("storage_get"));
    const auto cut = client.get(url);
    CHECK(cut.error == CURLE_PARTIAL_FILE);
    CHECK(cut.body.size() == 300);
    client.site.inject(Fault::status(503).on("storage_get"));
    CHECK(client.get(url).status == 503);
    CHECK(client.get(url).status == 200);
    client.site.inject(Fault::close().on("storage_put"));
    const auto info = client.form("api_get_upload_link_info", "upload_type=Thumbnail&filename=a.png");
    CHECK(client.put(info.at(1), "x").error == CURLE_GOT_NOTHING);
    CHECK(client.put(info.at(1), "x").status == 200);
}

}  // namespace files_test
