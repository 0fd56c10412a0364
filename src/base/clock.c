// SPDX-License-Identifier: BSD-2-Clause
// Holding the clock while the process is stopped.

#include "base/clock.h"

#include <limits.h>

_Atomic int64_t clock_held;
_Atomic int64_t clock_stopped;

int clock_poll_timeout(int64_t until)
{
    if (until == INT64_MAX) {
        return -1;
    }
    int64_t left = (until - clock_now() + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
    return left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

void clock_hold(void)
{
    atomic_store(&clock_held, clock_now());
}

void clock_release(void)
{
    int64_t held = atomic_load(&clock_held);
    atomic_store(&clock_stopped, clock_raw() - held);
    atomic_store(&clock_held, 0);
}
