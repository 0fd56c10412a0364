// SPDX-License-Identifier: BSD-2-Clause
// Gathering of results into as few writes as possible, and the delimiter that an input's last
// record may lack.

#include "output/writer.h"

#include "output/sink.h"
#include "output/spill.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Bytes of spilled results that are in memory at once.
#define SPILL_PART (64 * 1024)

struct writer {
    struct sink *sink;
    char delimiter;
    enum writer_ending ending;
    struct spill *spill;
    bool unterminated; // the last record that was gathered lacks its delimiter
    bool at_line;      // what is gathered next begins a line of its result,
    size_t tag_at;     // and there its tag is
    int error;
    _Atomic uint64_t bytes;
    size_t count; // pieces gathered
    struct iovec iov[IOV_MAX];
};

struct writer *writer_create(struct sink *sink, char delimiter, enum writer_ending ending,
                             struct spill *spill)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (writer != NULL) {
        writer->sink = sink;
        writer->delimiter = delimiter;
        writer->ending = ending;
        writer->spill = spill;
    }
    return writer;
}

void writer_destroy(struct writer *writer)
{
    free(writer);
}

static int flush(struct writer *writer)
{
    size_t written = 0;
    int status = 0;
    if (writer->count > 0) {
        status = sink_write(writer->sink, writer->iov, writer->count, &written);
    }
    if (status != 0) {
        writer->error = errno;
    }
    writer->count = 0;
    atomic_fetch_add_explicit(&writer->bytes, written, memory_order_relaxed);
    return status;
}

static int gather(struct writer *writer, const char *bytes, size_t len)
{
    if (writer->count == IOV_MAX && flush(writer) != 0) {
        return -1;
    }
    writer->iov[writer->count++] = (struct iovec){.iov_base = (char *)bytes, .iov_len = len};
    writer->unterminated = writer->ending != ENDING_NONE && bytes[len - 1] != writer->delimiter;
    return 0;
}

static int gather_tag(struct writer *writer, const struct result *result)
{
    const char *tag = result->tags + writer->tag_at, *end = result->tags + result->tags_len;
    const char *stop = memchr(tag, '\n', (size_t)(end - tag));
    size_t len = (size_t)((stop != NULL ? stop : end) - tag);
    if (stop != NULL && stop + 1 < end) { // else it is the last one
        writer->tag_at += len + 1;
    }
    return len > 0 ? gather(writer, tag, len) : 0;
}

// Bytes of a result: where they begin a line, its tag goes ahead.
static int gather_tagged(struct writer *writer, const struct result *result, const char *bytes,
                         size_t len)
{
    while (len > 0) {
        if (writer->at_line && gather_tag(writer, result) != 0) {
            return -1;
        }
        const char *stop = memchr(bytes, writer->delimiter, len);
        size_t line = stop != NULL ? (size_t)(stop + 1 - bytes) : len;
        if (gather(writer, bytes, line) != 0) {
            return -1;
        }
        writer->at_line = stop != NULL;
        bytes += line;
        len -= line;
    }
    return 0;
}

static int gather_bytes(struct writer *writer, const struct result *result, const char *bytes,
                        size_t len)
{
    return result->tags != NULL ? gather_tagged(writer, result, bytes, len)
                                : gather(writer, bytes, len);
}

static int gather_delimiter(struct writer *writer)
{
    return writer->unterminated ? gather(writer, &writer->delimiter, 1) : 0;
}

// Bytes of a result that are on disk, as far as they were written.
struct spilled {
    const struct extent *extent; // where the next bytes are
    size_t done;                 // bytes of it
};

// Write the next `len` bytes that are on disk, a part at a time.
static int copy_spilled(struct writer *writer, const struct result *result, struct spilled *spilled,
                        size_t len)
{
    char part[SPILL_PART];
    while (len > 0) {
        const struct extent *extent = spilled->extent;
        size_t want = extent->len - spilled->done;
        want = want < len ? want : len;
        want = want < sizeof(part) ? want : sizeof(part);
        ssize_t got = spill_read(writer->spill, part, want, extent->offset + (off_t)spilled->done);
        if (got < 0) {
            writer->error = errno;
            return -1;
        }
        if (gather_bytes(writer, result, part, (size_t)got) != 0 || flush(writer) != 0) {
            return -1;
        }
        len -= (size_t)got;
        spilled->done += (size_t)got;
        if (spilled->done == extent->len) {
            *spilled = (struct spilled){.extent = extent + 1};
        }
    }
    return 0;
}

static int gather_pieces(struct writer *writer, const struct result *result)
{
    struct spilled spilled = {.extent = result->extents};
    writer->at_line = true;
    writer->tag_at = 0;
    for (size_t i = 0; i < result->iov_count; i++) {
        const char *base = result->iov[i].iov_base;
        size_t len = result->iov[i].iov_len;
        int rc = base != NULL ? gather_bytes(writer, result, base, len)
                              : copy_spilled(writer, result, &spilled, len);
        if (rc != 0) {
            return -1;
        }
    }
    spill_release(writer->spill, result->extents, result->extent_count);
    return 0;
}

static int gather_result(struct writer *writer, const struct result *result)
{
    if (result->iov_count == 0 && !result->unterminated) {
        return 0;
    }
    if (gather_delimiter(writer) != 0 || gather_pieces(writer, result) != 0) {
        return -1;
    }
    writer->unterminated |= result->unterminated;
    return writer->ending == ENDING_ADDED ? gather_delimiter(writer) : 0;
}

struct result *writer_write(struct writer *writer, struct result *results)
{
    // Bytes of results from `pending` on may wait in writer->iov.
    struct result *pending = results;
    for (struct result *result = results; result != NULL; result = result->queue_next) {
        if (writer->count == 0) {
            pending = result;
        }
        if (gather_result(writer, result) != 0) {
            return pending;
        }
    }
    return flush(writer) == 0 ? NULL : pending;
}

int writer_write_bytes(struct writer *writer, const char *bytes, size_t len)
{
    return gather(writer, bytes, len) == 0 ? flush(writer) : -1;
}

int writer_write_number(struct writer *writer, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRIu64 "%c", number, writer->delimiter);
    return writer_write_bytes(writer, text, (size_t)len);
}

int writer_error(const struct writer *writer)
{
    return writer->error;
}

uint64_t writer_bytes(const struct writer *writer)
{
    return atomic_load_explicit(&writer->bytes, memory_order_relaxed);
}
