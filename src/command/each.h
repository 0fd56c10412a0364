// SPDX-License-Identifier: BSD-2-Clause
// Mode each: a process for each record, or with -n for several, as its arguments.

#ifndef PPROC_COMMAND_EACH_H
#define PPROC_COMMAND_EACH_H

#include "command/attempt.h"

enum command_end each_run(struct command_state *state, struct result *result);

#endif
