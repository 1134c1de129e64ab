#include "tasks/failure_text.hpp"

#include <cxxabi.h>
#include <fmt/format.h>
#include <cstdlib>
#include <typeinfo>

namespace sg::tasks {
namespace {

std::string readable(const std::type_info* type) {
    if (type == nullptr) return "unknown error";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free);
    return name ? name.get() : type->name();
}

/// The text of an exception, or its type where it has none.
std::string text_of_current() {
    try {
        throw;
    } catch (const std::exception& error) {
        const std::string text = error.what();
        return text.empty() ? readable(&typeid(error)) : text;
    } catch (...) {
        return readable(abi::__cxa_current_exception_type());
    }
}

void add_nested(std::string& trace, const std::exception& error, int depth) {
    if (depth > 16) return;
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& nested) {
        trace += fmt::format("\n  because: {}", text_of_current());
        add_nested(trace, nested, depth + 1);
    } catch (...) {
        trace += fmt::format("\n  because: {}", text_of_current());
    }
}

}  // namespace

std::shared_ptr<const TaskFailure> current_failure(const Task& task) {
    auto failure = std::make_shared<TaskFailure>();
    failure->error = std::current_exception();
    failure->origin = task.uid();
    failure->message = text_of_current();
    failure->trace =
        fmt::format("task {} '{}', priority {}, {}: {}", task.uid().str(), task.spec.name, task.spec.priority,
                    task.spec.group ? "group " + task.spec.group->str() : "no group", failure->message);
    try {
        throw;
    } catch (const std::exception& error) {
        add_nested(failure->trace, error, 0);
    } catch (...) {
        return failure;
    }
    return failure;
}

}  // namespace sg::tasks
