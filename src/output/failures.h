// SPDX-License-Identifier: BSD-2-Clause
// Telling about records that failed: in dead letters, or on standard error the first ones each;
// then how many there were.

#ifndef PPROC_OUTPUT_FAILURES_H
#define PPROC_OUTPUT_FAILURES_H

#include "core/failure.h"

#include <stdint.h>

struct deadletter;

// Records that are told one by one, of those that no dead letter tells.
#define FAILURES_SHOWN 10

// Tell what happened to some records, and free the list. `letters` may be NULL; if it is broken,
// the failures are told as if it was. `*shown` counts those told so far on standard error.
void failures_tell(struct failure *failures, struct deadletter *letters, unsigned *shown);

// One line at the end, if any record failed.
void failures_summary(uint64_t failed, const struct deadletter *letters);

// And one more, if any failed without being run.
void failures_doomed(uint64_t doomed);

#endif
