// SPDX-License-Identifier: BSD-2-Clause
// How many processes the limits of the system allow at a time.

#ifndef PPROC_CLI_LIMITS_H
#define PPROC_CLI_LIMITS_H

#include <stddef.h>
#include <stdint.h>

// Bytes of memory that the process may have at most.
uint64_t limits_memory(void);

// By descriptors, processes of the user and memory, of which a worker takes so many bytes, if half
// of it may be taken; at least 1. It is an estimate: others run processes too.
unsigned limits_workers(size_t memory_per_worker);

#endif
