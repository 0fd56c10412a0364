// SPDX-License-Identifier: BSD-2-Clause
// Files that a run adds lines to: dead letters, the joblog.

#ifndef PPROC_OUTPUT_APPEND_H
#define PPROC_OUTPUT_APPEND_H

#include <stdatomic.h>
#include <stddef.h>

struct append {
    const char *name; // as given
    int fd;           // -1: it is not open
    atomic_int error; // the errno of the first failure, or 0
};

// Open FILE so that each write(2) goes to its end. An existing one, also through links, keeps its
// mode; a missing one is made, for its owner alone; a link to nothing is refused. A regular file
// can be read too. Returns 0, or -1 after a message on standard error: that `what`, such as "dead
// letters", cannot be written there, and why.
int append_open(struct append *append, const char *file, const char *what);

// Whether the file could be opened, but not used, with errno set: the same message. Returns -1.
int append_refuse(const struct append *append, const char *what);

// Write, in one write(2) if the system takes it so. Returns 0, or -1 with errno and the error set.
// Bytes of several threads may be mixed if it does not.
int append_write(struct append *append, const char *bytes, size_t len);

// Close the file. Returns 0, or -1: the error is set, now or before.
int append_close(struct append *append);

#endif
