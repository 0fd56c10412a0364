// SPDX-License-Identifier: BSD-2-Clause
// Making tasks: out of records that wait, and out of tasks that failed.

#include "core/core_state.h"
#include "core/records.h"

#include <stdlib.h>
#include <string.h>

// A task of this many bytes shows what records cost, as long as that is unknown.
#define FIRST_TASK_BYTES (16 * 1024)

// A waiting task takes a copy of its bytes if those are less than this part of its block.
#define COPY_SHARE 4

static struct result *make_task(struct core *core, struct block *block, size_t off, size_t len)
{
    struct result *result = result_create(block, off, len);
    if (result != NULL) {
        result->held = true;
        block->refs++;
        budget_charge_result(core, result, sizeof(*result));
    }
    return result;
}

// How many bytes of work take about task_ns.
static size_t bytes_wanted(const struct core *core)
{
    return core->pace > 0 ? (size_t)(core->config.task_ns / core->pace) * 1024 : FIRST_TASK_BYTES;
}

// How many bytes of the records that wait in `span` make a task.
static size_t task_length(const struct core *core, const struct span *span)
{
    size_t end = span->off;
    if (core->config.task_records > 0) {
        for (size_t i = 0; i < core->config.task_records && end < span->off + span->len; i++) {
            end = records_end(span->block, end);
        }
        return end - span->off;
    }
    size_t wanted = bytes_wanted(core);
    if (wanted >= span->len - span->len / 4) {
        return span->len; // the rest is too little for a task of its own
    }
    return records_end(span->block, span->off + wanted) - span->off;
}

struct result *carve_next(struct core *core)
{
    struct span *span = levels_first(&core->levels);
    struct block *block = span->block;
    size_t len = task_length(core, span);
    struct result *result = make_task(core, block, span->off, len);
    if (result == NULL) {
        return NULL;
    }
    if (core->config.queue_size > 0) {
        core->waiting -= (size_t)records_in_block(block, span->off, span->off + len);
    }
    span->off += len;
    span->len -= len;
    if (span->len == 0) {
        levels_pop(&core->levels);
        budget_release_block(core, block);
    }
    return result;
}

bool carve_can_split(const struct result *result)
{
    return records_middle(result) > 0;
}

struct result *carve_half(struct core *core, struct result *result)
{
    struct task *task = &result->task;
    size_t middle = records_middle(result);
    struct result *half = make_task(core, task->block, task->off + middle, task->len - middle);
    if (half != NULL) {
        task->len = middle;
    }
    return half;
}

void carve_copy(struct core *core, struct result *result)
{
    struct task *task = &result->task;
    if (!result->held || task->len > task->block->cap / COPY_SHARE) {
        return;
    }
    char *copy = malloc(task->len);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, result_bytes(result), task->len);
    task->copy = copy;
    budget_charge_result(core, result, task->len);
    budget_release_result(core, result);
}
