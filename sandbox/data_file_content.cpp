// Uploaded files in the data file: in pieces, so that neither has to be in memory.

#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "sandbox/data_file.hpp"

namespace sg::sandbox {
namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

void append(const StoredBody& body, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(body.fd(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            throw DataFileError(std::string("taking a file out of the data file: ") + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

void DataFile::write_files(const std::map<Id, StoredFile>& files) {
    if (files.empty()) return;
    Statement put(file_.get(), "INSERT OR REPLACE INTO file VALUES(?,?,?,?)");
    Statement put_piece(file_.get(), "INSERT OR REPLACE INTO piece VALUES(?,?,?)");
    std::string piece(piece_bytes, '\0');
    for (const auto& [attachment, file] : files) {
        put.bind(attachment).bind(file.name).bind(file.content_type).bind(file.etag).run();
        for (std::uint64_t at = 0; at < file.content.size();) {
            const auto n = file.content.read(at, piece.data(), piece.size());
            if (n == 0) throw DataFileError("an uploaded file cannot be read back from the disk");
            put_piece.bind(attachment)
                .bind(static_cast<std::int64_t>(at))
                .bind_bytes({piece.data(), n})
                .run();
            at += n;
        }
    }
}

void DataFile::load_files(const std::function<std::shared_ptr<StoredBody>()>& make,
                          const std::function<void(Id, StoredFile)>& take) {
    Statement files(file_.get(), "SELECT attachment, name, content_type, etag FROM file");
    Statement pieces(file_.get(), "SELECT at, bytes FROM piece WHERE attachment=? ORDER BY at");
    while (files.step()) {
        const auto attachment = files.number(0);
        auto body = make();
        std::uint64_t size = 0;
        pieces.bind(attachment);
        while (pieces.step()) {
            if (pieces.number(0) != static_cast<std::int64_t>(size))
                throw DataFileError("the data file lacks a piece of an uploaded file");
            append(*body, pieces.text(1));
            size += pieces.text(1).size();
        }
        StoredFile file{
            {}, std::string(files.text(1)), std::string(files.text(2)), std::string(files.text(3))};
        file.content.add({std::move(body), 0, size});
        take(attachment, std::move(file));
    }
}

}  // namespace sg::sandbox
