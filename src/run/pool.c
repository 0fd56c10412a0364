// SPDX-License-Identifier: BSD-2-Clause
// The memory, the sockets and the zygote of forked workers.

#include "run/pool.h"

#include "cli/settings.h"
#include "run/worker_process.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// Memory that processes forked from now on share with us; NULL with errno set: there is none.
static void *map_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

// Where address space is limited there is less; what has no place there is copied.
static struct iovec map_blocks(size_t bytes)
{
    void *memory = NULL;
    while (bytes > 0 && (memory = map_shared(bytes)) == NULL) {
        bytes /= 2;
    }
    return (struct iovec){memory, bytes};
}

// Each worker takes some descriptors.
static void raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int make_place(struct pool *pool, unsigned i)
{
    struct place *place = &pool->places[i];
    return area_init(&place->tasks) == 0 && area_init(&place->results) == 0 &&
                   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pool->sockets[i]) == 0
               ? 0
               : -1;
}

static int make_places(struct pool *pool)
{
    pool->places = calloc(pool->count, sizeof(*pool->places));
    pool->sockets = calloc(pool->count, sizeof(*pool->sockets));
    pool->watches = map_shared(pool->count * sizeof(*pool->watches));
    if (pool->places == NULL || pool->sockets == NULL || pool->watches == NULL) {
        return -1;
    }
    for (unsigned i = 0; i < pool->count; i++) {
        pool->places[i] = (struct place){.tasks = {.fd = -1}, .results = {.fd = -1}};
        pool->sockets[i][0] = pool->sockets[i][1] = -1;
    }
    for (unsigned i = 0; i < pool->count; i++) {
        if (make_place(pool, i) != 0) {
            return -1;
        }
    }
    return 0;
}

struct pool *pool_create(const struct settings *settings, struct plan *plan, size_t blocks)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        return NULL;
    }
    raise_descriptors();
    pool->settings = settings;
    pool->plan = plan;
    pool->zygote.pid = -1;
    pool->count = settings->threads;
    pool->blocks = map_blocks(blocks);
    if (make_places(pool) == 0) {
        const struct zygote_config config = {
            .count = pool->count,
            .work = worker_process_main,
            .arg = pool,
            .sockets = pool->sockets,
        };
        if (zygote_fork(&pool->zygote, &config) == 0) {
            return pool;
        }
    }
    int error = errno;
    pool_destroy(pool);
    errno = error;
    return NULL;
}

static void close_socket(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void pool_destroy(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (unsigned i = 0; i < pool->count && pool->places != NULL && pool->sockets != NULL; i++) {
        close_socket(pool->sockets[i][0]);
        close_socket(pool->sockets[i][1]);
        area_destroy(&pool->places[i].tasks);
        area_destroy(&pool->places[i].results);
    }
    pool_wait(pool);
    if (pool->watches != NULL) {
        munmap(pool->watches, pool->count * sizeof(*pool->watches));
    }
    if (pool->blocks.iov_len > 0) {
        munmap(pool->blocks.iov_base, pool->blocks.iov_len);
    }
    free(pool->sockets);
    free(pool->places);
    free(pool);
}

void pool_wait(struct pool *pool)
{
    if (pool->zygote.pid > 0) {
        zygote_reap(&pool->zygote);
        pool->zygote.pid = -1;
    }
}

void pool_end(struct pool *pool)
{
    atomic_store(&pool->ended, true);
    zygote_end(&pool->zygote);
}

void pool_signal(struct pool *pool, int signal)
{
    zygote_signal(&pool->zygote, signal);
}
