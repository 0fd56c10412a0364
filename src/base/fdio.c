// SPDX-License-Identifier: BSD-2-Clause
// Reading and writing of descriptors: interrupted, short and non-blocking calls are dealt with
// here.

#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

int fdio_reserve_standard(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            continue;
        }
        // The lowest free number is taken, which is `fd`: those below it are open.
        if (open("/", O_PATH | O_CLOEXEC) < 0) {
            return -1;
        }
    }
    return 0;
}

// Wait until `fd` may be read, or -1 with errno set (ECANCELED: `stop_fd` came first).
static int wait_readable(int fd, int stop_fd)
{
    struct pollfd fds[] = {
        {.fd = fd, .events = POLLIN},
        {.fd = stop_fd, .events = POLLIN},
    };
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR && errno != EAGAIN) {
            return -1;
        }
    }
    if (fds[1].revents != 0) {
        errno = ECANCELED;
        return -1;
    }
    return 0;
}

ssize_t fdio_read(int fd, void *bytes, size_t size, int stop_fd)
{
    bool wait = stop_fd >= 0; // else read() itself waits, unless `fd` is non-blocking
    for (;;) {
        if (wait && wait_readable(fd, stop_fd) != 0) {
            return -1;
        }
        ssize_t count = read(fd, bytes, size);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN)) {
            return count;
        }
        wait = true;
    }
}

bool fdio_readable(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    int ready;
    do {
        ready = poll(&pollfd, 1, 0);
    } while (ready < 0 && (errno == EINTR || errno == EAGAIN));
    return ready != 0;
}

// Wait until `fd` may be written. Returns 0, or -1 with errno set.
static int wait_writable(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
    while (poll(&pollfd, 1, -1) < 0) {
        if (errno != EINTR && errno != EAGAIN) {
            return -1;
        }
    }
    return 0;
}

void fdio_advance(struct iovec **iov, size_t *count, size_t bytes)
{
    while (*count > 0 && bytes >= (*iov)->iov_len) {
        bytes -= (*iov)->iov_len;
        (*iov)++;
        (*count)--;
    }
    if (*count > 0) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + bytes;
        (*iov)->iov_len -= bytes;
    }
}

int fdio_write_all(int fd, struct iovec *iov, size_t count, size_t *written)
{
    fdio_advance(&iov, &count, 0);
    while (count > 0) {
        ssize_t bytes = writev(fd, iov, count < IOV_MAX ? (int)count : IOV_MAX);
        if (bytes > 0) {
            *written += (size_t)bytes;
            fdio_advance(&iov, &count, (size_t)bytes);
        } else if (bytes == 0) {
            errno = EIO; // nothing taken and no reason given: it would go on for ever
            return -1;
        } else if (errno == EAGAIN) {
            if (wait_writable(fd) != 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

void fdio_enlarge_pipe(int fd, int bytes)
{
    int size = fcntl(fd, F_GETPIPE_SZ);
    while (size >= 0 && size < bytes && fcntl(fd, F_SETPIPE_SZ, bytes) < 0) {
        bytes /= 2;
    }
}
