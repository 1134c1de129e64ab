#include "retriever/file_request.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "tasks/failure_text.hpp"

namespace sg::retriever {

using nlohmann::json;

FileRequest::FileRequest(std::shared_ptr<Inner> inner, const FileKind& kind,
                         std::unique_ptr<const Source> source, Image image, CachePolicy cache)
    : inner_(std::move(inner)),
      kind_(kind),
      source_(std::move(source)),
      image_(image),
      cache_(cache),
      request_(inner_->pool->open_request(inner_->account)) {}

std::shared_ptr<tasks::Task> FileRequest::start(const std::shared_ptr<Inner>& inner, const FileKind& kind,
                                                std::unique_ptr<const Source> source, Image image,
                                                CachePolicy cache) {
    const auto self = std::make_shared<FileRequest>(inner, kind, std::move(source), image, cache);
    tasks::StageSpec how;
    how.priority = kind.find_priority;
    how.timeout = inner->options.stage_timeout;
    how.name = kind.found;
    inner->pool->begin_stage(
        *self->request_, [self](tasks::Task& stage) { self->find(stage); }, std::move(how));
    return self->request_;
}

void FileRequest::find(tasks::Task& stage) {
    const TimeLimit limit(stage, [this](std::shared_ptr<const TaskFailure> late) {
        inner_->pool->end_request(*request_, nullptr, std::move(late));
    });
    bool is_missing = false;
    end([&]() -> Ending {
        if (!source_) return reply(kind_.found, std::nullopt);
        if (cache_ == CachePolicy::refresh && !source_->is_elsewhere()) {
            is_missing = true;
            return {};
        }
        auto file = source_->find(inner_->cache());
        if (!file) return failed(*request_, file.error());
        is_missing = !*file;
        return is_missing ? Ending{} : reply(kind_.found, *file);
    });
    if (is_missing && inner_->pool->leave_stage(*request_)) join();
}

void FileRequest::join() {
    on_stop_.emplace(request_->stop_source.get_token(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->inner_->downloads().leave(*self);
    });
    inner_->downloads().join(source_->key() + (cache_ == CachePolicy::refresh ? " anew" : ""),
                             shared_from_this());
    // Stopped before it had joined?
    if (request_->has_settled()) inner_->downloads().leave(*this);
}

bool FileRequest::begin(std::shared_ptr<Download> download, Uid place) {
    tasks::StageSpec how;
    how.priority = kind_.fetch_priority;
    how.timeout = inner_->options.stage_timeout;
    how.name = kind_.fetched;
    how.is_own = false;
    how.place = place;
    return inner_->pool->begin_stage(
        *request_,
        [self = shared_from_this(), download = std::move(download)](tasks::Task& stage) {
            auto& downloads = self->inner_->downloads();
            const TimeLimit limit(stage, [&](std::shared_ptr<const TaskFailure> late) {
                downloads.give_up(download, std::move(late));
            });
            downloads.carry(download, *self);
        },
        std::move(how));
}

Result<File> FileRequest::fetch(std::stop_token stop) {
    auto& cache = inner_->cache();
    // Another process may have been faster.
    if (cache_ == CachePolicy::use)
        if (auto file = source_->find(cache); file && *file) return file;
    auto file = source_->fetch(cache, inner_->connections, std::move(stop));
    if (cache.wants_cleaning()) inner_->clean_later();
    return file;
}

/// Perhaps on a thread of another retriever, which shares the cache.
void FileRequest::finish(const Outcome& outcome) {
    on_stop_.reset();
    const tasks::Presence here(inner_->pool, inner_->account);
    if (!here) return;  // it has ended with its retriever
    end([&]() -> Ending {
        if (outcome.late) return {nullptr, outcome.late};
        if (!outcome.file) return failed(*request_, outcome.file.error());
        return reply(kind_.fetched, *outcome.file);
    });
}

/// An ending without anything ends nothing.
void FileRequest::end(const std::function<Ending()>& made) {
    Ending ending;
    try {
        ending = made();
    } catch (...) {
        ending.failure = tasks::current_failure(*request_);
    }
    if (ending.value || ending.failure)
        inner_->pool->end_request(*request_, std::move(ending.value), std::move(ending.failure));
}

Ending FileRequest::reply(const char* type, const File& file) const {
    auto data = json::object();
    const json path = file ? json(file->string()) : json();
    if (!kind_.is_thumbnail) {
        data["file_path"] = path;
        return completed(type, std::move(data));
    }
    data["thumb_path"] = path;
    data["image"] = nullptr;
    if (file && image_ == Image::load) data["image"] = load(*file);
    return completed(type, std::move(data));
}

json FileRequest::load(const std::filesystem::path& file) const {
    std::ifstream in(file, std::ios::binary);
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) throw Error(Cause::internal, fmt::format("reading {}: {}", file.string(), std::strerror(errno)));
    if (inner_->options.decode_image) return inner_->options.decode_image(bytes);
    return json::binary(std::move(bytes));
}

Result<File> Helper::fetch(std::stop_token stop) {
    if (auto file = source_.find(inner_.cache()); file && *file) return file;
    auto file = source_.fetch(inner_.cache(), inner_.connections, std::move(stop));
    if (inner_.cache().wants_cleaning()) inner_.clean_later();
    return file;
}

void Helper::finish(const Outcome& outcome) {
    std::lock_guard lock(mutex_);
    file_ = outcome.file;
    changed_.notify_all();
}

Result<File> Helper::wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, std::move(stop), [this] { return file_.has_value(); }))
        return fail(Cause::stopped, "the retriever was stopped");
    return std::move(*file_);
}

}  // namespace sg::retriever
