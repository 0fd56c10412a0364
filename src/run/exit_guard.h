// SPDX-License-Identifier: BSD-2-Clause
// Plugins that call exit() while the run goes on: that must not look like its end.

#ifndef PPROC_RUN_EXIT_GUARD_H
#define PPROC_RUN_EXIT_GUARD_H

// From now on exit() ends the process with EXIT_OUTPUT, after a message. Returns 0, or -1: no
// memory.
int exit_guard_arm(void);
// From now on exit() is what it was. Also for a process that was forked.
void exit_guard_disarm(void);

#endif
