// SPDX-License-Identifier: BSD-2-Clause
// Workers: what one does next, and what comes of it.

#include "base/thread.h"
#include "core/core_state.h"
#include "core/records.h"

#include <errno.h>

// Waking a worker so that it reads costs about as much as this many nanoseconds of work; if the
// input has nothing to give at the moment, so that it would only wait there, it should be far more.
#define WAKE_NS 30000
#define WAKE_TO_WAIT_NS 1000000

// Moving averages take in this part of each new value.
#define AVERAGE_SHARE 8

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

// Having taken a step, is there one for somebody else?
static bool is_worth_waking(const struct core *core)
{
    if (state_has_task(core)) {
        return true;
    }
    return core->config.self_serve && state_can_read(core) &&
           core->cost > (core->more_input ? WAKE_NS : WAKE_TO_WAIT_NS);
}

// `worker` is one that has several tasks at once, or NULL.
static void begin_run(struct core *core, struct result *result, struct core_worker *worker)
{
    core->running++;
    result->worker = worker;
    if (worker != NULL) {
        worker->unanswered++;
        core->quiet += worker->quiet;
    }
    result->prev = NULL;
    result->next = core->runs;
    if (result->next != NULL) {
        result->next->prev = result;
    }
    core->runs = result;
}

// The task is started: the rate says when the next one may be.
static void pay(struct core *core, const struct result *result)
{
    if (core->config.rate.records > 0 && result->task.doom == NULL) {
        bucket_take(&core->bucket, records_in_task(result));
        core->config.notify(core->config.notify_arg);
    }
}

// In order of importance: write, so that memory comes back; run; read.
static enum core_step next_step(struct core *core, struct core_worker *worker, struct work *work)
{
    if (core->config.self_serve && state_has_output(core)) {
        order_take_output(core, work);
        return CORE_WRITE;
    }
    if (state_has_task(core)) {
        enum carve_status status = carve_next(core, &work->task);
        if (status == CARVE_NO_MEMORY) {
            return CORE_NO_MEMORY;
        }
        if (status == CARVE_TASK) {
            begin_run(core, work->task, worker);
            pay(core, work->task);
            return CORE_TASK;
        }
        wake_reader(core); // what was passed over has left the queue
        if (state_is_stalled(core)) {
            wake_to_flush(core); // it waits for keys that others have
        }
    }
    if (core->config.self_serve && state_can_read(core)) {
        core->reading = true;
        return CORE_READ;
    }
    return state_is_drained(core) ? CORE_END : CORE_WAIT;
}

static void park(struct core *core, struct core_worker *worker)
{
    worker->parked = true;
    worker->next = core->parked;
    core->parked = worker;
    if (core->config.idle != NULL) {
        core->config.idle(core->config.idle_arg);
    }
}

// A step was taken.
static void wake_others(struct core *core)
{
    if (is_worth_waking(core)) {
        wake_worker(core);
    }
    wake_reader(core); // the queue has become shorter
}

enum core_step core_take(struct core *core, struct core_worker *worker, struct work *work)
{
    mutex_lock(&core->mutex);
    enum core_step step;
    while ((step = next_step(core, NULL, work)) == CORE_WAIT) {
        park(core, worker);
        while (worker->parked) {
            state_wait(core, &worker->wake);
        }
    }
    wake_others(core);
    state_unlock(core);
    return step;
}

struct result *core_admit_task(struct core *core, struct block *block)
{
    mutex_lock(&core->mutex);
    struct result *result = carve_whole(core, block);
    if (result != NULL) {
        core->reading = false;
        core->more_input = block->more;
        budget_charge(core, block->cap + block_index_bytes(block));
        order_add_block(core, block);
        begin_run(core, result, NULL);
        wake_others(core);
    }
    state_unlock(core);
    return result;
}

enum core_step core_try_take(struct core *core, struct work *work)
{
    mutex_lock(&core->mutex);
    enum core_step step = next_step(core, NULL, work);
    state_unlock(core);
    return step;
}

// --- workers that have several tasks at once

static void leave_parked(struct core *core, struct core_worker *worker)
{
    struct core_worker **link = &core->parked;
    if (!worker->parked) {
        return;
    }
    while (*link != worker) {
        link = &(*link)->next;
    }
    *link = worker->next;
    worker->parked = false;
}

static void set_quiet(struct core *core, struct core_worker *worker, bool quiet)
{
    if (quiet == worker->quiet) {
        return;
    }
    worker->quiet = quiet;
    if (quiet) {
        core->quiet += worker->unanswered;
    } else {
        core->quiet -= worker->unanswered;
    }
}

enum core_step core_poll(struct core *core, struct core_worker *worker, struct work *work)
{
    mutex_lock(&core->mutex);
    leave_parked(core, worker);
    set_quiet(core, worker, false);
    enum core_step step = next_step(core, worker, work);
    if (step == CORE_WAIT) {
        set_quiet(core, worker, true);
        if (worker->unanswered > 0 && state_is_stalled(core)) {
            work->last = core->eof || core->phase != CORE_RUN;
            step = CORE_FLUSH;
            wake_to_flush(core); // all of them side by side
        } else {
            park(core, worker);
        }
    }
    wake_others(core);
    state_unlock(core);
    return step;
}

void core_busy(struct core *core, struct core_worker *worker)
{
    mutex_lock(&core->mutex);
    leave_parked(core, worker);
    set_quiet(core, worker, false);
    wake_for_task(core);
    state_unlock(core);
}

// The worker no longer has the task.
static void forget_worker(struct core *core, struct result *result)
{
    struct core_worker *worker = result->worker;
    if (worker != NULL) {
        result->worker = NULL;
        worker->unanswered--;
        core->quiet -= worker->quiet;
    }
}

// --- what comes of a task

// Tasks whose sizes deviate from their average by less than this part of it do not show what more
// bytes take.
#define DEVIATION 0.1

// A line is fitted to what tasks take by their bytes, the later the more they count: its slope is
// what bytes take, and where it begins what any task takes, as the start of a process. The sums are
// those of T. Finch, Incremental calculation of weighted mean and variance (2009). A part of a task
// that was split is no measure.
static void learn_cost(struct core *core, const struct task *task, int64_t ns)
{
    double time = (double)ns, size = (double)task->len;
    if (task->part) {
        return;
    }
    if (core->size == 0) {
        core->cost = time;
        core->size = size;
    }
    double longer = time - core->cost, larger = size - core->size;
    core->cost += longer / AVERAGE_SHARE;
    core->size += larger / AVERAGE_SHARE;
    core->variance += larger * larger / AVERAGE_SHARE;
    core->variance -= core->variance / AVERAGE_SHARE;
    core->covariance += larger * longer / AVERAGE_SHARE;
    core->covariance -= core->covariance / AVERAGE_SHARE;
    double deviation = core->size * DEVIATION;
    if (!core->config.even_cost && core->covariance > 0 && core->variance > deviation * deviation) {
        core->pace = core->covariance / core->variance;
    }
}

static void leave_runs(struct core *core, struct result *result)
{
    core->running--;
    forget_worker(core, result);
    *(result->prev != NULL ? &result->prev->next : &core->runs) = result->next;
    if (result->next != NULL) {
        result->next->prev = result->prev;
    }
}

void dispatch_end_run(struct core *core, struct result *result, int64_t ns)
{
    leave_runs(core, result);
    if (core->blocked) {
        wake_for_task(core); // keys are about to be free
    }
    if (result->task.doom == NULL) {
        core->ledger.attempts++;
        learn_cost(core, &result->task, ns);
    }
}

// Bytes of memory that the output takes.
static size_t output_bytes(const struct result *result)
{
    size_t own = result->own_cap > result->own_len ? result->own_cap : result->own_len;
    return (result->own != NULL ? own : 0) + result->iov_count * sizeof(struct iovec) +
           result->tags_len;
}

// Charge what the result holds, let go what it does not need, and give it its place.
static void finish_task(struct core *core, struct result *result)
{
    if (!result->refers) {
        budget_release_result(core, result);
    }
    budget_charge_result(core, result, output_bytes(result) + result->failure_bytes);
    order_add(core, result);
}

// Has so much become of the records that the run is to end?
static void count_ends(struct core *core, const struct tally *tally)
{
    const struct halt *halt = &core->config.halt;
    if (core->halted) {
        return;
    }
    core->emitted += tally->emitted;
    core->failed += tally->failed;
    if (halt_is_reached(halt, core->emitted, core->failed)) {
        core->halted = true;
        state_stop(core, halt->now ? CORE_KILL : CORE_SOON);
        core->config.notify(core->config.notify_arg);
    }
}

// All that is ready has no bytes: to wake the writer for it would take longer than to do without.
static bool is_silent(const struct core *core)
{
    if (core->failures_first != NULL) {
        return false;
    }
    const struct result *result = core->ready_first;
    while (result != NULL && result->iov_count == 0 && !result->unterminated) {
        result = result->queue_next;
    }
    return result == NULL;
}

void core_done(struct core *core, struct result *result, int64_t ns)
{
    struct work work = {0};
    mutex_lock(&core->mutex);
    dispatch_end_run(core, result, ns);
    carve_end_keys(core, &result->task);
    split_done(core, result);
    count_ends(core, &result->tally);
    finish_task(core, result);
    if (!core->config.self_serve && state_has_output(core) && is_silent(core)) {
        order_take_output(core, &work);
    }
    wake_reader(core);
    wake_writer(core);
    wake_at_end(core);
    state_unlock(core);
    if (work.results != NULL) {
        core_written(core, work.results, NULL);
    }
}

static struct result *cut(struct core *core, struct result *result, size_t len)
{
    mutex_lock(&core->mutex);
    struct result *front = carve_front(core, result, len);
    if (front != NULL) {
        begin_run(core, front, result->worker);
    }
    state_unlock(core);
    return front;
}

struct result *core_cut(struct core *core, struct result *result, size_t len)
{
    result_clear(result);
    return cut(core, result, len);
}

struct result *core_cut_done(struct core *core, struct result *result, size_t len)
{
    const char *bytes = result_bytes(result);
    struct result *front = cut(core, result, len);
    if (front != NULL) {
        result_pass(result, front);
        result_move(front, bytes);
    }
    return front;
}

bool core_put_behind(struct core *core, struct result *front, struct result *rest)
{
    bool waits = false;
    if (rest->task.repeats) {
        result_clear(rest);
        mutex_lock(&core->mutex);
        waits = split_put_behind(core, front, rest);
        if (waits) {
            leave_runs(core, rest);
        }
        state_unlock(core);
    }
    return waits;
}

void core_give_up(struct core *core, struct result *result)
{
    result_clear(result);
    mutex_lock(&core->mutex);
    leave_runs(core, result);
    if (core->phase != CORE_KILL) {
        state_stop(core, CORE_NOW);
    }
    result->queue_next = core->given_up;
    core->given_up = result;
    wake_at_end(core);
    state_unlock(core);
}

bool core_should_spill(struct core *core, const struct result *result)
{
    const struct task *task = &result->task;
    if (!core->config.ordered || result->own == NULL) {
        return false;
    }
    mutex_lock(&core->mutex);
    bool next = task->block->no == core->handing && task->block->joined == task->off;
    size_t gone = result->refers ? 0 : task->len; // of its block, then
    size_t limit = core->config.limit + gone, held = core->used + result->own_len;
    // Where nothing waits to be run reading should not have to wait.
    size_t wanted = state_has_task(core) ? 0 : block_pool_size(core->config.pool);
    bool over = held + wanted > limit;
    state_unlock(core);
    return over && !next;
}
