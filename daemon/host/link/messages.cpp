#include "host/link/messages.hpp"

namespace sg::host {

std::vector<Delivery> expand(Deliver deliver) {
    if (deliver.runs.empty()) return std::move(deliver.batch);
    std::vector<Delivery> out;
    visit_each(deliver, [&](const Delivery& delivery) {
        out.push_back(delivery);
        return true;
    });
    return out;
}

}  // namespace sg::host
