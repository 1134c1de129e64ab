#pragma once

#include <functional>

#include "retriever/data_retriever.hpp"
#include "tasks/task_manager.hpp"

class AppDialog {
public:
    using MakeRetriever =
        std::function<std::unique_ptr<sg::DataRetriever>(std::shared_ptr<sg::TaskManager> shared)>;

    AppDialog(sg::tasks::Executor run_later, const MakeRetriever& make)
        : task_manager_(sg::tasks::make_task_manager(
              {.start_processing = true, .max_threads = 2, .executor = std::move(run_later)})),
          // whoever queries the site does it with the threads of the one manager
          shots_(make(task_manager_)),
          assets_(make(task_manager_)) {
        shots_->start();
        assets_->start();
    }

    sg::DataRetriever& shots() { return *shots_; }
    sg::DataRetriever& assets() { return *assets_; }

    void close_event() {
        // ends all threads; what was not finished is stopped
        task_manager_->shut_down();
    }

private:
    std::shared_ptr<sg::TaskManager> task_manager_;
    std::unique_ptr<sg::DataRetriever> shots_, assets_;
};
