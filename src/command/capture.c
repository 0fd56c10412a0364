// SPDX-License-Identifier: BSD-2-Clause
// Bytes in memory, and extents in the spill file.

#include "command/capture.h"

#include "core/records.h"
#include "output/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Room for one read, at least and at most.
#define READ_MIN ((size_t)64 * 1024)
#define READ_MAX ((size_t)256 * 1024)

// Above this memory is handed over or given back, instead of kept for the next child.
#define KEEP_BYTES ((size_t)128 * 1024)

void capture_init(struct capture *capture, struct spill *spill, size_t limit)
{
    *capture = (struct capture){.spill = spill, .limit = limit};
}

static void forget(struct capture *capture)
{
    capture->extents = NULL;
    capture->extent_count = capture->extent_cap = 0;
    capture->spilled = 0;
    capture->bytes.len = 0;
    if (capture->bytes.cap > KEEP_BYTES) {
        buf_free(&capture->bytes);
    }
}

void capture_clear(struct capture *capture)
{
    spill_release(capture->spill, capture->extents, capture->extent_count);
    free(capture->extents);
    forget(capture);
}

void capture_destroy(struct capture *capture)
{
    capture_clear(capture);
    buf_free(&capture->bytes);
}

// A place for one more extent. NULL: no memory.
static struct extent *next_extent(struct capture *capture)
{
    if (capture->extent_count == capture->extent_cap) {
        size_t cap = capture->extent_cap > 0 ? 2 * capture->extent_cap : 4;
        struct extent *extents = realloc(capture->extents, cap * sizeof(*extents));
        if (extents == NULL) {
            return NULL;
        }
        capture->extents = extents;
        capture->extent_cap = cap;
    }
    return &capture->extents[capture->extent_count];
}

static int spill(struct capture *capture)
{
    struct extent *extent = next_extent(capture);
    if (extent == NULL ||
        spill_append(capture->spill, capture->bytes.bytes, capture->bytes.len, extent) != 0) {
        return -1;
    }
    // Without others in between it goes on where the last one ended.
    if (capture->extent_count > 0 && extent[-1].offset + (off_t)extent[-1].len == extent->offset) {
        extent[-1].len += extent->len;
    } else {
        capture->extent_count++;
    }
    capture->spilled += capture->bytes.len;
    capture->bytes.len = 0;
    return 0;
}

static int keep_within_limit(struct capture *capture)
{
    if (capture->bytes.len > capture->limit && spill(capture) != 0) {
        errno = ENOSPC; // whatever it is
        return -1;
    }
    return 0;
}

ssize_t capture_read(struct capture *capture, int fd)
{
    struct buf *bytes = &capture->bytes;
    if (buf_reserve(bytes, bytes->len == 0 ? capture->expected + READ_MIN : READ_MIN) != 0) {
        return -1;
    }
    size_t room = bytes->cap - bytes->len;
    ssize_t got = read(fd, bytes->bytes + bytes->len, room < READ_MAX ? room : READ_MAX);
    if (got <= 0) {
        return got;
    }
    bytes->len += (size_t)got;
    return keep_within_limit(capture) == 0 ? got : -1;
}

int capture_reserve(struct capture *capture, size_t len)
{
    bool empty = capture_len(capture) == 0;
    return empty ? buf_reserve(&capture->bytes, len < capture->limit ? len : capture->limit) : 0;
}

int capture_append(struct capture *capture, const char *bytes, size_t len)
{
    return buf_append(&capture->bytes, bytes, len) == 0 ? keep_within_limit(capture) : -1;
}

uint64_t capture_len(const struct capture *capture)
{
    return capture->spilled + capture->bytes.len;
}

// Count the delimiters of what is on disk; *last is its last byte.
static int count_spilled(const struct capture *capture, char delimiter, uint64_t *count, char *last)
{
    char part[4096];
    for (size_t i = 0; i < capture->extent_count; i++) {
        const struct extent *extent = &capture->extents[i];
        for (size_t done = 0; done < extent->len;) {
            size_t left = extent->len - done;
            ssize_t got =
                spill_read(capture->spill, part, left < sizeof(part) ? left : sizeof(part),
                           extent->offset + (off_t)done);
            if (got <= 0) {
                return -1;
            }
            *last = part[got - 1];
            *count += records_count(part, (size_t)got, delimiter) - (*last != delimiter);
            done += (size_t)got;
        }
    }
    return 0;
}

int capture_count(const struct capture *capture, char delimiter, uint64_t *count)
{
    const struct buf *bytes = &capture->bytes;
    char last = delimiter;
    *count = 0;
    if (count_spilled(capture, delimiter, count, &last) != 0) {
        return -1;
    }
    *count += bytes->len > 0 ? records_count(bytes->bytes, bytes->len, delimiter)
                             : (uint64_t)(last != delimiter);
    return 0;
}

size_t capture_tail(const struct capture *capture, char *bytes, size_t size)
{
    size_t in_memory = capture->bytes.len < size ? capture->bytes.len : size;
    size_t before = 0; // bytes of the last extent
    if (in_memory < size && capture->extent_count > 0) {
        const struct extent *last = &capture->extents[capture->extent_count - 1];
        before = size - in_memory < last->len ? size - in_memory : last->len;
        ssize_t got =
            spill_read(capture->spill, bytes, before, last->offset + (off_t)(last->len - before));
        before = got > 0 ? (size_t)got : 0;
    }
    if (in_memory > 0) {
        memcpy(bytes + before, capture->bytes.bytes + capture->bytes.len - in_memory, in_memory);
    }
    return before + in_memory;
}

// The first bytes, from disk or memory. Returns how many, 0 if there are none, or -1.
static ssize_t peek(const struct capture *capture, char *bytes, size_t size)
{
    if (capture->extent_count > 0) {
        const struct extent *first = capture->extents;
        return spill_read(capture->spill, bytes, size < first->len ? size : first->len,
                          first->offset);
    }
    size_t len = size < capture->bytes.len ? size : capture->bytes.len;
    if (len > 0) {
        memcpy(bytes, capture->bytes.bytes, len);
    }
    return (ssize_t)len;
}

// Forget the first `len` bytes, which peek() gave.
static void skip(struct capture *capture, size_t len)
{
    if (capture->extent_count == 0) {
        capture->bytes.len -= len;
        memmove(capture->bytes.bytes, capture->bytes.bytes + len, capture->bytes.len);
        return;
    }
    struct extent *first = capture->extents;
    first->offset += (off_t)len;
    first->len -= len;
    capture->spilled -= len;
    if (first->len == 0) {
        capture->extent_count--;
        memmove(first, first + 1, capture->extent_count * sizeof(*first));
    }
}

int capture_take_lines(struct capture *capture, char delimiter, size_t lines, struct buf *buf)
{
    char part[4096];
    ssize_t got = 1;
    while (lines > 0 && (got = peek(capture, part, sizeof(part))) > 0) {
        const char *end = memchr(part, delimiter, (size_t)got);
        size_t len = end != NULL ? (size_t)(end + 1 - part) : (size_t)got;
        if (buf_append(buf, part, len) != 0) {
            return -1;
        }
        skip(capture, len);
        lines -= end != NULL;
    }
    return got < 0 ? -1 : 0;
}

// The bytes in memory, as memory of the right size; there are some. NULL: no memory.
static char *take_bytes(struct capture *capture)
{
    struct buf *bytes = &capture->bytes;
    char *own;
    capture->expected = bytes->len;
    if (bytes->cap > KEEP_BYTES) {
        own = realloc(bytes->bytes, bytes->len);
        if (own != NULL) {
            *bytes = (struct buf){0};
        }
        return own;
    }
    own = malloc(bytes->len);
    if (own != NULL) {
        memcpy(own, bytes->bytes, bytes->len);
    }
    return own;
}

int capture_finish(struct capture *capture, struct result *result)
{
    size_t len = capture_len(capture);
    if (len == 0) {
        return 0;
    }
    if (capture->spilled > 0 && capture->bytes.len > 0 && spill(capture) != 0) {
        return -1;
    }
    struct iovec *iov = malloc(sizeof(*iov));
    char *own = capture->bytes.len > 0 ? take_bytes(capture) : NULL;
    if (iov == NULL || (own == NULL && capture->spilled == 0)) {
        free(iov);
        free(own);
        return -1;
    }
    *iov = (struct iovec){.iov_base = own, .iov_len = len};
    result->iov = iov;
    result->iov_count = 1;
    result->own = own;
    result->own_len = len;
    result->extents = capture->extents;
    result->extent_count = capture->extent_count;
    forget(capture);
    return 0;
}
