// Relations of texts and tags.

#include <locale.h>
#include <cstdlib>
#include <cwctype>

#include "sandbox/condition.hpp"

namespace sg::sandbox {

std::string lower(const std::string& text) {
    static const ::locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    std::string out = text;
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool ascii = std::ranges::none_of(out, [](char c) { return (c & 0x80) != 0; });
    if (ascii || utf8 == nullptr) return out;
    const auto before = ::uselocale(utf8);
    std::wstring wide(out.size(), L'\0');
    const auto letters = std::mbstowcs(wide.data(), out.c_str(), wide.size());
    if (letters != static_cast<std::size_t>(-1)) {
        wide.resize(letters);
        std::ranges::transform(wide, wide.begin(), [](wchar_t c) {
            return static_cast<wchar_t>(std::towlower(static_cast<std::wint_t>(c)));
        });
        std::string back(wide.size() * 4, '\0');
        back.resize(std::wcstombs(back.data(), wide.c_str(), back.size()));
        out = std::move(back);
    }
    ::uselocale(before);
    return out;
}

ValueTest text_test(const Condition& c) {
    const bool part_of_text = c.relation.ends_with("with");
    for (const auto& value : c.values)
        if (!value.is_string() && (part_of_text || !value.is_null()))
            wrong_kind(c, part_of_text ? "[String]" : "[String, NilClass]", value);
    const KeyOf<std::string> key = [](const Json& value) -> std::optional<std::string> {
        if (!value.is_string()) return std::nullopt;
        const auto& text = value.get_ref<const std::string&>();
        return text.empty() ? std::nullopt : std::optional(lower(text));  // "" and null are the same
    };
    if (c.is("is") || c.is("is_not") || c.is("in") || c.is("not_in"))
        return ordered_test<std::string>(c, key);
    const auto part = key(c.value());
    const auto found = [=, relation = c.relation](const Json& value) {
        const auto text = key(value);
        if (!part) return !text;
        if (!text) return false;
        if (relation == "starts_with") return text->starts_with(*part);
        if (relation == "ends_with") return text->ends_with(*part);
        return text->find(*part) != std::string::npos;
    };
    if (c.is("not_contains")) return [=](const Json& value) { return !found(value); };
    return found;
}

/// `is` asks whether the tag is among the row's; names are compared without case.
ValueTest tag_test(const Condition& c) {
    const auto& value = c.value();
    const bool by_part = c.relation.starts_with("name_");
    if (!value.is_string() && (by_part || !value.is_null()))
        wrong_kind(c, by_part ? "[String]" : "[String, NilClass]", value);
    const auto wanted = value.is_string() ? std::optional(lower(value.get<std::string>())) : std::nullopt;
    return [wanted, by_part, negative = is_negative(c.relation)](const Json& tags) {
        const auto fits = [&](const Json& tag) {
            const auto name = lower(tag.get<std::string>());
            return by_part ? name.find(*wanted) != std::string::npos : name == *wanted;
        };
        const bool found = wanted ? std::ranges::any_of(tags, fits) : tags.empty();
        return found != negative;
    };
}

}  // namespace sg::sandbox
