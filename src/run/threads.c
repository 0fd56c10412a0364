// SPDX-License-Identifier: BSD-2-Clause
// Worker, reader and writer threads. None of them ends the process: they tell the core and main.

#include "run/threads.h"

#include "base/clock.h"
#include "base/thread.h"
#include "cli/settings.h"
#include "command/command.h"
#include "command/coproc.h"
#include "core/core.h"
#include "input/reader.h"
#include "input/replay.h"
#include "output/deadletter.h"
#include "output/failures.h"
#include "output/joblog.h"
#include "output/spill.h"
#include "output/writer.h"
#include "plan/classify.h"
#include "plan/plan.h"
#include "run/pool.h"
#include "run/proxy.h"
#include "run/record_key.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct worker {
    pthread_t thread;
    struct shared *shared;
    struct core_worker core;
    struct plan_state *state;      // if it runs the operations alone
    struct command_state *command; // with COMMAND
    struct coproc *coproc;         // that lives on; else NULL
    struct proxy *proxy;           // with a process that runs the operations
};

void shared_stop_reading(struct shared *shared)
{
    ssize_t done = write(shared->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)done; // a full counter is readable too
}

int shared_write_header(struct shared *shared)
{
    size_t len;
    const char *header = shared->command != NULL ? command_output_header(shared->command, &len)
                                                 : reader_header(shared->reader, &len);
    if (!shared->settings->header_out || shared->header_written || len == 0) {
        return 0;
    }
    shared->header_written = true;
    return writer_write_bytes(shared->writer, header, len);
}

// Without memory the run ends, and says so.
static void end_without_memory(struct shared *shared)
{
    atomic_store(&shared->out_of_memory, true);
    core_stop(shared->core, CORE_NOW);
    shared_stop_reading(shared);
}

// --- what a thread does

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
        end_without_memory(shared);
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

// A process takes only the first records of the task.
static void do_parts(struct worker *worker, struct result *task)
{
    struct result *front = core_cut(worker->shared->core, task, command_cut(worker->command));
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
    case COMMAND_CUT:
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

static void do_task(struct worker *worker, struct result *task)
{
    if (worker->command != NULL) {
        do_command(worker, task);
    } else {
        do_operations(worker, task);
    }
}

// With the first block the header is known. False: it lacks a column, and the run ends.
static bool name_columns(struct shared *shared)
{
    size_t len;
    const char *header = reader_header(shared->reader, &len);
    if (shared->named || len == 0) {
        return true;
    }
    shared->named = true;
    if (plan_name_columns(shared->plan, header, len) == 0 &&
        (shared->command == NULL || command_name_columns(shared->command, header, len) == 0)) {
        return true;
    }
    atomic_store(&shared->misused, true);
    core_stop(shared->core, CORE_NOW);
    shared_stop_reading(shared);
    return false;
}

// What was read is a task of the reader's own, or waits in the queue. Returns 0, or -1: no memory.
static int admit(struct shared *shared, struct worker *worker, struct block *block)
{
    if ((shared->key != NULL && record_key_note(shared->key, block) != 0) ||
        (shared->classifier != NULL &&
         classifier_run(shared->classifier, block, clock_now()) != 0)) {
        block_destroy(shared->pool, block);
        return -1;
    }
    if (block->file == 0) {
        block_fit(shared->pool, block);
        core_admit(shared->core, block);
        return 0;
    }
    assert(worker != NULL); // the reader's thread gets no such block
    struct result *task = core_admit_task(shared->core, block);
    if (task == NULL) {
        block_destroy(shared->pool, block);
        return -1;
    }
    do_task(worker, task);
    return 0;
}

// `worker` is NULL in the reader's thread.
static void do_read(struct shared *shared, struct worker *worker, size_t max_records)
{
    struct block *block = NULL;
    switch (shared->replay != NULL ? replay_next(shared->replay, max_records, &block)
                                   : reader_next(shared->reader, max_records, &block)) {
    case READ_BLOCK:
        if (!name_columns(shared)) {
            block_destroy(shared->pool, block);
            break;
        }
        if (admit(shared, worker, block) == 0) {
            return;
        }
        end_without_memory(shared);
        break;
    case READ_END:
        atomic_store(&shared->read_all, true);
        break;
    case READ_STOPPED:
        break;
    case READ_FAILED:
        end_without_memory(shared);
        break;
    }
    core_eof(shared->core);
}

static void do_write(struct shared *shared, struct work *work)
{
    // First: they may tell of what was written long ago, and the output may be stuck.
    failures_tell(work->failures, shared->letters, &shared->failures_shown);
    bool broken = shared->letters != NULL && deadletter_error(shared->letters) != 0;
    if (broken) {
        core_stop(shared->core, CORE_NOW);
    }
    struct result *unwritten = shared_write_header(shared) == 0
                                   ? writer_write(shared->writer, work->results)
                                   : work->results;
    if (broken || unwritten != NULL) {
        shared_stop_reading(shared);
    }
    core_written(shared->core, work->results, unwritten);
}

// --- threads

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
        end_without_memory(worker->shared);
        return true;
    case CORE_END:
        *ends = true;
        return true;
    default:
        return false;
    }
}

static void coproc_main(struct worker *worker)
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

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct shared *shared = worker->shared;
    if (worker->coproc != NULL) {
        coproc_main(worker);
        return NULL;
    }
    for (;;) {
        struct work work;
        switch (core_take(shared->core, &worker->core, &work)) {
        case CORE_TASK:
            do_task(worker, work.task);
            break;
        case CORE_READ:
            do_read(shared, worker, 0);
            break;
        case CORE_WRITE:
            do_write(shared, &work);
            break;
        case CORE_NO_MEMORY:
            end_without_memory(shared);
            break;
        case CORE_WAIT:
        case CORE_FLUSH:
        case CORE_END:
            return NULL;
        }
    }
}

static void *reader_main(void *arg)
{
    struct shared *shared = arg;
    size_t max_records;
    while (core_room(shared->core, &max_records)) {
        do_read(shared, NULL, max_records);
    }
    return NULL;
}

static void *writer_main(void *arg)
{
    struct shared *shared = arg;
    struct work work;
    while (core_output(shared->core, &work)) {
        do_write(shared, &work);
    }
    return NULL;
}

// --- starting and ending them

int threads_init(struct threads *threads, struct shared *shared)
{
    *threads = (struct threads){.shared = shared};
    threads->workers = calloc(shared->settings->threads, sizeof(*threads->workers));
    return threads->workers != NULL ? 0 : -1;
}

int threads_start_roles(struct threads *threads)
{
    if (thread_start(&threads->reader, reader_main, threads->shared) != 0) {
        return -1;
    }
    threads->reader_runs = true;
    if (thread_start(&threads->writer, writer_main, threads->shared) != 0) {
        return -1;
    }
    threads->writer_runs = true;
    return 0;
}

static void worker_destroy(struct worker *worker)
{
    if (worker != NULL) {
        coproc_destroy(worker->coproc);
        plan_state_destroy(worker->state);
        command_state_destroy(worker->command);
        proxy_destroy(worker->proxy);
        core_worker_destroy(&worker->core);
        free(worker);
    }
}

// Returns 0, or -1 with errno set.
static int worker_equip(struct worker *worker, unsigned slot)
{
    struct shared *shared = worker->shared;
    if (shared->command != NULL) {
        worker->command = command_state_create(shared->command, shared->plan, slot);
        if (worker->command == NULL || shared->settings->mode != MODE_COPROC) {
            return worker->command != NULL ? 0 : -1;
        }
        worker->coproc = coproc_create(worker->command);
        worker->core.notify = coproc_call;
        worker->core.notify_arg = worker->coproc;
        return worker->coproc != NULL ? 0 : -1;
    }
    if (shared->forked != NULL) {
        worker->proxy = proxy_create(shared->forked, slot);
        return worker->proxy != NULL ? 0 : -1;
    }
    worker->state = plan_state_create(shared->plan, slot);
    return worker->state != NULL ? 0 : -1;
}

static struct worker *worker_create(struct shared *shared, unsigned slot)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return NULL;
    }
    if (core_worker_init(&worker->core) != 0) {
        free(worker);
        return NULL;
    }
    worker->shared = shared;
    if (worker_equip(worker, slot) != 0) {
        int error = errno;
        worker_destroy(worker);
        errno = error;
        return NULL;
    }
    return worker;
}

int threads_start_worker(struct threads *threads)
{
    struct worker *worker = worker_create(threads->shared, threads->worker_count + 1);
    if (worker == NULL) {
        return -1;
    }
    if (thread_start(&worker->thread, worker_main, worker) != 0) {
        int error = errno;
        worker_destroy(worker);
        errno = error;
        return -1;
    }
    threads->workers[threads->worker_count++] = worker;
    return 0;
}

void threads_join(struct threads *threads)
{
    for (unsigned i = 0; i < threads->worker_count; i++) {
        THREAD_MUST(pthread_join(threads->workers[i]->thread, NULL));
    }
    if (threads->reader_runs) {
        THREAD_MUST(pthread_join(threads->reader, NULL));
    }
    if (threads->writer_runs) {
        THREAD_MUST(pthread_join(threads->writer, NULL));
    }
}

void threads_destroy(struct threads *threads)
{
    for (unsigned i = 0; i < threads->worker_count; i++) {
        worker_destroy(threads->workers[i]);
    }
    free(threads->workers);
}
