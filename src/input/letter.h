// SPDX-License-Identifier: BSD-2-Clause
// Reading a dead letter.

#ifndef PPROC_INPUT_LETTER_H
#define PPROC_INPUT_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is wanted of it. All zero at first.
struct letter {
    void *json;          // what the strings belong to
    const char *input;   // the name of the input that the record came from,
    uint64_t nr, offset; // and its place there
    const char *record;  // as it was read, without its delimiter
    size_t record_len;
    bool truncated; // only its beginning is there
};

enum letter_status {
    LETTER_FINE,
    LETTER_NONE,   // the line is no dead letter
    LETTER_FAILED, // no memory
};

// To be called once, before the first thread.
void letter_prepare(void);

// Understand a line, with or without its newline. `problem`, of `size` bytes, says why if it is no
// dead letter.
enum letter_status letter_read(struct letter *letter, const char *line, size_t len, char *problem,
                               size_t size);

// Free what it holds; it is all zero again.
void letter_clear(struct letter *letter);

#endif
