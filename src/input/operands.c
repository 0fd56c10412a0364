// SPDX-License-Identifier: BSD-2-Clause
// Blocks of operands.

#include "input/operands.h"

#include "core/block.h"

#include <stdlib.h>
#include <string.h>

// How many of the next operands make a block: no more than fill a usual one, but one at least.
// *len is how many bytes they take with their delimiters.
static size_t count_next(const struct operands *operands, size_t room, size_t max, size_t *len)
{
    size_t count = 0;
    *len = 0;
    while (count < operands->count && count < max) {
        size_t record = strlen(operands->next[count]);
        if (count > 0 && (*len + record + 1 > room || record > operands->max_record)) {
            break;
        }
        *len += record + 1;
        count++;
        if (record > operands->max_record) {
            break; // this one is on its own
        }
    }
    return count;
}

static void fill(struct operands *operands, struct block *block)
{
    for (size_t i = 0; i < block->end_count; i++) {
        char *end = stpcpy(block->buf + block->len, operands->next[i]);
        *end = operands->delimiter;
        block->len = block->ends[i] = (size_t)(end + 1 - block->buf);
    }
}

static void fill_head(struct operands *operands, struct block *block, size_t record)
{
    block->oversize = record;
    block->len = record < OVERSIZE_HEAD_BYTES ? record : OVERSIZE_HEAD_BYTES;
    memcpy(block->buf, operands->next[0], block->len);
    block->ends[0] = block->len;
}

struct block *operands_take(struct operands *operands, struct block_pool *pool, size_t max)
{
    size_t len;
    size_t count = count_next(operands, block_pool_size(pool), max, &len);
    struct block *block = block_create(pool, len);
    if (block == NULL || block_make_index(block, count) != 0) {
        block_destroy(pool, block);
        return NULL;
    }
    if (len - 1 > operands->max_record && count == 1) {
        fill_head(operands, block, len - 1);
    } else {
        fill(operands, block);
    }
    operands->next += count;
    operands->count -= count;
    return block;
}
