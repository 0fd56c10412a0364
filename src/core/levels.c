// SPDX-License-Identifier: BSD-2-Clause
// Queues of what waits, with a bitmap to find those that are not empty.

#include "core/levels.h"

#include <stddef.h>

#define WORD_BITS 64
#define WORDS (sizeof(((struct levels *)0)->used) / sizeof(uint64_t))

// The queues of a level, in which something is about to wait.
static struct level *use(struct levels *levels, int level)
{
    size_t index = (size_t)(level - LEVEL_MIN);
    levels->used[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
    return &levels->level[index];
}

void levels_push(struct levels *levels, struct span *span)
{
    struct level *level = use(levels, span->level);
    span->next = NULL;
    span->prev = level->first != NULL ? level->last : NULL;
    *(level->first != NULL ? &level->last->next : &level->first) = span;
    level->last = span;
}

void levels_push_task(struct levels *levels, struct result *result)
{
    struct level *level = use(levels, result->task.level);
    result->queue_next = NULL;
    *(level->task_first != NULL ? &level->task_last->queue_next : &level->task_first) = result;
    level->task_last = result;
}

// The smaller, the sooner. What waits in a level entered it one after another.
static int64_t turn(const struct levels *levels, size_t index)
{
    const struct level *level = &levels->level[index];
    int64_t entered =
        level->task_first != NULL ? level->task_first->task.entered : level->first->entered;
    return ((int64_t)index + LEVEL_MIN) * levels->aging + entered;
}

// Index of the level that comes next; LEVEL_COUNT: nothing waits.
static size_t next_level(const struct levels *levels)
{
    size_t next = LEVEL_COUNT;
    for (size_t i = 0; i < WORDS; i++) {
        for (uint64_t used = levels->used[i]; used != 0; used &= used - 1) {
            size_t index = i * WORD_BITS + (size_t)__builtin_ctzll(used);
            if (levels->aging == 0) {
                return index;
            }
            if (next == LEVEL_COUNT || turn(levels, index) < turn(levels, next)) {
                next = index;
            }
        }
    }
    return next;
}

bool levels_empty(const struct levels *levels)
{
    uint64_t used = 0;
    for (size_t i = 0; i < WORDS; i++) {
        used |= levels->used[i];
    }
    return used == 0;
}

struct result *levels_first_task(const struct levels *levels)
{
    size_t index = next_level(levels);
    return index < LEVEL_COUNT ? levels->level[index].task_first : NULL;
}

struct span *levels_first(const struct levels *levels)
{
    size_t index = next_level(levels);
    bool records = index < LEVEL_COUNT && levels->level[index].task_first == NULL;
    return records ? levels->level[index].first : NULL;
}

// Something was taken out of this level.
static void note_empty(struct levels *levels, size_t index)
{
    const struct level *level = &levels->level[index];
    if (level->task_first == NULL && level->first == NULL) {
        levels->used[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
    }
}

void levels_remove(struct levels *levels, struct span *span)
{
    size_t index = (size_t)(span->level - LEVEL_MIN);
    struct level *level = &levels->level[index];
    *(span->prev != NULL ? &span->prev->next : &level->first) = span->next;
    *(span->next != NULL ? &span->next->prev : &level->last) = span->prev;
    note_empty(levels, index);
}

void levels_pop(struct levels *levels)
{
    size_t index = next_level(levels);
    struct level *level = &levels->level[index];
    if (level->task_first != NULL) {
        level->task_first = level->task_first->queue_next;
        note_empty(levels, index);
    } else {
        levels_remove(levels, level->first);
    }
}

struct result *levels_take_tasks(struct levels *levels)
{
    struct result *tasks = NULL;
    for (size_t index = 0; index < LEVEL_COUNT; index++) {
        struct level *level = &levels->level[index];
        if (level->task_first != NULL) {
            level->task_last->queue_next = tasks;
            tasks = level->task_first;
            level->task_first = NULL;
            note_empty(levels, index);
        }
    }
    return tasks;
}
