// SPDX-License-Identifier: BSD-2-Clause
// Memory of blocks.

#include "core/block.h"

#include "base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block_pool {
    size_t block_size;
    unsigned keep;

    pthread_mutex_t mutex; // guards the fields below
    unsigned count;
    char *free[];
};

struct block_pool *block_pool_create(size_t block_size, unsigned keep)
{
    struct block_pool *pool = malloc(sizeof(*pool) + keep * sizeof(pool->free[0]));
    if (pool == NULL) {
        return NULL;
    }
    *pool = (struct block_pool){.block_size = block_size, .keep = keep};
    if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
        free(pool);
        return NULL;
    }
    return pool;
}

void block_pool_destroy(struct block_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->count > 0) {
        free(pool->free[--pool->count]);
    }
    THREAD_MUST(pthread_mutex_destroy(&pool->mutex));
    free(pool);
}

size_t block_pool_size(const struct block_pool *pool)
{
    return pool->block_size;
}

// A free buffer of the usual size, or NULL.
static char *pool_take(struct block_pool *pool)
{
    mutex_lock(&pool->mutex);
    char *buf = pool->count > 0 ? pool->free[--pool->count] : NULL;
    mutex_unlock(&pool->mutex);
    return buf;
}

// Does the pool keep the buffer?
static bool pool_put(struct block_pool *pool, char *buf)
{
    mutex_lock(&pool->mutex);
    bool kept = pool->count < pool->keep;
    if (kept) {
        pool->free[pool->count++] = buf;
    }
    mutex_unlock(&pool->mutex);
    return kept;
}

struct block *block_create(struct block_pool *pool, size_t cap)
{
    struct block *block = calloc(1, sizeof(*block));
    if (block == NULL) {
        return NULL;
    }
    block->cap = cap > pool->block_size ? cap : pool->block_size;
    if (block->cap == pool->block_size) {
        block->buf = pool_take(pool);
    }
    if (block->buf == NULL) {
        block->buf = malloc(block->cap);
    }
    if (block->buf == NULL) {
        free(block);
        return NULL;
    }
    return block;
}

int block_grow(struct block *block, size_t cap)
{
    if (cap <= block->cap) {
        return 0;
    }
    char *buf = realloc(block->buf, cap);
    if (buf == NULL) {
        return -1;
    }
    block->buf = buf;
    block->cap = cap;
    return 0;
}

// What counts as little.
#define FIT_SHARE 4

void block_fit(struct block_pool *pool, struct block *block)
{
    size_t len = block->len;
    char *buf = len < block->cap / FIT_SHARE ? malloc(len) : NULL;
    if (buf == NULL) {
        return;
    }
    memcpy(buf, block->buf, len);
    block_release(pool, block);
    block->buf = buf;
    block->cap = len;
}

int block_make_index(struct block *block, size_t count)
{
    block->ends = malloc(count * sizeof(block->ends[0]));
    if (block->ends == NULL) {
        return -1;
    }
    block->end_count = count;
    return 0;
}

void block_release(struct block_pool *pool, struct block *block)
{
    if (block->buf == NULL) {
        return;
    }
    if (block->cap != pool->block_size || !pool_put(pool, block->buf)) {
        free(block->buf);
    }
    block->buf = NULL;
}

void block_destroy(struct block_pool *pool, struct block *block)
{
    if (block != NULL) {
        block_release(pool, block);
        if (block->file != 0) {
            (void)close(block->file); // nothing was written
        }
        free(block->ends);
        free(block->origins);
        free(block->spans);
        free(block->keyed);
        free(block);
    }
}
