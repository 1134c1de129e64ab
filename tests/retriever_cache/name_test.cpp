// What entries are found by, and what they are called.

#include "retriever/entry_name.hpp"
#include "retriever_cache/fixture.hpp"

using namespace sg;
using namespace sg::test;
using retriever::attachment_name;
using retriever::thumbnail_suffix;

TEST_CASE("T143 an entry is found by the MD5 of its url's path") {
    CHECK(FileCache::key("/thumbs/1/abc_t.jpg") == "86d1bbf9a4c896ed606e5b872aa11bbd");
    CHECK(FileCache::key("https://demo.example.com/a/b.jpg") == "13b7cf79c88a1e69c00837221ab2ea93");
    CHECK(FileCache::key("/a%20b.jpg") == "6159db9a48f1b7bdd36fba37c345e11a");
    CHECK(FileCache::key("/a b.jpg") == "ab4b1c4d3fc600a7f0cd37bc230c1cf3");
    CHECK(FileCache::key("/file_serve/attachment/597") == "309d41180a33b0478509793f29ded7ea");
    CHECK(FileCache::key("/thumbnail/full/Shot/12") == "7d19138b6e0d3695ea3eb4cfdb5f705a");
    CHECK(FileCache::key("").empty());
    CHECK(FileCache::key("https://demo.example.com").empty());
    CHECK(FileCache::key("https://demo.example.com?a=/b").empty());
    CHECK(FileCache::key("#/b").empty());
}

TEST_CASE("T144 nothing of a url but its path counts") {
    const auto key = FileCache::key("/a/b.jpg");
    for (const auto* url : {"https://demo.example.com/a/b.jpg", "http://other.example.com:8080/a/b.jpg",
                            "//host/a/b.jpg", "https://u:p@h/a/b.jpg?Signature=1", "/a/b.jpg?x=/c;d#e",
                            "/a/b.jpg#top?no", "/a/b.jpg;v=1", "s3+x.y-1://h/a/b.jpg;v=1?q;r#f/g"})
        CHECK(FileCache::key(url) == key);
    CHECK(FileCache::key("/a;v=1/b.jpg") != key);
    CHECK(FileCache::key("/A/b.jpg") != key);
    CHECK(FileCache::key("/a/b.jpg/") != key);
    CHECK(FileCache::key("a/b.jpg") != key);
}

TEST_CASE("a thumbnail takes its suffix from its url, or else from its type") {
    CHECK(thumbnail_suffix("https://h/a.d/x.JPG?y=.png", "image/png") == ".JPG");
    CHECK(thumbnail_suffix("/x.tar.gz;v=.png", "") == ".gz");
    CHECK(thumbnail_suffix("/x.12345678", "") == ".12345678");
    for (const auto* url : {"/x.123456789", "/x.j%20pg", "/x.", "/.jpg", "/a.d/x", "", "/x.j_g"}) {
        INFO(url);
        CHECK(thumbnail_suffix(url, " Image/PNG ; charset=x") == ".png");
    }
    const std::pair<const char*, const char*> known[] = {{"image/jpeg", ".jpg"},
                                                         {"image/gif", ".gif"},
                                                         {"image/webp", ".webp"},
                                                         {"image/tiff", ".tif"},
                                                         {"image/bmp", ".bmp"},
                                                         {"image/svg+xml", ".svg"},
                                                         {"image/x-exr", ".exr"},
                                                         {"video/mp4", ".mp4"},
                                                         {"image/vnd.adobe.photoshop", ".psd"},
                                                         {"video/quicktime", ".mov"},
                                                         {"application/pdf", ".pdf"},
                                                         {"text/html", ".bin"},
                                                         {"image/jpegs", ".bin"},
                                                         {"", ".bin"},
                                                         {";", ".bin"}};
    for (const auto& [type, suffix] : known) CHECK(thumbnail_suffix("/x", type) == suffix);
}

TEST_CASE("T176 the name of an attachment is fit for every file system") {
    const std::pair<std::string, std::string> names[] = {
        {"a.png", "a.png"},
        {"../../evil", "evil"},
        {"/abs", "abs"},
        {"a\\b", "b"},
        {".", "attachment"},
        {"..", "attachment"},
        {"...", "attachment"},
        {"", "attachment"},
        {"a/", "attachment"},
        {"CON.png", "attachment.png"},
        {"con", "attachment"},
        {"Aux .tar.gz", "attachment.tar.gz"},
        {"lpt9.x", "attachment.x"},
        {"COM0.x", "COM0.x"},
        {"COM10", "COM10"},
        {"CONSOLE.png", "CONSOLE.png"},
        {"a. . ", "a"},
        {".hidden", ".hidden"},
        {"a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"},
        {std::string("a\nb\x7f\0c", 6), "a_b__c"},
        {"a\xC2\x85z\xC2\xA0z", "a_z\xC2\xA0z"},
        {std::string(300, 'x'), std::string(200, 'x')},
        {std::string(300, 'x') + ".png", std::string(196, 'x') + ".png"},
        {"x." + std::string(300, 'y'), "x." + std::string(198, 'y')},
        {std::string(195, 'x') + "\xC3\xA4.png", std::string(195, 'x') + ".png"},
        {std::string(198, 'x') + "\xE2\x82\xAC", std::string(198, 'x')},
        {"CON" + std::string(300, ' ') + ".png", "attachment.png"},
        {"con." + std::string(196, 'y'), "attachment." + std::string(189, 'y')},
    };
    for (const auto& [given, wanted] : names) {
        INFO(given);
        CHECK(attachment_name(given) == wanted);
        CHECK(attachment_name(wanted) == wanted);
    }
}
