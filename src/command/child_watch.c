// SPDX-License-Identifier: BSD-2-Clause
// Watching over a child, from its start to its end.

#include "command/child_watch.h"

#include "base/clock.h"
#include "command/child_table.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

// After so long the lines of standard error are passed as they come.
#define FLOW_NS (2 * CLOCK_SECOND)

// How long an output is read further if something holds it open after the child has ended. But what
// the child itself wrote is read however long that takes: nothing may be left in the pipes, unless
// more was read than they can have held.
#define DRAIN_NS CLOCK_SECOND
#define DRAIN_BYTES ((size_t)2 * 1024 * 1024)

int child_watch_init(struct child_watch *watch, const struct process_config *config)
{
    *watch = (struct child_watch){.config = config, .pipes = PIPES_NONE};
    watch->stack = child_stack_create();
    return watch->stack != NULL ? 0 : -1;
}

void child_watch_destroy(struct child_watch *watch)
{
    relay_free(&watch->error);
    child_stack_destroy(watch->stack);
}

int child_watch_start(struct child_watch *watch, const struct child_program *program, bool filter,
                      bool counts)
{
    const struct process_config *config = watch->config;
    const struct launch launch = {
        .origin = config->origin,
        .table = config->table,
        .stack = watch->stack,
        .null_fd = config->null_fd,
        .counts = counts,
    };
    relay_clear(&watch->error);
    watch->exited = watch->timed_out = watch->broken = false;
    watch->flooded = watch->left = false;
    watch->drained = 0;
    watch->status = 0;
    watch->term_at = watch->kill_at = watch->leave_at = INT64_MAX;
    if (launch_child(&launch, program, filter, &watch->child, &watch->pipes) != 0) {
        return -1;
    }
    watch->lives = true;
    watch->flow_at = clock_now() + FLOW_NS;
    return 0;
}

// --- while it runs

void child_watch_limit(struct child_watch *watch, int64_t at)
{
    if (watch->lives && !watch->exited && !watch->timed_out) {
        watch->term_at = at;
    }
}

void child_watch_kill(struct child_watch *watch)
{
    if (watch->lives) {
        child_table_signal(watch->config->table, &watch->child, SIGKILL);
    }
}

int64_t child_watch_next_time(const struct child_watch *watch)
{
    if (!watch->lives) {
        return INT64_MAX;
    }
    if (child_watch_is_over(watch)) {
        return 0;
    }
    int64_t flow_at = relay_waits(&watch->error) ? watch->flow_at : INT64_MAX;
    return clock_earlier(clock_earlier(flow_at, watch->leave_at),
                         clock_earlier(watch->term_at, watch->kill_at));
}

void child_watch_do_due(struct child_watch *watch)
{
    int64_t now = clock_now();
    if (!watch->lives) {
        return;
    }
    if (watch->flow_at <= now) {
        watch->flow_at = INT64_MAX;
        relay_flow(&watch->error);
    }
    if (watch->term_at <= now) {
        watch->timed_out = true;
        watch->term_at = INT64_MAX;
        watch->kill_at = now + watch->config->kill_after;
        child_table_signal(watch->config->table, &watch->child, SIGTERM);
    }
    if (watch->kill_at <= now) {
        watch->kill_at = INT64_MAX;
        child_watch_kill(watch);
    }
}

bool child_watch_note_read(struct child_watch *watch, int *pipe, ssize_t got)
{
    if (got > 0) {
        watch->drained += watch->exited ? (size_t)got : 0;
        return true;
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return false;
    }
    if (got < 0) { // for reasons of our own
        watch->broken = true;
        child_watch_kill(watch);
    }
    pipes_shut(pipe);
    return false;
}

size_t child_watch_read_error(struct child_watch *watch, short events)
{
    size_t sum = 0;
    bool more;
    do {
        ssize_t got = relay_read(&watch->error, watch->pipes.error);
        more = child_watch_note_read(watch, &watch->pipes.error, got);
        sum += more ? (size_t)got : 0;
    } while (more && (events & POLLHUP) != 0); // nobody writes any more: it will not block
    return sum;
}

void child_watch_note_look(struct child_watch *watch, int64_t now, bool nothing)
{
    watch->left = watch->leave_at <= now && (nothing || watch->drained >= DRAIN_BYTES);
}

void child_watch_note_exit(struct child_watch *watch)
{
    watch->exited = true;
    watch->status = child_status(&watch->child);
    watch->term_at = INT64_MAX;
    watch->leave_at = clock_now() + DRAIN_NS;
    pipes_shut(&watch->pipes.input);
}

// --- end

bool child_watch_is_over(const struct child_watch *watch)
{
    return watch->exited && (watch->left || (watch->pipes.output < 0 && watch->pipes.error < 0));
}

static enum process_end judge(const struct child_watch *watch)
{
    if (watch->broken) {
        return PROCESS_BROKEN;
    }
    if (child_table_ending(watch->config->table)) {
        return PROCESS_ENDED; // what it wrote may be a part
    }
    if (watch->timed_out) {
        return PROCESS_TIMED_OUT;
    }
    if (watch->flooded) {
        return PROCESS_FLOODED;
    }
    if (watch->status < 0) {
        return PROCESS_SIGNALLED;
    }
    return statuses_have(&watch->config->ok_exit, watch->status) ? PROCESS_SUCCEEDED
                                                                 : PROCESS_EXITED;
}

enum process_end child_watch_end(struct child_watch *watch)
{
    struct child_table *table = watch->config->table;
    enum process_end end = judge(watch);
    if (end != PROCESS_SUCCEEDED) {
        child_watch_kill(watch);
    } else if (watch->pipes.output >= 0 || watch->pipes.error >= 0) {
        child_table_warn_left(table);
    }
    child_table_remove(table, &watch->child);
    child_reap(&watch->child);
    pipes_shut_all(&watch->pipes);
    relay_finish(&watch->error);
    watch->lives = false;
    return end;
}

int child_watch_status(const struct child_watch *watch)
{
    return watch->exited && watch->status >= 0 ? watch->status : -1;
}

int child_watch_signal(const struct child_watch *watch)
{
    return watch->exited && watch->status < 0 ? -watch->status : 0;
}
