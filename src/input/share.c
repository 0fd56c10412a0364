// SPDX-License-Identifier: BSD-2-Clause
// Blocks of large files, whose bytes are read by those who run their records.

#include "input/reader_state.h"

#include "cli/settings.h"
#include "input/input.h"
#include "input/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

// Workers read a file side by side if it has at least so many bytes to go, and blocks are not
// smaller than this. A record ends within so many bytes, or is read as usual.
#define SHARE_BYTES ((uint64_t)4 * 1024 * 1024)
#define SHARE_BLOCK ((size_t)64 * 1024)
#define SHARE_TAIL ((size_t)4 * 1024)

bool share_wanted(const struct settings *settings, const struct block_pool *pool)
{
    return settings->self_serve && settings->threads > 1 && settings_delimited(settings) &&
           !settings->numbered && settings->max_record >= block_pool_size(pool) &&
           block_pool_size(pool) >= SHARE_BLOCK;
}

// How many bytes of records without a cut there are in a usual block of the file at `place`; 0: its
// end has to be looked for as usual.
static size_t measure_file(const struct reader *reader, int file, off_t place)
{
    char tail[SHARE_TAIL];
    size_t before = block_pool_size(reader->pool) - sizeof(tail);
    if (pread(file, tail, sizeof(tail), place + (off_t)before) != (ssize_t)sizeof(tail)) {
        return 0;
    }
    const char *last = memrchr(tail, reader->delimiter, sizeof(tail));
    return last != NULL ? before + (size_t)(last + 1 - tail) : 0;
}

struct block *share_block(struct reader *reader)
{
    if (!reader->shares || source_left(reader->source, reader->offset) < SHARE_BYTES) {
        return NULL;
    }
    struct block *block = block_create(reader->pool, 0);
    int file = block != NULL ? source_share(reader->source, reader->offset, &block->place) : -1;
    if (file > 0) {
        block->file = file;
        block->len = measure_file(reader, file, block->place);
    }
    if (file < 0 || block->len == 0 ||
        source_skip(reader->source, reader->offset + block->len) != 0) {
        block_destroy(reader->pool, block);
        return NULL;
    }
    // What was read of the first record is read again.
    size_t again = reader->window.buffer != NULL ? reader_unread(reader).len : 0;
    atomic_fetch_sub_explicit(&reader->bytes, again, memory_order_relaxed);
    window_clear(&reader->window);
    reader_place(reader, block, block->len, 0);
    framer_begin(&reader->framer, reader->offset);
    return block;
}

// The bytes of the block end early, after `got` of them, for this reason (an errno, or 0), and the
// records of it after `whole`.
static void report_shared(struct reader *reader, const struct block *block, size_t got,
                          size_t whole, int error)
{
    if (!reader_note_damage(reader, block->input)) {
        return;
    }
    uint64_t at = block->offset + got;
    struct problem problem = {0};
    if (error == 0) {
        (void)stage_damaged(&problem, "got shorter while it was read: it ends at byte %" PRIu64,
                            at);
    } else {
        (void)stage_damaged(&problem, "cannot be read at byte %" PRIu64 ": %s", at,
                            strerror(error));
    }
    reader_tell_damage(block->input, problem.text, got - whole);
}

size_t reader_load(struct reader *reader, struct block *block)
{
    size_t got = 0;
    ssize_t count = 1;
    while (got < block->len && (count > 0 || (count < 0 && errno == EINTR))) {
        count = pread(block->file, block->buf + got, block->len - got, block->place + (off_t)got);
        got += count > 0 ? (size_t)count : 0;
    }
    int error = count < 0 ? errno : 0;
    (void)close(block->file); // nothing was written
    block->file = 0;
    atomic_fetch_add_explicit(&reader->bytes, got, memory_order_relaxed);
    if (got == block->len) {
        return got;
    }
    const char *last = memrchr(block->buf, block->delimiter, got);
    size_t whole = last != NULL ? (size_t)(last + 1 - block->buf) : 0;
    report_shared(reader, block, got, whole, error);
    return whole;
}
