// SPDX-License-Identifier: BSD-2-Clause
// Telling about records that failed.

#include "output/failures.h"

#include "base/diag.h"
#include "input/input.h"
#include "output/deadletter.h"

#include <inttypes.h>

static bool write_letter(struct deadletter *letters, const struct failure *failure)
{
    return letters != NULL && deadletter_takes(letters, failure) &&
           deadletter_write(letters, failure) == 0;
}

void failures_tell(struct failure *failures, struct deadletter *letters, unsigned *shown)
{
    while (failures != NULL) {
        struct failure *failure = failures;
        failures = failure->next;
        if (!write_letter(letters, failure) && *shown < FAILURES_SHOWN) {
            diag_error("%s:%" PRIu64 ": %s: %s", failure->input->name, failure->nr,
                       error_name(failure->cause->error), failure->cause->message);
            (*shown)++;
        }
        failure_destroy(failure);
    }
}

void failures_summary(uint64_t failed, const struct deadletter *letters)
{
    if (failed > 0) {
        bool written = letters != NULL && deadletter_error(letters) == 0;
        const char *see = written ? ", see " : "";
        const char *file = written ? deadletter_name(letters) : "";
        diag_error("%" PRIu64 " record%s failed%s%s", failed, failed == 1 ? "" : "s", see, file);
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
