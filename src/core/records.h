// SPDX-License-Identifier: BSD-2-Clause
// Where records end.
//
// Usually each delimiter ends one. Other records have their ends in an index that the reader made
// (block->ends), since they hold delimiters too. Whoever goes over records does so by these
// functions, which know both:
//
//     struct records records = records_of(result);
//     struct record record;
//     while (records_next(&records, &record)) ...

#ifndef PPROC_CORE_RECORDS_H
#define PPROC_CORE_RECORDS_H

#include "core/result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct record {
    const char *bytes;
    size_t len;       // without its delimiter
    const char *next; // behind its delimiter, which the last one may lack
};

// Some records of a task or a block, one after another.
struct records {
    const char *next, *end; // those that are still to come
    char delimiter;
    const size_t *ends; // of these in their block; NULL: each delimiter ends one
    const char *bytes;  // of the task or the block,
    size_t off;         // which are here in the block
};

// All records of the task, or those from byte `from` to before byte `to`, where records begin.
struct records records_of(const struct result *result);
struct records records_between(const struct result *result, const char *from, const char *to);

// The records of a block, which must have its bytes, from byte `off` to before byte `end`,
// likewise.
struct records records_within(const struct block *block, size_t off, size_t end);

// The next one of records with an index; there is one.
struct record records_next_indexed(struct records *records);

// The next one. False: there are no more.
static inline bool records_next(struct records *records, struct record *record)
{
    const char *bytes = records->next;
    if (bytes == records->end) {
        return false;
    }
    if (records->ends != NULL) {
        *record = records_next_indexed(records);
        return true;
    }
    const char *stop = memchr(bytes, records->delimiter, (size_t)(records->end - bytes));
    record->bytes = bytes;
    record->len = (size_t)((stop != NULL ? stop : records->end) - bytes);
    record->next = records->next = stop != NULL ? stop + 1 : records->end;
    return true;
}

// Say that the record is run now, as plan_state_watch() has it.
static inline void records_tell(const struct records *records, const struct record *record,
                                _Atomic uint64_t *progress)
{
    atomic_store_explicit(progress, (uint64_t)(record->bytes - records->bytes) + 1,
                          memory_order_relaxed);
}

// How many records the task has.
uint64_t records_in_task(const struct result *result);

// How many records the block has from byte `off` to before `end`, where records begin. Unless that
// is all of it and they are counted, it must still have its bytes, or an index.
uint64_t records_in_block(const struct block *block, size_t off, size_t end);

// Where the record ends that byte `off` of the block is in, its delimiter included. Likewise.
size_t records_end(const struct block *block, size_t off);

// Where the record was read first that byte `off` of the block is in, if it is run again; else
// NULL.
const struct origin *records_origin(const struct block *block, size_t off);

// Which level the record has that byte `off` of the block is in. From any thread.
int records_level(const struct block *block, size_t off);

// Where the task can be split: the boundary nearest behind its middle, else before it, in bytes of
// the task. 0: it is one record.
size_t records_middle(const struct result *result);

// How many records `len` bytes have of which each delimiter ends one; a last one without it counts.
size_t records_count(const char *bytes, size_t len, char delimiter);

#endif
