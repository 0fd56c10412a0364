// SPDX-License-Identifier: BSD-2-Clause
// Watching over a child with pipes to it: its start, its times, what it writes to its standard
// error, how long its output is read, and what became of it.
//
// The order at the end of a child: its pidfd is readable; its output is read to the end, for at
// most a second if something that it left behind holds it open; if it failed its group is killed,
// while the child, not reaped yet, still keeps the group's id; it is taken out of the table of
// children; it is reaped.
//
// Whoever watches polls `child.pidfd` until the child has exited, and the pipes, and says what came
// of that.

#ifndef PPROC_COMMAND_CHILD_WATCH_H
#define PPROC_COMMAND_CHILD_WATCH_H

#include "base/statuses.h"
#include "command/child.h"
#include "command/launch.h"
#include "command/relay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct block_pool;
struct child_table;
struct spill;

// What all processes of a run have in common. Constant.
struct process_config {
    const struct child_origin *origin;
    struct child_table *table;
    struct spill *spill;
    struct block_pool *pool; // for output of about the size of a block
    int null_fd;             // the null device
    size_t share;            // bytes of output that one keeps in memory
    int64_t timeout;         // nanoseconds; 0: none
    int64_t kill_after;      // nanoseconds between SIGTERM and SIGKILL
    struct statuses ok_exit; // exit statuses of success
};

enum process_end {
    PROCESS_SUCCEEDED,
    PROCESS_EXITED,    // with a status that is none of success
    PROCESS_SIGNALLED, // it died of a signal
    PROCESS_TIMED_OUT,
    PROCESS_FLOODED,     // it gave too many replies
    PROCESS_NOT_STARTED, // errno says why
    PROCESS_ENDED,       // the run ends, and so did it
    PROCESS_BROKEN,      // its output could not be kept: no memory, or the spill file failed
};

// One child after another; a worker's own.
struct child_watch {
    const struct process_config *config;
    struct child_stack *stack;
    struct relay error;

    // The child that lives, or lived last.
    struct child child;
    struct pipes pipes;
    bool lives; // from its start to child_watch_end()
    bool exited, timed_out, broken;
    bool flooded;    // it was killed for too many replies, by whoever counts them
    int64_t flow_at; // when to do what, INT64_MAX: not any more
    int64_t term_at, kill_at;
    int64_t leave_at; // when its output is read no longer, if nothing is there
    size_t drained;   // bytes that were read since it exited
    bool left;        // its output is read no longer
    int status;       // once it has exited: as child_status() has it
};

// `config` has to live longer. Returns 0, or -1 with errno set: then there is nothing to destroy.
int child_watch_init(struct child_watch *watch, const struct process_config *config);
// There must be no child.
void child_watch_destroy(struct child_watch *watch);

// Start a child; there is none. As launch_child(); `counts`: pipes.unread is wanted.
int child_watch_start(struct child_watch *watch, const struct child_program *program, bool filter,
                      bool counts);

// The child times out at that time; INT64_MAX: never.
void child_watch_limit(struct child_watch *watch, int64_t at);
// It is of no use any more. Nothing happens if there is none.
void child_watch_kill(struct child_watch *watch);

// Until when may be waited for something to happen? INT64_MAX: for ever.
int64_t child_watch_next_time(const struct child_watch *watch);
// Do what is due: signals, and lines of standard error.
void child_watch_do_due(struct child_watch *watch);

// A read of the pipe gave so much, or -1 with errno set, which breaks the child, but for EINTR and
// EAGAIN. Closes the pipe after the last one. Was there something?
bool child_watch_note_read(struct child_watch *watch, int *pipe, ssize_t got);
// Its standard error can be read, as poll(2) says. Returns the number of bytes.
size_t child_watch_read_error(struct child_watch *watch, short events);
// The pipes were polled at `now` or later: was there nothing to be read?
void child_watch_note_look(struct child_watch *watch, int64_t now, bool nothing);
// Its pidfd is readable.
void child_watch_note_exit(struct child_watch *watch);

// Has the child ended, and its output too, or is that held open for too long?
bool child_watch_is_over(const struct child_watch *watch);
// Then: how did it end? There is none any more. Not PROCESS_NOT_STARTED.
enum process_end child_watch_end(struct child_watch *watch);
// Of the last child: its exit status, or -1, and the signal that it died of, or 0.
int child_watch_status(const struct child_watch *watch);
int child_watch_signal(const struct child_watch *watch);

#endif
