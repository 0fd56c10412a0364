// SPDX-License-Identifier: BSD-2-Clause
// One run: builds the parts, starts the threads, waits for the end, takes all apart.

#ifndef PPROC_RUN_RUN_H
#define PPROC_RUN_RUN_H

struct command;
struct plan;
struct settings;

// Returns the exit status of the process. Does not return if a signal is to end it.
// `command` is NULL if there is none.
int run(const struct settings *settings, struct plan *plan, struct command *command);

#endif
