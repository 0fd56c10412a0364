// SPDX-License-Identifier: BSD-2-Clause
// Holding the clock while the process is stopped.

#include "base/clock.h"

_Atomic int64_t clock_held;
_Atomic int64_t clock_stopped;

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
