// SPDX-License-Identifier: BSD-2-Clause
// Talking with a child that lives on: its pipes, its times, its end.

#include "command/dialog.h"

#include "base/clock.h"
#include "command/child.h"
#include "command/child_table.h"
#include "command/launch.h"
#include "command/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

// After so long the lines of standard error are passed as they come.
#define FLOW_NS (2 * CLOCK_SECOND)

// How long an output is read further if something holds it open after the child has ended.
#define DRAIN_NS CLOCK_SECOND

struct dialog {
    const struct process_config *config;
    struct child_stack *stack;
    struct relay error;
    int call_fd;

    // The child that lives, or lived last.
    struct child child;
    struct pipes pipes;
    uint64_t written; // bytes
    bool lives, exited, timed_out;
    int64_t flow_at; // when to do what, INT64_MAX: not any more
    int64_t term_at, kill_at;
    int64_t leave_at; // when its output is read no longer
    int status;       // once it has exited: as child_status() has it
    bool whole;       // its output was read to the end
};

struct dialog *dialog_create(const struct process_config *config, int call_fd)
{
    struct dialog *dialog = calloc(1, sizeof(*dialog));
    if (dialog == NULL) {
        return NULL;
    }
    dialog->config = config;
    dialog->call_fd = call_fd;
    dialog->pipes = PIPES_NONE;
    dialog->stack = child_stack_create();
    if (dialog->stack == NULL) {
        dialog_destroy(dialog);
        return NULL;
    }
    return dialog;
}

void dialog_destroy(struct dialog *dialog)
{
    if (dialog != NULL) {
        relay_free(&dialog->error);
        child_stack_destroy(dialog->stack);
        free(dialog);
    }
}

int dialog_start(struct dialog *dialog, const struct child_program *program)
{
    const struct process_config *config = dialog->config;
    const struct launch launch = {
        .origin = config->origin,
        .table = config->table,
        .stack = dialog->stack,
        .null_fd = config->null_fd,
        .watches = true,
    };
    if (launch_child(&launch, program, true, &dialog->child, &dialog->pipes) != 0) {
        return -1;
    }
    relay_clear(&dialog->error);
    dialog->lives = true;
    dialog->exited = dialog->timed_out = dialog->whole = false;
    dialog->written = 0;
    dialog->status = 0;
    dialog->flow_at = clock_now() + FLOW_NS;
    dialog->term_at = dialog->kill_at = dialog->leave_at = INT64_MAX;
    return 0;
}

bool dialog_lives(const struct dialog *dialog)
{
    return dialog->lives;
}

// --- waiting

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_over(const struct dialog *dialog)
{
    return dialog->lives && dialog->exited &&
           ((dialog->pipes.output < 0 && dialog->pipes.error < 0) ||
            dialog->leave_at <= clock_now());
}

static int64_t next_time(const struct dialog *dialog, int64_t until)
{
    if (is_over(dialog)) {
        return 0;
    }
    int64_t flow_at = relay_waits(&dialog->error) ? dialog->flow_at : INT64_MAX;
    return earlier(earlier(until, flow_at),
                   earlier(earlier(dialog->term_at, dialog->kill_at), dialog->leave_at));
}

static void do_what_is_due(struct dialog *dialog)
{
    struct child_table *table = dialog->config->table;
    int64_t now = clock_now();
    if (dialog->flow_at <= now) {
        dialog->flow_at = INT64_MAX;
        relay_flow(&dialog->error);
    }
    if (dialog->term_at <= now) {
        dialog->timed_out = true;
        dialog->term_at = INT64_MAX;
        dialog->kill_at = now + dialog->config->kill_after;
        child_table_signal(table, &dialog->child, SIGTERM);
    }
    if (dialog->kill_at <= now) {
        dialog->kill_at = INT64_MAX;
        child_table_signal(table, &dialog->child, SIGKILL);
    }
}

static void read_error(struct dialog *dialog, short events)
{
    ssize_t got;
    do {
        got = relay_read(&dialog->error, dialog->pipes.error);
    } while (got > 0 && (events & POLLHUP) != 0);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
        pipes_shut(&dialog->pipes.error);
    }
}

static void note_exit(struct dialog *dialog)
{
    dialog->exited = true;
    dialog->status = child_status(&dialog->child);
    dialog->term_at = INT64_MAX;
    dialog->leave_at = clock_now() + DRAIN_NS;
    dialog_close(dialog);
}

static bool take_call(const struct dialog *dialog)
{
    uint64_t calls;
    return read(dialog->call_fd, &calls, sizeof(calls)) > 0;
}

unsigned dialog_wait(struct dialog *dialog, bool has_bytes, int64_t until)
{
    // A descriptor of -1 is ignored.
    struct pollfd fds[] = {
        {.fd = dialog->call_fd, .events = POLLIN},
        {.fd = has_bytes ? dialog->pipes.input : -1, .events = POLLOUT},
        {.fd = dialog->pipes.output, .events = POLLIN},
        {.fd = dialog->pipes.error, .events = POLLIN},
        {.fd = dialog->lives && !dialog->exited ? dialog->child.pidfd : -1, .events = POLLIN},
    };
    unsigned found = 0;
    if (poll(fds, sizeof(fds) / sizeof(fds[0]), clock_poll_timeout(next_time(dialog, until))) > 0) {
        found |= fds[0].revents != 0 && take_call(dialog) ? DIALOG_CALLED : 0;
        found |= fds[1].revents != 0 ? DIALOG_TAKES : 0;
        found |= fds[2].revents != 0 ? DIALOG_REPLIES : 0;
        if (fds[3].revents != 0) {
            read_error(dialog, fds[3].revents);
        }
        if (fds[4].revents != 0) {
            note_exit(dialog);
        }
    }
    if (dialog->lives) {
        do_what_is_due(dialog);
    }
    // What is still coming may be the child's own, unless that goes on for too long.
    bool over = is_over(dialog) &&
                ((found & DIALOG_REPLIES) == 0 || clock_now() >= dialog->leave_at + DRAIN_NS);
    return found | (over ? DIALOG_OVER : 0);
}

// --- bytes

size_t dialog_write(struct dialog *dialog, const struct iovec *iov, size_t count)
{
    ssize_t done = writev(dialog->pipes.input, iov, (int)count);
    if (done < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            dialog_close(dialog);
        }
        return 0;
    }
    dialog->written += (uint64_t)done;
    return (size_t)done;
}

bool dialog_is_open(const struct dialog *dialog)
{
    return dialog->pipes.input >= 0;
}

void dialog_close(struct dialog *dialog)
{
    pipes_shut(&dialog->pipes.input);
}

uint64_t dialog_written(const struct dialog *dialog)
{
    return dialog->written;
}

uint64_t dialog_consumed(const struct dialog *dialog)
{
    int unread = 0;
    if (ioctl(dialog->pipes.unread, FIONREAD, &unread) != 0) {
        unread = 0; // which never happens to a pipe
    }
    return dialog->written - (uint64_t)unread;
}

size_t dialog_read(struct dialog *dialog, char *bytes, size_t size)
{
    ssize_t got = read(dialog->pipes.output, bytes, size);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
        pipes_shut(&dialog->pipes.output);
        dialog->whole = got == 0;
        dialog_close(dialog); // it answers nothing any more
    }
    return got > 0 ? (size_t)got : 0;
}

bool dialog_is_whole(const struct dialog *dialog)
{
    return dialog->whole;
}

// --- end

void dialog_limit(struct dialog *dialog, int64_t at)
{
    if (dialog->lives && !dialog->exited && !dialog->timed_out) {
        dialog->term_at = at;
    }
}

void dialog_kill(struct dialog *dialog)
{
    if (dialog->lives) {
        child_table_signal(dialog->config->table, &dialog->child, SIGKILL);
    }
}

static enum process_end judge(const struct dialog *dialog)
{
    if (child_table_ending(dialog->config->table)) {
        return PROCESS_ENDED;
    }
    if (dialog->timed_out) {
        return PROCESS_TIMED_OUT;
    }
    if (dialog->status < 0) {
        return PROCESS_SIGNALLED;
    }
    return statuses_have(&dialog->config->ok_exit, dialog->status) ? PROCESS_SUCCEEDED
                                                                   : PROCESS_EXITED;
}

enum process_end dialog_end(struct dialog *dialog)
{
    struct child_table *table = dialog->config->table;
    enum process_end end = judge(dialog);
    if (end != PROCESS_SUCCEEDED) {
        child_table_signal(table, &dialog->child, SIGKILL);
    } else if (dialog->pipes.output >= 0 || dialog->pipes.error >= 0) {
        child_table_warn_left(table);
    }
    child_table_remove(table, &dialog->child);
    child_reap(&dialog->child);
    pipes_shut_all(&dialog->pipes);
    relay_finish(&dialog->error);
    dialog->lives = false;
    dialog->term_at = dialog->kill_at = dialog->leave_at = INT64_MAX;
    return end;
}

int dialog_status(const struct dialog *dialog)
{
    return dialog->exited && dialog->status >= 0 ? dialog->status : -1;
}

int dialog_signal(const struct dialog *dialog)
{
    return dialog->exited && dialog->status < 0 ? -dialog->status : 0;
}
