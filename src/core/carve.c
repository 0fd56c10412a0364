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
#define GROWTH 32

// If a record takes too long and nothing is known of what more of them take, it may be the start of
// a process that does: so many are tried.
#define PROBE 4

// How many bytes take so many nanoseconds, beside what any task takes, as far as that is known.
static double bytes_of(const struct core *core, double ns)
{
    double pace = core->cost / core->size; // with what any task takes, so it is at most that
    if (core->pace > 0 && core->pace < pace) {
        pace = core->pace;
    }
    return ns / (pace + DBL_MIN);
}

// How many bytes take about task_ns.
static double bytes_worth(const struct core *core)
{
    return core->size > 0 ? bytes_of(core, (double)core->config.task_ns) : DBL_MAX;
}

// How many nanoseconds any task takes beside its bytes; at most that.
static double start_ns(const struct core *core)
{
    double start = core->cost - core->pace * core->size;
    return core->config.even_cost || start < 0 ? 0 : start;
}

// How many are a worker's part of what is left, once all was read: none should have the last of it
// to itself. With less than that it would take longer to start.
static double bytes_left(const struct core *core)
{
    double part = (double)core->queued / core->config.workers;
    double least = bytes_of(core, start_ns(core));
    return !core->eof ? DBL_MAX : part > least ? part : least;
}

// How many of them the next task should have.
static size_t bytes_wanted(const struct core *core)
{
    if (core->size == 0) {
        return core->config.task_bytes;
    }
    double last = (double)core->carved > core->size ? (double)core->carved : core->size;
    double most = last * GROWTH, left = bytes_left(core), wanted = bytes_worth(core);
    if (core->pace == 0 && !core->config.even_cost) {
        // On average they are smaller than the last one while they grow.
        double times = (double)core->config.task_ns / core->cost;
        wanted = last * (times < PROBE && core->carved > core->asked ? PROBE : times);
    }
    most = left < most ? left : most;
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

// `len` bytes of these records, or those of the first `count` if they are less.
static size_t at_most(const struct span *span, size_t len, uint64_t count)
{
    size_t most = span_length(span, count);
    return most < len ? most : len;
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
        len = at_most(span, len, records_paid(core));
    }
    if (span->block->keyed != NULL && core->config.keyed_records > 0) {
        len = at_most(span, len, core->config.keyed_records);
    }
    return len;
}

// Where levels change more often than this in a block, records that are quick are run together,
// whatever their levels: what is more urgent waits no longer for them than for any task that runs,
// while it would be held up by far more if each few records were a task of their own. A block of so
// few bytes does not hold up much.
#define CHANGES 32
#define FEW_BYTES ((size_t)16 * 1024)

// Quick is what takes less than this together, or twice what any task takes: so where that is the
// start of a process, it is a third of the time.
#define QUICK_NS 100000

// Let those records wait with the span that follow on it, as far as they are quick.
static void take_along(struct core *core, struct span *span)
{
    struct block *block = span->block;
    const struct span *end = block->spans + block->span_count;
    if (block->span_count <= CHANGES || block->len <= FEW_BYTES || core->config.task_records > 0 ||
        core->size == 0) {
        return;
    }
    double ns = start_ns(core) * 2, quick = bytes_of(core, ns > QUICK_NS ? ns : QUICK_NS);
    size_t most = quick < (double)block->len ? (size_t)quick : block->len;
    for (struct span *next = span + 1; next < end && span->len < most; next++) {
        size_t room = most - span->len, len = next->len;
        if (next->off != span->off + span->len || len == 0) {
            return; // some of these were taken
        }
        if (len > room) {
            len = records_end(block, next->off + room / 2) - next->off;
        }
        span->len += len;
        next->len -= len;
        if (next->len > 0) {
            next->index += records_in_block(block, next->off, next->off + len);
            next->off += len;
            return;
        }
        levels_remove(&core->levels, next);
        block->uncarved--;
    }
}

// --- records with keys
//
// A task ends before a record that its key keeps from starting. If the first one is such, there are
// two ways. It can be passed over, and wait in its key alone while those behind it go on. But what
// is passed over comes out as small tasks, which is dear if a task is to have many records, as a
// batch or those of a fast operation: so then all wait for the end of some task. If it is not to be
// expected soon, since the key waits for another attempt, or there is none, it is passed over all
// the same: so nothing waits for ever.

// Are tasks so small that it is better to have many of them than to wait? As long as what a task
// takes cannot be told from what its bytes do, they only seem to be.
static bool has_small_tasks(const struct core *core, const struct span *span)
{
    size_t workers = core->config.workers;
    if (core->config.task_records > 0) {
        return core->config.task_records <= workers;
    }
    size_t record = records_end(span->block, span->off) - span->off;
    bool known = core->pace > 0 || core->config.even_cost;
    return known && !core->config.whole_blocks && bytes_worth(core) <= (double)(workers * record);
}

// Should the record be waited for, by all?
static bool is_awaited(const struct core *core, const struct keyed *record)
{
    const struct key *key = record->key;
    return key != NULL && keys_is_full(&core->keys, key) && !key->delayed;
}

// Is nothing to be taken of the span until some task ends?
static bool must_wait(const struct core *core, const struct span *span)
{
    const struct keyed *records = span->block->keyed + span->index;
    if (core->running == 0 || has_small_tasks(core, span)) {
        return false;
    }
    if (!core->config.whole_blocks) {
        return is_awaited(core, records) && records->turn == records->key->started;
    }
    uint64_t count = records_in_block(span->block, span->off, span->off + span->len);
    while (count > 0 && !is_awaited(core, records)) {
        records++;
        count--;
    }
    return count > 0;
}

// Tasks that may start come to the levels.
static void push_freed(struct core *core, struct result *freed)
{
    while (freed != NULL) {
        struct result *next = freed->queue_next;
        levels_push_task(&core->levels, freed);
        wake_for_task(core);
        freed = next;
    }
}

// A record of the task starts. What may start thereby is added to *freed.
static void start_record(struct core *core, struct task *task, const struct keyed *record,
                         uint64_t number, struct result **freed)
{
    task->repeats = task->repeats || (record->key != NULL && record->key->task == number);
    struct result *next = keys_start(&core->keys, record, number);
    if (next != NULL) {
        next->queue_next = *freed;
        *freed = next;
    }
}

// All records of the task start.
static void start_passed(struct core *core, struct result *result)
{
    struct task *task = &result->task;
    struct result *freed = NULL;
    uint64_t number = keys_number_task(&core->keys);
    task->passed = false;
    for (uint64_t i = 0; i < task->records; i++) {
        start_record(core, task, &task->block->keyed[task->index + i], number, &freed);
    }
    push_freed(core, freed);
}

// The task is to have as many of its records as start now; or, if the first one may not, as have
// the same key and wait in it.
static void limit_to_keys(struct core *core, struct result *result, struct result **freed)
{
    struct task *task = &result->task;
    const struct keyed *record = &task->block->keyed[task->index];
    const struct key *key = record->key;
    uint64_t number = keys_number_task(&core->keys);
    size_t off = task->off, end = off + task->len;
    task->passed = !keys_may_start(&core->keys, record, number);
    do {
        if (!task->passed) {
            start_record(core, task, record, number, freed);
        }
        off = records_end(task->block, off);
        task->records++;
        record++;
    } while (off < end &&
             (task->passed ? record->key == key : keys_may_start(&core->keys, record, number)));
    task->len = off - task->off;
}

void carve_end_keys(struct core *core, const struct task *task)
{
    for (uint64_t i = 0; i < task->records; i++) {
        push_freed(core, keys_end(&core->keys, &task->block->keyed[task->index + i]));
    }
}

void carve_delay_keys(const struct task *task)
{
    for (uint64_t i = 0; i < task->records; i++) {
        struct key *key = task->block->keyed[task->index + i].key;
        if (key != NULL) {
            key->delayed = true;
        }
    }
}

// --- records that wait

// Take the records of the task off those that wait.
static void take_off(struct core *core, struct span *span, const struct result *result)
{
    const struct task *task = &result->task;
    struct block *block = task->block;
    if (core->config.queue_size > 0 || block->first_seq > 0 || task->records > 0) {
        uint64_t records = task->records > 0
                               ? task->records
                               : records_in_block(block, span->off, span->off + task->len);
        core->waiting -= core->config.queue_size > 0 ? (size_t)records : 0;
        span->index += records;
    }
    core->queued -= task->len;
    span->off += task->len;
    span->len -= task->len;
    if (span->len == 0) {
        levels_pop(&core->levels);
        if (--block->uncarved == 0) {
            budget_release_block(core, block);
        }
    }
}

static struct result *carve_waiting(struct core *core, struct span *span)
{
    take_along(core, span);
    size_t wanted = bytes_wanted(core);
    struct result *freed = NULL;
    struct result *result =
        make_task(core, span->block, span->off, task_length(core, span, wanted));
    if (result == NULL) {
        return NULL;
    }
    hold_block(result);
    result->task.index = span->index;
    result->task.level = span->level;
    result->task.entered = span->entered;
    if (span->block->keyed != NULL) {
        limit_to_keys(core, result, &freed);
    }
    take_off(core, span, result);
    push_freed(core, freed);
    core->asked = wanted;
    core->carved = result->task.len;
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

static struct result *take_task(struct core *core, struct result *result)
{
    levels_pop(&core->levels);
    if (result->task.passed) {
        start_passed(core, result);
    }
    return result;
}

enum carve_status carve_next(struct core *core, struct result **result)
{
    while (!levels_empty(&core->levels)) {
        struct result *task = levels_first_task(&core->levels);
        if (task != NULL) {
            *result = take_task(core, task);
            return CARVE_TASK;
        }
        struct span *span = levels_first(&core->levels);
        if (span->block->keyed != NULL && must_wait(core, span)) {
            core->blocked = true;
            return CARVE_NONE;
        }
        task = carve_waiting(core, span);
        if (task == NULL) {
            return CARVE_NO_MEMORY;
        }
        if (!task->task.passed) {
            *result = task;
            return CARVE_TASK;
        }
        carve_copy(core, task);
        keys_wait(&core->keys, task);
    }
    return CARVE_NONE;
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
    if (task->block->first_seq > 0 || task->records > 0) {
        uint64_t records = records_in_task(front);
        task->index += records;
        if (task->records > 0) {
            front->task.records = records;
            front->task.repeats = task->repeats;
            task->records -= records;
        }
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
