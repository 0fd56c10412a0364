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
#include "output/writer.h"
#include "plan/classify.h"
#include "plan/plan.h"
#include "run/proxy.h"
#include "run/record_key.h"
#include "run/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void shared_stop_reading(struct shared *shared)
{
    ssize_t done = write(shared->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)done; // a full counter is readable too
}

void shared_end_without_memory(struct shared *shared)
{
    atomic_store(&shared->out_of_memory, true);
    core_stop(shared->core, CORE_NOW);
    shared_stop_reading(shared);
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

// --- what a thread does

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
    worker_do_task(worker, task);
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
        shared_end_without_memory(shared);
        break;
    case READ_END:
        atomic_store(&shared->read_all, true);
        break;
    case READ_STOPPED:
        break;
    case READ_FAILED:
        shared_end_without_memory(shared);
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

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct shared *shared = worker->shared;
    if (worker->coproc != NULL) {
        worker_serve(worker);
        return NULL;
    }
    for (;;) {
        struct work work;
        switch (core_take(shared->core, &worker->core, &work)) {
        case CORE_TASK:
            worker_do_task(worker, work.task);
            break;
        case CORE_READ:
            do_read(shared, worker, 0);
            break;
        case CORE_WRITE:
            do_write(shared, &work);
            break;
        case CORE_NO_MEMORY:
            shared_end_without_memory(shared);
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
    // The writer first: what is read would never be written if it could not be started.
    if (thread_start(&threads->writer, writer_main, threads->shared) != 0) {
        return -1;
    }
    threads->writer_runs = true;
    if (thread_start(&threads->reader, reader_main, threads->shared) != 0) {
        return -1;
    }
    threads->reader_runs = true;
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
