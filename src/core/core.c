// SPDX-License-Identifier: BSD-2-Clause
// The core's decisions: what a worker does next, whether there is room, when all is done.

#include "core/core.h"

#include "base/thread.h"
#include "core/core_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Waking a worker so that it reads costs about as much as this many nanoseconds of work; if the
// input has nothing to give at the moment, so that it would only wait there, it should be far more.
#define WAKE_NS 30000
#define WAKE_TO_WAIT_NS 1000000

// Self-serve: nothing is read while the writer has more than this to write.
#define BACKLOG_BLOCKS 4

// A task that could not be split without memory waits so long.
#define MEMORY_WAIT_NS 100000000

// Moving averages take in this part of each new value.
#define AVERAGE_SHARE 8

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
    core->worker_wanted = config->self_serve; // somebody has to read
    core->ring = calloc(config->ring, sizeof(struct block *));
    if (core->ring == NULL) {
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
    destroy_results(core->urgent_first);
    destroy_results(core->given_up);
    struct block *block;
    while ((block = order_oldest(core)) != NULL) {
        while (block->first != NULL) {
            struct result *next = block->first->next;
            result_destroy(block->first);
            block->first = next;
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

// --- predicates

static bool has_room(const struct core *core)
{
    if (core->used == 0) {
        return true;
    }
    size_t block_size = block_pool_size(core->config.pool);
    return core->used + block_size <= core->config.limit &&
           core->ahead + block_size <= core->config.limit &&
           core->next - core->oldest < core->config.ring &&
           (core->config.queue_size == 0 || core->waiting < core->config.queue_size);
}

// Operations are faster than the output here: what is read now would only grow cold in the cache.
static bool is_output_behind(const struct core *core)
{
    return core->config.self_serve &&
           core->unwritten > BACKLOG_BLOCKS * block_pool_size(core->config.pool);
}

static bool can_read(const struct core *core)
{
    return core->phase == CORE_RUN && !core->eof && !core->reading && has_room(core) &&
           !is_output_behind(core);
}

static bool has_output(const struct core *core)
{
    return !core->writing &&
           (core->failures_first != NULL || (core->ready_first != NULL && !core->broken));
}

static bool has_task(const struct core *core)
{
    return core->phase == CORE_RUN &&
           (core->urgent_first != NULL || levels_first(&core->levels) != NULL);
}

// Nothing will be run any more.
static bool is_drained(const struct core *core)
{
    if (core->running > 0 || core->reading) {
        return false;
    }
    return core->phase != CORE_RUN || (core->eof && !has_task(core) && core->retries.root == NULL);
}

static bool is_finished(const struct core *core)
{
    return is_drained(core) && !core->writing && !has_output(core);
}

// --- waking

static void wake_worker(struct core *core)
{
    struct core_worker *worker = core->parked;
    if (worker != NULL) {
        core->parked = worker->next;
        worker->parked = false;
        cond_signal(&worker->wake);
    } else if (core->workers < core->config.workers && !core->worker_wanted) {
        core->worker_wanted = true;
        core->config.notify(core->config.notify_arg);
    }
}

static void wake_reader(struct core *core)
{
    if (!core->config.self_serve && (core->phase != CORE_RUN || has_room(core))) {
        cond_signal(&core->room);
    }
}

static void wake_writer(struct core *core)
{
    if (!core->config.self_serve && (has_output(core) || is_drained(core))) {
        cond_signal(&core->output);
    }
}

// After every change that can be the last: tell all who wait for the end.
static void wake_at_end(struct core *core)
{
    if (!is_drained(core)) {
        return;
    }
    while (core->parked != NULL) {
        wake_worker(core);
    }
    wake_writer(core);
    if (is_finished(core)) {
        core->config.notify(core->config.notify_arg);
    }
}

// Having taken a step, is there one for somebody else?
static bool is_worth_waking(const struct core *core)
{
    if (has_task(core)) {
        return true;
    }
    return core->config.self_serve && can_read(core) &&
           core->cost > (core->more_input ? WAKE_NS : WAKE_TO_WAIT_NS);
}

static void push_urgent(struct core *core, struct result *result)
{
    result->queue_next = NULL;
    if (core->urgent_first == NULL) {
        core->urgent_first = result;
    } else {
        core->urgent_last->queue_next = result;
    }
    core->urgent_last = result;
}

static struct result *next_task(struct core *core)
{
    struct result *result = core->urgent_first;
    if (result == NULL) {
        return carve_next(core);
    }
    core->urgent_first = result->queue_next;
    return result;
}

// --- workers

int core_worker_init(struct core_worker *worker)
{
    *worker = (struct core_worker){0};
    errno = pthread_cond_init(&worker->wake, NULL);
    return errno == 0 ? 0 : -1;
}

void core_worker_destroy(struct core_worker *worker)
{
    THREAD_MUST(pthread_cond_destroy(&worker->wake));
}

static void take_output(struct core *core, struct work *work)
{
    core->writing = true;
    work->results = core->broken ? NULL : core->ready_first;
    work->failures = core->failures_first;
    core->ready_first = NULL;
    core->failures_first = NULL;
    core->taken_bytes = core->failure_bytes;
    core->failure_bytes = 0;
}

// In order of importance: write, so that memory comes back; run; read.
static enum core_step next_step(struct core *core, struct work *work)
{
    if (core->config.self_serve && has_output(core)) {
        take_output(core, work);
        return CORE_WRITE;
    }
    if (has_task(core)) {
        work->task = next_task(core);
        if (work->task == NULL) {
            return CORE_NO_MEMORY;
        }
        core->running++;
        return CORE_TASK;
    }
    if (core->config.self_serve && can_read(core)) {
        core->reading = true;
        return CORE_READ;
    }
    return is_drained(core) ? CORE_END : CORE_WAIT;
}

static void park(struct core *core, struct core_worker *worker)
{
    worker->parked = true;
    worker->next = core->parked;
    core->parked = worker;
    while (worker->parked) {
        cond_wait(&worker->wake, &core->mutex);
    }
}

enum core_step core_take(struct core *core, struct core_worker *worker, struct work *work)
{
    mutex_lock(&core->mutex);
    enum core_step step;
    while ((step = next_step(core, work)) == CORE_WAIT) {
        park(core, worker);
    }
    if (is_worth_waking(core)) {
        wake_worker(core);
    }
    wake_reader(core); // the queue has become shorter
    mutex_unlock(&core->mutex);
    return step;
}

enum core_step core_try_take(struct core *core, struct work *work)
{
    mutex_lock(&core->mutex);
    enum core_step step = next_step(core, work);
    mutex_unlock(&core->mutex);
    return step;
}

// A part of a task that was split is no measure: a small one costs mostly its start.
static void learn_cost(struct core *core, const struct task *task, int64_t ns)
{
    if (task->part) {
        return;
    }
    int64_t pace = ns * 1024 / (int64_t)task->len;
    core->cost += (ns - core->cost) / AVERAGE_SHARE;
    core->pace += (pace - core->pace) / AVERAGE_SHARE;
}

// A run of the task has ended.
static void end_run(struct core *core, const struct result *result, int64_t ns)
{
    core->running--;
    core->ledger.attempts++;
    learn_cost(core, &result->task, ns);
}

// Charge what the result holds, let go what it does not need, and give it its place.
static void finish_task(struct core *core, struct result *result)
{
    if (!result->refers) {
        budget_release_result(core, result);
    }
    budget_charge_result(core, result,
                         (result->spilled ? 0 : result->own_len) +
                             result->iov_count * sizeof(struct iovec) + result->failure_bytes);
    order_add(core, result);
}

void core_done(struct core *core, struct result *result, int64_t ns)
{
    mutex_lock(&core->mutex);
    end_run(core, result, ns);
    finish_task(core, result);
    wake_reader(core);
    wake_writer(core);
    wake_at_end(core);
    mutex_unlock(&core->mutex);
}

// xorshift64* (Vigna 2016).
static uint64_t next_random(struct core *core)
{
    core->random ^= core->random >> 12;
    core->random ^= core->random << 25;
    core->random ^= core->random >> 27;
    return core->random * UINT64_C(2685821657736338717);
}

static void wait_for_retry(struct core *core, struct result *result, int64_t due)
{
    result->task.due = due;
    retry_push(&core->retries, result);
    core->config.notify(core->config.notify_arg);
}

static bool can_split(const struct result *result, const struct attempt *attempt)
{
    return attempt->may_split && carve_can_split(result);
}

// What is to become of a task that failed.
static enum core_verdict judge(const struct core *core, const struct result *result,
                               const struct attempt *attempt)
{
    if (can_split(result, attempt)) {
        return CORE_SPLIT;
    }
    return attempt->retriable && result->task.attempts < core->config.retries ? CORE_RETRY
                                                                              : CORE_DEAD;
}

static void split(struct core *core, struct result *result, int64_t now)
{
    struct result *half = carve_half(core, result);
    if (half == NULL) {
        wait_for_retry(core, result, now + MEMORY_WAIT_NS); // there may be memory again then
        return;
    }
    core->ledger.splits++;
    result->task.part = half->task.part = true;
    push_urgent(core, result);
    push_urgent(core, half);
    wake_worker(core);
    wake_worker(core);
}

static void retry(struct core *core, struct result *result, int64_t now)
{
    struct task *task = &result->task;
    task->attempts++;
    core->ledger.retried++;
    carve_copy(core, result);
    wait_for_retry(core, result,
                   now + retry_delay(&core->config.backoff, task->attempts, next_random(core)));
}

enum core_verdict core_fail(struct core *core, struct result *result, struct cause *cause,
                            const struct attempt *attempt, int64_t now)
{
    (void)cause;
    result_clear(result);
    enum core_verdict verdict = judge(core, result, attempt);
    if (verdict == CORE_DEAD) {
        return verdict; // it runs until core_done()
    }
    mutex_lock(&core->mutex);
    end_run(core, result, attempt->ns);
    if (verdict == CORE_SPLIT) {
        split(core, result, now);
    } else {
        retry(core, result, now);
    }
    wake_reader(core);
    wake_at_end(core);
    mutex_unlock(&core->mutex);
    return verdict;
}

void core_give_up(struct core *core, struct result *result)
{
    result_clear(result);
    mutex_lock(&core->mutex);
    core->running--;
    core->phase = CORE_NOW;
    result->queue_next = core->given_up;
    core->given_up = result;
    wake_at_end(core);
    mutex_unlock(&core->mutex);
}

bool core_should_spill(struct core *core, const struct result *result)
{
    const struct task *task = &result->task;
    if (!core->config.ordered || result->own_len == 0) {
        return false;
    }
    mutex_lock(&core->mutex);
    bool next = task->block->no == core->handing && task->block->handed == task->off;
    bool over = core->used + result->own_len > core->config.limit;
    mutex_unlock(&core->mutex);
    return over && !next;
}

// --- reading

static size_t records_allowed(const struct core *core)
{
    return core->config.queue_size > 0 ? core->config.queue_size - core->waiting : 0;
}

// Take the role of reading, if it can be had.
static bool take_room(struct core *core, size_t *max_records)
{
    if (!can_read(core)) {
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
    mutex_unlock(&core->mutex);
    return room;
}

bool core_room(struct core *core, size_t *max_records)
{
    mutex_lock(&core->mutex);
    while (!can_read(core) && core->phase == CORE_RUN && !core->eof) {
        cond_wait(&core->room, &core->mutex);
    }
    bool room = take_room(core, max_records);
    mutex_unlock(&core->mutex);
    return room;
}

void core_admit(struct core *core, struct block *block)
{
    mutex_lock(&core->mutex);
    core->reading = false;
    block->refs = 1;
    budget_charge(core, block->cap + block_index_bytes(block));
    order_add_block(core, block);
    core->waiting += block->records;
    core->more_input = block->more;
    block->span = (struct span){.block = block, .len = block->len};
    levels_push(&core->levels, 0, &block->span);
    if (!core->config.self_serve) {
        wake_worker(core);
    }
    wake_at_end(core);
    mutex_unlock(&core->mutex);
}

void core_eof(struct core *core)
{
    mutex_lock(&core->mutex);
    core->reading = false;
    core->eof = true;
    wake_at_end(core);
    mutex_unlock(&core->mutex);
}

// --- writing

bool core_try_output(struct core *core, struct work *work)
{
    mutex_lock(&core->mutex);
    bool output = has_output(core);
    if (output) {
        take_output(core, work);
    }
    mutex_unlock(&core->mutex);
    return output;
}

bool core_output(struct core *core, struct work *work)
{
    mutex_lock(&core->mutex);
    while (!has_output(core) && !is_drained(core)) {
        cond_wait(&core->output, &core->mutex);
    }
    bool output = has_output(core);
    if (output) {
        take_output(core, work);
    }
    mutex_unlock(&core->mutex);
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
        core->phase = CORE_NOW;
    }
    wake_reader(core);
    wake_writer(core);
    wake_at_end(core);
    mutex_unlock(&core->mutex);
    destroy_results(settled);
}

// --- main

int64_t core_tick(struct core *core, int64_t now)
{
    mutex_lock(&core->mutex);
    struct result *root;
    while ((root = core->retries.root) != NULL && root->task.due <= now) {
        push_urgent(core, retry_pop(&core->retries));
        wake_worker(core);
    }
    int64_t due = root != NULL ? root->task.due : INT64_MAX;
    mutex_unlock(&core->mutex);
    return due;
}

void core_stop(struct core *core, enum core_phase phase)
{
    mutex_lock(&core->mutex);
    if (phase > core->phase) {
        core->phase = phase;
    }
    wake_reader(core);
    wake_at_end(core);
    mutex_unlock(&core->mutex);
}

bool core_finished(struct core *core)
{
    mutex_lock(&core->mutex);
    bool finished = is_finished(core);
    mutex_unlock(&core->mutex);
    return finished;
}

bool core_worker_wanted(struct core *core)
{
    mutex_lock(&core->mutex);
    bool wanted = core->worker_wanted;
    core->worker_wanted = false;
    core->workers += wanted;
    mutex_unlock(&core->mutex);
    return wanted;
}

unsigned core_worker_missing(struct core *core)
{
    mutex_lock(&core->mutex);
    unsigned workers = --core->workers;
    core->config.workers = workers;
    mutex_unlock(&core->mutex);
    return workers;
}

struct ledger core_ledger(struct core *core)
{
    mutex_lock(&core->mutex);
    struct ledger ledger = core->ledger;
    mutex_unlock(&core->mutex);
    return ledger;
}

const struct input *core_position(struct core *core, uint64_t *nr)
{
    mutex_lock(&core->mutex);
    const struct input *input = core->input;
    *nr = core->nr;
    mutex_unlock(&core->mutex);
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
    mutex_unlock(&core->mutex);
    return failures;
}
