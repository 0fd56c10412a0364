// SPDX-License-Identifier: BSD-2-Clause
// Running a process: feeding it, and reading what it writes.

#include "command/process.h"

#include "base/clock.h"
#include "base/fdio.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

// A child that reads or writes in small pieces would wake us for each of them. So its pipes are
// looked at from time to time, the less often the less is found to be done: what it writes counts
// only once it has ended, which we are told of at once, and a pipe holds some of it until then. Not
// before something has moved, though: to set a timer takes longer than to be woken.
#define PAUSE_MIN (CLOCK_MILLISECOND / 50)
#define PAUSE_MAX CLOCK_MILLISECOND
#define LITTLE ((size_t)16 * 1024)
#define MUCH ((size_t)64 * 1024) // what reads have room for, at least: there may be more

// Replies are counted when there are so many bytes of them, and whenever these have doubled.
#define FLOOD_BYTES ((uint64_t)64 * 1024)

struct process {
    struct child_watch watch;
    struct capture output;

    // Of the child that runs, or ran last.
    struct iovec *input; // what it has not been given yet
    size_t input_count;
    uint64_t replies; // as the job has it
    char delimiter;
    uint64_t count_at;   // bytes of output at which replies are counted
    int64_t start, time; // when it was started, how long it ran
    int64_t look_at;     // when its pipes are looked at
    int64_t pause;       // how long they were not, last
    size_t moved;        // bytes that went through them since then
};

struct process *process_create(const struct process_config *config)
{
    struct process *process = calloc(1, sizeof(*process));
    if (process == NULL) {
        return NULL;
    }
    if (child_watch_init(&process->watch, config) != 0) {
        free(process);
        return NULL;
    }
    process->pause = PAUSE_MAX;
    capture_init(&process->output, config->spill, config->pool, config->share);
    return process;
}

void process_destroy(struct process *process)
{
    if (process != NULL) {
        capture_destroy(&process->output);
        child_watch_destroy(&process->watch);
        free(process);
    }
}

// Give it what it takes. A child that reads no further has what it wants.
static void feed(struct process *process)
{
    size_t count = process->input_count < IOV_MAX ? process->input_count : IOV_MAX;
    ssize_t done = writev(process->watch.pipes.input, process->input, (int)count);
    if (done >= 0) {
        process->moved += (size_t)done;
        fdio_advance(&process->input, &process->input_count, (size_t)done);
    } else if (errno != EAGAIN && errno != EINTR) {
        process->input_count = 0;
    }
    if (process->input_count == 0) {
        pipes_shut(&process->watch.pipes.input);
    }
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
        process->watch.flooded = true;
        child_watch_kill(&process->watch);
    }
}

static void read_output(struct process *process, short events)
{
    struct child_watch *watch = &process->watch;
    bool more;
    do {
        ssize_t got = capture_read(&process->output, watch->pipes.output);
        more = child_watch_note_read(watch, &watch->pipes.output, got);
        process->moved += more ? (size_t)got : 0;
        look_for_flood(process);
    } while (more && (events & POLLHUP) != 0); // nobody writes any more: it will not block
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
    struct child_watch *watch = &process->watch;
    int64_t now = clock_now(), until = child_watch_next_time(watch);
    bool looks = watch->leave_at <= now || process->look_at <= now;
    // A descriptor of -1 is ignored.
    struct pollfd fds[] = {
        {.fd = watch->exited ? -1 : watch->child.pidfd, .events = POLLIN},
        {.fd = looks ? watch->pipes.output : -1, .events = POLLIN},
        {.fd = looks ? watch->pipes.error : -1, .events = POLLIN},
        {.fd = looks ? watch->pipes.input : -1, .events = POLLOUT},
    };
    if (!looks && process->look_at < until) {
        until = process->look_at;
    }
    int found = wait_for(fds, sizeof(fds) / sizeof(fds[0]), until, now);
    child_watch_note_look(watch, now, found == 0);
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
        process->moved += child_watch_read_error(watch, fds[2].revents);
    }
    if (looks && process->moved > 0 && process->moved - moved < MUCH) {
        pause_looking(process, clock_now());
    }
    if (fds[0].revents != 0) {
        child_watch_note_exit(watch);
        process->look_at = now;
    }
}

static void prepare(struct process *process, const struct process_job *job)
{
    capture_clear(&process->output);
    process->input = job->input;
    process->input_count = job->input_count;
    process->replies = job->replies;
    process->delimiter = job->delimiter;
    process->count_at = FLOOD_BYTES;
    process->moved = 0;
    process->time = 0;
}

static void set_times(struct process *process)
{
    int64_t timeout = process->watch.config->timeout;
    process->start = clock_now();
    process->look_at = process->start;
    if (timeout > 0 && timeout < INT64_MAX - process->start) {
        child_watch_limit(&process->watch, process->start + timeout);
    }
}

enum process_end process_run(struct process *process, const struct process_job *job)
{
    struct child_watch *watch = &process->watch;
    const struct child_program program = {
        .path = job->path,
        .argv = job->argv,
        .envp = job->envp,
    };
    prepare(process, job);
    if (child_watch_start(watch, &program, job->input != NULL, false) != 0) {
        return errno == ECANCELED ? PROCESS_ENDED : PROCESS_NOT_STARTED;
    }
    set_times(process);
    if (watch->pipes.input >= 0) {
        feed(process);
    }
    while (!child_watch_is_over(watch)) {
        deal(process);
        child_watch_do_due(watch);
    }
    process->time = clock_now() - process->start;
    return child_watch_end(watch);
}

int process_status(const struct process *process)
{
    return child_watch_status(&process->watch);
}

int process_signal(const struct process *process)
{
    return child_watch_signal(&process->watch);
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
    return relay_tail(&process->watch.error, bytes, size);
}
