// SPDX-License-Identifier: BSD-2-Clause
// Which failures are worth another attempt.

#include "core/retry_on.h"

bool retry_is_wanted(const struct retry_on *retry_on, const struct cause *cause)
{
    if ((retry_on->errors & RETRY_ON(cause->error)) != 0) {
        return true;
    }
    return cause->error == ERROR_EXIT && statuses_have(&retry_on->statuses, cause->status);
}
