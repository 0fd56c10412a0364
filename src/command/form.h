// SPDX-License-Identifier: BSD-2-Clause
// A text with placeholders: a word of COMMAND, or the template of a tag. Compiled once, filled in
// for each record.

#ifndef PPROC_COMMAND_FORM_H
#define PPROC_COMMAND_FORM_H

#include "command/placeholder.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct buf;
struct columns;
struct columns_state;
struct result;

// Literal bytes, or a placeholder.
struct piece {
    const char *bytes; // of the text, or a constant
    size_t len;
    bool blank;
    struct placeholder placeholder; // if it is blank
};

// Immutable once it is made, and the columns of {NAME} are known.
struct form {
    const char *text; // the caller's
    struct piece *pieces;
    size_t count;
    size_t blanks;      // how many of them are placeholders
    size_t last_column; // the highest that is asked for; 0: none
};

// What placeholders stand for; of several records, the first one.
struct values {
    const struct iovec *records; // without delimiters, as COMMAND gets them
    size_t record_count;         // each: 1; with -n at least 1; batch, coproc: 0
    const char *file;            // name of the input
    uint64_t nr;                 // record number in the input, from 1
    uint64_t seq;                // record number, from 1
    unsigned slot;               // of the worker, from 1
};

// Of the record of a task that begins at byte `off` of its block and is number `index` in the task,
// from 0, if records are numbered.
struct values values_of(const struct result *result, size_t off, uint64_t index,
                        const struct iovec *records, size_t count, unsigned slot);

enum fill_status {
    FILL_DONE,
    FILL_NUL,      // an argument would contain a NUL
    FILL_TOO_LONG, // an argument would have 128 KiB or more
    FILL_GAVE_UP,  // the pattern of --colsep gave up
    FILL_NO_MEMORY,
};

// Appends a value in the way that the place needs.
typedef enum fill_status fill_append(struct buf *buf, struct iovec value);

// `text` stays the caller's and has to live as long. Returns 0, or -1: no memory; it is to be
// destroyed in both cases.
int form_init(struct form *form, const char *text, const struct placeholder_syntax *syntax);
void form_destroy(struct form *form);

// One of its placeholders stands for that column, as is known now.
void form_set_column(struct form *form, struct placeholder *placeholder, size_t column);

// Append `literal`, a constant, and {}. Returns 0, or -1: no memory.
int form_append_record(struct form *form, const char *literal);

// Divide a record into columns up to `last`, for form_fill(). *state is NULL at first. FILL_DONE,
// FILL_GAVE_UP or FILL_NO_MEMORY.
enum fill_status form_divide(const struct columns *columns, size_t last,
                             struct columns_state **state, struct iovec record);

// Append the filled-in text. {} becomes all of the records, divided by blanks. `state` has the
// columns of the record, if the form asks for any.
enum fill_status form_fill(const struct form *form, const struct values *values,
                           const struct columns_state *state, fill_append *append, struct buf *buf);

#endif
