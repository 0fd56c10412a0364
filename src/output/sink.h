// SPDX-License-Identifier: BSD-2-Clause
// Where the output goes: standard output, or a file that takes its place only when it is whole.
//
// A regular or missing FILE is written beside its place, without a name until it is finished where
// the system can do that, and then replaces what was there: until then, and if the run fails, the
// old file stays as it was. A symbolic link is followed. Anything else, such as a FIFO or a device,
// is written directly. A name in .gz .zst .xz .bz2 or .lz4 is compressed.
//
// Used by one thread at a time.

#ifndef PPROC_OUTPUT_SINK_H
#define PPROC_OUTPUT_SINK_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct sink;

// Open FILE, or standard output if it is NULL. Says what is wrong on standard error and returns
// NULL on failure.
struct sink *sink_open(const char *file);

// Write all of it; `iov` is used up. Adds what was taken to *written. Returns 0, or -1 with errno
// set.
int sink_write(struct sink *sink, struct iovec *iov, size_t count, size_t *written);

// The output is whole: end the compression, close, and put the file in its place. Returns 0, or -1
// with errno set: then nothing has taken the place of the old file.
int sink_finish(struct sink *sink);

// The output is not to take its place: no name of it remains. Safe while a thread is stuck in
// sink_write().
void sink_abandon(struct sink *sink);

// As messages have it.
const char *sink_name(const struct sink *sink);

// Without sink_finish() before it, nothing of a file remains. NULL is fine.
void sink_destroy(struct sink *sink);

#endif
