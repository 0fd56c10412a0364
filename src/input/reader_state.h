// SPDX-License-Identifier: BSD-2-Clause
// What is inside of the reader; for the reader's own files alone.

#ifndef PPROC_INPUT_READER_STATE_H
#define PPROC_INPUT_READER_STATE_H

#include "input/framer.h"
#include "input/header.h"
#include "input/operands.h"
#include "input/reader.h"
#include "input/source.h"
#include "input/window.h"

#include <stdatomic.h>

struct reader {
    struct block_pool *pool;
    struct source *source;
    char delimiter;
    bool keep_failed;   // as in blocks
    size_t max_certain; // with so many bytes it is certain that a record is too long
    size_t max_indexed; // records of a block, if it has an index
    struct framer framer;
    struct header header;
    struct operands operands; // if the records are given, and not read
    bool given;
    bool numbered;
    uint64_t seq, nr; // numbers of the last record, in the run and in the input, if numbered

    bool open;       // an input is being read
    bool in_header;  // its header was not read yet
    bool ended;      // it gives nothing more
    bool waits;      // more would have had to be waited for
    bool told_short; // that a last record has too few lines
    bool exact;      // blocks go out when they are full
    size_t batch;    // they have so many records; 0: any number
    size_t counted;  // whole records that are not handed out, if `batch` and no index is needed
    const struct reader_demand *demand; // NULL: what has arrived goes out
    uint64_t offset;                    // of the byte at `start`, in the input

    struct window window;
    uint64_t skipped; // bytes of a record that is too long which are no longer in the buffer

    bool shares;                          // large files are read by those who run the records
    _Atomic uint64_t bytes;               // read by one, looked at by all
    atomic_bool damaged;                  // some input was
    _Atomic(const struct input *) broken; // the last one of which it was told
};

// --- reader.c

// The input is damaged. Is it to be told?
bool reader_note_damage(struct reader *reader, const struct input *input);

// Tell of it; `lost` bytes of a record are not processed.
void reader_tell_damage(const struct input *input, const char *problem, uint64_t lost);

// What was read and is not handed out yet.
struct stretch reader_unread(const struct reader *reader);

// --- hand_out.c

// The block stands for the next `len` bytes of the input, and for so many records, or for an
// unknown number of them (0).
void reader_place(struct reader *reader, struct block *block, uint64_t len, size_t records);

// Hand out whole records that were read, or operands: *block is theirs, with at most `max_records`
// (0: any number). READ_BLOCK, READ_FAILED, or READ_END after the last operand.
enum read_status reader_hand_out(struct reader *reader, size_t max_records, struct block **block);
enum read_status reader_hand_out_operands(struct reader *reader, size_t max_records,
                                          struct block **block);

// Hand out `head`, the beginning of a record that is too long and that all else in memory begins
// with; it is destroyed on failure.
enum read_status reader_hand_out_head(struct reader *reader, struct block *head,
                                      struct block **block);

// --- share.c

// Do workers read large files side by side?
bool share_wanted(const struct settings *settings, const struct block_pool *pool);

// The next block, whose bytes are still in the file. NULL: it has to be read as usual.
struct block *share_block(struct reader *reader);

#endif
