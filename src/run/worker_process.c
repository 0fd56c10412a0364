// SPDX-License-Identifier: BSD-2-Clause
// A forked worker: runs the plan on tasks that its thread gives it.

#include "run/worker_process.h"

#include "plan/plan.h"
#include "run/frame.h"
#include "run/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct worker_process {
    struct pool *pool;
    struct area *tasks, *results;
    struct watch *watch;
    struct plan_state *state;
    unsigned generation;
    int socket;
    bool named; // the columns that the header names are known
};

// What it only reads no stray write of an operation can change for others. Without it all works as
// well.
static void protect(const struct worker_process *worker)
{
    const struct iovec *blocks = &worker->pool->blocks;
    if (blocks->iov_len > 0) {
        (void)mprotect(blocks->iov_base, blocks->iov_len, PROT_READ);
    }
    (void)mprotect(worker->tasks->bytes, worker->tasks->size, PROT_READ);
}

// Returns 0, or -1: nobody listens any more.
static int answer(const struct worker_process *worker, struct answer_frame *frame)
{
    frame->generation = worker->generation;
    ssize_t sent = send(worker->socket, frame, sizeof(*frame), MSG_NOSIGNAL);
    return sent == sizeof(*frame) ? 0 : -1;
}

// The next task; false: there will be none.
static bool next_task(const struct worker_process *worker, struct task_frame *frame)
{
    for (;;) {
        ssize_t got = recv(worker->socket, frame, sizeof(*frame), 0);
        if (got == sizeof(*frame)) {
            if (frame->generation == worker->generation) { // else for one that has died
                return true;
            }
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
}

// The plan is a copy from before the header was read.
static int name_columns(struct worker_process *worker, const struct task_frame *frame)
{
    if (worker->named || frame->header_len == 0) {
        return 0;
    }
    worker->named = true;
    return plan_name_columns(worker->pool->plan, worker->tasks->bytes + frame->header,
                             frame->header_len);
}

// Returns 0, or -1 without memory.
static int try_task(struct worker_process *worker, const struct task_frame *frame,
                    struct unpacked_task *task, struct answer_frame *result)
{
    const struct plan *plan = worker->pool->plan;
    if (area_follow(worker->tasks, frame->task_area) != 0 ||
        area_follow(worker->results, frame->result_area) != 0 || name_columns(worker, frame) != 0 ||
        frame_unpack_task(task, frame, worker->tasks, worker->pool->blocks) != 0) {
        return -1;
    }
    int status = plan_run(plan, worker->state, task->result);
    const struct retriable *retriable =
        status == PLAN_RETRIABLE ? plan_retriable(worker->state) : NULL;
    return status >= 0 ? frame_pack_result(result, worker->results, task->result, retriable) : -1;
}

static void run_task(struct worker_process *worker, const struct task_frame *frame,
                     struct answer_frame *result)
{
    struct unpacked_task task = {0};
    if (try_task(worker, frame, &task, result) != 0) {
        *result = (struct answer_frame){.kind = ANSWER_NO_MEMORY};
    }
    unpacked_task_clear(&task);
}

void worker_process_main(void *arg, unsigned place, unsigned generation, int socket)
{
    struct pool *pool = arg;
    struct worker_process worker = {
        .pool = pool,
        .tasks = &pool->places[place].tasks,
        .results = &pool->places[place].results,
        .watch = &pool->watches[place],
        .state = plan_state_create(pool->plan, place + 1),
        .generation = generation,
        .socket = socket,
    };
    protect(&worker);
    struct answer_frame frame = {
        .kind = worker.state != NULL ? ANSWER_READY : ANSWER_UNABLE,
        .status = errno,
    };
    if (answer(&worker, &frame) != 0 || worker.state == NULL) {
        return;
    }
    plan_state_watch(worker.state, &worker.watch->progress);
    struct task_frame task;
    while (next_task(&worker, &task)) {
        atomic_store(&worker.watch->begun, true);
        run_task(&worker, &task, &frame);
        if (answer(&worker, &frame) != 0) {
            break;
        }
    }
    plan_state_destroy(worker.state);
}
