// SPDX-License-Identifier: BSD-2-Clause
// One run: builds the parts, starts the threads, waits for the end, takes all apart.

#ifndef PPROC_RUN_RUN_H
#define PPROC_RUN_RUN_H

struct plan;
struct settings;

enum exit_status {
    EXIT_OK = 0,
    EXIT_FAILED_RECORDS = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_OUTPUT = 4,
    EXIT_STOPPED = 5,
};

// Returns the exit status of the process. Does not return if a signal is to end it.
int run(const struct settings *settings, const struct plan *plan);

#endif
