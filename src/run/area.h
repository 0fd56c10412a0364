// SPDX-License-Identifier: BSD-2-Clause
// Memory that two processes share: one writes, the other reads, in turns. It can change its size.

#ifndef PPROC_RUN_AREA_H
#define PPROC_RUN_AREA_H

#include <stddef.h>

struct area {
    int fd;      // a file without a name
    char *bytes; // mapped here in each process; after a fork in the child too
    size_t size; // bytes that are
};

// Bytes up to which an area is kept between tasks.
#define AREA_KEEP ((size_t)2 * 1024 * 1024)

// Returns 0, or -1 with errno set, and for EFBIG after a message on standard error; it can be
// destroyed in both cases.
int area_init(struct area *area);
void area_destroy(struct area *area);

// For who writes next: have room for at least `size` bytes; what was there is kept. Returns 0, or
// -1 likewise, the area as it was.
int area_reserve(struct area *area, size_t size);

// Likewise: give back what a task of extraordinary size needed.
void area_shrink(struct area *area);

// For the other one, who was told the size that it has now. Likewise; EINVAL: it has not.
int area_follow(struct area *area, size_t size);

#endif
