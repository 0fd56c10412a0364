// SPDX-License-Identifier: BSD-2-Clause
// Which failures are worth another attempt.

#ifndef PPROC_CORE_RETRY_ON_H
#define PPROC_CORE_RETRY_ON_H

#include "base/statuses.h"
#include "core/failure.h"

#include <stdbool.h>

struct retry_on {
    unsigned errors;          // a bit for each enum error; ERROR_EXIT: whatever the status is
    struct statuses statuses; // besides these exit statuses
};

// The bit of an error.
#define RETRY_ON(error) (1U << (error))

// What another attempt can help at all, unless whoever tells of the failure knows better.
#define RETRY_ON_ALL                                                                               \
    (RETRY_ON(ERROR_EXIT) | RETRY_ON(ERROR_SIGNAL) | RETRY_ON(ERROR_TIMEOUT) |                     \
     RETRY_ON(ERROR_SPAWN) | RETRY_ON(ERROR_CRASH) | RETRY_ON(ERROR_PROTOCOL))

// Is another attempt wanted of what failed with this cause?
bool retry_is_wanted(const struct retry_on *retry_on, const struct cause *cause);

#endif
