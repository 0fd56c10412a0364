// SPDX-License-Identifier: BSD-2-Clause
// How long a record that failed waits for its next attempt.

#ifndef PPROC_CORE_BACKOFF_H
#define PPROC_CORE_BACKOFF_H

#include <stdint.h>

// Wait before attempt n+1: random between d/2 and d, d = min(max, base * factor^(n-1)).
struct backoff {
    int64_t base, max; // nanoseconds
    double factor;     // at least 1
};

// How long to wait after `attempts` attempts (at least 1), in nanoseconds. `random` is uniform over
// all 64 bits.
int64_t backoff_delay(const struct backoff *backoff, unsigned attempts, uint64_t random);

#endif
