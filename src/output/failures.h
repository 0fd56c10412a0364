// SPDX-License-Identifier: BSD-2-Clause
// Telling the user about records that failed: the first ones each, then how many there were.

#ifndef PPROC_OUTPUT_FAILURES_H
#define PPROC_OUTPUT_FAILURES_H

#include "core/failure.h"

#include <stdint.h>

// Records that are told one by one.
#define FAILURES_SHOWN 10

// Tell what happened to some records, and free the list. `*shown` counts those told so far.
void failures_tell(struct failure *failures, unsigned *shown);

// One line at the end, if any record failed.
void failures_summary(uint64_t failed);

// And one more, if any failed without being run.
void failures_doomed(uint64_t doomed);

#endif
