#pragma once
// What a task threw, in words.

#include <memory>

#include "tasks/task.hpp"

namespace sg::tasks {

/// The exception being handled, of whatever type, as the failure of `task`. Call it inside a catch.
std::shared_ptr<const TaskFailure> current_failure(const Task& task);

}  // namespace sg::tasks
