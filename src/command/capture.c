// SPDX-License-Identifier: BSD-2-Clause
// Bytes in memory, and extents in the spill file.

#include "command/capture.h"

#include "core/block.h"
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

void capture_init(struct capture *capture, struct spill *spill, struct block_pool *pool,
                  size_t limit)
{
    *capture = (struct capture){.spill = spill, .pool = pool, .limit = limit};
}

// --- memory

// Bytes of which there are so many take memory of the pool: no more than twice what they need.
static bool is_for_pool(const struct capture *capture, size_t len)
{
    size_t usual = block_pool_size(capture->pool);
    return len > KEEP_BYTES && len > usual / 2 && len <= usual;
}

// Give the memory back.
static void drop_bytes(struct capture *capture)
{
    if (capture->lent) {
        block_pool_give(capture->pool, capture->bytes.bytes);
        capture->lent = false;
        capture->bytes = (struct buf){0};
    } else {
        buf_free(&capture->bytes);
    }
}

// Memory of the pool; there are no bytes yet. Returns 0, or -1: no memory.
static int borrow(struct capture *capture)
{
    drop_bytes(capture);
    char *bytes = block_pool_take(capture->pool);
    if (bytes == NULL) {
        return -1;
    }
    capture->bytes = (struct buf){.bytes = bytes, .cap = block_pool_size(capture->pool)};
    capture->lent = true;
    return 0;
}

// They are more than was thought. Returns 0, or -1: no memory.
static int outgrow(struct capture *capture, size_t more)
{
    struct buf larger = {0};
    const struct buf *bytes = &capture->bytes;
    if (buf_reserve(&larger, bytes->len + more) != 0 ||
        buf_append(&larger, bytes->bytes, bytes->len) != 0) {
        return -1;
    }
    drop_bytes(capture);
    capture->bytes = larger;
    return 0;
}

// Have room for `more` bytes. Returns 0, or -1: no memory.
static int reserve(struct capture *capture, size_t more)
{
    struct buf *bytes = &capture->bytes;
    if (more <= bytes->cap - bytes->len) {
        return 0;
    }
    if (bytes->len == 0 && is_for_pool(capture, more)) {
        return borrow(capture);
    }
    return capture->lent ? outgrow(capture, more) : buf_reserve(bytes, more);
}

// --- bytes

static void forget(struct capture *capture)
{
    capture->extents = NULL;
    capture->extent_count = capture->extent_cap = 0;
    capture->spilled = 0;
    capture->bytes.len = 0;
    if (capture->bytes.cap > KEEP_BYTES) {
        drop_bytes(capture);
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
    drop_bytes(capture);
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
    if (reserve(capture, bytes->len == 0 ? capture->expected + READ_MIN : READ_MIN) != 0) {
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
    return empty ? reserve(capture, len < capture->limit ? len : capture->limit) : 0;
}

char *capture_room(const struct capture *capture, size_t *size)
{
    *size = capture->bytes.cap - capture->bytes.len;
    return capture->bytes.bytes + capture->bytes.len;
}

int capture_append(struct capture *capture, const char *bytes, size_t len)
{
    struct buf *own = &capture->bytes;
    if (own->cap > own->len && bytes == own->bytes + own->len) {
        own->len += len;
    } else if (reserve(capture, len) != 0 || buf_append(own, bytes, len) != 0) {
        return -1;
    }
    return keep_within_limit(capture);
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

// Make the bytes in memory the result's own, in memory of about their size; there are some. Returns
// 0, or -1: no memory.
static int give_bytes(struct capture *capture, struct result *result)
{
    struct buf *bytes = &capture->bytes;
    capture->expected = bytes->len;
    if (bytes->cap <= KEEP_BYTES || (capture->lent && !is_for_pool(capture, bytes->len))) {
        result->own = malloc(bytes->len);
        if (result->own != NULL) {
            memcpy(result->own, bytes->bytes, bytes->len);
        }
        return result->own != NULL ? 0 : -1;
    }
    if (capture->lent) {
        result->own = bytes->bytes;
        result->own_cap = bytes->cap;
        result->own_pool = capture->pool;
        capture->lent = false;
    } else {
        result->own = realloc(bytes->bytes, bytes->len);
    }
    if (result->own == NULL) {
        return -1;
    }
    *bytes = (struct buf){0};
    return 0;
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
    if (iov == NULL || (capture->bytes.len > 0 && give_bytes(capture, result) != 0)) {
        free(iov);
        return -1;
    }
    *iov = (struct iovec){.iov_base = result->own, .iov_len = len};
    result->iov = iov;
    result->iov_count = 1;
    result->own_len = len;
    result->extents = capture->extents;
    result->extent_count = capture->extent_count;
    forget(capture);
    return 0;
}
