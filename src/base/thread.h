// SPDX-License-Identifier: BSD-2-Clause
// Thin wrappers of pthreads: initialising may fail, locking and waiting may not.

#ifndef PPROC_BASE_THREAD_H
#define PPROC_BASE_THREAD_H

#include <assert.h>
#include <pthread.h>
#include <stdint.h>

// A mistake in locking is a bug of ours, never a condition to handle.
#define THREAD_MUST(call)                                                                          \
    do {                                                                                           \
        int thread_error_ = (call);                                                                \
        assert(thread_error_ == 0);                                                                \
        (void)thread_error_;                                                                       \
    } while (0)

static inline void mutex_lock(pthread_mutex_t *mutex)
{
    THREAD_MUST(pthread_mutex_lock(mutex));
}

static inline void mutex_unlock(pthread_mutex_t *mutex)
{
    THREAD_MUST(pthread_mutex_unlock(mutex));
}

static inline void cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    THREAD_MUST(pthread_cond_wait(cond, mutex));
}

static inline void cond_signal(pthread_cond_t *cond)
{
    THREAD_MUST(pthread_cond_signal(cond));
}

// A condition variable for cond_wait_for(). Returns 0, or -1 with errno set.
int thread_cond_init(pthread_cond_t *cond);

// Wait for at most `ns` nanoseconds.
void cond_wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ns);

// Start a thread with a small stack (256 KiB). Returns 0, or -1 with errno set.
int thread_start(pthread_t *thread, void *(*entry)(void *), void *arg);

#endif
