// sgeventd record, sgeventd tail

#include "cli/follow_command.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "cli/at_hand.hpp"
#include "cli/failure_code.hpp"
#include "cli/interruption.hpp"
#include "event/row_event.hpp"
#include "service/recording.hpp"
#include "util/fd.hpp"

namespace sg::cli {
namespace {

using service::ExitCode;

/// Writes whole lines; false where that fails.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

ExitCode cannot_write(const std::string& file) {
    std::fprintf(stderr, "sgeventd: cannot write %s: %s\n", file.c_str(), std::strerror(errno));
    return ExitCode::io;
}

/// Where the last line of a file begins that has no end; the size of the file where every line has one.
off_t begin_of_half_line(int fd, off_t size) {
    std::array<char, 65536> part{};
    for (off_t end = size; end > 0;) {
        const auto at = end - std::min(end, static_cast<off_t>(part.size()));
        const auto length = static_cast<std::size_t>(end - at);
        if (::pread(fd, part.data(), length, at) != static_cast<ssize_t>(length)) return size;
        const auto found = std::string_view(part.data(), length).rfind('\n');
        if (found != std::string_view::npos) return at + static_cast<off_t>(found) + 1;
        end = at;
    }
    return 0;
}

/// What a kill or a full disk left of a line goes, or the next event would stand on the same line. Half a
/// line that no recording has stays, and so does the rest of that file.
ExitCode take_half_line_away(int fd, const std::string& file) {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return ExitCode::ok;
    const auto begin = begin_of_half_line(fd, status.st_size);
    if (begin == status.st_size) return ExitCode::ok;
    char first = 0;
    if (::pread(fd, &first, 1, begin) != 1 || first != '{') {
        std::fprintf(stderr, "sgeventd: %s is no recording: not added to\n", file.c_str());
        return ExitCode::data;
    }
    std::fprintf(stderr, "[RECORDING-CUT] The last line is incomplete; taken away. file=%s bytes=%lld\n",
                 file.c_str(), static_cast<long long>(status.st_size - begin));
    return ::ftruncate(fd, begin) == 0 ? ExitCode::ok : cannot_write(file);
}

/// Follows until a signal, and says what went wrong. `show` is false where its line could not be written.
ExitCode follow(const std::filesystem::path& path, const service::FollowOptions& options,
                const std::function<bool(const event::EventRow&)>& show, const bool& written) {
    Interruption interruption;
    const auto at_hand = open_at_hand(path);
    if (!at_hand) return at_hand.error();
    const auto done =
        service::follow(at_hand->config, options, *at_hand->logging, show, interruption.token());
    if (!done) {
        std::fprintf(stderr, "sgeventd: %s\n", done.error().message.c_str());
        return code_of(done.error());
    }
    return written ? ExitCode::ok : ExitCode::io;
}

/// "Shot 12 sh010", as far as it is known.
std::string name_of(const nlohmann::json& link) {
    const auto entity = EntityRef::from_json(link);
    if (!entity) return "-";
    std::string text = fmt::format("{} {}", entity.type, entity.id);
    if (!entity.name.empty()) text += " " + entity.name;
    return text;
}

std::string as_text(const event::EventRow& row) {
    const event::RowEvent event(row);
    auto type = row.type.empty() ? std::string("-") : std::string(row.type);
    if (!row.attribute.empty()) type += fmt::format(" {}", row.attribute);
    return logging::one_line(fmt::format("{}  {:%Y-%m-%d %H:%M:%S}  {}  {}  by {}  in {}", row.id,
                                         row.created_at, type, name_of(event.field("entity")),
                                         name_of(event.field("user")), name_of(event.field("project"))));
}

template <class Value, class List>
bool is_in(const List& list, const Value& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

ExitCode record_command(const RecordOptions& options) {
    const bool to_stdout = options.file == "-";
    const UniqueFd file(to_stdout
                            ? ::dup(STDOUT_FILENO)
                            : ::open(options.file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file) return cannot_write(options.file);
    if (const auto code = to_stdout ? ExitCode::ok : take_half_line_away(file.get(), options.file);
        code != ExitCode::ok)
        return code;
    bool written = true;
    const auto take = [&](const event::EventRow& row) {
        written = write_all(file.get(), service::as_line(row) + "\n");
        if (!written) cannot_write(options.file);
        return written;
    };
    return follow(options.config, options.follow, take, written);
}

ExitCode tail_command(const TailOptions& options) {
    auto follow_options = options.follow;
    auto left = std::exchange(follow_options.most, std::nullopt);
    bool written = true;
    const auto take = [&](const event::EventRow& row) {
        if (!is_in(options.types, row.type) || !is_in(options.projects, row.project)) return true;
        const auto line = options.output == Output::json ? service::as_line(row) : as_text(row);
        written = std::printf("%s\n", line.c_str()) >= 0 && std::fflush(stdout) == 0;
        return written && !(left && --*left == 0);
    };
    return follow(options.config, follow_options, take, written);
}

}  // namespace sg::cli
