// SPDX-License-Identifier: BSD-2-Clause
// The order of results: which can be written, and which are settled.
//
// Live blocks form a ring, results hang on their block. Two fronts move through it: before `joined`
// all results are done, and if output is ordered they were given to the writer; before `settled`
// all were written, and counted. What is done behind a gap waits in a heap, since it may come in
// any order. Since records are counted as blocks are settled, in input order, nobody has to count
// them where they are read.

#include "core/core_state.h"
#include "core/records.h"

#include <stdlib.h>

static struct block **slot(const struct core *core, uint64_t no)
{
    return &core->ring[no % core->config.ring];
}

struct block *order_oldest(const struct core *core)
{
    return core->oldest != core->next ? *slot(core, core->oldest) : NULL;
}

void order_add_block(struct core *core, struct block *block)
{
    block->no = core->next++;
    *slot(core, block->no) = block;
    core->ahead += block->len;
}

static void push_ready(struct core *core, struct result *result)
{
    core->unwritten += result->task.len;
    result->queue_next = NULL;
    if (core->ready_first == NULL) {
        core->ready_first = result;
    } else {
        core->ready_last->queue_next = result;
    }
    core->ready_last = result;
}

void order_take_output(struct core *core, struct work *work)
{
    core->writing = true;
    work->results = core->broken ? NULL : core->ready_first;
    work->failures = core->failures_first;
    core->ready_first = NULL;
    core->failures_first = NULL;
    core->taken_bytes = core->failure_bytes;
    core->failure_bytes = 0;
}

static void push_apart(struct result *result)
{
    result->task.due = (int64_t)result->task.off;
    retry_push(&result->task.block->apart, result);
}

// The first result that is apart follows on those that are joined.
static struct result *join(struct block *block)
{
    struct result *result = retry_pop(&block->apart);
    *(block->first != NULL ? &block->last->next : &block->first) = result;
    block->last = result;
    return result;
}

// Join what has no gap before it.
static void join_all(struct core *core, struct block *block)
{
    const struct result *result;
    while ((result = block->apart.root) != NULL && result->task.off == block->joined) {
        block->joined += result->task.len;
        if (core->config.ordered) {
            push_ready(core, join(block));
        } else {
            join(block);
        }
    }
}

static void hand_over(struct core *core)
{
    for (; core->handing != core->next; core->handing++) {
        struct block *block = *slot(core, core->handing);
        join_all(core, block);
        if (block->joined < block->len) {
            return;
        }
    }
}

void order_add_rest(struct core *core)
{
    if (!core->config.ordered) {
        return; // all of it was handed over
    }
    for (; core->handing != core->next; core->handing++) {
        struct block *block = *slot(core, core->handing);
        while (block->apart.root != NULL) {
            push_ready(core, join(block));
        }
    }
}

void order_add(struct core *core, struct result *result)
{
    push_apart(result);
    if (core->config.ordered) {
        hand_over(core);
    } else {
        push_ready(core, result);
        join_all(core, result->task.block);
    }
}

// The records of the block come next in the account.
static void enter_block(struct core *core, const struct block *block)
{
    if (core->input != block->input) {
        core->input = block->input;
        core->nr = 0;
    }
}

// The records of a result come next in the account.
static void account(struct core *core, struct result *result)
{
    for (struct failure *failure = result->failures; failure != NULL; failure = failure->next) {
        failure->nr += failure->placed ? 0 : core->nr + 1;
    }
    if (result->failures != NULL) {
        if (core->failures_first == NULL) {
            core->failures_first = result->failures;
        } else {
            core->failures_last->next = result->failures;
        }
        core->failures_last = result->failures_last;
        core->failure_bytes += result->failure_bytes;
        result->charged -= result->failure_bytes; // what it was charged for goes along
        result->failures = result->failures_last = NULL;
        result->failure_bytes = 0;
    }
    const struct tally *tally = &result->tally;
    uint64_t emitted = result->written ? tally->emitted : 0;
    core->nr += tally->records;
    core->ledger.read += tally->records;
    core->ledger.emitted += emitted;
    core->ledger.more += result->written ? tally->more : 0;
    core->ledger.dropped += tally->dropped;
    core->ledger.failed += tally->failed;
    core->ledger.unprocessed += tally->records - emitted - tally->dropped - tally->failed;
    if (result->task.doom != NULL) {
        core->ledger.doomed += result->tally.failed;
    }
}

// Records of which no task is done come next in the account.
static void account_unprocessed(struct core *core, uint64_t records)
{
    core->nr += records;
    core->ledger.read += records;
    core->ledger.unprocessed += records;
}

// The first result of the oldest block is written: count it and let it go.
static void settle(struct core *core, struct block *block)
{
    struct result *result = block->first;
    block->first = result->next;
    block->settled += result->task.len;
    core->ahead -= result->task.len;
    enter_block(core, block);
    account(core, result);
    budget_uncharge(core, result->charged);
}

void order_written(struct core *core, struct result *result, struct result **settled)
{
    result->written = true;
    struct block *block;
    while ((block = order_oldest(core)) != NULL) {
        struct result *first;
        while ((first = block->first) != NULL && first->task.off == block->settled &&
               first->written) {
            settle(core, block);
            first->queue_next = *settled;
            *settled = first;
        }
        if (block->settled < block->len) {
            return;
        }
        budget_uncharge(core, block_index_bytes(block));
        block_destroy(core->config.pool, block);
        core->oldest++;
    }
}

// Records of a block in [off, end), of which no task is done: not carved, or still running. Bytes
// that are gone are those of tasks that run and have a copy.
static uint64_t count_gap(const struct core *core, const struct block *block, size_t off,
                          size_t end)
{
    if (block->file != 0) {
        return 0; // nobody has read them
    }
    if (block->buf != NULL || block->ends != NULL) {
        return records_in_block(block, off, end);
    }
    uint64_t records = 0;
    for (const struct result *result = core->runs; result != NULL; result = result->next) {
        const struct task *task = &result->task;
        if (task->block == block && task->off >= off && task->off < end) {
            records += records_in_task(result);
        }
    }
    return records;
}

// Tasks that will not run are apart, and may lie between results that are joined.
static void close_block(struct core *core, struct block *block)
{
    size_t off = block->settled;
    enter_block(core, block);
    while (block->first != NULL) {
        struct result *first = block->first;
        block->first = first->next;
        push_apart(first);
    }
    while (block->apart.root != NULL) {
        struct result *result = join(block);
        account_unprocessed(core, count_gap(core, block, off, result->task.off));
        account(core, result);
        off = result->task.off + result->task.len;
    }
    account_unprocessed(core, count_gap(core, block, off, block->len));
}

// Give tasks that will not run their place among the results.
static void link_unprocessed(struct result *result)
{
    for (; result != NULL; result = result->queue_next) {
        result->tally = (struct tally){.records = records_in_task(result)};
        push_apart(result);
    }
}

void order_close_ledger(struct core *core)
{
    for (struct split *split = core->splits; split != NULL; split = split->next) {
        link_unprocessed(split->waiting);
        split->waiting = NULL;
    }
    link_unprocessed(levels_take_tasks(&core->levels));
    link_unprocessed(keys_take_all(&core->keys));
    link_unprocessed(core->given_up);
    core->given_up = NULL;
    while (core->retries.root != NULL) {
        struct result *result = retry_pop(&core->retries);
        result->queue_next = NULL;
        link_unprocessed(result);
    }
    for (uint64_t no = core->oldest; no != core->next; no++) {
        close_block(core, *slot(core, no));
    }
}
