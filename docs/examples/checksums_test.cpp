#include <sg/testing.hpp>

#include <cassert>
#include <fstream>

int main() {
    std::ofstream("picture.exr") << "picture";
    std::ofstream("preview.jpg") << "preview";
    sg::testing::FakeSite site;
    const auto publish =
        site.add("PublishedFile",
                 {{"code", "sh010_comp_v001"}, {"sg_picture", "picture.exr"}, {"sg_preview", "preview.jpg"}});

    sg::testing::Plugin plugin(site);
    plugin.handle(sg::testing::life_cycle(publish, "New"));
    const auto row = site.row(publish);
    assert(row.at("sg_checksum") != row.at("sg_preview_checksum"));
    assert(row.at("sg_checksum").get<std::uint32_t>() != 0);
}
