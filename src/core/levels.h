// SPDX-License-Identifier: BSD-2-Clause
// Waiting records by priority: a queue a level, first come first served, the smallest level first.
// Not thread-safe: guarded by the core's lock.

#ifndef PPROC_CORE_LEVELS_H
#define PPROC_CORE_LEVELS_H

#include "core/block.h"

#include <stdbool.h>
#include <stdint.h>

#define LEVEL_MIN (-100)
#define LEVEL_MAX 100
#define LEVEL_COUNT (LEVEL_MAX - LEVEL_MIN + 1)

struct levels {
    uint64_t used[(LEVEL_COUNT + 63) / 64]; // a bit for each level that has records
    struct level {
        struct span *first, *last;
    } level[LEVEL_COUNT];
};

// Add records behind all others of the level. LEVEL_MIN <= level <= LEVEL_MAX.
void levels_push(struct levels *levels, int level, struct span *span);

// The records to start first, still in their queue. NULL: none wait.
struct span *levels_first(const struct levels *levels);

// Take out what levels_first() returned; there must be something.
void levels_pop(struct levels *levels);

#endif
