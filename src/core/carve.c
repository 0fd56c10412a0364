// SPDX-License-Identifier: BSD-2-Clause
// Making tasks: out of records that wait, and out of tasks that failed.

#include "core/core_state.h"
#include "core/records.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

// A waiting task takes a copy of its bytes if those are less than this part of its block.
#define COPY_SHARE 4

static struct result *make_task(struct core *core, struct block *block, size_t off, size_t len)
{
    struct result *result = result_create(block, off, len);
    if (result != NULL) {
        budget_charge_result(core, result, sizeof(*result));
    }
    return result;
}

static void hold_block(struct result *result)
{
    result->held = true;
    result->task.block->refs++;
}

// A task is at most so many times as large as the one before, or as they are on average.
#define GROWTH 8

// If a record takes too long and nothing is known of what more of them take, it may be the start of
// a process that does: so many are tried.
#define PROBE 4

// How many bytes take about task_ns, beside what any task takes.
static size_t bytes_wanted(const struct core *core)
{
    if (core->size == 0) {
        return core->config.task_bytes;
    }
    double last = (double)core->carved > core->size ? (double)core->carved : core->size;
    double pace = core->cost / core->size; // with what any task takes, so it is at most that
    if (core->pace > 0 && core->pace < pace) {
        pace = core->pace;
    }
    double most = last * GROWTH, wanted = (double)core->config.task_ns / (pace + DBL_MIN);
    if (core->pace == 0 && core->carved > core->asked) {
        wanted = last * PROBE;
    }
    return (size_t)(wanted < most ? wanted : most);
}

// Bytes of the first `count` of the records that wait in `span`, or of all of them.
static size_t span_length(const struct span *span, uint64_t count)
{
    size_t end = span->off;
    for (; count > 0 && end < span->off + span->len; count--) {
        end = records_end(span->block, end);
    }
    return end - span->off;
}

// With a rate, how many records may be started in the time that a task should take: more at once
// would be a burst.
static uint64_t records_paid(const struct core *core)
{
    const struct rate *rate = &core->config.rate;
    double records = (double)rate->records * (double)core->config.task_ns / (double)rate->period;
    return records > 1 ? (uint64_t)records : 1;
}

// How many bytes of the records that wait in `span` make a task, of which `wanted` are wanted.
static size_t task_length(const struct core *core, const struct span *span, size_t wanted)
{
    if (core->config.task_records > 0) {
        return span_length(span, core->config.task_records);
    }
    if (core->config.whole_blocks) {
        return span->len;
    }
    size_t len = span->len; // if else the rest would be too little for a task of its own
    if (wanted < span->len - span->len / 4) {
        len = records_end(span->block, span->off + wanted) - span->off;
    }
    if (core->config.rate.records > 0) {
        size_t paid = span_length(span, records_paid(core));
        len = paid < len ? paid : len;
    }
    return len;
}

// Where levels change more often than this in a block, records that take less than so many
// nanoseconds together are run together, whatever their levels: what is more urgent waits no longer
// than that, while it would be held up by far more if each few records were a task of their own.
#define CHANGES 64
#define QUICK_NS 100000

// Let those records wait with the span that follow on it, as far as they are quick.
static void take_along(struct core *core, struct span *span)
{
    struct block *block = span->block;
    const struct span *end = block->spans + block->span_count;
    double quick = core->size / (core->cost + DBL_MIN) * QUICK_NS;
    if (block->span_count <= CHANGES || core->config.task_records > 0 || core->size == 0) {
        return;
    }
    for (struct span *next = span + 1; next < end && (double)span->len < quick; next++) {
        if (next->off != span->off + span->len || next->len == 0) {
            return; // some of these were taken
        }
        levels_remove(&core->levels, next);
        span->len += next->len;
        next->len = 0;
        block->uncarved--;
    }
}

static struct result *carve_waiting(struct core *core)
{
    struct span *span = levels_first(&core->levels);
    struct block *block = span->block;
    take_along(core, span);
    size_t wanted = bytes_wanted(core), len = task_length(core, span, wanted);
    struct result *result = make_task(core, block, span->off, len);
    if (result == NULL) {
        return NULL;
    }
    hold_block(result);
    result->task.index = span->index;
    result->task.level = span->level;
    result->task.entered = span->entered;
    if (core->config.queue_size > 0 || block->first_seq > 0) {
        uint64_t records = records_in_block(block, span->off, span->off + len);
        core->waiting -= core->config.queue_size > 0 ? (size_t)records : 0;
        span->index += records;
    }
    core->queued -= len;
    core->asked = wanted;
    core->carved = len;
    span->off += len;
    span->len -= len;
    if (span->len == 0) {
        levels_pop(&core->levels);
        if (--block->uncarved == 0) {
            budget_release_block(core, block);
        }
    }
    return result;
}

struct result *carve_whole(struct core *core, struct block *block)
{
    struct result *result = make_task(core, block, 0, block->len);
    if (result != NULL) {
        hold_block(result);
    }
    return result;
}

struct result *carve_next(struct core *core)
{
    struct result *result = levels_first_task(&core->levels);
    if (result == NULL) {
        return carve_waiting(core);
    }
    levels_pop(&core->levels);
    return result;
}

// Give the task a copy of `len` of its bytes. -1: no memory.
static int copy_bytes(struct core *core, struct result *result, const char *bytes, size_t len)
{
    char *copy = malloc(len);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, bytes, len);
    result->task.copy = copy;
    result->task.copy_off = result->task.off;
    budget_charge_result(core, result, len);
    return 0;
}

struct result *carve_front(struct core *core, struct result *result, size_t len)
{
    struct task *task = &result->task;
    struct result *front = make_task(core, task->block, task->off, len);
    if (front == NULL) {
        return NULL;
    }
    if (task->copy == NULL) {
        hold_block(front);
    } else if (copy_bytes(core, front, result_bytes(result), len) != 0) {
        budget_uncharge(core, front->charged);
        result_destroy(front);
        return NULL;
    }
    front->task.index = task->index;
    front->task.level = task->level;
    front->task.entered = task->entered;
    if (task->block->first_seq > 0) {
        task->index += records_in_task(front);
    }
    front->task.part = task->part = true;
    task->off += len;
    task->len -= len;
    return front;
}

bool carve_is_small(const struct block *block, size_t len)
{
    return len <= block->cap / COPY_SHARE;
}

void carve_copy(struct core *core, struct result *result)
{
    const struct task *task = &result->task;
    if (result->held && carve_is_small(task->block, task->len) &&
        copy_bytes(core, result, result_bytes(result), task->len) == 0) {
        budget_release_result(core, result);
    }
}
