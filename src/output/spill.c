// SPDX-License-Identifier: BSD-2-Clause
// The spill file. Whoever runs a task puts its result there, whoever writes takes it out.

#include "output/spill.h"

#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct spill {
    const char *directory;
    atomic_int error;

    pthread_mutex_t mutex; // guards the fields below
    int fd;                // -1: not opened yet
    off_t end;             // of what was handed out
};

struct spill *spill_create(const char *directory)
{
    struct spill *spill = calloc(1, sizeof(*spill));
    if (spill == NULL) {
        return NULL;
    }
    spill->directory = directory;
    spill->fd = -1;
    if (pthread_mutex_init(&spill->mutex, NULL) != 0) {
        free(spill);
        return NULL;
    }
    return spill;
}

void spill_destroy(struct spill *spill)
{
    if (spill == NULL) {
        return;
    }
    if (spill->fd >= 0) {
        close(spill->fd);
    }
    THREAD_MUST(pthread_mutex_destroy(&spill->mutex));
    free(spill);
}

// Where the file system cannot do without a name, it has one for a moment.
static int open_unlinked(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) {
        return fd;
    }
    char *name;
    if (asprintf(&name, "%s/pproc.XXXXXX", directory) < 0) {
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0) {
        unlink(name);
    }
    free(name);
    return fd;
}

// Room for `len` bytes in the file. Returns the descriptor, or -1.
static int reserve(struct spill *spill, size_t len, off_t *offset)
{
    mutex_lock(&spill->mutex);
    if (spill->fd < 0) {
        spill->fd = open_unlinked(spill->directory);
    }
    int fd = spill->fd;
    *offset = spill->end;
    spill->end += (off_t)len;
    mutex_unlock(&spill->mutex);
    return fd;
}

static int write_at(int fd, const char *bytes, size_t len, off_t offset)
{
    while (len > 0) {
        ssize_t done = pwrite(fd, bytes, len, offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return -1;
        }
        bytes += done;
        len -= (size_t)done;
        offset += done;
    }
    return 0;
}

static void note_error(struct spill *spill)
{
    int none = 0;
    atomic_compare_exchange_strong(&spill->error, &none, errno);
}

int spill_append(struct spill *spill, const char *bytes, size_t len, struct extent *extent)
{
    extent->len = len;
    int fd = reserve(spill, len, &extent->offset);
    if (fd < 0 || write_at(fd, bytes, len, extent->offset) != 0) {
        note_error(spill);
        return -1;
    }
    return 0;
}

int spill_result(struct spill *spill, struct result *result)
{
    struct extent *extent = malloc(sizeof(*extent));
    if (extent == NULL) {
        note_error(spill);
        return -1;
    }
    if (spill_append(spill, result->own, result->own_len, extent) != 0) {
        free(extent);
        return -1;
    }
    const char *own = result->own;
    for (size_t i = 0; i < result->iov_count; i++) {
        const char *base = result->iov[i].iov_base;
        if (base >= own && base < own + result->own_len) {
            result->iov[i].iov_base = NULL;
        }
    }
    result_drop_own(result);
    result->extents = extent;
    result->extent_count = 1;
    return 0;
}

ssize_t spill_read(struct spill *spill, char *bytes, size_t len, off_t offset)
{
    ssize_t got;
    do {
        got = pread(spill->fd, bytes, len, offset);
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        errno = EIO; // what was written is gone
        got = -1;
    }
    if (got < 0) {
        note_error(spill);
    }
    return got;
}

void spill_release(struct spill *spill, const struct extent *extents, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        // Where the file system cannot, the space comes back at the end.
        (void)fallocate(spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, extents[i].offset,
                        (off_t)extents[i].len);
    }
}

int spill_error(const struct spill *spill)
{
    return atomic_load(&spill->error);
}
