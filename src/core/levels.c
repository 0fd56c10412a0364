// SPDX-License-Identifier: BSD-2-Clause
// Queues of waiting records, with a bitmap to find the first that is not empty.

#include "core/levels.h"

#include <stddef.h>

#define WORD_BITS 64
#define WORDS (sizeof(((struct levels *)0)->used) / sizeof(uint64_t))

void levels_push(struct levels *levels, int level, struct span *span)
{
    size_t index = (size_t)(level - LEVEL_MIN);
    struct level *queue = &levels->level[index];
    span->next = NULL;
    if (queue->first == NULL) {
        queue->first = span;
        levels->used[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
    } else {
        queue->last->next = span;
    }
    queue->last = span;
}

// Index of the smallest level that has records; LEVEL_COUNT: none has.
static size_t first_used(const struct levels *levels)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (levels->used[i] != 0) {
            return i * WORD_BITS + (size_t)__builtin_ctzll(levels->used[i]);
        }
    }
    return LEVEL_COUNT;
}

struct span *levels_first(const struct levels *levels)
{
    size_t index = first_used(levels);
    return index < LEVEL_COUNT ? levels->level[index].first : NULL;
}

void levels_pop(struct levels *levels)
{
    size_t index = first_used(levels);
    struct level *queue = &levels->level[index];
    queue->first = queue->first->next;
    if (queue->first == NULL) {
        levels->used[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
    }
}
