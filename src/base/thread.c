// SPDX-License-Identifier: BSD-2-Clause
// Starting of threads, waiting for a time.

#include "base/thread.h"

#include "base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define STACK_BYTES (256 * 1024)

int thread_start(pthread_t *thread, void *(*entry)(void *), void *arg)
{
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);
    if (error == 0) {
        error = pthread_attr_setstacksize(&attr, STACK_BYTES);
        if (error == 0) {
            error = pthread_create(thread, &attr, entry, arg);
        }
        (void)pthread_attr_destroy(&attr);
    }
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

int thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    errno = pthread_condattr_init(&attr);
    if (errno != 0) {
        return -1;
    }
    THREAD_MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
    errno = pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
    return errno == 0 ? 0 : -1;
}

void cond_wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ns)
{
    int64_t until = clock_raw() + ns;
    struct timespec time = {.tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND};
    int error = pthread_cond_timedwait(cond, mutex, &time);
    assert(error == 0 || error == ETIMEDOUT);
    (void)error;
}
