#include "sandbox/methods.hpp"

#include "sandbox/read.hpp"

namespace sg::sandbox {
namespace {

template <auto method>
std::string as_text(const Call& call) {
    return method(call).dump();
}

}  // namespace

const std::map<std::string, Method, std::less<>>& methods() {
    static const std::map<std::string, Method, std::less<>> table{
        {"read", read_rows},
        {"create", as_text<create>},
        {"update", as_text<update>},
        {"delete", as_text<remove>},
        {"revive", as_text<revive>},
        {"batch", as_text<batch>},
        {"summarize", as_text<summarize>},
        {"query_display_name_cache", as_text<text_search>},
        {"nav_expand", as_text<nav_expand>},
        {"nav_search", as_text<nav_search>},
        {"activity_stream", as_text<activity_stream>},
        {"note_thread_contents", as_text<note_thread>},
        {"follow", as_text<follow>},
        {"unfollow", as_text<unfollow>},
        {"followers", as_text<followers>},
        {"following", as_text<following>},
        {"work_schedule_read", as_text<work_schedule_read>},
        {"work_schedule_update", as_text<work_schedule_update>},
        {"schema_read", as_text<schema_read>},
        {"schema_entity_read", as_text<schema_entity_read>},
        {"schema_field_read", as_text<schema_field_read>},
        {"schema_field_create", as_text<schema_field_create>},
        {"schema_field_update", as_text<schema_field_update>},
        {"schema_field_delete", as_text<schema_field_delete>},
        {"preferences_read", as_text<preferences_read>},
        {"get_session_token", as_text<session_token>},
        {"update_project_last_accessed_by_current_user", as_text<project_accessed>},
        {"user_subscriptions_read", as_text<subscriptions_read>},
        {"user_subscriptions_create", as_text<subscriptions_create>},
        {"export_page", as_text<export_page>},
    };
    return table;
}

std::string read_rows(const Call& call) {
    return read(call.params, call.scope(), call.caller.may.reads_events ? SeesEvents::yes : SeesEvents::no);
}

}  // namespace sg::sandbox
