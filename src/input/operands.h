// SPDX-License-Identifier: BSD-2-Clause
// Operands of the command line that are records themselves (--args).

#ifndef PPROC_INPUT_OPERANDS_H
#define PPROC_INPUT_OPERANDS_H

#include <stddef.h>

struct block_pool;

struct operands {
    char **next; // the strings that are left
    size_t count;
    char delimiter;    // is put behind each
    size_t max_record; // bytes
};

// A block of the next operands, at least one and at most `max`, with an index of them, since they
// may hold delimiters; or of the first bytes of one that is too long. There must be some. NULL: no
// memory.
struct block *operands_take(struct operands *operands, struct block_pool *pool, size_t max);

#endif
