// SPDX-License-Identifier: BSD-2-Clause
// What waits to be started, by priority: the smallest level first; in one, tasks that were started
// before come first, then records, first come first served.
//
// With aging what waits counts as one level more urgent each `aging` nanoseconds. Among all that
// waits it is the same time that does so: what entered level l at time t comes in the order of
// l * aging + t, which waiting does not change. So nothing has to be moved from level to level, and
// only the heads of levels have to be compared.
//
// Not thread-safe: guarded by the core's lock.

#ifndef PPROC_CORE_LEVELS_H
#define PPROC_CORE_LEVELS_H

#include "core/block.h"
#include "core/result.h"

#include <stdbool.h>
#include <stdint.h>

#define LEVEL_MIN (-100)
#define LEVEL_MAX 100
#define LEVEL_COUNT (LEVEL_MAX - LEVEL_MIN + 1)

// All zero is empty. -LEVEL_MIN times `aging` must not overflow.
struct levels {
    int64_t aging;                          // 0: what waits grows no more urgent
    uint64_t used[(LEVEL_COUNT + 63) / 64]; // a bit for each level in which something waits
    struct level {
        struct result *task_first, *task_last; // linked by queue_next
        struct span *first, *last;
    } level[LEVEL_COUNT];
};

// Records come behind all others of their level, span->level. No later than these they entered the
// queue (span->entered).
void levels_push(struct levels *levels, struct span *span);

// A task that was started before comes ahead of all records of its level, task.level.
void levels_push_task(struct levels *levels, struct result *result);

bool levels_empty(const struct levels *levels);

// What comes next, still in its queue: a task, or else records. NULL: it is none.
struct result *levels_first_task(const struct levels *levels);
struct span *levels_first(const struct levels *levels);

// Take out what comes next; there must be something.
void levels_pop(struct levels *levels);

// Take out records that wait.
void levels_remove(struct levels *levels, struct span *span);

// Take out all tasks, linked by queue_next. NULL: there are none.
struct result *levels_take_tasks(struct levels *levels);

#endif
