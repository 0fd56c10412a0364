// SPDX-License-Identifier: BSD-2-Clause
// A block: a run of whole records of one input, the unit of memory and of ordered emission.
//
// Ownership: the reader owns a block until core_admit(). From then on the core owns the struct,
// until all of its records are settled, and references keep the bytes: one of the queue while some
// are not carved, one of each task, which passes to the task's result. The index of its records
// lives as long as the struct: core/records.h uses it. So do its spans, and what keys records have.

#ifndef PPROC_CORE_BLOCK_H
#define PPROC_CORE_BLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct input;
struct key;
struct result;

// Tasks, or results; see core/retry.h.
struct retry_heap {
    struct result *root;
};

// Consecutive records of a block that wait in the queue with the same level.
struct span {
    struct block *block;
    size_t end;      // bytes of the block up to the end of them; constant, as `level` is
    size_t off, len; // bytes that wait; len shrinks from the front as tasks are carved
    uint64_t index;  // records of the block before them, if records are numbered
    int level;       // LEVEL_MIN to LEVEL_MAX, the smaller the sooner
    int64_t entered; // when they were read, of the clock of core_tick(); 0 if that does not matter
    struct span *prev, *next; // in their queue
};

// A record that may have a key; see core/keys.h.
struct keyed {
    union {
        uint64_t hash; // of its key, until the block is admitted; 0: it has none
        uint64_t turn; // after that: how many records with its key were read before it
    };
    struct key *key; // the core's, while the record has not ended; NULL: it has none
};

// Where a record was read first that is run again.
struct origin {
    const struct input *input;
    uint64_t nr;     // its number there, from 1
    uint64_t offset; // of its first byte there
};

// Bytes that are kept of a record that is too long, and its length if it is not known.
#define OVERSIZE_HEAD_BYTES ((size_t)64 * 1024)
#define OVERSIZE_UNKNOWN UINT64_MAX

struct block {
    // Set by the reader, constant once admitted.
    const struct input *input; // where the records come from
    uint64_t offset;           // of the first byte in the input, in decoded bytes
    char *buf;                 // NULL once nothing refers to it
    size_t len;                // bytes of records, delimiters included; the last may lack its own
    size_t cap;                // bytes of memory
    size_t records;            // how many, if the reader counted them; else 0
    uint64_t first_seq;        // if records are numbered: the number of the first one in the run,
    uint64_t first_nr;         // and in its input, both from 1; else 0. See also `origins`
    uint64_t oversize;         // if not 0 the block is the head of one record of that many bytes,
                               // more than a record may have
    char delimiter;            // ends each record
    bool keep_failed;          // records that fail are kept, for dead letters
    bool more;                 // the input had more to give, without waiting
    size_t *ends;              // ascending, where the records end if they are more than what a
                               // delimiter ends, the last one at len; NULL: they are not
    size_t end_count;
    int file;               // not 0: the bytes are still in this file, which is the block's own
    off_t place;            // where in it
    struct origin *origins; // of each of these; NULL: records are where they are read
    struct span *spans;     // of all records, ascending; NULL: they are one, at level 0
    size_t span_count;
    struct keyed *keyed; // all records; NULL: none has a key
    size_t keyed_count;

    // The core's, guarded by its lock.
    uint64_t no;                 // place in the order of reading, from 0
    struct span whole;           // all of it, if it has no other spans
    size_t uncarved;             // spans that wait
    unsigned refs;               // holders of buf: see above
    size_t joined;               // bytes whose results are done, up to the first gap; if output is
                                 // ordered they were handed to the writer
    size_t settled;              // bytes whose results are written and counted, and gone
    struct result *first, *last; // joined results that are not settled, by offset
    struct retry_heap apart;     // results that are done behind a gap
};

// Recycles the memory of blocks of the usual size. Thread-safe.
struct block_pool;

// `block_size` is the usual size in bytes; at most `keep` free buffers are held. NULL: no memory.
struct block_pool *block_pool_create(size_t block_size, unsigned keep);
// Likewise, but as far as `shared` has room blocks of the usual size lie there: whole pages, mapped
// by the caller, who keeps them for as long.
struct block_pool *block_pool_create_in(size_t block_size, unsigned keep, struct iovec shared);
void block_pool_destroy(struct block_pool *pool);
size_t block_pool_size(const struct block_pool *pool);
// A buffer of the usual size for something else than a block, or NULL: no memory.
char *block_pool_take(struct block_pool *pool);
// Give one back.
void block_pool_give(struct block_pool *pool, char *buf);

// A block with room for at least `cap` bytes (0: the usual size), all else zero. NULL: no memory.
struct block *block_create(struct block_pool *pool, size_t cap);

// A block that begins with a copy of the bytes, likewise; what is read behind them is so quickly.
struct block *block_copy(struct block_pool *pool, const char *bytes, size_t len);

// Make room for at least `cap` bytes. Returns 0, or -1 without memory, the block as it was.
int block_grow(struct block_pool *pool, struct block *block, size_t cap);

// If the bytes take little of their memory they get memory that fits: blocks that wait should count
// as what they hold.
void block_fit(struct block_pool *pool, struct block *block);

// Give the bytes back, keep the struct.
void block_release(struct block_pool *pool, struct block *block);

// Give it an index with room for `count` records, at least 1. Returns 0, or -1 without memory.
int block_make_index(struct block *block, size_t count);

// Bytes of memory of the index, the spans and the keys.
static inline size_t block_index_bytes(const struct block *block)
{
    size_t origin = block->origins != NULL ? sizeof(block->origins[0]) : 0;
    return block->end_count * (sizeof(block->ends[0]) + origin) +
           block->span_count * sizeof(block->spans[0]) +
           block->keyed_count * sizeof(block->keyed[0]);
}

// NULL is fine.
void block_destroy(struct block_pool *pool, struct block *block);

#endif
