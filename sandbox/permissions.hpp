#pragma once
// What a script may do.

namespace sg::sandbox {

/// Everything, unless said otherwise with `Site::set_permissions`.
struct Permissions {
    bool reads_events = true;  ///< false: the event log looks empty
    bool writes = true;        ///< false: create, update, delete, revive and batch are the fault 104
    bool edits_schema = true;  ///< false: schema_field_create, _update and _delete are the fault 104
};

}  // namespace sg::sandbox
