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

#define BUF_FEW 16

// The same, where at least `readable` bytes can be read: up to BUF_FEW of them cost less if it need
// not be known how many.
static inline int buf_append_few(struct buf *buf, const char *bytes, size_t len, size_t readable)
{
    if (len > BUF_FEW || readable < BUF_FEW || buf->cap - buf->len < BUF_FEW) {
        return buf_append(buf, bytes, len);
    }
    memcpy(buf->bytes + buf->len, bytes, BUF_FEW);
    buf->len += len;
    return 0;
}

#endif
