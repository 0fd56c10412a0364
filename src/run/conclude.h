// SPDX-License-Identifier: BSD-2-Clause
// How a run ended, and the account of it.

#ifndef PPROC_RUN_CONCLUDE_H
#define PPROC_RUN_CONCLUDE_H

#include "base/exit_status.h"

#include <stdint.h>

struct run;

// Nanoseconds since the run began.
int64_t run_time(const struct run *run);

// Print the account as asked for with --stats, or else as text.
void run_print_account(struct run *run);

// All that is left to write and to say. No thread runs any more, or they are stuck and the process
// ends. Does not return if whoever reads the output has gone.
enum exit_status run_conclude(struct run *run);

#endif
