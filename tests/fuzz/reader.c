// SPDX-License-Identifier: BSD-2-Clause
// The reader: with any delimiter and limits, and however reads are cut, blocks are runs of whole
// records that add up to the input.

#include "fuzz.h"

#include "cli/settings.h"
#include "input/reader.h"

#include <string.h>

#define HEAD_BYTES ((size_t)64 * 1024) // of a record that is too long

static bool ends_record(const struct feed *text, size_t at, char delimiter)
{
    return at == text->len || text->bytes[at - 1] == (unsigned char)delimiter;
}

// A block that begins at `at` of the text. Returns where the next one begins.
static size_t check(const struct block *block, const struct feed *text, size_t at,
                    size_t max_record, size_t max_records)
{
    char delimiter = block->delimiter;
    MUST(block->len > 0 && block->offset == at && block->len <= text->len - at);
    MUST(memcmp(block->buf, text->bytes + at, block->len) == 0);
    if (block->oversize > 0) {
        size_t record = (size_t)block->oversize;
        MUST(record > max_record && record <= text->len - at);
        MUST(block->len == (record < HEAD_BYTES ? record : HEAD_BYTES));
        at += record;
        MUST(memchr(text->bytes + at - record, delimiter, record) == NULL);
        return at == text->len ? at : at + 1;
    }
    MUST(ends_record(text, at + block->len, delimiter));
    size_t records = 0;
    for (size_t off = 0, end; off < block->len; off = end, records++) {
        end = fuzz_record_end(block->buf, block->len, off, delimiter);
        MUST(end - off - (block->buf[end - 1] == delimiter) <= max_record);
    }
    MUST(max_records == 0 || (records == block->records && records <= max_records));
    return at + block->len;
}

void fuzz_reader(const unsigned char *data, size_t size)
{
    static char dash[] = "-";
    static char *files[] = {dash};
    if (size > FUZZ_PIPE_BYTES) {
        return;
    }
    struct feed feed = {data, size};
    unsigned char flags = feed_byte(&feed);
    struct settings settings = {.files = files,
                                .file_count = 1,
                                .delimiter = (char)feed_byte(&feed),
                                .max_record = 1 + (uint64_t)feed_byte(&feed) * 16,
                                .no_decompress = true};
    size_t max_records = flags & 1 ? 1 + feed_byte(&feed) % 8u : 0;
    size_t block_size = flags & 2 ? 16 : 4096;
    struct block_pool *pool = block_pool_create(block_size, 2);
    MUST(pool != NULL);
    struct reader *reader = reader_create(&settings, pool, NULL, -1);
    MUST(reader != NULL);
    fuzz_set_stdin(feed.bytes, feed.len, flags & 4);
    fuzz_cut_reads(flags & 8 ? fuzz_hash(data, size) | 1 : 0);

    size_t at = 0;
    struct block *block;
    enum read_status status;
    while ((status = reader_next(reader, max_records, &block)) == READ_BLOCK) {
        MUST(at < feed.len);
        at = check(block, &feed, at, (size_t)settings.max_record, max_records);
        block_destroy(pool, block);
    }
    MUST(status == READ_END && at == feed.len);
    MUST(!reader_damaged(reader) && reader_bytes(reader) == feed.len);
    reader_destroy(reader);
    block_pool_destroy(pool);
}
