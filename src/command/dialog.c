// SPDX-License-Identifier: BSD-2-Clause
// Talking with a child that lives on.

#include "command/dialog.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct dialog {
    struct child_watch watch;
    int call_fd;

    // Of the child that lives, or lived last.
    uint64_t written; // bytes
    bool whole;       // its output was read to the end
};

struct dialog *dialog_create(const struct process_config *config, int call_fd)
{
    struct dialog *dialog = calloc(1, sizeof(*dialog));
    if (dialog == NULL) {
        return NULL;
    }
    if (child_watch_init(&dialog->watch, config) != 0) {
        free(dialog);
        return NULL;
    }
    dialog->call_fd = call_fd;
    return dialog;
}

void dialog_destroy(struct dialog *dialog)
{
    if (dialog != NULL) {
        child_watch_destroy(&dialog->watch);
        free(dialog);
    }
}

int dialog_start(struct dialog *dialog, const struct child_program *program)
{
    dialog->written = 0;
    dialog->whole = false;
    return child_watch_start(&dialog->watch, program, true, true);
}

bool dialog_lives(const struct dialog *dialog)
{
    return dialog->watch.lives;
}

// --- waiting

static bool take_call(const struct dialog *dialog)
{
    uint64_t calls;
    return read(dialog->call_fd, &calls, sizeof(calls)) > 0;
}

unsigned dialog_wait(struct dialog *dialog, bool has_bytes, int64_t until)
{
    struct child_watch *watch = &dialog->watch;
    int64_t now = clock_now(), next = child_watch_next_time(watch);
    // A descriptor of -1 is ignored.
    struct pollfd fds[] = {
        {.fd = dialog->call_fd, .events = POLLIN},
        {.fd = has_bytes ? watch->pipes.input : -1, .events = POLLOUT},
        {.fd = watch->pipes.output, .events = POLLIN},
        {.fd = watch->pipes.error, .events = POLLIN},
        {.fd = watch->lives && !watch->exited ? watch->child.pidfd : -1, .events = POLLIN},
    };
    unsigned found = 0;
    int timeout = clock_poll_timeout(next < until ? next : until);
    int count = poll(fds, sizeof(fds) / sizeof(fds[0]), timeout);
    child_watch_note_look(watch, now, count >= 0 && (fds[2].revents | fds[3].revents) == 0);
    if (count > 0) {
        found |= fds[0].revents != 0 && take_call(dialog) ? DIALOG_CALLED : 0;
        found |= fds[1].revents != 0 ? DIALOG_TAKES : 0;
        found |= fds[2].revents != 0 ? DIALOG_REPLIES : 0;
        if (fds[3].revents != 0) {
            (void)child_watch_read_error(watch, fds[3].revents);
        }
        if (fds[4].revents != 0) {
            child_watch_note_exit(watch);
        }
    }
    child_watch_do_due(watch);
    return found | (watch->lives && child_watch_is_over(watch) ? DIALOG_OVER : 0);
}

// --- bytes

size_t dialog_write(struct dialog *dialog, const struct iovec *iov, size_t count)
{
    ssize_t done = writev(dialog->watch.pipes.input, iov, (int)count);
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
    return dialog->watch.pipes.input >= 0;
}

void dialog_close(struct dialog *dialog)
{
    pipes_shut(&dialog->watch.pipes.input);
}

uint64_t dialog_written(const struct dialog *dialog)
{
    return dialog->written;
}

uint64_t dialog_consumed(const struct dialog *dialog)
{
    int unread = 0;
    if (ioctl(dialog->watch.pipes.unread, FIONREAD, &unread) != 0) {
        unread = 0; // which never happens to a pipe
    }
    return dialog->written - (uint64_t)unread;
}

size_t dialog_read(struct dialog *dialog, char *bytes, size_t size)
{
    ssize_t got = read(dialog->watch.pipes.output, bytes, size);
    (void)child_watch_note_read(&dialog->watch, &dialog->watch.pipes.output, got);
    if (dialog->watch.pipes.output < 0) {
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
    child_watch_limit(&dialog->watch, at);
}

void dialog_kill(struct dialog *dialog)
{
    child_watch_kill(&dialog->watch);
}

enum process_end dialog_end(struct dialog *dialog)
{
    return child_watch_end(&dialog->watch);
}

int dialog_status(const struct dialog *dialog)
{
    return child_watch_status(&dialog->watch);
}

int dialog_signal(const struct dialog *dialog)
{
    return child_watch_signal(&dialog->watch);
}
