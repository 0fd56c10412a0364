// SPDX-License-Identifier: BSD-2-Clause
// A task, and the result of running it.

#ifndef PPROC_CORE_RESULT_H
#define PPROC_CORE_RESULT_H

#include "base/buf.h"
#include "core/block.h"
#include "core/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

// Consecutive records of one block that are run together. Its place is (block, byte offset):
// nothing has to be counted to carve, split or order tasks.
struct task {
    struct block *block;
    size_t off, len; // bytes of the block, whole records
    uint64_t index;  // records of the block before it, if records are numbered
    int level;       // of the span that it comes from,
    int64_t entered; // likewise
    char *copy;      // of the block's bytes from `copy_off` on; NULL if it holds the block's own
    size_t copy_off;
    unsigned attempts;   // that were made so far
    int64_t due;         // time of the next attempt; once it is done, its place in the block
    bool part;           // of a task that failed as a whole
    uint64_t records;    // how many, if they may have keys; else 0
    bool repeats;        // several of them have the same key
    bool passed;         // it was passed over, since its key was busy, and was not started yet
    struct split *split; // that its end is of interest to; the core's
    struct cause *doom; // not to be run: its records fail with this, which others like them died of
};

// How many records went where. records = emitted + dropped + failed.
struct tally {
    uint64_t records, emitted, dropped, failed;
    uint64_t more; // that were put out beyond one for each that was emitted
};

// Bytes that are on disk.
struct extent {
    off_t offset;
    size_t len;
};

// A task and what running it gives: bytes to write and an account. Whoever runs the task owns it,
// from core_take() to core_done() or core_fail(); before and after that it is the core's.
struct result {
    struct task task;

    // Output, in order: runs of the task's own bytes and of `own`.
    struct iovec *iov; // once it is spilled, iov_base is NULL for the next bytes of `own`
    size_t iov_count;
    char *own;                   // bytes that are not in the block; NULL once they are spilled
    size_t own_len;              // bytes of `own`
    size_t own_cap;              // bytes of memory that it takes, if more than these; else 0
    struct block_pool *own_pool; // where it goes back to; NULL: it is malloc's
    struct extent *extents;      // where they are on disk, in order; NULL unless they are
    size_t extent_count;
    char *tags; // lines of which each begins one of the output, and the last one all others too;
                // NULL: nothing does
    size_t tags_len;
    bool refers;       // the output refers to the task's own bytes
    bool unterminated; // its last record lacks its delimiter, whatever its bytes end in
    struct tally tally;
    struct failure *failures, *failures_last; // in the order of their records
    size_t failure_bytes;                     // of memory that they take

    // The core's, guarded by its lock.
    size_t charged;             // bytes of memory that it counts as
    struct core_worker *worker; // that has it by core_poll(); else NULL
    bool held;                  // it holds a reference of the block
    bool written;               // given back by the writer
    struct result *prev, *next; // among those that run; next: in a heap, or joined in the block
    struct result *queue_next;  // in the queue, a split, the writer's list
    struct result *heap_child;  // in a heap
};

// The records of the task.
static inline const char *result_bytes(const struct result *result)
{
    const struct task *task = &result->task;
    return task->copy != NULL ? task->copy + (task->off - task->copy_off)
                              : task->block->buf + task->off;
}

// A task of `len` bytes of `block`, with nothing done yet. NULL: no memory.
struct result *result_create(struct block *block, size_t off, size_t len);

// Give back the output, as before the task was run: the next attempt begins anew.
void result_clear(struct result *result);

// Pass output and account to a result that begins at the same byte and has none.
void result_pass(struct result *from, struct result *to);

// The output refers to the task's own bytes as if these were at `bytes`: refer to where they are.
void result_move(struct result *result, const char *bytes);

// Make the bytes the output of a result that has none; the buffer is empty then. Returns 0, or -1:
// no memory.
int result_give(struct result *result, struct buf *bytes);

// Let the lines of the output begin with a copy of these lines. Returns 0, or -1: no memory.
int result_tag(struct result *result, struct iovec tags);

// Free the output; the account stays.
void result_drop_output(struct result *result);
// Likewise, but keep the tags, for other bytes.
void result_drop_bytes(struct result *result);

// Free the bytes that it owns, since they are elsewhere now.
void result_drop_own(struct result *result);

// Frees all but what the block holds. NULL is fine.
void result_destroy(struct result *result);

// Note that record number `index` of the task (from 0) failed, and count it in the tally, not as
// read. `record` points to its `len` bytes in result_bytes(), the delimiter not included. Takes a
// reference of its own of `cause`. Returns 0, or -1: no memory.
int result_fail(struct result *result, uint64_t index, const char *record, size_t len,
                struct cause *cause);

// The records of the task, which has neither output nor account, fail with `cause`. Likewise.
int result_fail_all(struct result *result, struct cause *cause);

// Note when the task was run, and for how many seconds, with those failures that do not know yet.
void result_stamp(struct result *result, struct timespec now, double seconds);

// Collects what one task emits, then hands it to its result. Each worker has one and uses it for
// task after task, so that its memory is got once. Long runs of the task's own bytes are
// referred to; short ones are copied together, so that neither the pieces nor the bytes grow
// beyond the task.
struct emitter {
    bool discard;                // for good: nothing is to be written, records are only counted
    bool unterminated;           // as in the result
    const char *kept, *kept_end; // bytes of the task that are emitted, but no piece yet
    struct iovec *iov;           // base NULL: the next iov_len bytes of `own`
    size_t iov_count, iov_cap;
    struct buf own;     // copied bytes, and those that operations made
    size_t own_emitted; // how many of them are emitted,
    size_t own_pieced;  // and are in pieces
    size_t usual;       // bytes of memory that were handed over the last time
};

void emitter_init(struct emitter *emitter);
void emitter_destroy(struct emitter *emitter);

// Put what is kept where it belongs, and have room for the emitter's own bytes. 0, or -1.
int emitter_flush(struct emitter *emitter);

// Bytes of the task's own, which stay where they are until the result is written; what follows on
// the last ones makes one run with them. 0, or -1.
static inline int emitter_keep(struct emitter *emitter, const char *bytes, size_t len)
{
    if (bytes != emitter->kept_end) {
        if (emitter_flush(emitter) != 0) {
            return -1;
        }
        emitter->kept = bytes;
    }
    emitter->kept_end = bytes + len;
    return 0;
}

// Other bytes are appended to what the first gives (NULL: no memory); then they are emitted by the
// second, or forgotten by the third.
static inline struct buf *emitter_open(struct emitter *emitter)
{
    bool ready = emitter->kept == emitter->kept_end && emitter->own.cap > 0;
    return ready || emitter_flush(emitter) == 0 ? &emitter->own : NULL;
}

static inline void emitter_revert(struct emitter *emitter)
{
    emitter->own.len = emitter->own_emitted;
}

static inline void emitter_commit(struct emitter *emitter)
{
    if (emitter->discard) {
        emitter_revert(emitter);
    }
    emitter->own_emitted = emitter->own.len;
}

// Forget all, to begin another task.
void emitter_clear(struct emitter *emitter);

// Pass all of it to the result and be empty again. 0, or -1 without memory: nothing was passed.
int emitter_finish(struct emitter *emitter, struct result *result);

#endif
