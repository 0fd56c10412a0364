// SPDX-License-Identifier: BSD-2-Clause
// What a worker does with the tasks that the core gives it.

#ifndef PPROC_RUN_WORKER_H
#define PPROC_RUN_WORKER_H

#include "core/core.h"
#include "run/threads.h"

struct command_state;
struct coproc;
struct plan_state;
struct proxy;

struct worker {
    pthread_t thread;
    struct shared *shared;
    struct core_worker core;
    struct plan_state *state;      // if it runs the operations alone
    struct command_state *command; // with COMMAND
    struct coproc *coproc;         // that lives on; else NULL
    struct proxy *proxy;           // with a process that runs the operations
};

// Run a task, and give it back to the core.
void worker_do_task(struct worker *worker, struct result *task);

// All that a worker does whose process lives on: take tasks until there are none any more.
void worker_serve(struct worker *worker);

#endif
