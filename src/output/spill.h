// SPDX-License-Identifier: BSD-2-Clause
// Results on disk: what has to wait for others before it can be written, beyond the budget.
//
// One file without a name in the directory for temporary files, made when first needed. Space is
// handed out from the front and given back to the file system as results are written.

#ifndef PPROC_OUTPUT_SPILL_H
#define PPROC_OUTPUT_SPILL_H

#include "core/result.h"

struct spill;

// `directory` has to live as long. NULL: no memory.
struct spill *spill_create(const char *directory);
void spill_destroy(struct spill *spill);

// Put some bytes on disk. Returns 0, or -1: then spill_error() says why. Thread-safe.
int spill_append(struct spill *spill, const char *bytes, size_t len, struct extent *extent);

// Move the bytes that the result owns to disk; there are some. Returns 0, or -1: then spill_error()
// says why, and the result is as it was. Thread-safe.
int spill_result(struct spill *spill, struct result *result);

// Read back up to `len` bytes at `offset`. Returns how many, at least 1, or -1 with errno set.
ssize_t spill_read(struct spill *spill, char *bytes, size_t len, off_t offset);

// Bytes that were put there are needed no more.
void spill_release(struct spill *spill, const struct extent *extents, size_t count);

// The first error, an errno, or 0. Thread-safe.
int spill_error(const struct spill *spill);

#endif
