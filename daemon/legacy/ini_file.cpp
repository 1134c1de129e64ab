// The rules are those of Python's configparser; a test compares with it.

#include "legacy/ini_file.hpp"

#include <algorithm>

namespace sg::legacy {
namespace {

constexpr std::string_view blank = " \t\r\f\v";
const std::string defaults = "DEFAULT";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blank);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(blank) + 1 - first);
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

class LineReader {
public:
    explicit LineReader(std::map<std::string, IniFile::Section>& sections) : sections_(sections) {}

    Result<void> take(std::string_view line) {
        ++number_;
        const auto text = trimmed(line);
        if (text.empty()) {
            // Part of a value if more of it follows.
            if (entry_ != nullptr) entry_->text += '\n';
            return {};
        }
        if (text[0] == '#' || text[0] == ';') return {};
        const auto indent = line.find_first_not_of(blank);
        if (entry_ != nullptr && indent > indent_) {
            entry_->text.append("\n").append(text);
            return {};
        }
        indent_ = indent;
        end_entry();
        const auto close = text.rfind(']');
        const bool is_header = text[0] == '[' && close != std::string_view::npos && close > 1;
        return is_header ? begin_section(text) : begin_entry(text);
    }

    void end_entry() {
        if (entry_ != nullptr) entry_->text.erase(entry_->text.find_last_not_of('\n') + 1);
        entry_ = nullptr;
    }

private:
    Result<void> begin_section(std::string_view text) {
        const std::string name(text.substr(1, text.rfind(']') - 1));
        const auto [at, added] = sections_.try_emplace(name);
        if (!added && name != defaults)
            return fail(Cause::invalid, "line {}: [{}] is there twice", number_, name);
        section_ = &at->second;
        return {};
    }
    Result<void> begin_entry(std::string_view text) {
        if (section_ == nullptr) return fail(Cause::invalid, "line {}: expected a [section] first", number_);
        const auto middle = text.find_first_of("=:");
        if (middle == std::string_view::npos || middle == 0)
            return fail(Cause::invalid, "line {}: expected `key: value`", number_);
        const auto key = lower(trimmed(text.substr(0, middle)));
        const auto [at, added] = section_->try_emplace(key);
        if (!added) return fail(Cause::invalid, "line {}: {} is given twice", number_, key);
        at->second = {std::string(trimmed(text.substr(middle + 1))), number_};
        entry_ = &at->second;
        return {};
    }

    std::map<std::string, IniFile::Section>& sections_;
    IniFile::Section* section_ = nullptr;
    IniFile::Entry* entry_ = nullptr;  // may go on
    std::size_t indent_ = 0;
    int number_ = 0;
};

/// Replaces %(NAME)s, a few levels deep as Python does.
class Interpolation {
public:
    using Lookup = std::function<const IniFile::Entry*(const std::string& key)>;
    Interpolation(const Lookup& lookup, const IniFile::Environment& environment)
        : lookup_(lookup), environment_(environment) {}

    void expand(std::string_view text, int depth) {
        if (depth > 10) return refuse("its references go too deep");
        while (!text.empty() && out.fault.empty()) {
            const auto percent = text.find('%');
            out.text += text.substr(0, percent);
            if (percent == std::string_view::npos) return;
            text.remove_prefix(percent);
            const auto end = text.find(")s");
            if (text.starts_with("%%")) {
                out.text += '%';
                text.remove_prefix(2);
            } else if (text.starts_with("%(") && end != std::string_view::npos) {
                resolve(std::string(text.substr(2, end - 2)), depth);
                text.remove_prefix(end + 2);
            } else {
                refuse("a '%' that is not doubled");
            }
        }
    }

    Interpolated out;

private:
    void refuse(std::string why) {
        if (out.fault.empty()) out.fault = std::move(why);
    }
    void resolve(const std::string& name, int depth) {
        if (const auto* entry = lookup_(lower(name))) return expand(entry->text, depth + 1);
        out.mixed_in.push_back(name);
        if (const auto value = environment_(name))
            out.text += *value;
        else
            refuse("the environment variable " + name + " is not set");
    }

    const Lookup& lookup_;
    const IniFile::Environment& environment_;
};

}  // namespace

Result<IniFile> IniFile::read(std::string_view text) {
    IniFile out;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    LineReader reader(out.sections_);
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (auto done = reader.take(text.substr(0, end)); !done) return tl::unexpected(done.error());
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    reader.end_entry();
    return out;
}

const IniFile::Entry* IniFile::find(const std::string& section, const std::string& key) const {
    for (const auto& name : {section, defaults}) {
        const auto at = sections_.find(name);
        if (at == sections_.end()) continue;
        if (const auto entry = at->second.find(key); entry != at->second.end()) return &entry->second;
    }
    return nullptr;
}

Interpolated IniFile::interpolated(const std::string& section, const std::string& key,
                                   const Environment& environment) const {
    const auto* entry = find(section, key);
    if (entry == nullptr) return {};
    const auto& text = entry->text;
    const Interpolation::Lookup lookup = [&](const std::string& name) { return find(section, name); };
    if (text.starts_with("%(") && text.find(")s") + 2 == text.size()) {
        const auto name = text.substr(2, text.size() - 4);
        if (lookup(lower(name)) == nullptr) return {{}, name, {}, {}};
    }
    Interpolation interpolation(lookup, environment);
    interpolation.expand(text, 0);
    if (!interpolation.out.fault.empty()) interpolation.out.text = text;
    return std::move(interpolation.out);
}

}  // namespace sg::legacy
