// SPDX-License-Identifier: BSD-2-Clause
// The reader: cuts the bytes of the inputs into blocks of whole records.
//
// Bytes are read straight into the memory of a block, the buffer:
//
//     0          start                whole              len             cap
//     | handed out | whole records    | cut record       | room          |
//
// Usually all whole records go out at once: the buffer itself is handed out, and only the cut
// record behind them is copied, to the front of the next one. If fewer may go out they are copied
// out of the buffer, which stays until the rest has gone too. So each byte is copied a bounded
// number of times, and only new bytes are searched for a delimiter.
//
// A buffer that is full of one record grows. A record that is longer than it may be is known by
// its first bytes; the rest is read and thrown away.

#include "input/reader.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "input/input.h"
#include "input/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// A byte of a record is up to 6 bytes in the JSON of a dead letter; what else is there fits in the
// rest.
#define LETTER_FACTOR 6
#define LETTER_BYTES ((uint64_t)1024 * 1024)

struct reader {
    struct block_pool *pool;
    struct source *source;
    char delimiter;
    bool keep_failed;  // as in blocks
    size_t max_record; // bytes
    size_t max_buffer; // bytes that the buffer grows to, at most

    bool open;       // an input is being read
    bool ended;      // it gives nothing more
    bool waits;      // more would have had to be waited for
    bool damaged;    // one of them was
    uint64_t offset; // of the byte at `start`, in the input

    struct block *buffer; // may be NULL when it holds nothing
    size_t start;         // up to here all was handed out
    size_t whole;         // up to here there are whole records
    uint64_t skipped;     // bytes of a record that is too long which are no longer in the buffer

    _Atomic uint64_t bytes; // read by one, looked at by all
};

struct reader *reader_create(const struct settings *settings, struct block_pool *pool, int stop_fd)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return NULL;
    }
    reader->source = source_create(settings, stop_fd);
    if (reader->source == NULL) {
        free(reader);
        return NULL;
    }
    reader->pool = pool;
    reader->delimiter = settings->replay ? '\n' : settings->delimiter;
    reader->keep_failed = settings->dead_letter != NULL;
    uint64_t max_record = settings->max_record;
    if (settings->replay) { // there is a record in each line
        max_record = max_record * LETTER_FACTOR + LETTER_BYTES;
    }
    reader->max_record = max_record < SIZE_MAX / 2 ? (size_t)max_record : SIZE_MAX / 2;
    // A record and its delimiter, or the head of one that is too long.
    reader->max_buffer = reader->max_record + 1;
    if (reader->max_buffer < OVERSIZE_HEAD_BYTES) {
        reader->max_buffer = OVERSIZE_HEAD_BYTES;
    }
    return reader;
}

void reader_destroy(struct reader *reader)
{
    if (reader != NULL) {
        block_destroy(reader->pool, reader->buffer);
        source_destroy(reader->source);
        free(reader);
    }
}

bool reader_damaged(const struct reader *reader)
{
    return reader->damaged;
}

uint64_t reader_bytes(const struct reader *reader)
{
    return atomic_load_explicit(&reader->bytes, memory_order_relaxed);
}

uint64_t reader_fetched(const struct reader *reader)
{
    return source_fetched(reader->source);
}

// Go on to the next input. False: there is none.
static bool next_input(struct reader *reader)
{
    reader->open = source_next(reader->source);
    reader->ended = false;
    reader->offset = 0;
    return reader->open;
}

// The whole input has been handed out.
static void leave_input(struct reader *reader)
{
    reader->open = false;
    reader->start = reader->whole = 0;
    if (reader->buffer != NULL) {
        reader->buffer->len = 0;
    }
}

// Say what is wrong with the input, and how much of its last record is lost.
static void report(struct reader *reader, uint64_t lost)
{
    const char *name = source_input(reader->source)->name;
    const char *problem = source_problem(reader->source);
    reader->damaged = true;
    if (lost > 0) {
        diag_error("%s: %s; the record that is cut there (%" PRIu64
                   " bytes of it) is not processed",
                   name, problem, lost);
    } else {
        diag_error("%s: %s", name, problem);
    }
}

// The end of an input ends its last record; damage cuts it.
static void end_input(struct reader *reader, enum source_status status)
{
    struct block *buffer = reader->buffer;
    reader->ended = true;
    if (status == SOURCE_DAMAGED) {
        report(reader, reader->skipped + (buffer->len - reader->whole));
    } else {
        reader->whole = buffer->len;
        if (status == SOURCE_EXTRA) {
            report(reader, 0);
        }
    }
}

// Read once, behind what is in the buffer.
static enum source_status read_more(struct reader *reader, bool may_wait)
{
    struct block *buffer = reader->buffer;
    char *bytes = buffer->buf + buffer->len;
    size_t room = buffer->cap - buffer->len, count;
    if (room > block_pool_size(reader->pool)) {
        room = block_pool_size(reader->pool); // so that what is carried over fits a usual block
    }
    enum source_status status = source_read(reader->source, bytes, room, may_wait, &count);
    if (status == SOURCE_DATA) {
        const char *last = memrchr(bytes, reader->delimiter, count);
        buffer->len += count;
        if (last != NULL) {
            reader->whole = (size_t)(last + 1 - buffer->buf);
        }
        atomic_fetch_add_explicit(&reader->bytes, count, memory_order_relaxed);
    } else if (status == SOURCE_END || status == SOURCE_EXTRA || status == SOURCE_DAMAGED) {
        end_input(reader, status);
    }
    return status;
}

// A buffer that begins with what is left of the old one. Returns 0, or -1 without memory.
static int prepare_buffer(struct reader *reader)
{
    if (reader->buffer == NULL) {
        reader->buffer = block_create(reader->pool, 0);
        return reader->buffer != NULL ? 0 : -1;
    }
    struct block *buffer = reader->buffer;
    buffer->len -= reader->start;
    memmove(buffer->buf, buffer->buf + reader->start, buffer->len);
    reader->start = reader->whole = 0;
    return 0;
}

static int grow_buffer(struct reader *reader)
{
    size_t cap = reader->buffer->cap;
    return block_grow(reader->buffer, cap < reader->max_buffer / 2 ? cap * 2 : reader->max_buffer);
}

// Nearly full is full: a call for the last few bytes costs more than it brings.
static bool buffer_is_full(const struct reader *reader)
{
    size_t len = reader->buffer->len, usual = block_pool_size(reader->pool);
    return reader->whole > 0 ? len >= usual - usual / 8 : len >= reader->max_buffer;
}

// Read until the buffer is full, or has whole records and more would have to be waited for.
static enum read_status fill_buffer(struct reader *reader)
{
    if (prepare_buffer(reader) != 0) {
        return READ_FAILED;
    }
    reader->waits = false;
    while (!reader->ended && !buffer_is_full(reader)) {
        if (reader->buffer->len == reader->buffer->cap && grow_buffer(reader) != 0) {
            return READ_FAILED;
        }
        switch (read_more(reader, reader->whole == 0)) {
        case SOURCE_WAIT:
            reader->waits = true;
            return READ_BLOCK;
        case SOURCE_STOPPED:
            return READ_STOPPED;
        case SOURCE_FAILED:
            return READ_FAILED;
        default:
            break;
        }
    }
    return READ_BLOCK;
}

// A block of the first `len` bytes that are not handed out yet. NULL: no memory.
static struct block *copy_out(const struct reader *reader, size_t len)
{
    struct block *block = block_create(reader->pool, len);
    if (block != NULL) {
        memcpy(block->buf, reader->buffer->buf + reader->start, len);
        block->len = len;
    }
    return block;
}

// Take the buffer, of which the first `len` bytes go out; the rest goes to a new one. NULL: no
// memory.
static struct block *take_buffer(struct reader *reader, size_t len)
{
    struct block *block = reader->buffer, *next = NULL;
    size_t rest = block->len - len;
    if (rest > 0) {
        next = block_create(reader->pool, rest);
        if (next == NULL) {
            return NULL;
        }
        memcpy(next->buf, block->buf + len, rest);
        next->len = rest;
    }
    block->len = len;
    reader->buffer = next;
    reader->whole -= len;
    return block;
}

// The next `len` bytes that are not handed out yet, as a block. NULL: no memory.
static struct block *take(struct reader *reader, size_t len)
{
    size_t rest = reader->buffer->len - len;
    if (reader->start == 0 && (len == reader->whole || rest <= len)) {
        return take_buffer(reader, len);
    }
    struct block *block = copy_out(reader, len);
    if (block != NULL) {
        reader->start += len;
    }
    return block;
}

// The block stands for the next `len` bytes of the input.
static void place_block(struct reader *reader, struct block *block, uint64_t len, size_t records)
{
    block->input = source_input(reader->source);
    block->offset = reader->offset;
    block->delimiter = reader->delimiter;
    block->keep_failed = reader->keep_failed;
    block->records = records;
    block->more = !reader->waits;
    reader->offset += len;
}

// Bytes of the whole records before the first one that is too long.
static size_t before_too_long(const struct reader *reader, const char *bytes, size_t len)
{
    size_t done = 0;
    while (len - done > reader->max_record) {
        const char *last = memrchr(bytes + done, reader->delimiter, reader->max_record + 1);
        if (last == NULL) {
            return done;
        }
        done = (size_t)(last + 1 - bytes);
    }
    return len;
}

// Likewise, but of at most `max` records; their number goes to *count.
static size_t count_off(const struct reader *reader, const char *bytes, size_t len, size_t max,
                        size_t *count)
{
    size_t done = 0;
    for (*count = 0; *count < max && done < len; ++*count) {
        const char *end = memchr(bytes + done, reader->delimiter, len - done);
        size_t record = end != NULL ? (size_t)(end - bytes) - done : len - done;
        if (record > reader->max_record) {
            break;
        }
        done += end != NULL ? record + 1 : record;
    }
    return done;
}

static size_t head_len(size_t len)
{
    return len < OVERSIZE_HEAD_BYTES ? len : OVERSIZE_HEAD_BYTES;
}

// Hand out the head of a record that is too long and all there; `len` bytes of whole records
// begin with it.
static enum read_status hand_out_head(struct reader *reader, size_t len, bool counted,
                                      struct block **block)
{
    const char *bytes = reader->buffer->buf + reader->start;
    const char *end = memchr(bytes, reader->delimiter, len);
    size_t record = end != NULL ? (size_t)(end - bytes) : len;
    size_t used = end != NULL ? record + 1 : record;
    struct block *head = copy_out(reader, head_len(record));
    if (head == NULL) {
        return READ_FAILED;
    }
    head->oversize = record;
    place_block(reader, head, used, counted);
    reader->start += used;
    *block = head;
    return READ_BLOCK;
}

// Hand out whole records.
static enum read_status hand_out(struct reader *reader, size_t max_records, struct block **block)
{
    const char *bytes = reader->buffer->buf + reader->start;
    size_t whole = reader->whole - reader->start, records = 0;
    size_t len = max_records == 0 ? before_too_long(reader, bytes, whole)
                                  : count_off(reader, bytes, whole, max_records, &records);
    if (len == 0) {
        return hand_out_head(reader, whole, max_records > 0, block);
    }
    *block = take(reader, len);
    if (*block == NULL) {
        return READ_FAILED;
    }
    place_block(reader, *block, len, records);
    return READ_BLOCK;
}

// Read and throw away the rest of a record that is too long: up to its delimiter, the end or
// damage.
static enum source_status skip_rest(struct reader *reader)
{
    enum source_status status = SOURCE_DATA;
    while (status == SOURCE_DATA && reader->whole == 0) {
        reader->skipped += reader->buffer->len;
        reader->buffer->len = 0;
        status = read_more(reader, true);
    }
    return status;
}

// The record that the buffer is full of is too long: keep its head. *block stays NULL if the input
// breaks in it: then it is a cut record and no more.
static enum read_status skip_record(struct reader *reader, bool counted, struct block **block)
{
    struct block *head = copy_out(reader, OVERSIZE_HEAD_BYTES);
    if (head == NULL) {
        return READ_FAILED;
    }
    reader->skipped = reader->buffer->len - reader->start;
    block_destroy(reader->pool, reader->buffer); // it may be large
    reader->buffer = NULL;
    reader->start = reader->whole = 0;
    enum source_status status = prepare_buffer(reader) == 0 ? skip_rest(reader) : SOURCE_FAILED;
    uint64_t skipped = reader->skipped;
    reader->skipped = 0;
    if (status == SOURCE_STOPPED || status == SOURCE_FAILED || status == SOURCE_DAMAGED) {
        block_destroy(reader->pool, head);
        return status == SOURCE_STOPPED  ? READ_STOPPED
               : status == SOURCE_FAILED ? READ_FAILED
                                         : READ_BLOCK;
    }
    const char *end = memchr(reader->buffer->buf, reader->delimiter, reader->whole);
    if (end != NULL) {
        reader->start = (size_t)(end + 1 - reader->buffer->buf);
    }
    head->oversize = skipped + reader->start - (end != NULL);
    place_block(reader, head, skipped + reader->start, counted);
    *block = head;
    return READ_BLOCK;
}

// Does the buffer begin with a record that is too long and not all there?
static bool is_too_long(const struct reader *reader)
{
    return reader->buffer != NULL && reader->buffer->len - reader->start >= reader->max_buffer;
}

enum read_status reader_next(struct reader *reader, size_t max_records, struct block **block)
{
    enum read_status status = READ_BLOCK;
    *block = NULL;
    while (status == READ_BLOCK && *block == NULL) {
        if (!reader->open) {
            if (!next_input(reader)) {
                return READ_END;
            }
        } else if (reader->start < reader->whole) {
            status = hand_out(reader, max_records, block);
        } else if (reader->ended) {
            leave_input(reader);
        } else if (is_too_long(reader)) {
            status = skip_record(reader, max_records > 0, block);
        } else {
            status = fill_buffer(reader);
        }
    }
    return status;
}
