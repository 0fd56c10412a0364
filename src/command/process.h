// SPDX-License-Identifier: BSD-2-Clause
// One run of COMMAND, from its start to its end.
//
// The order at the end of a child: its pidfd is readable; its output is read to the end, for at
// most a second if something that it left behind holds it open; if it failed its group is killed,
// while the child, not reaped yet, still keeps the group's id; it is taken out of the table of
// children; it is reaped.

#ifndef PPROC_COMMAND_PROCESS_H
#define PPROC_COMMAND_PROCESS_H

#include "base/statuses.h"
#include "command/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct child_origin;
struct child_table;
struct spill;

// What all processes of a run have in common. Constant.
struct process_config {
    const struct child_origin *origin;
    struct child_table *table;
    struct spill *spill;
    int null_fd;             // the null device
    size_t share;            // bytes of output that one keeps in memory
    int64_t timeout;         // nanoseconds; 0: none
    int64_t kill_after;      // nanoseconds between SIGTERM and SIGKILL
    struct statuses ok_exit; // exit statuses of success
};

// What one of them runs.
struct process_job {
    const char *path; // to the program
    char *const *argv;
    char *const *envp;
    struct iovec *input; // what it can read, used up; NULL: it reads the null device
    size_t input_count;
    uint64_t replies; // records of its output beyond which it is killed; 0: any number
    char delimiter;   // of these
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

// Runs processes one after another; each worker has one, and is the one to use it.
struct process;

// NULL with errno set on failure.
struct process *process_create(const struct process_config *config);
void process_destroy(struct process *process);

// Run one to its end, however that is. Its standard error has been passed through then; its
// output and all that follows can be asked for until the next one is run.
enum process_end process_run(struct process *process, const struct process_job *job);

// The exit status, or -1.
int process_status(const struct process *process);
// The signal that it died of, or 0.
int process_signal(const struct process *process);
// Nanoseconds that it ran.
int64_t process_time(const struct process *process);
// Its output, after success: to be taken with capture_finish().
struct capture *process_output(struct process *process);
// Copies of the last bytes that it wrote, up to `size`. Return how many.
size_t process_output_tail(const struct process *process, char *bytes, size_t size);
size_t process_error_tail(const struct process *process, char *bytes, size_t size);

#endif
