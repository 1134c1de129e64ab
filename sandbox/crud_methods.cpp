// create, update, delete, revive and batch.

#include "sandbox/params.hpp"
#include "sandbox/query.hpp"
#include "sandbox/refusal.hpp"

namespace sg::sandbox {
namespace {

/// The answer to a write: `fields` of `record` as `read` shows them.
Json shown_fields(const Record& record, const std::vector<std::string>& fields, const EntityStore& store) {
    Json out{{"type", record.def->type}, {"id", record.id}};
    const RecordView view(record, store);
    for (const auto& name : fields) {
        Json value;
        if (shown_at(name, *record.def, view, store, value)) out[name] = std::move(value);
    }
    return out;
}

std::vector<std::string> names_of(const std::vector<FieldWrite>& fields) {
    std::vector<std::string> out;
    for (const auto& field : fields) out.push_back(field.field);
    return out;
}

/// Makes what goes wrong inside undo what was written before it.
template <class Work>
auto as_transaction(const Call& call, const Work& work) {
    call.store.begin();
    call.log.begin();
    try {
        auto out = work();
        call.store.commit();
        call.log.commit();
        return out;
    } catch (...) {
        call.store.roll_back();
        call.log.roll_back();
        throw;
    }
}

void need_editable(const Call& call, const EntityDef& def) {
    need_write(call, def.type);
    if (def.type == "EventLogEntry" && call.method != "create")
        refuse(fault_crud, "API {}() EventLogEntry can not be {}.", call.method,
               call.method == "update" ? "updated" : "deleted");
    if (def.type == "DisplayColumn")
        refuse(fault_crud, "API {}() DisplayColumn is changed by the schema methods only.", call.method);
}

Json batch_one(const Call& call, const Json& request) {
    const auto kind = text_member(request, "request_type");
    const Call inner{kind,     request,     call.caller, call.time,     call.store,
                     call.log, call.writer, call.state,  call.authority};
    if (kind == "create") return create(inner);
    if (kind == "update") return update(inner);
    if (kind == "delete") return remove(inner);
    refuse(fault_invalid, "API batch() invalid 'request_type': {}", member(request, "request_type").dump());
}

}  // namespace

Json create(const Call& call) {
    const auto& def = type_in(call.params, call);
    need_editable(call, def);
    const auto fields = writes_in(call.params, call);
    auto names = names_of(fields);
    for (auto& name : names_in(call.params, "return_fields")) names.push_back(std::move(name));
    if (def.type != "EventLogEntry")
        return shown_fields(call.writer.create(call.caller, def, fields, call.time.now), names, call.store);
    const auto& row = call.log.rows().at(call.writer.create_event(call.caller, fields, call.time.now));
    std::string text;
    write_row(text, row, call.store, names);
    return Json::parse(text);
}

Json update(const Call& call) {
    const auto& def = type_in(call.params, call);
    const auto id = id_in(call.params, call);
    need_editable(call, def);
    const auto fields = writes_in(call.params, call);
    call.writer.update(call.caller, def, id, fields, call.time.now);
    return shown_fields(*std::as_const(call.store).find(def.type, id), names_of(fields), call.store);
}

Json remove(const Call& call) {
    const auto& def = type_in(call.params, call);
    const auto id = id_in(call.params, call);
    need_editable(call, def);
    return call.writer.remove(call.caller, def, id, call.time.now);
}

Json revive(const Call& call) {
    const auto& def = type_in(call.params, call);
    const auto id = id_in(call.params, call);
    need_editable(call, def);
    return call.writer.revive(call.caller, def, id, call.time.now);
}

Json batch(const Call& call) {
    if (!call.params.is_array())
        refuse(fault_invalid, "API batch() expects an array of requests: {}", call.params.dump());
    return as_transaction(call, [&] {
        auto out = Json::array();
        for (const auto& request : call.params) {
            try {
                out.push_back(batch_one(call, request));
            } catch (const Refusal& why) {
                refuse(fault_crud, "API batch() request with index {} failed.  All requests rolled back.\n{}",
                       out.size(), why.what());
            }
        }
        return out;
    });
}

}  // namespace sg::sandbox
