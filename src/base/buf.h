// SPDX-License-Identifier: BSD-2-Clause
// Memory that grows as bytes are appended.

#ifndef PPROC_BASE_BUF_H
#define PPROC_BASE_BUF_H

#include <stddef.h>
#include <string.h>

// All zero at first; to be freed by buf_free().
struct buf {
    char *bytes; // NULL as long as nothing was reserved
    size_t len, cap;
};

// Make room for `more` bytes behind the others. Returns 0, or -1: no memory, all as it was.
int buf_grow(struct buf *buf, size_t more);
void buf_free(struct buf *buf);

static inline int buf_reserve(struct buf *buf, size_t more)
{
    return more <= buf->cap - buf->len ? 0 : buf_grow(buf, more);
}

// The bytes must not be the buffer's own. Returns 0, or -1: no memory.
static inline int buf_append(struct buf *buf, const char *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    if (buf_reserve(buf, len) != 0) {
        return -1;
    }
    memcpy(buf->bytes + buf->len, bytes, len);
    buf->len += len;
    return 0;
}

#endif
