#pragma once

#include <filesystem>
#include <fstream>
#include <sg/tasks.hpp>

// Copies a file and counts its bytes, at the same time, and notes both beside the copy.
inline sg::Pending<nlohmann::json> publish(sg::TaskManager& tasks, const std::filesystem::path& from,
                                           const std::filesystem::path& to) {
    sg::TaskSpec spec;
    spec.group = "publish " + to.string();  // stopped together, and told of when all of it has ended
    spec.priority = 10;                     // before what has less
    const auto copy = tasks.add_task(
        [from, to](const sg::TaskContext&) {
            std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
            return nlohmann::json{{"copy", to.string()}};
        },
        spec);
    const auto count = tasks.add_task(
        [from](const sg::TaskContext& task) {
            std::uintmax_t bytes = 0;
            std::ifstream in(from, std::ios::binary);
            for (char block[4096];
                 !task.stop.stop_requested() && (in.read(block, sizeof block) || in.gcount());)
                bytes += static_cast<std::uintmax_t>(in.gcount());
            return nlohmann::json{{"bytes", bytes}};
        },
        spec);

    spec.upstream = {copy, count};  // what they give comes as named arguments; if one fails, so does this
    return tasks.add_task(
        [](const sg::TaskContext& task) {
            std::ofstream(task.kwargs.at("copy").get<std::string>() + ".json") << task.kwargs.dump();
            return task.kwargs;
        },
        spec);
}
