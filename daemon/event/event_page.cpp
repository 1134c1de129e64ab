#include "event/event_page.hpp"

namespace sg::event {

EventHandle detach(const EventRow& row) {
    // One allocation for all three texts; the page owns it as `side`.
    const std::size_t size = row.raw.size() + row.type.size() + row.attribute.size();
    auto side = std::make_unique<char[]>(size + 1);
    char* at = side.get();
    const auto keep = [&at](std::string_view text) {
        text.copy(at, text.size());
        const std::string_view kept(at, text.size());
        at += text.size();
        return kept;
    };
    EventRow copy = row;
    copy.raw = keep(row.raw);
    copy.type = keep(row.type);
    copy.attribute = keep(row.attribute);
    return {std::make_shared<const EventPage>(std::string(), std::vector<EventRow>{copy}, std::move(side)),
            0};
}

}  // namespace sg::event
