// SPDX-License-Identifier: BSD-2-Clause
// Time, in nanoseconds of the monotonic clock.

#ifndef PPROC_BASE_CLOCK_H
#define PPROC_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)

static inline int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

#endif
