// SPDX-License-Identifier: BSD-2-Clause
// Time, in nanoseconds of the monotonic clock, less what the process spent stopped.
//
// Without the latter a child would be found to have timed out when a run goes on after SIGTSTP.

#ifndef PPROC_BASE_CLOCK_H
#define PPROC_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)

// Written by clock_hold() and clock_release() alone.
extern _Atomic int64_t clock_held;    // the time that it is for now; 0: time goes on
extern _Atomic int64_t clock_stopped; // nanoseconds that do not count

static inline int64_t clock_raw(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

static inline int64_t clock_now(void)
{
    for (;;) {
        int64_t held = atomic_load(&clock_held);
        if (held != 0) {
            return held;
        }
        int64_t stopped = atomic_load(&clock_stopped);
        int64_t now = clock_raw() - stopped;
        // The process may have been stopped just now.
        if (atomic_load(&clock_held) == 0 && atomic_load(&clock_stopped) == stopped) {
            return now;
        }
    }
}

static inline int64_t clock_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// What poll(2) is told to wait until then: milliseconds; INT64_MAX: for ever.
int clock_poll_timeout(int64_t until);

// The process is about to be stopped, it goes on: what lies between does not count. One thread.
void clock_hold(void);
void clock_release(void);

#endif
