// SPDX-License-Identifier: BSD-2-Clause
// Sets of exit statuses.

#ifndef PPROC_BASE_STATUSES_H
#define PPROC_BASE_STATUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// All zero: none.
struct statuses {
    uint64_t bits[4];
};

// Add a status, or a range of them, as an option gives it: `28`, `5-7`; 0 to 255. `text` need not
// end after `len` bytes. Returns 0, or -1: it is none.
int statuses_parse(struct statuses *statuses, const char *text, size_t len);

// 0 <= status <= 255.
static inline bool statuses_have(const struct statuses *statuses, int status)
{
    return (statuses->bits[status / 64] >> (status % 64) & 1) != 0;
}

#endif
