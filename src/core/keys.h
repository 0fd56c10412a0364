// SPDX-License-Identifier: BSD-2-Clause
// Which records may start, as far as others with the same key go.
//
// The records that have a key have turns, in the order in which they were read. One may start when
// all before it have started and at most `jobs` - 1 of these have not ended: those that run, or are
// between attempts. Records that are run together in one task need not wait for each other.
//
// Only hashes are kept of keys: two that have the same one count as one key, which only makes their
// records wait for each other.
//
// A key exists from when its first record is read to when its last one has ended, and its records
// refer to it. The table is this file's own, since it is small and must do without memory for one
// more key: these share one.
//
// Not thread-safe: guarded by the core's lock.

#ifndef PPROC_CORE_KEYS_H
#define PPROC_CORE_KEYS_H

#include "core/block.h"
#include "core/result.h"
#include "core/retry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key {
    uint64_t hash;
    struct key *next;          // in its bucket
    uint64_t read;             // records that have had it: the turn of the next one
    uint64_t started;          // how many of them,
    uint64_t ended;            // and of those
    uint64_t task;             // number of the last task that started some
    bool delayed;              // one is between attempts
    struct retry_heap waiting; // tasks of records that were passed over, by turn
};

struct keys {
    unsigned jobs; // records of a key that are started and have not ended
    struct key **buckets;
    size_t bucket_count; // a power of 2
    size_t count;
    struct key shared; // by keys that there is no memory for
    uint64_t tasks;    // that were numbered
    size_t waiting;    // tasks that wait in keys
};

// Returns 0, or -1: no memory.
int keys_init(struct keys *keys, unsigned jobs);
// Frees all keys, not what waits in them.
void keys_destroy(struct keys *keys);

// Bytes of memory that the keys take.
static inline size_t keys_bytes(const struct keys *keys)
{
    return keys->count * (sizeof(struct key) + sizeof(struct key *));
}

// Give the records of a block their keys and turns.
void keys_admit(struct keys *keys, struct block *block);

// The next task has another number.
static inline uint64_t keys_number_task(struct keys *keys)
{
    return ++keys->tasks;
}

// Have as many records of the key started as may?
static inline bool keys_is_full(const struct keys *keys, const struct key *key)
{
    return key->started - key->ended >= keys->jobs;
}

// May the record start now, in the task with this number?
static inline bool keys_may_start(const struct keys *keys, const struct keyed *record,
                                  uint64_t task)
{
    const struct key *key = record->key;
    return key == NULL ||
           (record->turn == key->started && (!keys_is_full(keys, key) || key->task == task));
}

// It does. Returns the task that waits in its key and may start thereby, or NULL.
struct result *keys_start(struct keys *keys, const struct keyed *record, uint64_t task);

// The record has ended. Likewise.
struct result *keys_end(struct keys *keys, const struct keyed *record);

// The task, all of whose records have the same key, waits until it may start.
void keys_wait(struct keys *keys, struct result *result);

// Take out all tasks that wait, linked by queue_next.
struct result *keys_take_all(struct keys *keys);

#endif
