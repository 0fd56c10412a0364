// SPDX-License-Identifier: BSD-2-Clause
// What a child writes to its standard error: passed through to ours when the attempt ends, its
// lines together; of one that writes much or runs long line by line, as they come.

#ifndef PPROC_COMMAND_RELAY_H
#define PPROC_COMMAND_RELAY_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// So many of the last bytes are kept. What is not passed yet is kept too.
#define RELAY_TAIL ((size_t)4096)

// All zero at first.
struct relay {
    struct buf bytes;
    size_t passed; // of `bytes`, from the front
    bool flows;    // lines are passed as they come
};

// Read once from a descriptor. Returns the number of bytes, 0 at the end, or -1 with errno set.
ssize_t relay_read(struct relay *relay, int fd);

// Is there something that waits for the end of the attempt?
bool relay_waits(const struct relay *relay);

// From now on pass lines as they come.
void relay_flow(struct relay *relay);

// The attempt has ended: pass the rest. A last line that lacks its newline gets one.
void relay_finish(struct relay *relay);

// Copy the last bytes, passed or not, up to `size` or RELAY_TAIL. Returns how many.
size_t relay_tail(const struct relay *relay, char *bytes, size_t size);

// Begin with another child; relay_free() for good.
void relay_clear(struct relay *relay);
void relay_free(struct relay *relay);

#endif
