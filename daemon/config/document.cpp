// yaml-cpp, kept from reading on for ever.

#include "config/document.hpp"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

namespace sg::config {
namespace {

/// Notes where a document begins, and nothing of what it holds.
class Beginning final : public YAML::EventHandler {
public:
    YAML::Mark at = YAML::Mark::null_mark();

    void OnDocumentStart(const YAML::Mark& mark) override { at = mark; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

/// Where a second document begins. Two are read and no more: at a stray comma yaml-cpp finds one empty
/// document after another without ever going on, so that reading all of them would take all memory.
std::optional<YAML::Mark> second_document(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    Beginning first, second;
    if (!parser.HandleNextDocument(first) || !parser.HandleNextDocument(second)) return std::nullopt;
    return second.at;
}

}  // namespace

std::optional<YAML::Node> only_document(
    const std::string& text, const std::function<void(const YAML::Mark& at, std::string what)>& report) {
    try {
        const auto second = second_document(text);
        if (second)
            report(*second,
                   "expected one document: nothing may stand after '---', and no comma outside brackets");
        const auto root = YAML::Load(text);
        if (root.IsMap()) return root;
        if (!root.IsNull())
            report(root.Mark(), "expected keys with values");
        else if (!second)
            report(YAML::Mark::null_mark(),
                   "is empty: at least site, credentials and collections are needed");
    } catch (const YAML::Exception& error) {
        report(error.mark, "not YAML: " + error.msg);
    }
    return std::nullopt;
}

}  // namespace sg::config
