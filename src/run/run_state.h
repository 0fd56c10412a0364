// SPDX-License-Identifier: BSD-2-Clause
// What main knows of the run; for its own files alone.

#ifndef PPROC_RUN_RUN_STATE_H
#define PPROC_RUN_RUN_STATE_H

#include "input/reader.h"
#include "run/bar.h"
#include "run/record_key.h"
#include "run/record_start.h"
#include "run/signals.h"
#include "run/threads.h"

#include <stdbool.h>
#include <stdint.h>

struct run {
    const struct settings *settings;
    struct signals signals;
    struct block_pool *pool;
    struct record_start record_start;
    struct record_key record_key;
    struct shared shared;
    struct threads threads;
    struct bar bar;
    struct reader_demand demand;
    int notify_fd;     // an eventfd: the core has news
    int64_t start;     // when the run began
    int64_t limit;     // when to wait no longer for threads that are stuck; 0: never
    int64_t kill_at;   // when children that were told to end are killed; 0: they were not told
    int signal;        // that ends the run, or 0
    int64_t signal_at; // when it came
    bool stopped;      // by SIGUSR2
    bool halted;       // by --halt
    bool stuck;        // threads were not waited for
    int output_error;  // why the output is not whole, an errno; 0: it is
    bool threads_lack; // some thread that is needed could not be started
};

#endif
