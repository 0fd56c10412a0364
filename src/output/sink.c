// SPDX-License-Identifier: BSD-2-Clause
// Standard output, and files that are replaced as a whole.

#include "output/sink.h"

#include "base/diag.h"
#include "base/fdio.h"
#include "base/path.h"
#include "output/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Names that are tried for the new file.
#define MAX_NAMES 1000

struct sink {
    const char *name; // as given
    int fd;
    char *target;                  // what is replaced in the end; NULL: written directly
    char *beside;                  // the name that the new file has, or gets in the end
    bool has_name;                 // `beside` exists
    struct compressor *compressor; // NULL: bytes as they are
};

// --- opening

static int refuse(const char *file, const char *why)
{
    diag_error("%s: the output cannot be written there: %s", file, why);
    return -1;
}

static bool has_proc(void)
{
    return access("/proc/self/fd", X_OK) == 0;
}

// A new file in the directory of the target, without a name if the system can give it one later.
static int open_beside(struct sink *sink)
{
    char *directory = path_sibling(sink->target, ".");
    if (directory == NULL) {
        return -1;
    }
    if (has_proc()) {
        sink->fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    }
    if (sink->fd < 0) {
        sink->fd = mkostemp(sink->beside, O_CLOEXEC);
        sink->has_name = sink->fd >= 0;
    }
    int error = errno;
    free(directory);
    errno = error;
    return sink->fd >= 0 ? 0 : -1;
}

// `old` is the mode of what is to be replaced, or 0.
static int open_replacement(struct sink *sink, mode_t old)
{
    sink->beside = path_sibling(sink->target, ".pproc.XXXXXX");
    if (sink->beside == NULL || open_beside(sink) != 0) {
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(sink->fd, old != 0 ? old : 0666 & ~mask);
}

static int open_file(struct sink *sink, const char *file)
{
    struct stat status;
    bool exists = stat(file, &status) == 0;
    if (!exists && errno != ENOENT) {
        return refuse(file, strerror(errno));
    }
    if (exists && S_ISDIR(status.st_mode)) {
        return refuse(file, "it is a directory");
    }
    if (exists && !S_ISREG(status.st_mode)) {
        sink->fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return sink->fd >= 0 ? 0 : refuse(file, strerror(errno));
    }
    // The directory decides whether a file can be replaced; the file itself should have a say.
    if (exists && access(file, W_OK) != 0) {
        return refuse(file, strerror(errno));
    }
    sink->target = path_follow(file);
    if (sink->target == NULL || open_replacement(sink, exists ? status.st_mode & 07777 : 0) != 0) {
        return refuse(file, strerror(errno));
    }
    return 0;
}

struct sink *sink_open(const char *file)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (sink == NULL) {
        refuse(file != NULL ? file : "standard output", strerror(errno));
        return NULL;
    }
    sink->name = file != NULL ? file : "standard output";
    sink->fd = file != NULL ? -1 : STDOUT_FILENO;
    if (file != NULL && open_file(sink, file) != 0) {
        sink_destroy(sink);
        return NULL;
    }
    fdio_enlarge_pipe(sink->fd, FDIO_PIPE_BYTES);
    enum compression compression = file != NULL ? compression_of(file) : COMPRESSION_NONE;
    if (compression != COMPRESSION_NONE) {
        sink->compressor = compressor_create(compression, sink->fd);
        if (sink->compressor == NULL) {
            refuse(file, strerror(errno));
            sink_destroy(sink);
            return NULL;
        }
    }
    return sink;
}

// --- writing

int sink_write(struct sink *sink, struct iovec *iov, size_t count, size_t *written)
{
    if (sink->compressor == NULL) {
        return fdio_write_all(sink->fd, iov, count, written);
    }
    for (size_t i = 0; i < count; i++) {
        if (compressor_write(sink->compressor, iov[i].iov_base, iov[i].iov_len) != 0) {
            return -1;
        }
        *written += iov[i].iov_len;
    }
    return 0;
}

// Give the new file a name beside its place.
static int give_name(struct sink *sink)
{
    char self[32], name[64];
    int status = -1;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", sink->fd);
    for (int i = 0; status != 0 && i < MAX_NAMES; i++) {
        snprintf(name, sizeof(name), ".pproc.%d.%d", (int)getpid(), i);
        free(sink->beside);
        sink->beside = path_sibling(sink->target, name);
        if (sink->beside == NULL) {
            return -1;
        }
        status = linkat(AT_FDCWD, self, AT_FDCWD, sink->beside, AT_SYMLINK_FOLLOW);
        if (status != 0 && errno != EEXIST) {
            return -1;
        }
    }
    sink->has_name = status == 0;
    return status;
}

// Close the descriptor: only that tells that all was taken.
static int close_output(struct sink *sink)
{
    int fd = sink->fd;
    sink->fd = -1;
    return close(fd);
}

int sink_finish(struct sink *sink)
{
    if (sink->compressor != NULL && compressor_finish(sink->compressor) != 0) {
        return -1;
    }
    if (sink->target != NULL && !sink->has_name && give_name(sink) != 0) {
        return -1;
    }
    if (close_output(sink) != 0) {
        return -1;
    }
    if (sink->target != NULL) {
        if (rename(sink->beside, sink->target) != 0) {
            return -1;
        }
        sink->has_name = false;
    }
    return 0;
}

void sink_abandon(struct sink *sink)
{
    if (sink->has_name) {
        unlink(sink->beside);
        sink->has_name = false;
    }
}

const char *sink_name(const struct sink *sink)
{
    return sink->name;
}

void sink_destroy(struct sink *sink)
{
    if (sink == NULL) {
        return;
    }
    compressor_destroy(sink->compressor);
    sink_abandon(sink);
    if (sink->fd > STDOUT_FILENO) {
        close(sink->fd);
    }
    free(sink->beside);
    free(sink->target);
    free(sink);
}
