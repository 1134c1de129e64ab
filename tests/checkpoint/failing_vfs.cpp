#include "failing_vfs.hpp"

#include <sqlite3.h>
#include <cstddef>
#include <cstring>

namespace sg::test {

std::atomic<bool> FailingVfs::refuse_writes{false};
std::atomic<int> FailingVfs::refused{0};
std::atomic<int> FailingVfs::syncs{0};

namespace {

sqlite3_vfs* real = nullptr;
sqlite3_vfs ours;

/// What SQLite sees of a file; the real one follows it in memory.
struct File {
    sqlite3_file base;
    sqlite3_file* inner() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* inner(sqlite3_file* file) { return reinterpret_cast<File*>(file)->inner(); }

bool refuses() {
    if (!FailingVfs::refuse_writes) return false;
    ++FailingVfs::refused;
    return true;
}

int close(sqlite3_file* f) { return inner(f)->pMethods->xClose(inner(f)); }
int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return inner(f)->pMethods->xRead(inner(f), to, n, at);
}
int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    return refuses() ? SQLITE_IOERR_WRITE : inner(f)->pMethods->xWrite(inner(f), from, n, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
    return refuses() ? SQLITE_IOERR_TRUNCATE : inner(f)->pMethods->xTruncate(inner(f), size);
}
int sync(sqlite3_file* f, int flags) {
    ++FailingVfs::syncs;
    return refuses() ? SQLITE_IOERR_FSYNC : inner(f)->pMethods->xSync(inner(f), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) { return inner(f)->pMethods->xFileSize(inner(f), size); }
int lock(sqlite3_file* f, int kind) { return inner(f)->pMethods->xLock(inner(f), kind); }
int unlock(sqlite3_file* f, int kind) { return inner(f)->pMethods->xUnlock(inner(f), kind); }
int check_lock(sqlite3_file* f, int* held) { return inner(f)->pMethods->xCheckReservedLock(inner(f), held); }
int control(sqlite3_file* f, int op, void* arg) {
    return inner(f)->pMethods->xFileControl(inner(f), op, arg);
}
int sector_size(sqlite3_file* f) { return inner(f)->pMethods->xSectorSize(inner(f)); }
int traits(sqlite3_file* f) { return inner(f)->pMethods->xDeviceCharacteristics(inner(f)); }
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** to) {
    return inner(f)->pMethods->xShmMap(inner(f), page, size, extend, to);
}
int shm_lock(sqlite3_file* f, int at, int n, int flags) {
    return inner(f)->pMethods->xShmLock(inner(f), at, n, flags);
}
void shm_barrier(sqlite3_file* f) { inner(f)->pMethods->xShmBarrier(inner(f)); }
int shm_unmap(sqlite3_file* f, int remove) { return inner(f)->pMethods->xShmUnmap(inner(f), remove); }

const sqlite3_io_methods methods{2,        close,       read,       write,   truncate,    sync,   file_size,
                                 lock,     unlock,      check_lock, control, sector_size, traits, shm_map,
                                 shm_lock, shm_barrier, shm_unmap,  nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
    file->pMethods = nullptr;
    const int code = real->xOpen(real, name, inner(file), flags, got);
    if (inner(file)->pMethods != nullptr) file->pMethods = &methods;
    return code;
}

}  // namespace

FailingVfs::FailingVfs() {
    real = sqlite3_vfs_find(nullptr);
    ours = *real;
    ours.zName = "failing";
    ours.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
    ours.pNext = nullptr;
    ours.xOpen = open;
    refuse_writes = false;
    refused = 0;
    syncs = 0;
    sqlite3_vfs_register(&ours, 1);
}

FailingVfs::~FailingVfs() {
    refuse_writes = false;
    sqlite3_vfs_unregister(&ours);
    sqlite3_vfs_register(real, 1);
}

}  // namespace sg::test
