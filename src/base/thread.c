// SPDX-License-Identifier: BSD-2-Clause
// Starting of threads.

#include "base/thread.h"

#include <errno.h>
#include <stddef.h>

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
