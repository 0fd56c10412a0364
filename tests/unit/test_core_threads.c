// SPDX-License-Identifier: BSD-2-Clause
// The core with real threads, small budgets and random pauses: nobody is left asleep, nothing is
// lost, doubled or out of order. A hang ends the test by SIGALRM.
//
// RUNS=N in the environment: so many runs (default 200).

#include "base/clock.h"
#include "base/thread.h"
#include "core/core.h"
#include "core/records.h"
#include "tap.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE 64
#define WORKERS 4
#define RECORDS 300
#define WINDOW 3

struct run {
    struct core_config config;
    struct core *core;
    unsigned next;           // the next record to read; whoever has that role
    unsigned count, *output; // records in the order of output; whoever writes
    struct core_worker workers[WORKERS];
    atomic_uint worker_count; // of them that have a thread

    pthread_mutex_t mutex; // guards `news`
    pthread_cond_t notified;
    bool news;
};

static __thread unsigned luck;

static unsigned any(unsigned below)
{
    luck = luck * 1103515245 + 12345;
    return (luck >> 16) % below;
}

// Give the others a chance to come in between.
static void pause_sometimes(void)
{
    if (any(4) == 0) {
        sched_yield();
    }
    if (any(50) == 0) {
        nanosleep(&(struct timespec){.tv_nsec = any(100000)}, NULL);
    }
}

static void notify(void *arg)
{
    struct run *run = arg;
    mutex_lock(&run->mutex);
    run->news = true;
    cond_signal(&run->notified);
    mutex_unlock(&run->mutex);
}

// Until the core has news, or it is `due`.
static void wait_for_news(struct run *run, int64_t due)
{
    struct timespec until = {.tv_sec = due / CLOCK_SECOND, .tv_nsec = due % CLOCK_SECOND};
    mutex_lock(&run->mutex);
    int status = 0;
    while (!run->news && status == 0) {
        status = due == INT64_MAX ? pthread_cond_wait(&run->notified, &run->mutex)
                                  : pthread_cond_timedwait(&run->notified, &run->mutex, &until);
    }
    run->news = false;
    mutex_unlock(&run->mutex);
}

static void do_read(struct run *run, size_t max_records)
{
    pause_sometimes();
    if (run->next == RECORDS) {
        core_eof(run->core);
        return;
    }
    unsigned records = 1 + any(8);
    if (max_records > 0 && records > max_records) {
        records = (unsigned)max_records;
    }
    struct block *block = block_create(run->config.pool, 0);
    block->delimiter = '\n';
    for (unsigned i = 0; i < records && run->next < RECORDS; i++) {
        block->len += (size_t)sprintf(block->buf + block->len, "%u\n", run->next++);
    }
    if (run->config.queue_size > 0) {
        block->records = records_count(block->buf, block->len, '\n');
    }
    block->more = any(2) == 0;
    core_admit(run->core, block);
}

// A record that ends in 7 fails at its first attempt alone.
static bool fails(const struct result *task, size_t records)
{
    const char *bytes = result_bytes(task);
    for (size_t i = 1; i < task->task.len; i++) {
        if (bytes[i] == '\n' && bytes[i - 1] == '7') {
            return records > 1 || task->task.attempts == 0;
        }
    }
    return false;
}

static void do_task(struct run *run, struct result *task)
{
    size_t records = records_count(result_bytes(task), task->task.len, '\n');
    pause_sometimes();
    if (fails(task, records)) {
        struct cause *cause = cause_create(ERROR_EXIT, "as it should");
        const struct attempt attempt = {.ns = 1000, .may_split = true, .retriable = true};
        core_fail(run->core, task, cause, &attempt, clock_now());
        cause_unref(cause);
        return;
    }
    struct emitter emitter;
    emitter_init(&emitter);
    emitter_keep(&emitter, result_bytes(task), task->task.len);
    emitter_finish(&emitter, task);
    emitter_destroy(&emitter);
    task->tally.records = task->tally.emitted = records;
    core_done(run->core, task, any(2) == 0 ? 100 : 1000000);
}

static void do_write(struct run *run, struct work *work)
{
    pause_sometimes();
    for (struct result *result = work->results; result != NULL; result = result->queue_next) {
        char text[4 * BLOCK_SIZE], *end = text;
        memcpy(text, result->own, result->own_len);
        text[result->own_len] = '\0';
        while (*end != '\0') {
            run->output[run->count++] = (unsigned)strtoul(end, &end, 10);
            end++;
        }
    }
    core_written(run->core, work->results, NULL);
}

static void *worker_main(void *arg)
{
    struct run *run = arg;
    struct core_worker *worker = &run->workers[atomic_fetch_add(&run->worker_count, 1)];
    struct work work = {0};
    luck = (unsigned)(uintptr_t)&work;
    for (;;) {
        switch (core_take(run->core, worker, &work)) {
        case CORE_TASK:
            do_task(run, work.task);
            break;
        case CORE_READ:
            do_read(run, 0);
            break;
        case CORE_WRITE:
            do_write(run, &work);
            break;
        default:
            return NULL;
        }
    }
}

// A worker that has several tasks at once.
struct poller {
    struct core_worker worker;
    pthread_mutex_t mutex; // guards `told`
    pthread_cond_t wake;
    bool told; // to ask the core again
    struct result *tasks[WINDOW];
    unsigned count;
};

static void tell_poller(void *arg)
{
    struct poller *poller = arg;
    mutex_lock(&poller->mutex);
    poller->told = true;
    cond_signal(&poller->wake);
    mutex_unlock(&poller->mutex);
}

static void wait_until_told(struct poller *poller)
{
    mutex_lock(&poller->mutex);
    while (!poller->told) {
        cond_wait(&poller->wake, &poller->mutex);
    }
    poller->told = false;
    mutex_unlock(&poller->mutex);
}

// Answer the oldest tasks, until so many are left.
static void answer(struct run *run, struct poller *poller, unsigned left)
{
    for (; poller->count > left; poller->count--) {
        do_task(run, poller->tasks[0]);
        memmove(poller->tasks, poller->tasks + 1, (WINDOW - 1) * sizeof(poller->tasks[0]));
    }
}

// Answers come when the window is full or the core says so, and sometimes before.
static void poll_for_tasks(struct run *run, struct poller *poller)
{
    for (;;) {
        struct work work = {0};
        switch (core_poll(run->core, &poller->worker, &work)) {
        case CORE_TASK:
            poller->tasks[poller->count++] = work.task;
            answer(run, poller, work.task->task.part ? 0 : WINDOW - 1);
            break;
        case CORE_WAIT:
            if (any(4) == 0) {
                core_busy(run->core, &poller->worker);
                answer(run, poller, 0);
            } else {
                wait_until_told(poller);
            }
            break;
        case CORE_FLUSH:
            answer(run, poller, 0);
            break;
        default:
            return;
        }
    }
}

static void *poller_main(void *arg)
{
    struct poller poller = {.count = 0};
    luck = (unsigned)(uintptr_t)&poller;
    pthread_mutex_init(&poller.mutex, NULL);
    pthread_cond_init(&poller.wake, NULL);
    core_worker_init(&poller.worker);
    poller.worker.notify = tell_poller;
    poller.worker.notify_arg = &poller;
    poll_for_tasks(arg, &poller);
    core_worker_destroy(&poller.worker);
    pthread_cond_destroy(&poller.wake);
    pthread_mutex_destroy(&poller.mutex);
    return NULL;
}

static void *reader_main(void *arg)
{
    struct run *run = arg;
    size_t max_records;
    while (core_room(run->core, &max_records)) {
        do_read(run, max_records);
    }
    return NULL;
}

static void *writer_main(void *arg)
{
    struct run *run = arg;
    struct work work;
    while (core_output(run->core, &work)) {
        do_write(run, &work);
    }
    return NULL;
}

static bool start(struct run *run, pthread_t *threads, unsigned *count, void *(*entry)(void *))
{
    return thread_start(&threads[(*count)++], entry, run) == 0;
}

static int by_number(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return x < y ? -1 : x > y;
}

// Does everything come out, once, and in order if it should?
static bool is_right(struct run *run)
{
    if (!run->config.ordered) {
        qsort(run->output, run->count, sizeof(run->output[0]), by_number);
    }
    bool right = run->count == RECORDS;
    for (unsigned i = 0; right && i < RECORDS; i++) {
        right = run->output[i] == i;
    }
    struct ledger ledger = core_ledger(run->core);
    return right && ledger.read == RECORDS && ledger.emitted == RECORDS;
}

static bool run_once(struct block_pool *pool)
{
    bool self_serve = any(2) == 0, polls = !self_serve && any(2) == 0;
    struct run run = {
        .config =
            {
                .pool = pool,
                .limit = (size_t[]){1, 500, 100000}[any(3)],
                .ring = 1 + any(4),
                .queue_size = self_serve ? 0 : any(2) * 3,
                .workers = 1 + any(WORKERS),
                .ordered = any(2) == 0,
                .self_serve = self_serve,
                .task_records = any(4),
                .task_ns = 1000,
                .retries = 1,
                .backoff = {.base = 1000, .max = 100000, .factor = 2},
                .notify = notify,
                .notify_arg = &run,
            },
        .output = calloc(2 * RECORDS, sizeof(unsigned)),
    };
    pthread_t threads[WORKERS + 2];
    unsigned count = 0;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&run.notified, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&run.mutex, NULL);
    run.core = core_create(&run.config);
    for (unsigned i = 0; i < WORKERS; i++) {
        core_worker_init(&run.workers[i]);
    }

    bool started = self_serve || (start(&run, threads, &count, reader_main) &&
                                  start(&run, threads, &count, writer_main));
    while (started && !core_finished(run.core)) {
        while (core_worker_wanted(run.core)) {
            started = started && start(&run, threads, &count, polls ? poller_main : worker_main);
        }
        int64_t due = core_tick(run.core, clock_now());
        if (!core_finished(run.core)) {
            wait_for_news(&run, due);
        }
    }
    while (count > 0) {
        pthread_join(threads[--count], NULL);
    }
    bool right = started && is_right(&run);
    core_destroy(run.core);
    for (unsigned i = 0; i < WORKERS; i++) {
        core_worker_destroy(&run.workers[i]);
    }
    pthread_cond_destroy(&run.notified);
    pthread_mutex_destroy(&run.mutex);
    free(run.output);
    return right;
}

int main(void)
{
    const char *value = getenv("RUNS");
    unsigned runs = value != NULL ? (unsigned)atoi(value) : 200, done = 0;
    struct block_pool *pool = block_pool_create(BLOCK_SIZE, 2);
    luck = 1;
    alarm(300);
    while (done < runs && run_once(pool)) {
        done++;
    }
    OK(done == runs, "%u of %u runs with real threads give what they should", done, runs);
    block_pool_destroy(pool);
    return tap_done();
}
