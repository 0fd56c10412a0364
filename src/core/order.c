// SPDX-License-Identifier: BSD-2-Clause
// The order of results: which can be written, and which are settled.
//
// Live blocks form a ring, results hang on their block by offset. Two fronts move through them:
// `handed` (ordered output only): before it, all results were given to the writer; `settled`:
// before it, all were written, and counted. Since records are counted as blocks are settled, in
// input order, nobody has to count them where they are read.

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

// Results come nearly sorted, so the place is searched from the end.
static void link_by_offset(struct block *block, struct result *result)
{
    struct result *before = block->last;
    while (before != NULL && before->task.off > result->task.off) {
        before = before->prev;
    }
    struct result *after = before != NULL ? before->next : block->first;
    result->prev = before;
    result->next = after;
    *(before != NULL ? &before->next : &block->first) = result;
    *(after != NULL ? &after->prev : &block->last) = result;
}

static void hand_over(struct core *core)
{
    for (; core->handing != core->next; core->handing++) {
        struct block *block = *slot(core, core->handing);
        for (;;) {
            struct result *last = block->handed_last;
            struct result *result = last != NULL ? last->next : block->first;
            if (result == NULL || result->task.off != block->handed) {
                break;
            }
            block->handed += result->task.len;
            block->handed_last = result;
            push_ready(core, result);
        }
        if (block->handed < block->len) {
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
        struct result *last = block->handed_last;
        struct result *result = last != NULL ? last->next : block->first;
        for (; result != NULL; result = result->next) {
            push_ready(core, result);
        }
    }
}

void order_add(struct core *core, struct result *result)
{
    link_by_offset(result->task.block, result);
    if (core->config.ordered) {
        hand_over(core);
    } else {
        push_ready(core, result);
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
    *(block->first != NULL ? &block->first->prev : &block->last) = NULL;
    if (block->handed_last == result) {
        block->handed_last = NULL;
    }
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

static void close_block(struct core *core, struct block *block)
{
    size_t off = block->settled;
    enter_block(core, block);
    for (struct result *result = block->first; result != NULL; result = result->next) {
        account_unprocessed(core, count_gap(core, block, off, result->task.off));
        account(core, result);
        off = result->task.off + result->task.len;
    }
    account_unprocessed(core, count_gap(core, block, off, block->len));
}

// Give tasks that will not run their place among the results.
static void link_unprocessed(struct result *result)
{
    while (result != NULL) {
        struct result *next = result->queue_next;
        struct block *block = result->task.block;
        result->tally = (struct tally){.records = records_in_task(result)};
        link_by_offset(block, result);
        result = next;
    }
}

void order_close_ledger(struct core *core)
{
    for (struct split *split = core->splits; split != NULL; split = split->next) {
        link_unprocessed(split->waiting);
        split->waiting = NULL;
    }
    link_unprocessed(levels_take_tasks(&core->levels));
    link_unprocessed(core->given_up);
    core->given_up = NULL;
    while (core->retries.root != NULL) {
        link_unprocessed(retry_pop(&core->retries));
    }
    for (uint64_t no = core->oldest; no != core->next; no++) {
        close_block(core, *slot(core, no));
    }
}
