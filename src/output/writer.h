// SPDX-License-Identifier: BSD-2-Clause
// The writer: puts results into the output. Used by one thread at a time (whoever has the role
// of writing), but for writer_bytes().

#ifndef PPROC_OUTPUT_WRITER_H
#define PPROC_OUTPUT_WRITER_H

#include "core/result.h"

#include <stdbool.h>
#include <stdint.h>

struct sink;
struct spill;
struct writer;

// What becomes of a result that lacks its last delimiter.
enum writer_ending {
    ENDING_ADDED_BETWEEN, // it gets one if more output follows
    ENDING_ADDED,         // it gets one
    ENDING_NONE,          // results are bytes, not records
};

// Write to `sink`, what is on disk from `spill`; both stay the caller's. NULL with errno set on
// failure.
struct writer *writer_create(struct sink *sink, char delimiter, enum writer_ending ending,
                             struct spill *spill);
void writer_destroy(struct writer *writer);

// Write results, linked by queue_next. Returns NULL, or the first result that was not written
// whole: then writer_error() says why.
struct result *writer_write(struct writer *writer, struct result *results);

// Write bytes that are no result, and end in a delimiter. Returns 0, or -1: then writer_error()
// says why.
int writer_write_bytes(struct writer *writer, const char *bytes, size_t len);

// Write a number and the delimiter. Likewise.
int writer_write_number(struct writer *writer, uint64_t number);

// The errno of the first failure, or 0.
int writer_error(const struct writer *writer);

// Bytes written so far. Safe from any thread.
uint64_t writer_bytes(const struct writer *writer);

#endif
