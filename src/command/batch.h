// SPDX-License-Identifier: BSD-2-Clause
// Mode batch: a process filters some records, which it reads from its standard input.

#ifndef PPROC_COMMAND_BATCH_H
#define PPROC_COMMAND_BATCH_H

#include "command/attempt.h"

enum command_end batch_run(struct command_state *state, struct result *result);

#endif
