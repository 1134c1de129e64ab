#include "sandbox/schema_json.hpp"

namespace sg::sandbox {
namespace {

nlohmann::json field_as_json(const FieldDef& field) {
    return {{"name", field.name},
            {"type", name_of(field.type)},
            {"access", static_cast<int>(field.access)},
            {"targets", field.targets},
            {"values", field.values},
            {"otherwise", field.otherwise},
            {"back_reference", field.back_reference},
            {"unique", field.unique},
            {"label", field.label},
            {"description", field.description},
            {"custom_metadata", field.custom_metadata},
            {"summary_default", field.summary_default},
            {"retired", field.retired},
            {"hidden_in", field.hidden_in},
            {"hidden_codes", field.hidden_codes}};
}

FieldDef field_from_json(const nlohmann::json& in) {
    FieldDef field;
    in.at("name").get_to(field.name);
    if (!parse_data_type(in.at("type").get<std::string>(), field.type))
        throw std::runtime_error("no such data type");
    const auto access = in.at("access").get<int>();
    if (access < 0 || access > static_cast<int>(Access::read_only))
        throw std::runtime_error("no such access");
    field.access = static_cast<Access>(access);
    in.at("targets").get_to(field.targets);
    in.at("values").get_to(field.values);
    field.otherwise = in.at("otherwise");
    in.at("back_reference").get_to(field.back_reference);
    in.at("unique").get_to(field.unique);
    in.at("label").get_to(field.label);
    in.at("description").get_to(field.description);
    in.at("custom_metadata").get_to(field.custom_metadata);
    in.at("summary_default").get_to(field.summary_default);
    in.at("retired").get_to(field.retired);
    in.at("hidden_in").get_to(field.hidden_in);
    in.at("hidden_codes").get_to(field.hidden_codes);
    return field;
}

}  // namespace

std::string schema_as_text(const Schema& schema) {
    auto out = nlohmann::json::object();
    for (const auto& [type, def] : schema.types()) {
        auto& fields = out[type] = nlohmann::json::array();
        for (const auto& field : def.fields) fields.push_back(field_as_json(field));
    }
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool apply_schema_text(Schema& schema, const std::string& text) {
    try {
        const auto in = nlohmann::json::parse(text);
        for (const auto& [type, fields] : in.items()) {
            auto* def = schema.find(type);
            if (def == nullptr) continue;
            std::vector<FieldDef> made;
            for (const auto& field : fields) made.push_back(field_from_json(field));
            def->fields = std::move(made);
        }
        return true;
    } catch (const std::exception&) {  // JSON of another shape
        return false;
    }
}

}  // namespace sg::sandbox
