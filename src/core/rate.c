// SPDX-License-Identifier: BSD-2-Clause
// The bucket that opens for one task at a time.

#include "core/rate.h"

void bucket_init(struct bucket *bucket)
{
    *bucket = (struct bucket){.open = true, .due = INT64_MIN};
}

void bucket_take(struct bucket *bucket, uint64_t records)
{
    bucket->open = false;
    bucket->taken = records;
}

// Nanoseconds that the records which were started take, without a rounding error that adds up.
static int64_t reckon(struct bucket *bucket, const struct rate *rate)
{
    uint64_t period = (uint64_t)rate->period, time;
    uint64_t odd = bucket->taken % rate->records * period + bucket->rest;
    if (__builtin_mul_overflow(bucket->taken / rate->records, period, &time) ||
        __builtin_add_overflow(time, odd / rate->records, &time) || time > INT64_MAX) {
        return INT64_MAX;
    }
    bucket->rest = odd % rate->records;
    bucket->taken = 0;
    return (int64_t)time;
}

int64_t bucket_tick(struct bucket *bucket, const struct rate *rate, int64_t now, bool awaited)
{
    if (bucket->taken > 0) {
        int64_t from = bucket->awaited ? now - RATE_LATE_MAX : now;
        from = bucket->due > from ? bucket->due : from;
        if (__builtin_add_overflow(from, reckon(bucket, rate), &bucket->due)) {
            bucket->due = INT64_MAX;
        }
    }
    if (!bucket->open && bucket->due <= now) {
        bucket->open = true;
        bucket->awaited = awaited;
    }
    return bucket->open ? INT64_MAX : bucket->due;
}
