// SPDX-License-Identifier: BSD-2-Clause
// What a child writes to its standard output, until it is known whether it counts: in memory up to
// a limit, beyond that in the spill file. Each worker has one and uses it for child after child.

#ifndef PPROC_COMMAND_CAPTURE_H
#define PPROC_COMMAND_CAPTURE_H

#include "base/buf.h"
#include "core/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block_pool;
struct spill;

struct capture {
    struct spill *spill;
    struct block_pool *pool; // lends memory for about as many bytes as a block has
    size_t limit;            // bytes in memory
    size_t expected;         // of the next child, since the last one gave so many
    struct buf bytes;        // those in memory, the last ones
    bool lent;               // their memory is the pool's
    struct extent *extents;  // the others
    size_t extent_count, extent_cap;
    uint64_t spilled; // bytes of them
};

// `spill` and `pool` have to live longer.
void capture_init(struct capture *capture, struct spill *spill, struct block_pool *pool,
                  size_t limit);
// Empty it.
void capture_clear(struct capture *capture);
void capture_destroy(struct capture *capture);

// Read once from a descriptor. Returns the number of bytes, 0 at the end, or -1 with errno set:
// EINTR and EAGAIN are the descriptor's, after all others the capture is of no use.
ssize_t capture_read(struct capture *capture, int fd);

// While it is empty: it will probably get so many bytes. Returns 0, or -1: no memory.
int capture_reserve(struct capture *capture, size_t len);

// Where bytes can be read to that are appended then, and how many.
char *capture_room(const struct capture *capture, size_t *size);

// Append bytes that were read there, or elsewhere. Returns 0, or -1: no memory, or the spill file
// failed.
int capture_append(struct capture *capture, const char *bytes, size_t len);

// Bytes that it has.
uint64_t capture_len(const struct capture *capture);

// How many records it has, each of which a delimiter ends; a last one without it counts. Returns 0,
// or -1: the spill file failed.
int capture_count(const struct capture *capture, char delimiter, uint64_t *count);

// Copy the last bytes, up to `size`. Returns how many.
size_t capture_tail(const struct capture *capture, char *bytes, size_t size);

// Move the first `lines` lines to the end of `buf`; all if there are fewer. Returns 0, or -1: no
// memory, or the spill file failed.
int capture_take_lines(struct capture *capture, char delimiter, size_t lines, struct buf *buf);

// Make it the output of the result, which has none, and be empty. Returns 0, or -1: no memory, or
// the spill file failed.
int capture_finish(struct capture *capture, struct result *result);

#endif
