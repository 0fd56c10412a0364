// SPDX-License-Identifier: BSD-2-Clause
// The account of a run, as --stats and SIGUSR1 print it on standard error.

#ifndef PPROC_CLI_STATS_H
#define PPROC_CLI_STATS_H

#include "cli/settings.h"

#include <stdint.h>

// Records unless said otherwise. read = emitted + dropped + failed + unprocessed.
struct account {
    uint64_t read, emitted, dropped, failed, unprocessed;
    uint64_t retried;    // records that were attempted again
    uint64_t attempts;   // runs of tasks
    uint64_t splits;     // those of them that failed, so that the task was split
    uint64_t task_bytes; // bytes of a task, on average of late
    uint64_t bytes_in;   // decompressed
    uint64_t bytes_out;  // written
    double seconds;      // elapsed, less the time that the process was stopped
    unsigned workers;    // what -j came to
};

// One line of JSON or a small table, in one write; STATS_NONE prints nothing.
void stats_print(const struct account *account, enum stats_format format);

#endif
