// SPDX-License-Identifier: BSD-2-Clause
// The core as the reader, the writer and main see it.

#include "core/core.h"

#include "base/thread.h"
#include "core/core_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// --- create, destroy

static void destroy_results(struct result *result)
{
    while (result != NULL) {
        struct result *next = result->queue_next;
        result_destroy(result);
        result = next;
    }
}

struct core *core_create(const struct core_config *config)
{
    struct core *core = calloc(1, sizeof(*core));
    if (core == NULL) {
        return NULL;
    }
    core->config = *config;
    core->random = config->seed | 1;
    bucket_init(&core->bucket);
    core->levels.aging = config->aging;
    core->worker_wanted = true; // what it needs should be known to be had before anything is read
    core->ring = calloc(config->ring, sizeof(struct block *));
    if (core->ring == NULL || keys_init(&core->keys, config->key_jobs) != 0) {
        goto fail;
    }
    if ((errno = pthread_mutex_init(&core->mutex, NULL)) != 0) {
        goto fail;
    }
    if ((errno = pthread_cond_init(&core->room, NULL)) != 0) {
        goto fail_room;
    }
    if ((errno = pthread_cond_init(&core->output, NULL)) != 0) {
        goto fail_output;
    }
    return core;

fail_output:
    pthread_cond_destroy(&core->room);
fail_room:
    pthread_mutex_destroy(&core->mutex);
fail:
    keys_destroy(&core->keys);
    free(core->ring);
    free(core);
    return NULL;
}

void core_destroy(struct core *core)
{
    if (core == NULL) {
        return;
    }
    while (core->retries.root != NULL) {
        result_destroy(retry_pop(&core->retries));
    }
    while (core->runs != NULL) {
        struct result *next = core->runs->next;
        result_destroy(core->runs);
        core->runs = next;
    }
    destroy_results(levels_take_tasks(&core->levels));
    destroy_results(keys_take_all(&core->keys));
    keys_destroy(&core->keys);
    destroy_results(core->given_up);
    while (core->splits != NULL) {
        destroy_results(core->splits->waiting);
        split_destroy(core, core->splits);
    }
    struct block *block;
    while ((block = order_oldest(core)) != NULL) {
        while (block->first != NULL) {
            struct result *next = block->first->next;
            result_destroy(block->first);
            block->first = next;
        }
        while (block->apart.root != NULL) {
            result_destroy(retry_pop(&block->apart));
        }
        block_destroy(core->config.pool, block);
        core->oldest++;
    }
    failures_destroy(core->failures_first);
    pthread_cond_destroy(&core->output);
    pthread_cond_destroy(&core->room);
    pthread_mutex_destroy(&core->mutex);
    free(core->ring);
    free(core);
}

// --- reading

static size_t records_allowed(const struct core *core)
{
    return core->config.queue_size > 0 ? core->config.queue_size - core->waiting : 0;
}

bool core_idle(struct core *core)
{
    mutex_lock(&core->mutex);
    bool idle = !state_has_waiting(core) && state_has_free_worker(core);
    state_unlock(core);
    return idle;
}

// Take the role of reading, if it can be had.
static bool take_room(struct core *core, size_t *max_records)
{
    if (!state_can_read(core)) {
        return false;
    }
    core->reading = true;
    *max_records = records_allowed(core);
    return true;
}

bool core_try_room(struct core *core, size_t *max_records)
{
    mutex_lock(&core->mutex);
    bool room = take_room(core, max_records);
    state_unlock(core);
    return room;
}

bool core_room(struct core *core, size_t *max_records)
{
    mutex_lock(&core->mutex);
    while (!state_can_read(core) && core->phase == CORE_RUN && !core->eof) {
        state_wait(core, &core->room);
    }
    bool room = take_room(core, max_records);
    state_unlock(core);
    return room;
}

// The records of the block wait from now on.
static void enqueue(struct core *core, struct block *block)
{
    struct span *spans = block->spans;
    block->uncarved = block->span_count;
    if (spans == NULL) {
        block->whole = (struct span){.block = block, .len = block->len};
        spans = &block->whole;
        block->uncarved = 1;
    }
    for (size_t i = 0; i < block->uncarved; i++) {
        levels_push(&core->levels, &spans[i]);
    }
}

void core_admit(struct core *core, struct block *block)
{
    mutex_lock(&core->mutex);
    core->reading = false;
    block->refs = 1;
    budget_charge(core, block->cap + block_index_bytes(block));
    order_add_block(core, block);
    core->queued += block->len;
    if (core->config.queue_size > 0) {
        core->waiting += block->records;
    }
    core->more_input = block->more;
    keys_admit(&core->keys, block);
    enqueue(core, block);
    if (!core->config.self_serve) {
        wake_for_task(core);
    }
    wake_at_end(core);
    state_unlock(core);
}

void core_eof(struct core *core)
{
    mutex_lock(&core->mutex);
    core->reading = false;
    core->eof = true;
    wake_at_end(core);
    state_unlock(core);
}

// --- writing

bool core_try_output(struct core *core, struct work *work)
{
    mutex_lock(&core->mutex);
    bool output = state_has_output(core);
    if (output) {
        order_take_output(core, work);
    }
    state_unlock(core);
    return output;
}

bool core_output(struct core *core, struct work *work)
{
    mutex_lock(&core->mutex);
    while (!state_has_output(core) && !state_is_finished(core)) {
        state_wait(core, &core->output);
    }
    bool output = state_has_output(core);
    if (output) {
        order_take_output(core, work);
    }
    state_unlock(core);
    return output;
}

void core_written(struct core *core, struct result *results, struct result *unwritten)
{
    // Still the caller's alone: freed without the lock.
    for (struct result *result = results; result != unwritten; result = result->queue_next) {
        result_drop_output(result);
        free(result->task.copy);
        result->task.copy = NULL;
    }

    struct result *settled = NULL;
    mutex_lock(&core->mutex);
    core->writing = false;
    budget_uncharge(core, core->taken_bytes);
    core->taken_bytes = 0;
    for (struct result *result = results, *next; result != unwritten; result = next) {
        next = result->queue_next;
        size_t kept = sizeof(*result) + result->failure_bytes;
        budget_release_result(core, result);
        budget_uncharge(core, result->charged - kept);
        result->charged = kept;
        core->unwritten -= result->task.len;
        order_written(core, result, &settled);
    }
    if (unwritten != NULL) {
        core->broken = true;
        state_stop(core, CORE_NOW);
    }
    wake_reader(core);
    wake_writer(core);
    wake_at_end(core);
    state_unlock(core);
    destroy_results(settled);
}

// --- main

// Let the next task be started if the rate allows it. Returns when it will.
static int64_t open_bucket(struct core *core, int64_t now)
{
    bool closed = !core->bucket.open;
    bool awaited = state_has_waiting(core) && state_has_free_worker(core);
    int64_t opens = bucket_tick(&core->bucket, &core->config.rate, now, awaited);
    if (closed && core->bucket.open) {
        wake_for_task(core);
    }
    return opens;
}

int64_t core_tick(struct core *core, int64_t now)
{
    mutex_lock(&core->mutex);
    core->now = now;
    struct result *root;
    while ((root = core->retries.root) != NULL && root->task.due <= now) {
        levels_push_task(&core->levels, retry_pop(&core->retries));
        wake_for_task(core);
    }
    int64_t due = root != NULL ? root->task.due : INT64_MAX;
    int64_t opens = open_bucket(core, now);
    state_unlock(core);
    return opens < due ? opens : due;
}

enum core_phase core_phase(struct core *core)
{
    mutex_lock(&core->mutex);
    enum core_phase phase = core->phase;
    state_unlock(core);
    return phase;
}

void core_stop(struct core *core, enum core_phase phase)
{
    mutex_lock(&core->mutex);
    state_stop(core, phase);
    wake_reader(core);
    wake_at_end(core);
    state_unlock(core);
}

bool core_halted(struct core *core, uint64_t *emitted, uint64_t *failed)
{
    mutex_lock(&core->mutex);
    bool halted = core->halted;
    *emitted = core->emitted;
    *failed = core->failed;
    state_unlock(core);
    return halted;
}

bool core_finished(struct core *core)
{
    mutex_lock(&core->mutex);
    bool finished = state_is_finished(core);
    state_unlock(core);
    return finished;
}

bool core_worker_wanted(struct core *core)
{
    mutex_lock(&core->mutex);
    bool wanted = core->worker_wanted;
    core->worker_wanted = false;
    core->workers += wanted;
    state_unlock(core);
    return wanted;
}

unsigned core_worker_missing(struct core *core)
{
    mutex_lock(&core->mutex);
    unsigned workers = --core->workers;
    core->config.workers = workers;
    state_unlock(core);
    return workers;
}

struct core_activity core_activity(struct core *core)
{
    mutex_lock(&core->mutex);
    bool counted = core->config.queue_size > 0;
    struct core_activity activity = {
        .running = core->running,
        .queued = counted ? core->waiting : core->queued,
        .queued_records = counted,
        .ahead = core->ahead,
        .retried = core->ledger.retried,
        .failed = core->ledger.failed,
        .task_bytes = (uint64_t)core->size,
    };
    state_unlock(core);
    return activity;
}

struct ledger core_ledger(struct core *core)
{
    mutex_lock(&core->mutex);
    struct ledger ledger = core->ledger;
    state_unlock(core);
    return ledger;
}

const struct input *core_position(struct core *core, uint64_t *nr)
{
    mutex_lock(&core->mutex);
    const struct input *input = core->input;
    *nr = core->nr;
    state_unlock(core);
    return input;
}

struct failure *core_close_ledger(struct core *core)
{
    mutex_lock(&core->mutex);
    order_close_ledger(core);
    struct failure *failures = core->failures_first;
    core->failures_first = NULL;
    budget_uncharge(core, core->failure_bytes);
    core->failure_bytes = 0;
    state_unlock(core);
    return failures;
}
