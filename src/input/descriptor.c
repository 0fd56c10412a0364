// SPDX-License-Identifier: BSD-2-Clause
// The first stage of a source: the bytes of a file or of standard input, as they are.

#include "input/descriptor.h"

#include "base/fdio.h"
#include "base/lookup.h"
#include "cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Neither waits for a writer of a FIFO, nor takes a terminal for its own.
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static void look_at_file(struct descriptor *descriptor)
{
    struct stat status;
    descriptor->regular = fstat(descriptor->fd, &status) == 0 && S_ISREG(status.st_mode);
    if (descriptor->regular) {
        off_t position = lseek(descriptor->fd, 0, SEEK_CUR);
        descriptor->size = status.st_size;
        descriptor->position = position > 0 ? position : 0;
        (void)posix_fadvise(descriptor->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    } else {
        fdio_enlarge_pipe(descriptor->fd, FDIO_PIPE_BYTES);
    }
}

// Say why the file cannot be opened, as errno has it.
static void tell_unopened(const struct descriptor *descriptor, const char *name)
{
    const struct settings *settings = descriptor->settings;
    int error = errno;
    char *program = error == ENOENT ? lookup_program(name) : NULL;
    char hint[128] = "";
    if (program != NULL) {
        snprintf(hint, sizeof(hint), " (COMMAND goes after --)");
    } else if (error == ENOENT && settings->loose != NULL && strcmp(name, settings->loose) == 0) {
        snprintf(hint, sizeof(hint), " (a value is given as --%s=%s)", settings->loose_from, name);
    }
    (void)stage_damaged(descriptor->problem, "cannot be opened: %s%s", strerror(error), hint);
    free(program);
}

void descriptor_open(struct descriptor *descriptor, const char *name)
{
    descriptor->place = 0;
    descriptor->at_end = descriptor->broken = false;
    descriptor->fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, OPEN_FLAGS);
    if (descriptor->fd < 0) {
        descriptor->broken = true;
        tell_unopened(descriptor, name);
    } else {
        look_at_file(descriptor);
    }
}

void descriptor_close(struct descriptor *descriptor)
{
    if (descriptor->fd > STDIN_FILENO) {
        (void)close(descriptor->fd); // nothing was written
    }
    descriptor->fd = -1;
}

static enum source_status read_failed(struct descriptor *descriptor)
{
    if (errno == ECANCELED) {
        return SOURCE_STOPPED;
    }
    descriptor->broken = true;
    switch (errno) {
    case EISDIR:
        return stage_damaged(descriptor->problem, "is a directory: name the files in it");
    case EBADF:
        return stage_damaged(descriptor->problem, "standard input is closed");
    default:
        return stage_damaged(descriptor->problem, "cannot be read at byte %" PRIu64 ": %s",
                             descriptor->place, strerror(errno));
    }
}

// No more bytes: was that all of the file?
static enum source_status read_end(struct descriptor *descriptor)
{
    struct stat status;
    off_t end = descriptor->position + (off_t)descriptor->place;
    if (descriptor->regular && end < descriptor->size && fstat(descriptor->fd, &status) == 0 &&
        status.st_size < descriptor->size) {
        descriptor->broken = true;
        return stage_damaged(
            descriptor->problem, "got shorter while it was read: it ends at byte %jd of %jd",
            (intmax_t)(end < status.st_size ? end : status.st_size), (intmax_t)descriptor->size);
    }
    descriptor->at_end = true;
    return SOURCE_END;
}

enum source_status descriptor_read(struct descriptor *descriptor, void *bytes, size_t room,
                                   bool may_wait, size_t *count)
{
    *count = 0;
    if (descriptor->broken || descriptor->at_end) {
        return descriptor->broken ? SOURCE_DAMAGED : SOURCE_END;
    }
    int stop_fd = descriptor->stop_fd;
    if (!may_wait && !descriptor->regular) {
        if (descriptor_idle(descriptor)) {
            return SOURCE_WAIT;
        }
        stop_fd = -1; // it does not wait: no need to poll again
    }
    ssize_t got = fdio_read(descriptor->fd, bytes, room, stop_fd);
    if (got <= 0) {
        return got == 0 ? read_end(descriptor) : read_failed(descriptor);
    }
    *count = (size_t)got;
    descriptor->place += *count;
    atomic_fetch_add_explicit(&descriptor->fetched, *count, memory_order_relaxed);
    return SOURCE_DATA;
}

bool descriptor_idle(const struct descriptor *descriptor)
{
    return !descriptor->regular && !fdio_readable(descriptor->fd);
}

bool descriptor_wait(const struct descriptor *descriptor, int fd)
{
    struct pollfd fds[] = {
        {.fd = descriptor->fd, .events = POLLIN},
        {.fd = fd, .events = POLLIN},
        {.fd = descriptor->stop_fd, .events = POLLIN},
    };
    while (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && (errno == EINTR || errno == EAGAIN)) {
    }
    return fds[1].revents == 0 && fds[2].revents == 0;
}

int descriptor_seek(struct descriptor *descriptor, uint64_t place)
{
    if (lseek(descriptor->fd, descriptor->position + (off_t)place, SEEK_SET) < 0) {
        return -1;
    }
    descriptor->place = place;
    descriptor->at_end = false;
    return 0;
}

uint64_t descriptor_size(const struct descriptor *descriptor)
{
    off_t size = descriptor->size - descriptor->position;
    return size > 0 ? (uint64_t)size : 0;
}
