// SPDX-License-Identifier: BSD-2-Clause
// The memory that inputs are read into.

#include "input/window.h"

#include <string.h>

void window_destroy(struct window *window)
{
    block_destroy(window->pool, window->buffer);
}

void window_clear(struct window *window)
{
    window->start = window->whole = 0;
    if (window->buffer != NULL) {
        window->buffer->len = 0;
    }
}

int window_prepare(struct window *window)
{
    if (window->buffer == NULL) {
        window->buffer = block_create(window->pool, 0);
        return window->buffer != NULL ? 0 : -1;
    }
    struct block *buffer = window->buffer;
    buffer->len -= window->start;
    memmove(buffer->buf, buffer->buf + window->start, buffer->len);
    window->whole -= window->start;
    window->start = 0;
    return 0;
}

int window_make_room(struct window *window)
{
    size_t len = window->buffer->len, cap = window->buffer->cap;
    if (len < cap) {
        return 0;
    }
    return block_grow(window->pool, window->buffer, cap < window->max / 2 ? cap * 2 : window->max);
}

struct block *window_copy(const struct window *window, size_t len)
{
    return block_copy(window->pool, window->buffer->buf + window->start, len);
}

// Take the buffer, of which the first `len` bytes go out; the rest goes to a new one. NULL: no
// memory.
static struct block *take_buffer(struct window *window, size_t len)
{
    struct block *block = window->buffer, *next = NULL;
    size_t rest = block->len - len;
    if (rest > 0) {
        next = block_copy(window->pool, block->buf + len, rest);
        if (next == NULL) {
            return NULL;
        }
    }
    block->len = len;
    window->buffer = next;
    window->whole -= len;
    return block;
}

struct block *window_take(struct window *window, size_t len)
{
    size_t rest = window->buffer->len - len;
    if (window->start == 0 && (len == window->whole || rest <= len)) {
        return take_buffer(window, len);
    }
    struct block *block = window_copy(window, len);
    if (block != NULL) {
        window->start += len;
    }
    return block;
}

int window_throw_away(struct window *window, size_t len)
{
    struct block *buffer = window->buffer;
    size_t from = window->start + len;
    // The old one may be large.
    window->buffer = block_copy(window->pool, buffer->buf + from, buffer->len - from);
    if (window->buffer == NULL) {
        window->buffer = buffer;
        return -1;
    }
    block_destroy(window->pool, buffer);
    window->start = window->whole = 0;
    return 0;
}
