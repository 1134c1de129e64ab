#include "event/row_event.hpp"

namespace sg::event {

const nlohmann::json& RowEvent::json() const {
    std::call_once(read_, [this] {
        json_ = nlohmann::json::parse(row_.raw, nullptr, false);
        if (json_.is_discarded()) json_ = nullptr;  // the page was checked as a whole: it does not happen
    });
    return json_;
}

std::string entity_key(const Event& event) {
    auto entity = event.entity();
    if (!entity) entity = event.meta_entity();
    return entity ? entity.type + " " + std::to_string(entity.id) : std::string();
}

}  // namespace sg::event
