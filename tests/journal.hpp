#pragma once
// Reads what the recorder and the scripted plugin have written: one JSON object a line.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sg::test {

/// The whole lines of a journal so far, in the order written; none while there is no file.
/// Throws what the JSON library throws for a line that is no JSON: lines never mix.
inline std::vector<nlohmann::json> read_journal(const std::filesystem::path& file) {
    std::vector<nlohmann::json> lines;
    std::ifstream in(file, std::ios::binary);
    // A last line without its end is being written.
    for (std::string line; std::getline(in, line) && !in.eof();) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

/// The ids of the events in a journal, in the order written. `where` selects lines: each of its
/// members must be there with that value.
inline std::vector<std::int64_t> journal_ids(const std::filesystem::path& file,
                                             const nlohmann::json& where = nlohmann::json::object()) {
    std::vector<std::int64_t> ids;
    for (const auto& line : read_journal(file)) {
        bool selected = true;
        for (const auto& [name, value] : where.items())
            selected = selected && line.contains(name) && line.at(name) == value;
        if (selected) ids.push_back(line.at("event").get<std::int64_t>());
    }
    return ids;
}

}  // namespace sg::test
