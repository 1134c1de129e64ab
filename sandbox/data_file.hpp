#pragma once
// A site's state in a file, written while the site runs.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "sandbox/changes.hpp"
#include "sandbox/content.hpp"
#include "sandbox/data_file_sql.hpp"
#include "sandbox/event_log.hpp"

namespace sg::sandbox {

/// Keeps entities, events, sequence numbers, scripts' keys, people's passwords, uploaded files and whatever
/// else comes as a text in an SQLite file.
///
/// It follows the store and the log by their `Changes` and writes what has changed every 50 ms, all of it
/// in one transaction that holds whole operations: a file never has a change without its event rows. What
/// cannot be written is kept and tried again. Keys stand in the file as they are; the file is the user's
/// alone (0600), and so are the two that SQLite puts beside it.
///
/// Threads:  one of its own ("sandbox-data"), which takes the site's lock for as long as copying the
///           changed rows takes and writes without it. `set_secret`, `remove_secret`, `set_document`
///           and `set_file` want the site's lock held; `flush` wants it free.
/// Lifetime: the store, the log and the lock outlive it; the destructor writes what is left.
class DataFile {
public:
    struct Parts {
        EntityStore& store;
        EventLog& log;
        std::mutex& lock;
        std::function<void(const std::string&)> trouble;  ///< told once when writing begins to fail
    };
    /// For each secret of the file: its kind ("script" or "person"), name, and text.
    using TakeSecret = std::function<void(const std::string&, const std::string&, const std::string&)>;

    /// Throws `DataFileError` where the file cannot be used.
    DataFile(const std::filesystem::path& file, Parts parts);
    ~DataFile();
    DataFile(const DataFile&) = delete;
    DataFile& operator=(const DataFile&) = delete;

    /// What `set_document` stored; empty if nothing.
    std::string document(const std::string& name);
    /// Fills the empty store and log. Throws `DataFileError` where the file says what cannot be.
    void load(const TakeSecret& take_secret);
    /// The same for files: `make` gives an empty body each. Throws as well where the disk refuses.
    void load_files(const std::function<std::shared_ptr<StoredBody>()>& make,
                    const std::function<void(Id attachment, StoredFile)>& take);
    /// From now on what changes is written.
    void start();

    void set_secret(const std::string& kind, const std::string& name, const std::string& secret);
    void remove_secret(const std::string& kind, const std::string& name);
    /// A text that is kept whole, such as the schema.
    void set_document(const std::string& name, std::string content);
    /// The bytes of an attachment, which do not change.
    void set_file(Id attachment, StoredFile file);

    /// Waits until all that was changed before the call is in the file and on the disk; false if it
    /// could not be written.
    bool flush();

private:
    class Batch;
    struct EventCopy;
    struct Pending;
    static EventCopy copy_of(const EventLog& log, Id id);

    void run(const std::stop_token& stop);
    bool write_pending();
    void write(Batch& batch);
    void load_events();
    void write_files(const std::map<Id, StoredFile>& files);

    const Parts parts_;
    std::mutex file_mutex_;  // one writer at a time; taken before the site's lock
    SqlFile file_;
    std::unique_ptr<Pending> pending_;  // the site's lock guards it
    bool in_trouble_ = false;           // guarded by file_mutex_
    std::jthread thread_;               // last: it uses everything above
};

}  // namespace sg::sandbox
