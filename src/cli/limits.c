// SPDX-License-Identifier: BSD-2-Clause
// Limits of the process and of the machine.

#include "cli/limits.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

// Descriptors of a worker whose process is just being started (both ends of three pipes, the
// process itself, and one to spare), and of all the rest.
#define DESCRIPTORS 8
#define DESCRIPTORS_REST 64

// A worker is a thread and has a process, and may have half of what the user may have.
#define PROCESSES 4

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t limit(int resource, bool most)
{
    struct rlimit limits;
    if (getrlimit(resource, &limits) != 0) {
        return RLIM_INFINITY;
    }
    return most ? limits.rlim_max : limits.rlim_cur;
}

uint64_t limits_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
    return smaller(memory, limit(RLIMIT_AS, false));
}

unsigned limits_workers(size_t memory_per_worker)
{
    uint64_t files = limit(RLIMIT_NOFILE, true); // that is what it is raised to
    uint64_t workers = files > DESCRIPTORS_REST ? (files - DESCRIPTORS_REST) / DESCRIPTORS : 0;
    workers = smaller(workers, limit(RLIMIT_NPROC, false) / PROCESSES);
    workers = smaller(workers, limits_memory() / 2 / memory_per_worker);
    workers = smaller(workers, UINT_MAX);
    return workers > 0 ? (unsigned)workers : 1;
}
