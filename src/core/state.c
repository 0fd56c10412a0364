// SPDX-License-Identifier: BSD-2-Clause
// What can be done now, and waking those who wait for it.

#include "base/thread.h"
#include "core/core_state.h"

// Self-serve: nothing is read while the writer has more than this to write.
#define BACKLOG_BLOCKS 4

bool state_has_room(const struct core *core)
{
    if (core->used == 0) {
        return true;
    }
    size_t block_size = block_pool_size(core->config.pool);
    return core->used + keys_bytes(&core->keys) + block_size <= core->config.limit &&
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

bool state_can_read(const struct core *core)
{
    return core->phase == CORE_RUN && !core->eof && !core->reading && state_has_room(core) &&
           !is_output_behind(core);
}

bool state_has_output(const struct core *core)
{
    return !core->writing &&
           (core->failures_first != NULL || (core->ready_first != NULL && !core->broken));
}

bool state_has_waiting(const struct core *core)
{
    return core->phase == CORE_RUN && !levels_empty(&core->levels);
}

// What is doomed is not run.
static bool is_doomed(const struct result *result)
{
    return result != NULL && result->task.doom != NULL;
}

bool state_has_task(const struct core *core)
{
    return state_has_waiting(core) && !core->blocked &&
           (core->bucket.open || is_doomed(levels_first_task(&core->levels)));
}

bool state_has_free_worker(const struct core *core)
{
    return core->parked != NULL || core->workers < core->config.workers;
}

bool state_is_drained(const struct core *core)
{
    if (core->running > 0 || core->reading) {
        return false;
    }
    return core->phase != CORE_RUN ||
           (core->eof && !state_has_waiting(core) && core->retries.root == NULL);
}

bool state_is_finished(const struct core *core)
{
    return state_is_drained(core) && !core->writing && !state_has_output(core);
}

bool state_is_stalled(const struct core *core)
{
    if (core->running == 0 || core->running > core->quiet ||
        (state_has_waiting(core) && !core->blocked)) {
        return false;
    }
    if (core->blocked || core->keys.waiting > 0) {
        return true; // records wait for what has no answer
    }
    if (core->reading) {
        return false;
    }
    bool read = core->eof || core->phase != CORE_RUN; // all that will be
    return read || (!state_can_read(core) && !core->writing && !state_has_output(core));
}

void state_stop(struct core *core, enum core_phase phase)
{
    if (phase > core->phase) {
        core->phase = phase;
        core->config.notify(core->config.notify_arg);
    }
}

static struct wakes take_wakes(struct core *core)
{
    struct wakes wakes = core->wakes;
    core->wakes = (struct wakes){0};
    return wakes;
}

static void wake(struct core *core, const struct wakes *wakes)
{
    if (wakes->reader) {
        cond_signal(&core->room);
    }
    if (wakes->writer) {
        cond_signal(&core->output);
    }
    if (wakes->worker != NULL) {
        cond_signal(&wakes->worker->wake);
    }
}

void state_unlock(struct core *core)
{
    struct wakes wakes = take_wakes(core);
    mutex_unlock(&core->mutex);
    wake(core, &wakes);
}

void state_wait(struct core *core, pthread_cond_t *cond)
{
    struct wakes wakes = take_wakes(core);
    wake(core, &wakes);
    cond_wait(cond, &core->mutex);
}

static void unpark(struct core *core, struct core_worker *worker)
{
    worker->parked = false;
    if (worker->notify != NULL) {
        worker->notify(worker->notify_arg);
    } else if (core->wakes.worker == NULL) {
        core->wakes.worker = worker;
    } else {
        cond_signal(&worker->wake);
    }
}

void wake_worker(struct core *core)
{
    struct core_worker *worker = core->parked;
    if (worker != NULL) {
        core->parked = worker->next;
        unpark(core, worker);
    } else if (core->workers < core->config.workers && !core->worker_wanted) {
        core->worker_wanted = true;
        core->config.notify(core->config.notify_arg);
    }
}

void wake_for_task(struct core *core)
{
    core->blocked = false;
    if (state_has_task(core)) {
        wake_worker(core);
    }
}

void wake_reader(struct core *core)
{
    if (!core->config.self_serve && (core->phase != CORE_RUN || state_has_room(core))) {
        core->wakes.reader = true;
    }
}

void wake_writer(struct core *core)
{
    if (!core->config.self_serve && (state_has_output(core) || state_is_drained(core))) {
        core->wakes.writer = true;
    }
}

void wake_to_flush(struct core *core)
{
    struct core_worker **link = &core->parked, *worker;
    while ((worker = *link) != NULL) {
        if (worker->unanswered > 0) {
            *link = worker->next;
            unpark(core, worker);
        } else {
            link = &worker->next;
        }
    }
}

void wake_at_end(struct core *core)
{
    if (state_is_stalled(core)) {
        wake_to_flush(core);
    }
    if (!state_is_drained(core)) {
        return;
    }
    if (core->phase != CORE_NOW) {
        order_add_rest(core);
    }
    while (core->parked != NULL) {
        wake_worker(core);
    }
    wake_writer(core);
    if (state_is_finished(core)) {
        core->config.notify(core->config.notify_arg);
    }
}
