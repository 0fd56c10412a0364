// SPDX-License-Identifier: BSD-2-Clause
// Placeholders: what stands for a part of the record, or of where it comes from, in COMMAND's words
// and in tags.

#ifndef PPROC_COMMAND_PLACEHOLDER_H
#define PPROC_COMMAND_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

// What is a placeholder.
struct placeholder_syntax {
    const char *record; // this alone, it means {} (-I); NULL: those in braces
    bool columns;       // {1} {1.} {1/} {1//} {1/.} too
    bool names;         // {NAME} too
    bool numbers_only;  // none but {#} {%}
};

enum placeholder_value {
    VALUE_RECORD, // {}
    VALUE_COLUMN, // {1}
    VALUE_NAME,   // {NAME}, the column of that name
    VALUE_FILE,   // {file}, the name of the input
    VALUE_NR,     // {nr}, record number in the input
    VALUE_SEQ,    // {#}, record number
    VALUE_SLOT,   // {%}, number of the worker
};

// Which part of the value, read as the name of a file, as in GNU parallel.
enum placeholder_part {
    PART_WHOLE,
    PART_STEM,      // {.}, without the extension
    PART_BASE,      // {/}, behind the last slash
    PART_DIR,       // {//}, as dirname(1)
    PART_BASE_STEM, // {/.}, both
};

struct placeholder {
    enum placeholder_value value;
    enum placeholder_part part;
    size_t column; // from 1; of {NAME} 0 until the header is known
    const char *name;
    size_t name_len;
};

// Bytes of the placeholder that begins at text[0], described in *found; 0: none does.
size_t placeholder_read(const struct placeholder_syntax *syntax, const char *text,
                        struct placeholder *found);

// The first placeholder at or behind *at in the text, where *at is then; its length, or 0.
size_t placeholder_find(const struct placeholder_syntax *syntax, const char *text, size_t *at,
                        struct placeholder *found);

// Does it stand for one record, so that COMMAND has to run for each?
bool placeholder_is_of_record(const struct placeholder *placeholder);

// The part of a value. It refers to the bytes of the value, or to a constant.
struct iovec placeholder_part(enum placeholder_part part, struct iovec value);

#endif
