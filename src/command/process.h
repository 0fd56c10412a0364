// SPDX-License-Identifier: BSD-2-Clause
// One run of COMMAND, from its start to its end.

#ifndef PPROC_COMMAND_PROCESS_H
#define PPROC_COMMAND_PROCESS_H

#include "command/capture.h"
#include "command/child_watch.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

// What one process runs.
struct process_job {
    const char *path; // to the program
    char *const *argv;
    char *const *envp;
    struct iovec *input; // what it can read, used up; NULL: it reads the null device
    size_t input_count;
    uint64_t replies; // records of its output beyond which it is killed; 0: any number
    char delimiter;   // of these
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
