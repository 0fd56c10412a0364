// SPDX-License-Identifier: BSD-2-Clause
// Blocks of what the reader has in memory, or was given: how much goes into each, and what they say
// of where their records come from.

#include "core/records.h"
#include "input/input.h"
#include "input/reader_state.h"

static const struct input operands_input = {.name = "--args"};

void reader_place(struct reader *reader, struct block *block, uint64_t len, size_t records)
{
    block->input = reader->given ? &operands_input : source_input(reader->source);
    block->offset = reader->offset - reader->skipped;
    block->delimiter = reader->delimiter;
    block->keep_failed = reader->keep_failed;
    block->more = !reader->waits;
    reader->offset += len;
    if (reader->numbered) {
        if (records == 0) {
            records = records_count(block->buf, block->len, block->delimiter);
        }
        block->first_seq = reader->seq + 1;
        block->first_nr = reader->nr + 1;
        reader->seq += records;
        reader->nr += records;
    }
    block->records = records;
}

static struct stretch whole_records(const struct reader *reader)
{
    return (struct stretch){reader->window.buffer->buf + reader->window.start,
                            reader->window.whole - reader->window.start, reader->offset};
}

// The length of a record without its delimiter.
static size_t record_len(const struct reader *reader, const char *record, size_t len)
{
    return len - (record[len - 1] == reader->delimiter);
}

enum read_status reader_hand_out_head(struct reader *reader, struct block *head,
                                      struct block **block)
{
    struct stretch whole = whole_records(reader);
    size_t end = framer_first(&reader->framer, whole);
    head->oversize = reader->skipped + record_len(reader, whole.bytes, end);
    if (framer_take(&reader->framer, head, 1, reader->offset) != 0) {
        block_destroy(reader->pool, head);
        return READ_FAILED;
    }
    if (head->ends != NULL) {
        head->ends[0] = head->len;
    }
    reader_place(reader, head, end, 1);
    reader->counted -= reader->counted > 0;
    reader->skipped = 0;
    reader->window.start += end;
    *block = head;
    return READ_BLOCK;
}

// How many records the next block may have, 0: any number; asked for are at most `max`, likewise.
static size_t most(const struct reader *reader, size_t max)
{
    bool plain = reader->framer.lines == 1 && !reader->given;
    if (reader->batch > 0) {
        return reader->batch;
    }
    return plain || (max > 0 && max < reader->max_indexed) ? max : reader->max_indexed;
}

enum read_status reader_hand_out(struct reader *reader, size_t max_records, struct block **block)
{
    struct stretch whole = whole_records(reader);
    size_t max = most(reader, max_records), records;
    size_t len = framer_measure(&reader->framer, whole, max, &records);
    if (len == 0) {
        size_t end = framer_first(&reader->framer, whole);
        size_t record = record_len(reader, whole.bytes, end);
        struct block *head = window_copy(
            &reader->window, record < OVERSIZE_HEAD_BYTES ? record : OVERSIZE_HEAD_BYTES);
        return head != NULL ? reader_hand_out_head(reader, head, block) : READ_FAILED;
    }
    struct block *taken = window_take(&reader->window, len);
    if (taken == NULL || framer_take(&reader->framer, taken, records, reader->offset) != 0) {
        block_destroy(reader->pool, taken);
        return READ_FAILED;
    }
    reader->counted -= records < reader->counted ? records : reader->counted;
    reader_place(reader, taken, len, records);
    *block = taken;
    return READ_BLOCK;
}

enum read_status reader_hand_out_operands(struct reader *reader, size_t max_records,
                                          struct block **block)
{
    if (reader->operands.count == 0) {
        return READ_END;
    }
    *block = operands_take(&reader->operands, reader->pool, most(reader, max_records));
    if (*block == NULL) {
        return READ_FAILED;
    }
    uint64_t len = (*block)->oversize > 0 ? (*block)->oversize + 1 : (*block)->len;
    reader_place(reader, *block, len, (*block)->end_count);
    atomic_fetch_add_explicit(&reader->bytes, len, memory_order_relaxed);
    return READ_BLOCK;
}
