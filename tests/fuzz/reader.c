// SPDX-License-Identifier: BSD-2-Clause
// The reader: with any delimiter, limits and kind of record, and however reads are cut, blocks are
// runs of whole records that add up to the input. Input: flags, the delimiter, limits, the text.

#include "fuzz.h"

#include "cli/settings.h"
#include "input/line_matcher.h"
#include "input/reader.h"

#include <string.h>

enum flags {
    FLAG_COUNTED = 1 << 0,
    FLAG_SMALL = 1 << 1, // blocks
    FLAG_PIPE = 1 << 2,
    FLAG_CUT = 1 << 3, // reads
    FLAG_HEADER = 1 << 4,
    FLAG_LINES = 1 << 5, // three a record; else with
    FLAG_START = 1 << 6, // a record begins at a line that begins so:
};

#define START '>'

static bool begins_record(void *arg, const char *line, size_t len)
{
    (void)arg;
    return len > 0 && line[0] == START;
}

// What is read.
struct text {
    const char *bytes;
    size_t len;
    char delimiter;
    size_t lines; // of a record; 0: those up to the next that begins one
    size_t max_record, max_records;
};

// Does a record end at byte `at`, where a line ends, after so many lines?
static bool ends_record(const struct text *text, size_t at, size_t lines)
{
    if (at == text->len) {
        return true;
    }
    if (text->lines > 0) {
        return lines == text->lines;
    }
    return text->bytes[at] == START && text->delimiter != START; // else the line is empty
}

// Where the record ends that begins at byte `at`.
static size_t record_end(const struct text *text, size_t at)
{
    size_t lines = 0;
    do {
        at = fuzz_record_end(text->bytes, text->len, at, text->delimiter);
    } while (!ends_record(text, at, ++lines));
    return at;
}

static size_t record_len(const struct text *text, size_t at)
{
    size_t end = record_end(text, at);
    return end - at - (text->bytes[end - 1] == text->delimiter);
}

static void check_head(const struct block *block, const struct text *text, size_t at)
{
    size_t len = record_len(text, at);
    MUST(len > text->max_record && block->oversize == len);
    MUST(block->len == (len < OVERSIZE_HEAD_BYTES ? len : OVERSIZE_HEAD_BYTES));
}

static void check_records(const struct block *block, const struct text *text, size_t at)
{
    size_t records = 0;
    for (size_t off = 0; off < block->len; records++) {
        MUST(record_len(text, at + off) <= text->max_record);
        off = record_end(text, at + off) - at;
        MUST(off <= block->len && (block->ends == NULL || block->ends[records] == off));
    }
    MUST(block->ends == NULL ? text->lines == 1 : block->end_count == records);
    MUST(text->max_records == 0 || (records == block->records && records <= text->max_records));
}

// A block that begins at byte `at` of the text. Returns where the next one begins.
static size_t check(const struct block *block, const struct text *text, size_t at)
{
    MUST(block->len > 0 && block->offset == at && block->len <= text->len - at);
    MUST(memcmp(block->buf, text->bytes + at, block->len) == 0);
    if (block->oversize > 0) {
        check_head(block, text, at);
        return record_end(text, at);
    }
    check_records(block, text, at);
    return at + block->len;
}

static void read_all(struct reader *reader, struct block_pool *pool, const struct text *text,
                     size_t at)
{
    struct block *block;
    enum read_status status;
    while ((status = reader_next(reader, text->max_records, &block)) == READ_BLOCK) {
        MUST(at < text->len);
        at = check(block, text, at);
        block_destroy(pool, block);
    }
    MUST(status == READ_END && at == text->len);
    MUST(!reader_damaged(reader) && reader_bytes(reader) == text->len);
}

void fuzz_reader(const unsigned char *data, size_t size)
{
    static char dash[] = "-";
    static char *files[] = {dash};
    static const struct line_matcher starts = {.begins_record = begins_record};
    if (size > FUZZ_PIPE_BYTES) {
        return;
    }
    struct feed feed = {data, size};
    unsigned char flags = feed_byte(&feed);
    struct text text = {
        .delimiter = (char)feed_byte(&feed),
        .lines = flags & FLAG_LINES   ? 3
                 : flags & FLAG_START ? 0
                                      : 1,
        .max_record = 1 + (size_t)feed_byte(&feed) * 16,
        .max_records = flags & FLAG_COUNTED ? 1 + feed_byte(&feed) % 8u : 0,
    };
    text.bytes = (const char *)feed.bytes;
    text.len = feed.len;
    struct settings settings = {.files = files,
                                .file_count = 1,
                                .delimiter = text.delimiter,
                                .max_record = text.max_record,
                                .record_lines = text.lines,
                                .record_start = text.lines == 0 ? "^>" : NULL,
                                .header_lines = flags & FLAG_HEADER ? 1 : 0,
                                .no_decompress = true};
    struct block_pool *pool = block_pool_create(flags & FLAG_SMALL ? 16 : 4096, 2);
    MUST(pool != NULL);
    struct reader *reader = reader_create(&settings, pool, &starts, -1);
    MUST(reader != NULL);
    fuzz_set_stdin(feed.bytes, feed.len, flags & FLAG_PIPE);
    fuzz_cut_reads(flags & FLAG_CUT ? fuzz_hash(data, size) | 1 : 0);
    size_t header = settings.header_lines > 0 && text.len > 0
                        ? fuzz_record_end(text.bytes, text.len, 0, text.delimiter)
                        : 0;
    read_all(reader, pool, &text, header);
    reader_destroy(reader);
    block_pool_destroy(pool);
}
