// SPDX-License-Identifier: BSD-2-Clause
// A forked worker: runs the plan on tasks that its thread gives it.

#ifndef PPROC_RUN_WORKER_PROCESS_H
#define PPROC_RUN_WORKER_PROCESS_H

// Work for a place of the pool `arg`, until its socket is closed at the other end.
void worker_process_main(void *arg, unsigned place, unsigned generation, int socket);

#endif
