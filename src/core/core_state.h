// SPDX-License-Identifier: BSD-2-Clause
// What is inside of the core; for the core's own files alone.

#ifndef PPROC_CORE_CORE_STATE_H
#define PPROC_CORE_CORE_STATE_H

#include "core/core.h"
#include "core/keys.h"
#include "core/levels.h"
#include "core/retry.h"

// A batch that failed, until it is known how its parts end; see split.c.
enum split_kind {
    SPLIT_HALVES,
    SPLIT_SAMPLES,  // some single records, while the others wait
    SPLIT_SEQUENCE, // one after another, while the others wait
};

struct split {
    enum split_kind kind;
    struct split *prev, *next; // all that there are
    struct result *waiting;    // parts that wait, by offset; linked by queue_next
    unsigned open;             // parts whose end it waits for
    unsigned failed;           // halves that failed; records of a sequence that did, in a row
    struct cause *cause;       // that samples, or these records, died of; NULL: none did
    bool goes_well;            // some record of a sequence did
};

// Who is to be woken once the lock is free: who is woken while it is taken only waits for that.
struct wakes {
    bool reader, writer;
    struct core_worker *worker; // one of them, or NULL
};

struct core {
    struct core_config config; // constant

    pthread_mutex_t mutex; // guards all that follows, and what it reaches
    pthread_cond_t room;   // the reader waits: room, or the end
    pthread_cond_t output; // the writer waits: something to write, or the end
    struct wakes wakes;
    enum core_phase phase;

    size_t used;      // bytes charged
    size_t ahead;     // bytes of records that were read and are not settled
    size_t unwritten; // bytes of records whose results the writer has, or can have

    // Roles are flags, not locks: whoever has one works without the lock.
    bool reading, writing;
    bool eof;    // there is no more to read
    bool broken; // nothing can be written any more

    // What waits: records that were read, parts and due retries, and retries that are not due.
    struct levels levels;
    size_t queued;  // bytes of records in the levels
    size_t waiting; // how many they are, if queue_size is set
    bool blocked;   // what comes next in the levels waits for its key
    struct keys keys;
    struct retry_heap retries;
    struct result *given_up; // tasks that could not be run; by queue_next
    struct split *splits;    // parts of tasks that wait for other parts
    struct bucket bucket;    // open: a task may be started, as far as the rate goes
    int64_t now;             // when somebody last told the time

    struct result *runs; // tasks that workers have
    unsigned running;    // how many
    bool more_input;     // the last read left something that can be read without waiting
    double cost;         // nanoseconds a task, moving average
    double size;         // bytes a task, likewise
    double variance;     // of the bytes, likewise
    double covariance;   // of bytes and nanoseconds
    double pace;         // nanoseconds a byte, beside what any task takes; 0: not known yet
    size_t asked;        // bytes of the last task that were wanted,
    size_t carved;       // and that it was given
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

    uint64_t emitted, failed; // records of tasks that are done, until halted
    bool halted;              // by config.halt

    struct ledger ledger;
    const struct input *input; // of the last settled record
    uint64_t nr;               // its number in the input

    unsigned quiet;             // tasks of workers that can but wait for answers
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

enum carve_status {
    CARVE_TASK,
    CARVE_NONE,      // all that waits does so for its key
    CARVE_NO_MEMORY, // to make it
};

// The task to run next, of what waits in the levels.
enum carve_status carve_next(struct core *core, struct result **result);
// The records of the task have ended: others with their keys may start.
void carve_end_keys(struct core *core, const struct task *task);
// They wait for another attempt.
void carve_delay_keys(const struct task *task);
// The block becomes one task. NULL: no memory.
struct result *carve_whole(struct core *core, struct block *block);
// Cut off the first `len` bytes of a task, whole records and less than all: that is a task, and
// both are parts. NULL: no memory, the task is as it was.
struct result *carve_front(struct core *core, struct result *result, size_t len);
// Are these bytes better copied than their block kept in memory while they wait?
bool carve_is_small(const struct block *block, size_t len);
// The task is about to wait: a small one takes a copy of its bytes and lets the block go. Without
// memory it keeps it.
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
// Nothing will come in between any more: hand over all that is done.
void order_add_rest(struct core *core);
// What can be written, and the role of writing.
void order_take_output(struct core *core, struct work *work);
void order_close_ledger(struct core *core);

// --- split.c

// The rest of a task with several records of a key is to run after the front. False: no memory.
bool split_put_behind(struct core *core, struct result *front, struct result *rest);
// The task is done: whoever waits for its end is told.
void split_done(struct core *core, struct result *result);
// Free it, but not what waits.
void split_destroy(struct core *core, struct split *split);

// --- state.c

bool state_has_room(const struct core *core);
bool state_can_read(const struct core *core);
bool state_has_output(const struct core *core);
// Does something wait to be started?
bool state_has_waiting(const struct core *core);
// Likewise, and may it be now?
bool state_has_task(const struct core *core);
// Is there a worker, or could there be one, that has no task?
bool state_has_free_worker(const struct core *core);
// Will nothing be run any more?
bool state_is_drained(const struct core *core);
// Can nothing happen before some answer comes?
bool state_is_stalled(const struct core *core);
bool state_is_finished(const struct core *core);

// The run goes on like that at most.
void state_stop(struct core *core, enum core_phase phase);

// Release the lock, and wake those who are to be woken.
void state_unlock(struct core *core);
// Likewise, and wait for the condition.
void state_wait(struct core *core, pthread_cond_t *cond);

// Wake one of those who wait, if there is something for him. For a task: something has come to the
// levels, or been freed in them.
void wake_worker(struct core *core);
void wake_for_task(struct core *core);
void wake_reader(struct core *core);
// Wake the workers that have unanswered tasks.
void wake_to_flush(struct core *core);
void wake_writer(struct core *core);
// After every change that can be the last: tell all who wait for the end, and if there can be none
// before some unanswered task is answered, the workers that have such.
void wake_at_end(struct core *core);

// --- dispatch.c

// A run of the task has ended, which took `ns` nanoseconds.
void dispatch_end_run(struct core *core, struct result *result, int64_t ns);

#endif
