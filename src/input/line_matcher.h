// SPDX-License-Identifier: BSD-2-Clause
// What decides about lines for the reader, which itself knows no patterns.

#ifndef PPROC_INPUT_LINE_MATCHER_H
#define PPROC_INPUT_LINE_MATCHER_H

#include <stdbool.h>
#include <stddef.h>

// Used by one thread at a time, like the reader.
struct line_matcher {
    // Does a record begin at this line of `len` bytes, its delimiter not included?
    bool (*begins_record)(void *arg, const char *line, size_t len);
    void *arg;
};

#endif
