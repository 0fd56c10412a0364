// SPDX-License-Identifier: BSD-2-Clause
// Reading and writing of descriptors: interrupted, short and non-blocking calls are dealt with
// here.

#ifndef PPROC_BASE_FDIO_H
#define PPROC_BASE_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

// Bytes that pipes are enlarged to: those at both ends of the program, and those to children, of
// which there may be many. The larger a pipe, the longer its ends run before one waits for the
// other.
#define FDIO_PIPE_BYTES (1024 * 1024)
#define FDIO_CHILD_PIPE_BYTES (256 * 1024)

// Occupy descriptors 0, 1 and 2 where they are closed, with something that fails with EBADF when
// it is read or written, so that no file opened later takes their place. Returns 0, or -1.
int fdio_reserve_standard(void);

// Read up to `size` bytes, waiting for the first. `stop_fd` (or -1) ends the wait when it becomes
// readable. Returns the number of bytes, 0 at the end, -1 with errno set (ECANCELED: stopped).
ssize_t fdio_read(int fd, void *bytes, size_t size, int stop_fd);

// Would a read of `fd` return at once (with data, the end or an error)?
bool fdio_readable(int fd);

// Write all of it, waiting as long as it takes; `iov` is used up. Adds what was written to
// *written, also on failure. Returns 0, or -1 with errno set.
int fdio_write_all(int fd, struct iovec *iov, size_t count, size_t *written);

// Drop `bytes` from the front of the list, and what is empty.
void fdio_advance(struct iovec **iov, size_t *count, size_t bytes);

// Enlarge a pipe's buffer to `bytes`, or to a part of them if the system does not allow all;
// nothing happens to a larger one, or to anything else.
void fdio_enlarge_pipe(int fd, int bytes);

#endif
