// SPDX-License-Identifier: BSD-2-Clause
// Tasks that wait for their next attempt, by the time that it is due.
//
// A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986), linked through the tasks themselves,
// so that adding one needs no memory and cannot fail. Not thread-safe: guarded by the core's lock.

#ifndef PPROC_CORE_RETRY_H
#define PPROC_CORE_RETRY_H

#include "core/result.h"

#include <stdint.h>

struct retry_heap {
    struct result *root; // the next one that is due
};

// Wait before attempt n+1: random between d/2 and d, d = min(max, base * factor^(n-1)).
struct backoff {
    int64_t base, max; // nanoseconds
    double factor;     // at least 1
};

// Add a task, result->task.due being set.
void retry_push(struct retry_heap *heap, struct result *result);

// Take out the task that is due first; there must be one.
struct result *retry_pop(struct retry_heap *heap);

// How long to wait after `attempts` attempts (at least 1), in nanoseconds. `random` is uniform over
// all 64 bits.
int64_t retry_delay(const struct backoff *backoff, unsigned attempts, uint64_t random);

#endif
