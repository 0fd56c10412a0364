// SPDX-License-Identifier: BSD-2-Clause
// The header: the lines that begin every input and are no records.

#ifndef PPROC_INPUT_HEADER_H
#define PPROC_INPUT_HEADER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct input;

struct header {
    char delimiter;            // ends each line
    size_t lines;              // that it has; 0: there is none
    struct buf bytes;          // the lines, each with its delimiter; empty until they were found
    const struct input *input; // in which they were
};

// The bytes that begin an input end in all lines of the header: how many bytes they are. 0: some
// are missing. At the `end` of the input the last line may lack its delimiter.
size_t header_find(const struct header *header, const char *bytes, size_t len, bool end);

// `bytes` are the first lines of `input`, as header_find() found them. The first input's are the
// header. Returns 1, or 0 if these are others, -1 without memory.
int header_accept(struct header *header, const struct input *input, const char *bytes, size_t len);

void header_destroy(struct header *header);

#endif
