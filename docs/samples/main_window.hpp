#pragma once

#include <sg/retriever.hpp>
#include <string>
#include <vector>

class MainWindow {
public:
    explicit MainWindow(sg::DataRetriever& data) : data_(data) {}

    sg::Async get_projects() {
        projects.clear();
        const auto args = nlohmann::json::array({"Project", nlohmann::json::array(), {"name", "id"}});
        auto find = data_.execute_find(args);
        const sg::Reply found = co_await find;  // the window goes on meanwhile

        for (const auto& project : found.data.at("sg"))
            projects.push_back({project["name"].get<std::string>(), project["id"].get<sg::EntityId>()});
        if (!projects.empty()) handle_project_change(0);
    }

    struct Item {
        std::string text;
        sg::EntityId id;
    };
    std::vector<Item> projects;
    sg::EntityId current = 0;

private:
    void handle_project_change(std::size_t index) { current = projects[index].id; }

    sg::DataRetriever& data_;
};
