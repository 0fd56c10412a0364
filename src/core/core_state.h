// SPDX-License-Identifier: BSD-2-Clause
// What is inside of the core; for the core's own files alone.

#ifndef PPROC_CORE_CORE_STATE_H
#define PPROC_CORE_CORE_STATE_H

#include "core/core.h"
#include "core/levels.h"

struct core {
    struct core_config config; // constant

    pthread_mutex_t mutex; // guards all that follows, and what it reaches
    pthread_cond_t room;   // the reader waits: room, or the end
    pthread_cond_t output; // the writer waits: something to write, or the end
    enum core_phase phase;

    size_t used;      // bytes charged
    size_t ahead;     // bytes of records that were read and are not settled
    size_t unwritten; // bytes of records whose results the writer has, or can have

    // Roles are flags, not locks: whoever has one works without the lock.
    bool reading, writing;
    bool eof;    // there is no more to read
    bool broken; // nothing can be written any more

    // What waits: read and not started, halves and due retries, retries that are not due.
    struct levels levels;
    size_t waiting; // records in the levels, if queue_size is set
    struct result *urgent_first, *urgent_last;
    struct retry_heap retries;
    struct result *given_up; // tasks that could not be run; by queue_next

    unsigned running; // tasks that workers have
    bool more_input;  // the last read left something that can be read without waiting
    int64_t cost;     // nanoseconds a task, moving average
    int64_t pace;     // nanoseconds a KiB of records, moving average
    uint64_t random;

    // Live blocks are those from `oldest` to before `next`; block n is in ring[n % config.ring].
    struct block **ring;
    uint64_t next, oldest;
    uint64_t handing; // ordered: the block of which results are handed over

    // What the writer is to take.
    struct result *ready_first, *ready_last;
    struct failure *failures_first, *failures_last;
    size_t failure_bytes; // charged for them
    size_t taken_bytes;   // charged for those that the writer has taken

    struct ledger ledger;
    const struct input *input; // of the last settled record
    uint64_t nr;               // its number in the input

    struct core_worker *parked; // last parked first
    unsigned workers;           // that exist or are about to
    bool worker_wanted;
};

// --- budget.c

void budget_charge(struct core *core, size_t bytes);
void budget_uncharge(struct core *core, size_t bytes);
void budget_charge_result(struct core *core, struct result *result, size_t bytes);
// A reference of the block's bytes is gone; with the last one they are.
void budget_release_block(struct core *core, struct block *block);
// The result no longer needs the bytes of the block, if it held them.
void budget_release_result(struct core *core, struct result *result);

// --- carve.c

// Make a task of the first records that wait; there must be some. NULL: no memory.
struct result *carve_next(struct core *core);
// Does the task have more than one record?
bool carve_can_split(const struct result *result);
// Cut off the second half of a task that can be split. NULL: no memory, the task is as it was.
struct result *carve_half(struct core *core, struct result *result);
// The task is about to wait: a small one takes a copy of its bytes, so as not to keep a large
// block in memory. Without memory it does keep it.
void carve_copy(struct core *core, struct result *result);

// --- order.c

// The oldest live block, or NULL.
struct block *order_oldest(const struct core *core);
void order_add_block(struct core *core, struct block *block);
// The result is done: link it to its block, and hand over what became ready.
void order_add(struct core *core, struct result *result);
// Take note of results that were written; what is settled thereby is added to *settled (linked by
// queue_next), to be destroyed without the lock.
void order_written(struct core *core, struct result *result, struct result **settled);
void order_close_ledger(struct core *core);

#endif
