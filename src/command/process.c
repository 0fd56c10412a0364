// SPDX-License-Identifier: BSD-2-Clause
// Running a process: feeding it, reading what it writes, keeping it to its time.

#include "command/process.h"

#include "base/clock.h"
#include "base/fdio.h"
#include "command/child.h"
#include "command/child_table.h"
#include "command/launch.h"
#include "command/relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

// After so long the lines of standard error are passed as they come.
#define FLOW_NS (2 * CLOCK_SECOND)

// How long an output is read further if something holds it open after the child has ended. But what
// the child itself wrote is read however long that takes: nothing may be left in the pipes, unless
// more was read than they can have held.
#define DRAIN_NS CLOCK_SECOND
#define DRAIN_BYTES ((size_t)2 * 1024 * 1024)

// A child that reads or writes in small pieces would wake us for each of them. So its pipes are
// looked at from time to time, the less often the less is found to be done: what it writes counts
// only once it has ended, which we are told of at once, and a pipe holds some of it until then.
#define PAUSE_MIN (CLOCK_MILLISECOND / 50)
#define PAUSE_MAX CLOCK_MILLISECOND
#define LITTLE ((size_t)16 * 1024)
#define MUCH ((size_t)64 * 1024) // what reads have room for, at least: there may be more

// Replies are counted when there are so many bytes of them, and whenever these have doubled.
#define FLOOD_BYTES ((uint64_t)64 * 1024)

struct process {
    const struct process_config *config;
    struct child_stack *stack;
    struct capture output;
    struct relay error;

    // The child that runs, or ran last.
    struct child child;
    struct pipes pipes;
    struct iovec *input; // what it has not been given yet
    size_t input_count;
    uint64_t replies; // as the job has it
    char delimiter;
    uint64_t count_at; // bytes of output at which replies are counted
    bool exited, timed_out, flooded, broken;
    int64_t start, time; // when it was started, how long it ran
    int64_t flow_at;     // when to do what, INT64_MAX: not any more
    int64_t term_at, kill_at;
    int64_t leave_at; // when its output is read no longer, if nothing is there
    size_t drained;   // bytes that were read since it exited
    bool left;        // its output is read no longer
    int64_t look_at;  // when its pipes are looked at
    int64_t pause;    // how long they were not, last
    size_t moved;     // bytes that went through them since then
    int status;       // once it has exited: as child_status() has it
};

struct process *process_create(const struct process_config *config)
{
    struct process *process = calloc(1, sizeof(*process));
    if (process == NULL) {
        return NULL;
    }
    process->config = config;
    process->pipes = PIPES_NONE;
    process->pause = PAUSE_MAX;
    capture_init(&process->output, config->spill, config->share);
    process->stack = child_stack_create();
    if (process->stack == NULL) {
        process_destroy(process);
        return NULL;
    }
    return process;
}

void process_destroy(struct process *process)
{
    if (process != NULL) {
        capture_destroy(&process->output);
        relay_free(&process->error);
        child_stack_destroy(process->stack);
        free(process);
    }
}

static int launch(struct process *process, const struct process_job *job)
{
    const struct process_config *config = process->config;
    const struct launch launch = {
        .origin = config->origin,
        .table = config->table,
        .stack = process->stack,
        .null_fd = config->null_fd,
    };
    const struct child_program program = {
        .path = job->path,
        .argv = job->argv,
        .envp = job->envp,
    };
    return launch_child(&launch, &program, job->input != NULL, &process->child, &process->pipes);
}

// --- while it runs

// Give it what it takes. A child that reads no further has what it wants.
static void feed(struct process *process)
{
    size_t count = process->input_count < IOV_MAX ? process->input_count : IOV_MAX;
    ssize_t done = writev(process->pipes.input, process->input, (int)count);
    if (done >= 0) {
        process->moved += (size_t)done;
        fdio_advance(&process->input, &process->input_count, (size_t)done);
    } else if (errno != EAGAIN && errno != EINTR) {
        process->input_count = 0;
    }
    if (process->input_count == 0) {
        pipes_shut(&process->pipes.input);
    }
}

// Count what a read gave. Was it the last one? It can fail for our own reasons alone.
static bool is_last_read(struct process *process, ssize_t got)
{
    process->moved += got > 0 ? (size_t)got : 0;
    process->drained += process->exited && got > 0 ? (size_t)got : 0;
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
        process->broken = true;
        child_table_signal(process->config->table, &process->child, SIGKILL);
    }
    return got == 0 || process->broken;
}

// One that has given too many replies may never end.
static void look_for_flood(struct process *process)
{
    uint64_t len = capture_len(&process->output), count;
    if (process->replies == 0 || len < process->count_at) {
        return;
    }
    process->count_at = 2 * len;
    if (capture_count(&process->output, process->delimiter, &count) == 0 &&
        count > process->replies) {
        process->flooded = true;
        child_table_signal(process->config->table, &process->child, SIGKILL);
    }
}

static void read_output(struct process *process, short events)
{
    ssize_t got;
    bool last;
    do {
        got = capture_read(&process->output, process->pipes.output);
        last = is_last_read(process, got);
        look_for_flood(process);
    } while (got > 0 && (events & POLLHUP) != 0); // nobody writes any more: it will not block
    if (last) {
        pipes_shut(&process->pipes.output);
    }
}

static void read_error(struct process *process, short events)
{
    ssize_t got;
    bool last;
    do {
        got = relay_read(&process->error, process->pipes.error);
        last = is_last_read(process, got);
    } while (got > 0 && (events & POLLHUP) != 0);
    if (last) {
        pipes_shut(&process->pipes.error);
    }
}

static void note_exit(struct process *process, int64_t now)
{
    process->exited = true;
    process->status = child_status(&process->child);
    process->term_at = INT64_MAX;
    process->leave_at = now + DRAIN_NS;
    process->look_at = now;
    pipes_shut(&process->pipes.input);
}

static int64_t next_time(const struct process *process)
{
    int64_t flow_at = relay_waits(&process->error) ? process->flow_at : INT64_MAX;
    int64_t next = flow_at < process->term_at ? flow_at : process->term_at;
    next = next < process->kill_at ? next : process->kill_at;
    return next < process->leave_at ? next : process->leave_at;
}

static void pause_looking(struct process *process, int64_t now)
{
    if (process->moved >= MUCH && process->pause > PAUSE_MIN) {
        process->pause /= 2;
    } else if (process->moved < LITTLE && process->pause < PAUSE_MAX) {
        process->pause *= 2;
    }
    process->moved = 0;
    process->look_at = now + process->pause;
}

// Wait until then at most.
static int wait_for(struct pollfd *fds, nfds_t count, int64_t until, int64_t now)
{
    int64_t left = until > now ? until - now : 0;
    struct timespec timeout = {left / CLOCK_SECOND, left % CLOCK_SECOND};
    return ppoll(fds, count, until < INT64_MAX ? &timeout : NULL, NULL);
}

// Wait until something happens, and deal with all of it.
static void deal(struct process *process)
{
    int64_t now = clock_now(), until = next_time(process);
    bool late = process->leave_at <= now, looks = late || process->look_at <= now;
    // A descriptor of -1 is ignored.
    struct pollfd fds[] = {
        {.fd = process->exited ? -1 : process->child.pidfd, .events = POLLIN},
        {.fd = looks ? process->pipes.output : -1, .events = POLLIN},
        {.fd = looks ? process->pipes.error : -1, .events = POLLIN},
        {.fd = looks ? process->pipes.input : -1, .events = POLLOUT},
    };
    if (!looks && process->look_at < until) {
        until = process->look_at;
    }
    int found = wait_for(fds, sizeof(fds) / sizeof(fds[0]), until, now);
    process->left = late && (found == 0 || process->drained >= DRAIN_BYTES);
    if (found <= 0) {
        return; // it is time for something, or a signal interrupted
    }
    if (fds[3].revents != 0) {
        feed(process);
    }
    size_t moved = process->moved;
    if (fds[1].revents != 0) {
        read_output(process, fds[1].revents);
    }
    if (fds[2].revents != 0) {
        read_error(process, fds[2].revents);
    }
    if (looks && process->moved - moved < MUCH) {
        pause_looking(process, clock_now());
    }
    if (fds[0].revents != 0) {
        note_exit(process, clock_now());
    }
}

static void do_what_is_due(struct process *process)
{
    struct child_table *table = process->config->table;
    int64_t now = clock_now();
    if (process->flow_at <= now) {
        process->flow_at = INT64_MAX;
        relay_flow(&process->error);
    }
    if (process->term_at <= now) {
        process->timed_out = true;
        process->term_at = INT64_MAX;
        process->kill_at = now + process->config->kill_after;
        child_table_signal(table, &process->child, SIGTERM);
    }
    if (process->kill_at <= now) {
        process->kill_at = INT64_MAX;
        child_table_signal(table, &process->child, SIGKILL);
    }
}

static bool is_over(const struct process *process)
{
    return process->exited &&
           (process->left || (process->pipes.output < 0 && process->pipes.error < 0));
}

static void follow(struct process *process)
{
    while (!is_over(process)) {
        deal(process);
        do_what_is_due(process);
    }
}

// --- end

static enum process_end judge(const struct process *process)
{
    if (process->broken) {
        return PROCESS_BROKEN;
    }
    if (child_table_ending(process->config->table)) {
        return PROCESS_ENDED; // what it wrote may be a part
    }
    if (process->timed_out) {
        return PROCESS_TIMED_OUT;
    }
    if (process->flooded) {
        return PROCESS_FLOODED;
    }
    if (process->status < 0) {
        return PROCESS_SIGNALLED;
    }
    return statuses_have(&process->config->ok_exit, process->status) ? PROCESS_SUCCEEDED
                                                                     : PROCESS_EXITED;
}

static enum process_end finish(struct process *process)
{
    struct child_table *table = process->config->table;
    enum process_end end = judge(process);
    if (end != PROCESS_SUCCEEDED) {
        child_table_signal(table, &process->child, SIGKILL);
    } else if (process->pipes.output >= 0 || process->pipes.error >= 0) {
        child_table_warn_left(table);
    }
    child_table_remove(table, &process->child);
    child_reap(&process->child);
    pipes_shut_all(&process->pipes);
    process->time = clock_now() - process->start;
    relay_finish(&process->error);
    return end;
}

static void prepare(struct process *process, const struct process_job *job)
{
    capture_clear(&process->output);
    relay_clear(&process->error);
    process->input = job->input;
    process->input_count = job->input_count;
    process->replies = job->replies;
    process->delimiter = job->delimiter;
    process->count_at = FLOOD_BYTES;
    process->exited = process->timed_out = process->flooded = false;
    process->broken = process->left = false;
    process->moved = process->drained = 0;
    process->time = 0;
    process->status = 0;
}

static void set_times(struct process *process)
{
    int64_t timeout = process->config->timeout;
    process->start = clock_now();
    process->flow_at = process->start + FLOW_NS;
    process->term_at =
        timeout > 0 && timeout < INT64_MAX - process->start ? process->start + timeout : INT64_MAX;
    process->kill_at = process->leave_at = INT64_MAX;
    process->look_at = process->start + process->pause;
}

enum process_end process_run(struct process *process, const struct process_job *job)
{
    prepare(process, job);
    if (launch(process, job) != 0) {
        return errno == ECANCELED ? PROCESS_ENDED : PROCESS_NOT_STARTED;
    }
    set_times(process);
    if (process->pipes.input >= 0) {
        feed(process);
    }
    follow(process);
    return finish(process);
}

int process_status(const struct process *process)
{
    return process->exited && process->status >= 0 ? process->status : -1;
}

int process_signal(const struct process *process)
{
    return process->exited && process->status < 0 ? -process->status : 0;
}

int64_t process_time(const struct process *process)
{
    return process->time;
}

struct capture *process_output(struct process *process)
{
    return &process->output;
}

size_t process_output_tail(const struct process *process, char *bytes, size_t size)
{
    return capture_tail(&process->output, bytes, size);
}

size_t process_error_tail(const struct process *process, char *bytes, size_t size)
{
    return relay_tail(&process->error, bytes, size);
}
