// SPDX-License-Identifier: BSD-2-Clause
// For tests that take the steps of the core one by one: blocks are admitted, tasks are taken.

#ifndef PPROC_TESTS_UNIT_CORE_STEPS_H
#define PPROC_TESTS_UNIT_CORE_STEPS_H

#include "core/core.h"
#include "input/input.h"

#include <stddef.h>

static struct block_pool *pool;
static unsigned notified; // how often main was to look
static const struct input input = {.name = "input"};

static inline void notify(void *arg)
{
    (void)arg;
    notified++;
}

// A block for so many bytes of lines, to be filled.
static inline struct block *new_block(size_t len)
{
    struct block *block = block_create(pool, len);
    block->input = &input;
    block->delimiter = '\n';
    block->len = len;
    return block;
}

static inline void admit_block(struct core *core, struct block *block)
{
    size_t max_records;
    (void)core_try_room(core, &max_records);
    core_admit(core, block);
}

// The task that is to be run next. NULL: there is none.
static inline struct result *take(struct core *core)
{
    struct work work = {0};
    return core_try_take(core, &work) == CORE_TASK ? work.task : NULL;
}

#endif
