// SPDX-License-Identifier: BSD-2-Clause
// Memory that grows by doubling.

#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define CAP_MIN ((size_t)4096)

int buf_grow(struct buf *buf, size_t more)
{
    if (more > SIZE_MAX / 4 - buf->len) {
        errno = ENOMEM;
        return -1;
    }
    size_t cap = buf->cap > 0 ? buf->cap : CAP_MIN;
    while (cap < buf->len + more) {
        cap *= 2;
    }
    char *bytes = realloc(buf->bytes, cap);
    if (bytes == NULL) {
        return -1;
    }
    buf->bytes = bytes;
    buf->cap = cap;
    return 0;
}

void buf_free(struct buf *buf)
{
    free(buf->bytes);
    *buf = (struct buf){0};
}
