// SPDX-License-Identifier: BSD-2-Clause
// Dead letters that are run again: any lines. What is read does not depend on how reads are cut,
// nor on how many records a block may have. Input: limits, then the lines.

#include "fuzz.h"

#include "base/buf.h"
#include "cli/settings.h"
#include "input/input.h"
#include "input/replay.h"

#include <string.h>

#define BLOCK_BYTES 4096

static void add(struct buf *all, const void *bytes, size_t len)
{
    MUST(buf_append(all, bytes, len) == 0);
}

// Append all that is known of the records of a block; without origins it is of a line that is too
// long.
static void add_block(struct buf *all, const struct block *block)
{
    size_t start = 0;
    MUST((block->origins != NULL) == (block->ends != NULL) && block->len > 0);
    MUST(block->ends == NULL || block->ends[block->end_count - 1] == block->len);
    for (size_t i = 0; i < block->end_count; i++) {
        const struct origin *origin = &block->origins[i];
        size_t end = block->ends[i];
        MUST(end > start && end <= block->len && origin->nr > 0);
        add(all, origin->input->name, strlen(origin->input->name) + 1);
        add(all, &origin->nr, sizeof(origin->nr));
        add(all, &origin->offset, sizeof(origin->offset));
        add(all, block->buf + start, end - start);
        start = end;
    }
    if (block->oversize != 0) {
        add(all, &block->oversize, sizeof(block->oversize));
    }
}

// Returns if some line was no dead letter.
static bool read_all(const struct settings *settings, const struct feed *lines, size_t max_records,
                     uint64_t cut, struct buf *all)
{
    struct block_pool *pool = block_pool_create(BLOCK_BYTES, 2);
    MUST(pool != NULL);
    struct reader *reader = reader_create(settings, pool, NULL, -1);
    MUST(reader != NULL);
    struct replay *replay = replay_create(settings, pool, reader);
    MUST(replay != NULL);
    fuzz_set_stdin(lines->bytes, lines->len, cut != 0);
    fuzz_cut_reads(cut);
    struct block *block;
    enum read_status status;
    while ((status = replay_next(replay, max_records, &block)) == READ_BLOCK) {
        MUST(max_records == 0 || (block->records > 0 && block->records <= max_records));
        add_block(all, block);
        block_destroy(pool, block);
    }
    MUST(status == READ_END);
    bool damaged = replay_damaged(replay);
    replay_destroy(replay);
    reader_destroy(reader);
    block_pool_destroy(pool);
    return damaged;
}

void fuzz_replayed(const unsigned char *data, size_t size)
{
    static char dash[] = "-";
    static char *files[] = {dash};
    struct feed feed = {data, size};
    if (size > FUZZ_PIPE_BYTES) {
        return;
    }
    struct settings settings = {.files = files,
                                .file_count = 1,
                                .replay = true,
                                .delimiter = (char)feed_byte(&feed),
                                .max_record = 1 + (uint64_t)feed_byte(&feed) * 16,
                                .no_decompress = true};
    struct buf whole = {0}, cut = {0};
    bool damaged = read_all(&settings, &feed, 0, 0, &whole);
    MUST(read_all(&settings, &feed, 1 + size % 7, fuzz_hash(data, size) | 1, &cut) == damaged);
    MUST(whole.len == cut.len && (whole.len == 0 || memcmp(whole.bytes, cut.bytes, cut.len) == 0));
    buf_free(&whole);
    buf_free(&cut);
}
