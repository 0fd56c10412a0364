// SPDX-License-Identifier: BSD-2-Clause
// The line that --progress shows: numbers in, text out.

#ifndef PPROC_CLI_PROGRESS_H
#define PPROC_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// No line is longer, its NUL included.
#define PROGRESS_BYTES 512

struct progress {
    uint64_t done;   // bytes of the inputs, as they are stored, whose records have had their due
    uint64_t total;  // bytes of all inputs; 0: not known
    int64_t elapsed; // nanoseconds
    double rate;     // bytes a second, of late; at the end, of all the time
    bool finished;   // the run has ended
    bool plain;      // no bar

    unsigned busy, workers;
    uint64_t queued;     // what waits:
    bool queued_records; // records, or else bytes
    uint64_t batch;      // bytes that a batch has of late; 0: there are none
    uint64_t retried, failed;
};

// Now, after so many nanoseconds, so many bytes are done: they only ever grow.
void progress_advance(struct progress *progress, uint64_t done, int64_t elapsed);

// The run has ended.
void progress_finish(struct progress *progress);

// Make a line of at most `columns` columns, less than PROGRESS_BYTES. What matters least is left
// out where it does not fit, and a bar fills the rest.
void progress_format(const struct progress *progress, size_t columns, char line[PROGRESS_BYTES]);

#endif
