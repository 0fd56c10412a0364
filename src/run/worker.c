// SPDX-License-Identifier: BSD-2-Clause
// A worker and its tasks: run by the operations, here or in a process of its own, or by COMMAND.

#include "run/worker.h"

#include "base/clock.h"
#include "cli/settings.h"
#include "command/command.h"
#include "command/coproc.h"
#include "input/reader.h"
#include "output/joblog.h"
#include "output/spill.h"
#include "plan/plan.h"
#include "run/pool.h"
#include "run/proxy.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

static void stamp_failures(struct result *task, int64_t ns)
{
    if (task->failures != NULL) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        result_stamp(task, now, (double)ns / (double)CLOCK_SECOND);
    }
}

// The task has been run: it goes back to the core, by way of the disk if need be.
static void finish_task(struct shared *shared, struct result *task, int64_t ns)
{
    stamp_failures(task, ns);
    if (core_should_spill(shared->core, task) && spill_result(shared->spill, task) != 0) {
        core_give_up(shared->core, task);
        shared_stop_reading(shared);
        return;
    }
    core_done(shared->core, task, ns);
}

// What a task gives cannot be kept, and the run ends: for lack of memory, unless something else has
// been noted.
static void break_off(struct shared *shared, struct result *task)
{
    core_give_up(shared->core, task);
    if (spill_error(shared->spill) != 0 ||
        (shared->joblog != NULL && joblog_error(shared->joblog) != 0) ||
        (shared->forked != NULL && atomic_load(&shared->forked->lost))) {
        core_stop(shared->core, CORE_NOW);
        shared_stop_reading(shared);
    } else {
        shared_end_without_memory(shared);
    }
}

// The bytes of a task may still have to be read. Where they end early, so do the records: the rest
// is a task that has none. Returns the task that has; NULL: there is nothing to be run.
static struct result *load(struct shared *shared, struct result *task)
{
    struct block *block = task->task.block;
    if (block->file == 0) {
        return task;
    }
    size_t len = reader_load(shared->reader, block);
    if (len == task->task.len) {
        return task;
    }
    struct result *front = len > 0 ? core_cut(shared->core, task, len) : NULL;
    if (front == NULL && len > 0) {
        break_off(shared, task);
        return NULL;
    }
    finish_task(shared, task, 0);
    return front;
}

// A plugin asks for another attempt of a record: it becomes a task of its own, and so do those
// before it, which are done. Returns those behind it, or NULL if there are none to be run now.
static struct result *retry_record(struct worker *worker, struct result *task, int64_t ns)
{
    struct core *core = worker->shared->core;
    const struct retriable *retriable =
        worker->proxy != NULL ? proxy_retriable(worker->proxy) : plan_retriable(worker->state);
    struct result *rest = NULL;
    if (retriable->off > 0) {
        struct result *front = core_cut_done(core, task, retriable->off);
        if (front == NULL) {
            break_off(worker->shared, task);
            return NULL;
        }
        finish_task(worker->shared, front, ns);
    }
    if (retriable->len < task->task.len) {
        rest = task;
        task = core_cut(core, rest, retriable->len);
        if (task == NULL) {
            break_off(worker->shared, rest);
            return NULL;
        }
    }
    if (rest != NULL && core_put_behind(core, task, rest)) {
        rest = NULL;
    }
    const struct attempt attempt = {.ns = ns, .retriable = true};
    enum core_verdict verdict = core_fail(core, task, retriable->cause, &attempt, clock_now());
    assert(verdict == CORE_RETRY); // or else the plan would not have asked
    (void)verdict;
    return rest;
}

// The header of the inputs, if the operations have to know it.
static struct iovec needed_header(const struct shared *shared)
{
    size_t len;
    const char *header = reader_header(shared->reader, &len);
    return shared->settings->tag != NULL ? (struct iovec){(char *)header, len} : (struct iovec){0};
}

// Here, or in the worker's process.
static enum proxy_end run_plan(struct worker *worker, struct result *task)
{
    struct shared *shared = worker->shared;
    if (worker->proxy != NULL && task->task.block->oversize == 0) {
        return proxy_run(worker->proxy, task, needed_header(shared));
    }
    int status = plan_run(shared->plan, worker->state, task);
    return status == 0 ? PROXY_DONE : status == PLAN_RETRIABLE ? PROXY_RETRIABLE : PROXY_BROKEN;
}

// The records of the task fail with `cause`.
static void fail_records(struct shared *shared, struct result *task, struct cause *cause,
                         int64_t ns)
{
    if (result_fail_all(task, cause) == 0) {
        finish_task(shared, task, ns);
    } else {
        break_off(shared, task);
    }
}

// The process died of the task.
static void fail_forked(struct worker *worker, struct result *task)
{
    struct shared *shared = worker->shared;
    struct attempt attempt = proxy_attempt(worker->proxy);
    struct cause *cause = proxy_cause(worker->proxy);
    if (core_fail(shared->core, task, cause, &attempt, clock_now()) == CORE_DEAD) {
        fail_records(shared, task, cause, attempt.ns);
    }
}

// Returns what is still to be run of the task, or NULL.
static struct result *end_run(struct worker *worker, struct result *task, enum proxy_end end,
                              int64_t ns)
{
    struct shared *shared = worker->shared;
    switch (end) {
    case PROXY_DONE:
        finish_task(shared, task, ns);
        break;
    case PROXY_RETRIABLE:
        return retry_record(worker, task, ns);
    case PROXY_FAILED:
        fail_forked(worker, task);
        break;
    case PROXY_ENDED:
        core_give_up(shared->core, task);
        break;
    case PROXY_BROKEN:
        break_off(shared, task);
        break;
    }
    return NULL;
}

static void do_operations(struct worker *worker, struct result *task)
{
    int64_t start = clock_now();
    if (task->task.doom != NULL) {
        fail_records(worker->shared, task, task->task.doom, 0);
        return;
    }
    task = load(worker->shared, task);
    while (task != NULL) {
        enum proxy_end end = run_plan(worker, task);
        int64_t now = clock_now();
        task = end_run(worker, task, end, now - start);
        start = now;
    }
}

// The records of the task fail with `cause`.
static void fail_task(struct worker *worker, struct result *task, struct cause *cause, int64_t ns)
{
    if (command_fail(worker->command, task, cause) != 0) {
        break_off(worker->shared, task);
        return;
    }
    finish_task(worker->shared, task, ns);
}

static void do_command(struct worker *worker, struct result *task);

// The first records of the task are to be run apart.
static void do_parts(struct worker *worker, struct result *task)
{
    struct result *front = core_cut(worker->shared->core, task, command_front(worker->command));
    if (front == NULL) {
        break_off(worker->shared, task);
        return;
    }
    bool waits = core_put_behind(worker->shared->core, front, task);
    do_command(worker, front);
    if (!waits) {
        do_command(worker, task);
    }
}

static void do_command(struct worker *worker, struct result *task)
{
    struct shared *shared = worker->shared;
    struct command_state *command = worker->command;
    int64_t start = clock_now();
    if (task->task.doom != NULL) {
        fail_task(worker, task, task->task.doom, 0);
        return;
    }
    size_t len;
    const char *header = reader_header(shared->reader, &len);
    command_set_header(command, header, len);
    switch (command_run(command, task)) {
    case COMMAND_DONE:
        finish_task(shared, task, clock_now() - start);
        break;
    case COMMAND_FAILED: {
        struct attempt attempt = command_attempt(command);
        struct cause *cause = command_cause(command);
        if (core_fail(shared->core, task, cause, &attempt, clock_now()) == CORE_DEAD) {
            fail_task(worker, task, cause, attempt.ns);
        }
        break;
    }
    case COMMAND_PARTS:
        do_parts(worker, task);
        break;
    case COMMAND_ENDED:
        core_give_up(shared->core, task);
        break;
    case COMMAND_BROKEN:
        break_off(shared, task);
        break;
    }
}

void worker_do_task(struct worker *worker, struct result *task)
{
    if (worker->command != NULL) {
        do_command(worker, task);
    } else {
        do_operations(worker, task);
    }
}

// --- a worker whose process lives on

// The process of the worker has answered the first part of the task.
static void do_rest(struct worker *worker, const struct coproc_result *ended)
{
    struct shared *shared = worker->shared;
    struct result *front = core_cut(shared->core, ended->task, ended->cut);
    if (front == NULL) {
        break_off(shared, ended->task);
        return;
    }
    switch (coproc_answer(worker->coproc, front)) {
    case 0:
        finish_task(shared, front, ended->ns);
        break;
    case 1:
        do_command(worker, front);
        break;
    default:
        break_off(shared, front);
    }
    do_command(worker, ended->task);
}

static void conclude(struct worker *worker, const struct coproc_result *ended)
{
    switch (ended->end) {
    case COPROC_DONE:
        finish_task(worker->shared, ended->task, ended->ns);
        break;
    case COPROC_PARTLY:
        core_busy(worker->shared->core, &worker->core);
        do_rest(worker, ended);
        break;
    case COPROC_ALONE:
        core_busy(worker->shared->core, &worker->core);
        do_command(worker, ended->task);
        break;
    case COPROC_BROKEN:
        break_off(worker->shared, ended->task);
        break;
    }
}

static void send_task(struct worker *worker, struct result *task)
{
    if (task->task.doom != NULL) {
        fail_task(worker, task, task->task.doom, 0);
    } else if (coproc_add(worker->coproc, task) != 0) {
        break_off(worker->shared, task);
    }
}

// Ask the core. Returns false if it has nothing until it calls.
static bool ask(struct worker *worker, bool *ends)
{
    struct work work;
    switch (core_poll(worker->shared->core, &worker->core, &work)) {
    case CORE_TASK:
        send_task(worker, work.task);
        return true;
    case CORE_FLUSH:
        coproc_flush(worker->coproc, work.last);
        return true;
    case CORE_NO_MEMORY:
        shared_end_without_memory(worker->shared);
        return true;
    case CORE_END:
        *ends = true;
        return true;
    default:
        return false;
    }
}

void worker_serve(struct worker *worker)
{
    struct coproc *coproc = worker->coproc;
    bool asks = true, ends = false;
    while (!ends) {
        struct coproc_result ended;
        while (coproc_next(coproc, &ended)) {
            asks |= ended.end != COPROC_DONE;
            conclude(worker, &ended);
        }
        if (asks && coproc_has_room(coproc)) {
            asks = ask(worker, &ends);
        } else {
            asks |= coproc_wait(coproc, asks);
        }
    }
    coproc_finish(coproc);
}
