// SPDX-License-Identifier: BSD-2-Clause
// Messages about records that failed.

#include "output/failures.h"

#include "base/diag.h"
#include "input/input.h"

#include <inttypes.h>

void failures_tell(struct failure *failures, unsigned *shown)
{
    while (failures != NULL) {
        struct failure *failure = failures;
        failures = failure->next;
        if (*shown < FAILURES_SHOWN) {
            diag_error("%s:%" PRIu64 ": %s: %s", failure->input->name, failure->nr,
                       error_name(failure->cause->error), failure->cause->message);
            (*shown)++;
        }
        failure_destroy(failure);
    }
}

void failures_summary(uint64_t failed)
{
    if (failed > 0) {
        diag_error("%" PRIu64 " record%s failed", failed, failed == 1 ? "" : "s");
    }
}

void failures_doomed(uint64_t doomed)
{
    if (doomed > 0) {
        diag_error("%" PRIu64 " of them were not run, since samples of their batches all failed "
                   "in the same way",
                   doomed);
    }
}
