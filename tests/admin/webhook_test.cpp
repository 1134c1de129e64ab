// Which deliveries of the site's webhook are believed.

#include "admin/webhook.hpp"

#include "catch.hpp"

namespace webhook_test {

using namespace sg;
using namespace std::chrono_literals;
using admin::Delivery;

namespace {

// The specification's test vector.
const std::string body =
    R"({"data":{"id":"1.2.0","event_log_entry_id":545175},"timestamp":"2022-02-01T20:53:09Z"})";
constexpr auto signature = "sha1=bde3ab7ff5fc8480c1ad8979a46694b5c938be98";
const UtcTime made = std::chrono::sys_days{std::chrono::year{2022} / 2 / 1} + 20h + 53min + 9s;

}  // namespace

TEST_CASE("a delivery is believed where it is signed as the specification's test vector says") {
    ManualClock clock;
    clock.set_utc(made + 2s);
    admin::DeliveryCheck check("mytoken", clock);
    CHECK(check.check(signature, body) == Delivery::accepted);
    CHECK(check.check(signature, body) == Delivery::replayed);
    CHECK(check.check(signature, body + " ") == Delivery::forged);
    CHECK(admin::DeliveryCheck("mytoken", clock).check(signature, body) == Delivery::accepted);
    CHECK(admin::DeliveryCheck("another", clock).check(signature, body) == Delivery::forged);
}

TEST_CASE("a signature that is missing, cut, longer, another or in capitals is none") {
    ManualClock clock;
    clock.set_utc(made);
    admin::DeliveryCheck check("mytoken", clock);
    const std::string right = signature;
    for (const auto& wrong :
         {std::string(), std::string("sha1="), right.substr(0, right.size() - 1), right + "0",
          right.substr(5), "sha1=CDE3AB7FF5FC8480C1AD8979A46694B5C938BE98" + std::string(),
          "sha1=BDE3AB7FF5FC8480C1AD8979A46694B5C938BE98" + std::string(),
          "sha1=bde3ab7ff5fc8480c1ad8979a46694b5c938be99" + std::string()}) {
        INFO(wrong);
        CHECK(check.check(wrong, body) == Delivery::forged);
    }
    CHECK(check.check(right, body) == Delivery::accepted);
}

TEST_CASE("a delivery that was made too long ago, or in the future, is refused as old") {
    ManualClock clock;
    admin::DeliveryCheck check("mytoken", clock);
    for (const auto now : {made + 601s, made - 601s, made + 24h * 365}) {
        clock.set_utc(now);
        CHECK(check.check(signature, body) == Delivery::old);
    }
    clock.set_utc(made + 600s);
    CHECK(check.check(signature, body) == Delivery::accepted);
}

TEST_CASE("what is signed and is no delivery is refused as unreadable") {
    // HMAC-SHA1 of each with the key "mytoken", by `openssl dgst -sha1 -hmac mytoken`.
    ManualClock clock;
    admin::DeliveryCheck check("mytoken", clock);
    const auto [signed_as, text] = GENERATE(table<std::string, std::string>({
        {"4090000496eeab2a70fe4597864e90b06004aace", R"()"},
        {"e660d06ff2d9746b3461c76d0ee43b5266cbd146", R"({)"},
        {"e3932dd3cf48f88cb01a84ab2629d0b387781ba8", R"([])"},
        {"6208b8cbd690879cb1047c6360b78c348ea563fe", R"(7)"},
        {"fc96db9aeac421be548dcbde7f0feafff10534aa", R"({})"},
        {"e55c1a8ac0e84130824533bac5ce80ff57667e68", R"({"data":{}})"},
        {"97dd42b87924e068630609cd57ccbc9a03e8209a", R"({"timestamp":"2026-03-04T00:00:00Z"})"},
        {"5e881c81806526e12a81ca09d30934c3f01a02be", R"({"data":{},"timestamp":7})"},
        {"301a5724fa89fc57d867cf6c5d05897549412239", R"({"data":{},"timestamp":"yesterday"})"},
        {"ac1416bd37706af959fe20e415be426c76cc9e4a", R"({"data":{},"timestamp":"2026-13-04T00:00:00Z"})"},
        {"4c772610d4e668b32ad82702bbc71e723a0430ab", R"({"data":{},"timestamp":"2026-03-04T00:00:-1Z"})"},
        {"c727f8085d6c0c46bfaa82e165cce0b109d81cae", R"({"data":{},"timestamp":"2026-03-04 00:00:00Z"})"},
    }));
    INFO(text);
    CHECK(check.check("sha1=" + signed_as, text) == Delivery::unreadable);
}

}  // namespace webhook_test
