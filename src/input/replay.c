// SPDX-License-Identifier: BSD-2-Clause
// Blocks of lines become blocks of the records that are in them.
//
// A record that is too long, or of which only the beginning is there, is a block of its own, as the
// reader has it. Names of inputs live as long as the run: there are no more than the run had that
// wrote the letters.

#include "input/replay.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "core/records.h"
#include "input/input.h"
#include "input/letter.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    struct reader *reader;
    struct block_pool *pool;
    char delimiter;
    bool keep_failed;    // as in blocks
    bool numbered;       // records are
    uint64_t seq;        // the number of the last one in the run, then
    uint64_t max_record; // bytes
    void *inputs;        // a tree of struct input, by name

    struct block *block;       // lines; NULL: there are none
    size_t done;               // bytes of it
    const struct input *input; // where they come from
    uint64_t line;             // the number of the last one, from 1
    uint64_t bad;              // how many were no dead letters
    bool damaged;              // one was, in any input

    struct letter letter; // read, and not yet in a block
    bool has_letter;
};

struct replay *replay_create(const struct settings *settings, struct block_pool *pool,
                             struct reader *reader)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    if (replay != NULL) {
        letter_prepare();
        replay->reader = reader;
        replay->pool = pool;
        replay->delimiter = settings->delimiter;
        replay->max_record = settings->max_record;
        replay->keep_failed = settings->dead_letter != NULL;
        replay->numbered = settings->numbered;
    }
    return replay;
}

static void destroy_input(void *node)
{
    struct input *input = node;
    free((char *)input->name);
    free(input);
}

void replay_destroy(struct replay *replay)
{
    if (replay != NULL) {
        letter_clear(&replay->letter);
        block_destroy(replay->pool, replay->block);
        tdestroy(replay->inputs, destroy_input);
        free(replay);
    }
}

bool replay_damaged(const struct replay *replay)
{
    return replay->damaged;
}

// --- inputs that the records once came from

static int compare_inputs(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

// NULL: no memory.
static const struct input *input_of(struct replay *replay, const char *name)
{
    const struct input key = {.name = name};
    void *node = tfind(&key, &replay->inputs, compare_inputs);
    if (node != NULL) {
        return *(struct input *const *)node;
    }
    struct input *input = malloc(sizeof(*input));
    char *copy = strdup(name);
    if (input != NULL && copy != NULL) {
        input->name = copy;
        if (tsearch(input, &replay->inputs, compare_inputs) != NULL) {
            return input;
        }
    }
    free(copy);
    free(input);
    return NULL;
}

// --- lines

// The first line of an input that is no dead letter is told, others are counted.
static void tell_bad_line(struct replay *replay, const char *problem)
{
    replay->damaged = true;
    if (replay->bad++ == 0) {
        diag_error("%s: line %" PRIu64 " is no dead letter: %s", replay->input->name, replay->line,
                   problem);
    }
}

static void leave_input(struct replay *replay)
{
    if (replay->bad > 1) {
        diag_error("%s: %" PRIu64 " lines in all are no dead letters", replay->input->name,
                   replay->bad);
    }
    replay->bad = replay->line = 0;
}

// More lines. *block is one of a line that is too long, or stays NULL.
static enum read_status read_lines(struct replay *replay, struct block **block)
{
    struct block *lines = NULL;
    enum read_status status = reader_next(replay->reader, 0, &lines);
    if (status != READ_BLOCK) {
        if (status == READ_END) {
            leave_input(replay);
        }
        return status;
    }
    if (lines->input != replay->input) {
        leave_input(replay);
        replay->input = lines->input;
    }
    lines->delimiter = replay->delimiter;
    if (lines->oversize != 0) {
        replay->line++;
        *block = lines;
    } else {
        replay->block = lines;
        replay->done = 0;
    }
    return READ_BLOCK;
}

// Read the next line; it is replay->letter then, if it is one. Returns 0, or -1: no memory.
static int read_letter(struct replay *replay)
{
    char problem[160];
    const char *line = replay->block->buf + replay->done;
    size_t left = replay->block->len - replay->done;
    const char *end = memchr(line, '\n', left);
    size_t len = end != NULL ? (size_t)(end + 1 - line) : left;
    replay->done += len;
    replay->line++;
    switch (letter_read(&replay->letter, line, len, problem, sizeof(problem))) {
    case LETTER_FINE:
        replay->has_letter = true;
        return 0;
    case LETTER_NONE:
        tell_bad_line(replay, problem);
        return 0;
    case LETTER_FAILED:
        break;
    }
    return -1;
}

// --- blocks of records

// A block for up to `records` records, the first of which has `len` bytes. NULL: no memory.
static struct block *begin_block(const struct replay *replay, size_t len, size_t records)
{
    struct block *block = block_create(replay->pool, len);
    if (block == NULL) {
        return NULL;
    }
    block->ends = malloc(records * sizeof(block->ends[0]));
    block->origins = malloc(records * sizeof(block->origins[0]));
    if (block->ends == NULL || block->origins == NULL) {
        block_destroy(replay->pool, block);
        return NULL;
    }
    block->input = replay->input;
    block->delimiter = replay->delimiter;
    block->keep_failed = replay->keep_failed;
    return block;
}

static void add_bytes(struct block *block, const char *bytes, size_t len)
{
    memcpy(block->buf + block->len, bytes, len);
    block->len += len;
}

// The record of the letter, whose bytes are in the block, has its end there. Returns 0, or -1: no
// memory.
static int end_record(struct replay *replay, struct block *block)
{
    const struct letter *letter = &replay->letter;
    const struct input *input = input_of(replay, letter->input);
    if (input == NULL) {
        return -1;
    }
    block->origins[block->end_count] =
        (struct origin){.input = input, .nr = letter->nr, .offset = letter->offset};
    block->ends[block->end_count++] = block->len;
    letter_clear(&replay->letter);
    replay->has_letter = false;
    return 0;
}

static bool is_too_long(const struct replay *replay)
{
    return replay->letter.truncated || replay->letter.record_len > replay->max_record;
}

// A block of a record that is too long. Returns 0, or -1: no memory.
static int take_head(struct replay *replay, struct block **block)
{
    const struct letter *letter = &replay->letter;
    size_t len =
        letter->record_len < OVERSIZE_HEAD_BYTES ? letter->record_len : OVERSIZE_HEAD_BYTES;
    *block = begin_block(replay, len, 1);
    if (*block == NULL) {
        return -1;
    }
    (*block)->oversize = letter->truncated ? OVERSIZE_UNKNOWN : letter->record_len;
    add_bytes(*block, letter->record, len);
    return end_record(replay, *block);
}

// Add the record to the block, or begin it. Returns 1, or 0 if it does not fit, -1: no memory.
static int take_record(struct replay *replay, struct block **block, size_t max_records)
{
    const struct letter *letter = &replay->letter;
    size_t len = letter->record_len + 1;
    if (*block == NULL) {
        const char *rest = replay->block->buf + replay->done;
        size_t records = 1 + records_count(rest, replay->block->len - replay->done, '\n');
        *block = begin_block(replay, len, records);
        if (*block == NULL) {
            return -1;
        }
    } else if (len > (*block)->cap - (*block)->len || (*block)->end_count == max_records) {
        return 0;
    }
    add_bytes(*block, letter->record, letter->record_len);
    add_bytes(*block, &replay->delimiter, 1);
    return end_record(replay, *block) == 0 ? 1 : -1;
}

// Records of the lines that are there. *block stays NULL if there are none. Returns 0, or -1: no
// memory.
static int gather(struct replay *replay, size_t max_records, struct block **block)
{
    int taken = 1;
    while (taken > 0 && (replay->has_letter || replay->done < replay->block->len)) {
        if (!replay->has_letter) {
            taken = read_letter(replay) == 0 ? 1 : -1;
        } else if (is_too_long(replay)) {
            return *block == NULL ? take_head(replay, block) : 0;
        } else {
            taken = take_record(replay, block, max_records);
        }
    }
    return taken < 0 ? -1 : 0;
}

// Lines of which all was taken are not needed.
static bool drop_lines(struct replay *replay)
{
    if (replay->has_letter || replay->done < replay->block->len) {
        return false;
    }
    block_destroy(replay->pool, replay->block);
    replay->block = NULL;
    return true;
}

enum read_status replay_next(struct replay *replay, size_t max_records, struct block **block)
{
    *block = NULL;
    while (*block == NULL) {
        if (replay->block == NULL) {
            enum read_status status = read_lines(replay, block);
            if (status != READ_BLOCK) {
                return status;
            }
        } else {
            bool more = replay->block->more;
            if (gather(replay, max_records, block) != 0) {
                block_destroy(replay->pool, *block);
                *block = NULL;
                return READ_FAILED;
            }
            more |= !drop_lines(replay);
            if (*block != NULL) {
                (*block)->more = more;
            }
        }
    }
    (*block)->records = (*block)->oversize != 0 ? 1 : (*block)->end_count;
    if (replay->numbered) {
        (*block)->first_seq = replay->seq + 1;
        replay->seq += (*block)->records;
    }
    return READ_BLOCK;
}
