// SPDX-License-Identifier: BSD-2-Clause
// The window: the bytes of an input that were read and have not been handed out.
//
// They are read straight into the memory of a block, the buffer:
//
//     0          start                whole              len             cap
//     | handed out | whole records    | cut record       | room          |
//
// Usually all whole records go out at once: the buffer itself is handed out, and only the cut
// record behind them is copied, to the front of the next one. If fewer may go out they are copied
// out of the buffer, which stays until the rest has gone too. So each byte is copied a bounded
// number of times.

#ifndef PPROC_INPUT_WINDOW_H
#define PPROC_INPUT_WINDOW_H

#include "core/block.h"

#include <stddef.h>

struct window {
    struct block_pool *pool;
    size_t max;           // bytes that the buffer grows to, at most
    struct block *buffer; // may be NULL when it holds nothing
    size_t start;         // up to here all was handed out
    size_t whole;         // up to here there are whole records
};

void window_destroy(struct window *window);

// Forget what is there.
void window_clear(struct window *window);

// Be ready for reading: the buffer begins with what is left of the old one. Returns 0, or -1
// without memory.
int window_prepare(struct window *window);

// Let there be room behind the bytes. Returns 0, or -1 without memory.
int window_make_room(struct window *window);

// A block of a copy of the first `len` bytes. NULL: no memory.
struct block *window_copy(const struct window *window, size_t len);

// The first `len` bytes, as a block. NULL: no memory.
struct block *window_take(struct window *window, size_t len);

// Throw away the first `len` bytes, none of which are whole records. Returns 0, or -1 without
// memory.
int window_throw_away(struct window *window, size_t len);

#endif
