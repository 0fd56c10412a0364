// SPDX-License-Identifier: BSD-2-Clause
// Memory of blocks.

#include "core/block.h"

#include "base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Bytes of what the system has instead of many pages.
#define LARGE_PAGE ((size_t)2 * 1024 * 1024)

struct block_pool {
    size_t block_size;
    unsigned keep;
    struct iovec shared;

    pthread_mutex_t mutex; // guards the fields below
    unsigned count;        // free buffers that are held, in free[] from 0 on
    size_t unused;         // buffers of `shared` that hold no memory, behind them
    char *free[];
};

struct block_pool *block_pool_create(size_t block_size, unsigned keep)
{
    return block_pool_create_in(block_size, keep, (struct iovec){0});
}

struct block_pool *block_pool_create_in(size_t block_size, unsigned keep, struct iovec shared)
{
    size_t buffers = shared.iov_len / block_size;
    struct block_pool *pool = malloc(sizeof(*pool) + (keep + buffers) * sizeof(pool->free[0]));
    if (pool == NULL) {
        return NULL;
    }
    *pool = (struct block_pool){.block_size = block_size, .keep = keep, .shared = shared};
    if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
        free(pool);
        return NULL;
    }
    while (pool->unused < buffers) {
        size_t last = buffers - 1 - pool->unused; // the first one is used first
        pool->free[keep + pool->unused++] = (char *)shared.iov_base + last * block_size;
    }
    return pool;
}

static bool is_shared(const struct block_pool *pool, const char *buf)
{
    const char *shared = pool->shared.iov_base;
    return pool->shared.iov_len > 0 && buf >= shared &&
           (size_t)(buf - shared) < pool->shared.iov_len;
}

// The buffer need not hold its memory any more. It is the caller's alone.
static void pool_free(struct block_pool *pool, char *buf)
{
    if (!is_shared(pool, buf)) {
        free(buf);
        return;
    }
    (void)madvise(buf, pool->block_size, MADV_REMOVE); // else it is only held for longer
    mutex_lock(&pool->mutex);
    pool->free[pool->keep + pool->unused++] = buf;
    mutex_unlock(&pool->mutex);
}

void block_pool_destroy(struct block_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->count > 0) {
        pool_free(pool, pool->free[--pool->count]);
    }
    THREAD_MUST(pthread_mutex_destroy(&pool->mutex));
    free(pool);
}

size_t block_pool_size(const struct block_pool *pool)
{
    return pool->block_size;
}

// Memory of large pages costs less to get where the system has such.
static char *pool_alloc(const struct block_pool *pool)
{
    size_t size = pool->block_size;
    if (size % LARGE_PAGE != 0) {
        return malloc(size);
    }
    char *buf = aligned_alloc(LARGE_PAGE, size);
    if (buf != NULL) {
        (void)madvise(buf, size, MADV_HUGEPAGE);
    }
    return buf;
}

char *block_pool_take(struct block_pool *pool)
{
    char *buf = NULL;
    mutex_lock(&pool->mutex);
    if (pool->count > 0) {
        buf = pool->free[--pool->count];
    } else if (pool->unused > 0) {
        buf = pool->free[pool->keep + --pool->unused];
    }
    mutex_unlock(&pool->mutex);
    return buf != NULL ? buf : pool_alloc(pool);
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

void block_pool_give(struct block_pool *pool, char *buf)
{
    if (!pool_put(pool, buf)) {
        pool_free(pool, buf);
    }
}

struct block *block_create(struct block_pool *pool, size_t cap)
{
    struct block *block = calloc(1, sizeof(*block));
    if (block == NULL) {
        return NULL;
    }
    block->cap = cap > pool->block_size ? cap : pool->block_size;
    block->buf = block->cap == pool->block_size ? block_pool_take(pool) : malloc(block->cap);
    if (block->buf == NULL) {
        free(block);
        return NULL;
    }
    return block;
}

// A line of the cache. To the middle of one the kernel copies half as fast, in pages such as
// processes share.
#define LINE_BYTES 64

// Let a line begin behind the first `len` bytes.
static void align_end(const struct block_pool *pool, struct block *block, size_t len)
{
    size_t shift = (LINE_BYTES - len % LINE_BYTES) % LINE_BYTES;
    if (is_shared(pool, block->buf) && block->cap - len > shift) {
        block->buf += shift;
        block->cap -= shift;
    }
}

struct block *block_copy(struct block_pool *pool, const char *bytes, size_t len)
{
    struct block *block = block_create(pool, len);
    if (block != NULL) {
        align_end(pool, block, len);
        memcpy(block->buf, bytes, len);
        block->len = len;
    }
    return block;
}

int block_grow(struct block_pool *pool, struct block *block, size_t cap)
{
    if (cap <= block->cap) {
        return 0;
    }
    bool shared = is_shared(pool, block->buf);
    char *buf = shared ? malloc(cap) : realloc(block->buf, cap);
    if (buf == NULL) {
        return -1;
    }
    if (shared) {
        memcpy(buf, block->buf, block->cap);
        block_release(pool, block);
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
    if (is_shared(pool, block->buf)) {
        size_t place = (size_t)(block->buf - (char *)pool->shared.iov_base);
        block_pool_give(pool, block->buf - place % pool->block_size); // see align_end()
    } else if (block->cap == pool->block_size) {
        block_pool_give(pool, block->buf);
    } else {
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
