// SPDX-License-Identifier: BSD-2-Clause
// Finding the ends of records.

#include "input/framer.h"

#include "core/block.h"
#include "input/line_matcher.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ENDS 256

// Is a record what a delimiter ends? Then no list of their ends is needed.
static bool is_plain(const struct framer *framer)
{
    return framer->lines == 1;
}

// The first line of a record needs no decision, nor does any if their number tells.
void framer_begin(struct framer *framer, uint64_t offset)
{
    framer->searched = framer->line = framer->record = offset;
    framer->decided = true;
    framer->whole_lines = 0;
    framer->first = framer->count = 0;
}

void framer_destroy(struct framer *framer)
{
    free(framer->ends);
}

// --- searching

static int add_end(struct framer *framer, uint64_t end)
{
    if (framer->first == framer->count) {
        framer->first = framer->count = 0;
    }
    if (framer->count == framer->cap) {
        size_t cap = framer->cap > 0 ? 2 * framer->cap : FIRST_ENDS;
        uint64_t *ends = realloc(framer->ends, cap * sizeof(*ends));
        if (ends == NULL) {
            return -1;
        }
        framer->ends = ends;
        framer->cap = cap;
    }
    framer->ends[framer->count++] = end;
    framer->record = end;
    framer->whole_lines = 0;
    return 0;
}

// Of the last line there are `len` bytes, enough to see whether a record begins there.
static int decide(struct framer *framer, const char *line, size_t len)
{
    const struct line_matcher *starts = framer->starts;
    framer->decided = true;
    if (len > framer->max_record) {
        len = framer->max_record;
    }
    return starts->begins_record(starts->arg, line, len) ? add_end(framer, framer->line) : 0;
}

// The last line is whole: another one begins.
static int end_line(struct framer *framer)
{
    framer->line = framer->searched;
    framer->decided = framer->lines > 0;
    if (framer->lines > 0 && ++framer->whole_lines == framer->lines) {
        return add_end(framer, framer->line);
    }
    return 0;
}

static int search_lines(struct framer *framer, struct stretch read)
{
    for (;;) {
        size_t from = (size_t)(framer->searched - read.offset);
        const char *stop = memchr(read.bytes + from, framer->delimiter, read.len - from);
        size_t end = stop != NULL ? (size_t)(stop - read.bytes) : read.len;
        if (!framer->decided) {
            size_t line = (size_t)(framer->line - read.offset);
            if ((stop != NULL || end - line >= framer->max_record) &&
                decide(framer, read.bytes + line, end - line) != 0) {
                return -1;
            }
        }
        framer->searched = read.offset + end + (stop != NULL);
        if (stop == NULL) {
            return 0;
        }
        if (end_line(framer) != 0) {
            return -1;
        }
    }
}

int framer_search(struct framer *framer, struct stretch read)
{
    if (!is_plain(framer)) {
        return search_lines(framer, read);
    }
    size_t from = (size_t)(framer->searched - read.offset);
    const char *last = memrchr(read.bytes + from, framer->delimiter, read.len - from);
    if (last != NULL) {
        framer->record = read.offset + (uint64_t)(last + 1 - read.bytes);
    }
    framer->searched = read.offset + read.len;
    return 0;
}

int framer_end(struct framer *framer, struct stretch read, size_t *lines)
{
    uint64_t end = read.offset + read.len;
    *lines = 0;
    if (is_plain(framer)) {
        framer->record = end;
        return 0;
    }
    if (framer->line < end) { // a last line that lacks its delimiter
        if (!framer->decided) {
            size_t line = (size_t)(framer->line - read.offset);
            if (decide(framer, read.bytes + line, read.len - line) != 0) {
                return -1;
            }
        }
        framer->whole_lines++;
    }
    if (framer->record == end) {
        return 0;
    }
    if (framer->whole_lines < framer->lines) {
        *lines = framer->whole_lines;
    }
    return add_end(framer, end);
}

uint64_t framer_certain(const struct framer *framer)
{
    return framer->decided ? framer->searched : framer->line;
}

// --- taking

size_t framer_whole(const struct framer *framer, uint64_t offset)
{
    // The record that is not whole may have begun before.
    return framer->record > offset ? (size_t)(framer->record - offset) : 0;
}

// Where record number `index` of the whole ones ends, which begins at byte `at` of them.
static size_t record_end(const struct framer *framer, struct stretch whole, size_t at, size_t index)
{
    if (!is_plain(framer)) {
        return (size_t)(framer->ends[framer->first + index] - whole.offset);
    }
    const char *end = memchr(whole.bytes + at, framer->delimiter, whole.len - at);
    return end != NULL ? (size_t)(end + 1 - whole.bytes) : whole.len;
}

size_t framer_first(const struct framer *framer, struct stretch whole)
{
    return record_end(framer, whole, 0, 0);
}

static size_t measure_each(const struct framer *framer, struct stretch whole, size_t max,
                           size_t *count)
{
    size_t done = 0;
    while ((max == 0 || *count < max) && done < whole.len) {
        size_t end = record_end(framer, whole, done, *count);
        size_t len = end - done - (whole.bytes[end - 1] == framer->delimiter);
        if (len > framer->max_record) {
            break;
        }
        done = end;
        ++*count;
    }
    return done;
}

size_t framer_measure(const struct framer *framer, struct stretch whole, size_t max, size_t *count)
{
    *count = 0;
    if (max > 0 || !is_plain(framer)) {
        return measure_each(framer, whole, max, count);
    }
    size_t done = 0;
    while (whole.len - done > framer->max_record) {
        const char *last = memrchr(whole.bytes + done, framer->delimiter, framer->max_record + 1);
        if (last == NULL) {
            return done;
        }
        done = (size_t)(last + 1 - whole.bytes);
    }
    return whole.len;
}

int framer_take(struct framer *framer, struct block *block, size_t count, uint64_t offset)
{
    if (is_plain(framer)) {
        return 0;
    }
    if (block_make_index(block, count) != 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        block->ends[i] = (size_t)(framer->ends[framer->first + i] - offset);
    }
    framer->first += count;
    return 0;
}
