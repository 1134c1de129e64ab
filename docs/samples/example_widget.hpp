#pragma once

#include <iostream>
#include <memory>
#include <sg/retriever.hpp>

class ExampleWidget {
public:
    explicit ExampleWidget(std::unique_ptr<sg::DataRetriever> data) : data_(std::move(data)) {
        // set up the data retriever
        completed_ = data_->on_work_completed(
            [this](sg::Uid uid, const std::string& type, const nlohmann::json& reply) {
                on_worker_signal(uid, type, reply);
            });
        failed_ = data_->on_work_failure(
            [this](sg::Uid uid, const std::string& message) { on_worker_failure(uid, message); });

        // and start it
        data_->start();

        // ask, and go on
        const auto args = nlohmann::json::array({"Shot", nlohmann::json::array(), {"code"}});
        find_uid_ = data_->execute_find(args);
    }

    /// The window closes: waits until the request that runs has ended. Nobody is told of it any more.
    void close_event() { data_->stop(); }

private:
    void on_worker_failure(sg::Uid, const std::string& message) { std::cout << "Error: " << message << '\n'; }

    void on_worker_signal(sg::Uid uid, const std::string& type, const nlohmann::json& reply) {
        if (uid != find_uid_) return;  // somebody else's
        std::cout << "Data arrived: " << type << ' ' << reply.at("sg").dump() << '\n';
    }

    std::unique_ptr<sg::DataRetriever> data_;
    sg::Uid find_uid_;
    sg::Connection completed_, failed_;
};
