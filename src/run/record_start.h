// SPDX-License-Identifier: BSD-2-Clause
// The pattern of --record-start, for the reader.

#ifndef PPROC_RUN_RECORD_START_H
#define PPROC_RUN_RECORD_START_H

#include "input/line_matcher.h"

#include <stdbool.h>

struct matcher;
struct plan;
struct regex;

struct record_start {
    const struct regex *regex; // NULL: there is no such pattern
    struct matcher *matcher;
    bool told; // that it was given up on a line
    struct line_matcher lines;
};

// With the pattern of the plan, which lives longer. `start` must stay where it is. Returns 0, or -1
// with errno set.
int record_start_init(struct record_start *start, const struct plan *plan);

// All zero is fine.
void record_start_destroy(struct record_start *start);

#endif
