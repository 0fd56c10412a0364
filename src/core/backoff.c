// SPDX-License-Identifier: BSD-2-Clause
// How long a record that failed waits for its next attempt.

#include "core/backoff.h"

int64_t backoff_delay(const struct backoff *backoff, unsigned attempts, uint64_t random)
{
    double delay = (double)backoff->base;
    for (unsigned i = 1; i < attempts && delay < (double)backoff->max; i++) {
        delay *= backoff->factor;
    }
    if (delay > (double)backoff->max) {
        delay = (double)backoff->max;
    }
    double share = (double)(random >> 11) / (double)(UINT64_C(1) << 53); // 0 <= share < 1
    return (int64_t)(delay / 2 + delay / 2 * share);
}
