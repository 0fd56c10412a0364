// SPDX-License-Identifier: BSD-2-Clause
// The reader: opens one input after another, decodes it and cuts it into blocks of whole records.
// Used by one thread at a time (whoever has the reading role).

#ifndef PPROC_INPUT_READER_H
#define PPROC_INPUT_READER_H

#include "core/block.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_matcher;
struct reader;
struct settings;

enum read_status {
    READ_BLOCK,   // *block is a new block, the caller's
    READ_END,     // all inputs are read
    READ_STOPPED, // stop_fd became readable; records that were not whole yet are gone
    READ_FAILED,  // errno says why: no memory
};

// Inputs and limits come from `settings`, memory of blocks from `pool`; `starts` is needed with
// settings->record_start alone, and has to live longer. A wait for input ends when `stop_fd`
// becomes readable. NULL with errno set on failure. Nothing is opened yet.
struct reader *reader_create(const struct settings *settings, struct block_pool *pool,
                             const struct line_matcher *starts, int stop_fd);
void reader_destroy(struct reader *reader);

// Whether somebody waits for records, so that a block that is not full should go out.
struct reader_demand {
    bool (*waits)(void *arg); // somebody does
    void *arg;
    int fd; // an eventfd, non-blocking: it is made readable when somebody begins to
};

// Go on filling a block while more has to be waited for, until `demand` says that somebody waits
// for it. It has to live longer.
void reader_fill_blocks(struct reader *reader, const struct reader_demand *demand);

// The next block: up to the usual size of the pool, unless one record needs more; what has arrived
// so far, if it holds a whole record and more would have to be waited for. At most `max_records`
// records if that is not 0; they are counted in block->records then. They are numbered if
// `settings` asks for it. With settings->batch_lines each block has just so many records, with
// settings->exact_blocks it is full, but for the last one of an input.
// If `settings` let workers read themselves (self_serve), those of a large regular file are to be
// read by reader_load().
// What is wrong with an input is told on standard error, and the next input goes on.
enum read_status reader_next(struct reader *reader, size_t max_records, struct block **block);

// Read the bytes of a block that are still in their file (block->file). Returns how many are there
// in whole records: less than the block has, if the input breaks there, which is told. From any
// thread.
size_t reader_load(struct reader *reader, struct block *block);

// Was some input missing, unreadable or damaged? Final after READ_END.
bool reader_damaged(const struct reader *reader);

// The header of the inputs, its lines with their delimiters; *len is 0 as long as none was found.
// Who has a block may read it: it is constant from the first one on, and after READ_END.
const char *reader_header(const struct reader *reader, size_t *len);

// Decoded bytes so far, of all inputs. Safe from any thread.
uint64_t reader_bytes(const struct reader *reader);

// Likewise, but as the inputs are stored.
uint64_t reader_fetched(const struct reader *reader);

#endif
