// SPDX-License-Identifier: BSD-2-Clause
// The framer: finds where records end. Each delimiter ends one; or a record is a number of lines,
// or a line that matches and those up to the next that does.

#ifndef PPROC_INPUT_FRAMER_H
#define PPROC_INPUT_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct line_matcher;

// Bytes of the input, from byte `offset` on.
struct stretch {
    const char *bytes;
    size_t len;
    uint64_t offset;
};

struct framer {
    // Constant.
    char delimiter;
    size_t lines;                      // that a record has; 0: any number, `starts` tells
    const struct line_matcher *starts; // the lines at which records begin
    size_t max_record;                 // bytes; of a line that is longer so many decide

    // Places in the input.
    uint64_t searched; // all delimiters before it were found
    uint64_t line;     // where the line begins of which no delimiter was found
    bool decided;      // it is known whether a record begins there
    uint64_t record;   // where the record begins that is not whole yet

    size_t whole_lines; // of that record, if their number matters

    // Where the records end that are whole and were not taken yet, unless delimiters tell.
    uint64_t *ends;
    size_t first, count, cap;
};

// Records of an input begin at byte `offset`; forget all of the last one.
void framer_begin(struct framer *framer, uint64_t offset);
void framer_destroy(struct framer *framer);

// Find the ends of records in all that was read, but for bytes before framer_certain() that are
// gone. Returns 0, or -1: no memory.
int framer_search(struct framer *framer, struct stretch read);

// Likewise, once all was searched, and nothing follows: the last record is whole. *lines is the
// number of lines it has, if those are too few; else 0.
int framer_end(struct framer *framer, struct stretch read, size_t *lines);

// The bytes before this one belong to records that are whole, and to the one that is not. Behind
// them is a line of which it is not known yet.
uint64_t framer_certain(const struct framer *framer);

// How many bytes of whole records there are from byte `offset` on, where the first one that was not
// taken begins.
size_t framer_whole(const struct framer *framer, uint64_t offset);

// Bytes of the first one of these, which `whole` are; there is one.
size_t framer_first(const struct framer *framer, struct stretch whole);

// Bytes of those before the first one that is too long, but of at most `max` records (0: any
// number). *count is their number, or 0 if it is not known.
size_t framer_measure(const struct framer *framer, struct stretch whole, size_t max, size_t *count);

// The first `count` of them are taken, for a block which gets an index of them if it needs one.
// Returns 0, or -1: no memory.
int framer_take(struct framer *framer, struct block *block, size_t count, uint64_t offset);

#endif
