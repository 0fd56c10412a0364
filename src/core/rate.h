// SPDX-License-Identifier: BSD-2-Clause
// How many records may be started in a while: a token bucket that holds one token.
//
// The bucket is open, and then whoever is first may start a task, or closed until the records that
// were started last are paid for. Nobody but who tells the time opens it, so those who start tasks
// need no clock. A task of n records costs n tokens, which are paid afterwards.
//
// Whoever tells the time is late by a moment, and so is a thread that is woken. If somebody waited
// for the bucket to open, the next tokens count from when it should have opened, so that such
// moments do not add up; if nobody did, from when the task was started, so nothing is saved up.
//
// Not thread-safe: guarded by the core's lock.

#ifndef PPROC_CORE_RATE_H
#define PPROC_CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_RECORDS_MAX UINT64_C(1000000)

// So many records in so many nanoseconds, 1 to RATE_RECORDS_MAX. 0 records: as many as there are.
struct rate {
    uint64_t records;
    int64_t period;
};

// No more than this many nanoseconds of being late are made up for.
#define RATE_LATE_MAX 100000000

struct bucket {
    bool open;
    bool awaited;   // when it opened somebody waited for that
    uint64_t taken; // records that were started and are not reckoned yet
    uint64_t rest;  // what was lost when the last time was rounded, in 1/records of a nanosecond
    int64_t due;    // when it opens, or has opened
};

// Open, with nothing to pay.
void bucket_init(struct bucket *bucket);

// A task of that many records is started; the bucket must be open, and closes.
void bucket_take(struct bucket *bucket, uint64_t records);

// It is `now`: open the bucket if it is time; `awaited` says whether somebody waits for that.
// Returns when to come again: INT64_MAX if it is open.
int64_t bucket_tick(struct bucket *bucket, const struct rate *rate, int64_t now, bool awaited);

#endif
