// SPDX-License-Identifier: BSD-2-Clause
// Tasks by the time when their next attempt is due, and results by their place.
//
// A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986), linked through the tasks themselves,
// so that adding one needs no memory and cannot fail. Not thread-safe: guarded by the core's lock.

#ifndef PPROC_CORE_RETRY_H
#define PPROC_CORE_RETRY_H

#include "core/result.h"

#include <stdint.h>

// Add a task, result->task.due being set.
void retry_push(struct retry_heap *heap, struct result *result);

// Take out the task that is due first, heap->root; there must be one.
struct result *retry_pop(struct retry_heap *heap);

#endif
