// SPDX-License-Identifier: BSD-2-Clause
// Causes, which failures share, and failures.

#include "core/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *error_name(enum error error)
{
    switch (error) {
    case ERROR_EXIT:
        return "exit";
    case ERROR_SIGNAL:
        return "signal";
    case ERROR_TIMEOUT:
        return "timeout";
    case ERROR_SPAWN:
        return "spawn";
    case ERROR_CRASH:
        return "crash";
    case ERROR_REGEX:
        return "regex";
    case ERROR_PLUGIN:
        return "plugin";
    case ERROR_TOO_LONG:
        return "too-long";
    case ERROR_PROTOCOL:
        return "protocol";
    }
    return "unknown";
}

struct cause *cause_create(enum error error, const char *format, ...)
{
    struct cause *cause = calloc(1, sizeof(*cause));
    if (cause == NULL) {
        return NULL;
    }
    atomic_init(&cause->refs, 1);
    cause->error = error;
    cause->status = -1;

    va_list args;
    va_start(args, format);
    vsnprintf(cause->message, sizeof(cause->message), format, args);
    va_end(args);
    return cause;
}

struct cause *cause_ref(struct cause *cause)
{
    atomic_fetch_add_explicit(&cause->refs, 1, memory_order_relaxed);
    return cause;
}

void cause_unref(struct cause *cause)
{
    if (cause != NULL && atomic_fetch_sub_explicit(&cause->refs, 1, memory_order_acq_rel) == 1) {
        free(cause->out);
        free(cause->err);
        free(cause);
    }
}

size_t cause_bytes(const struct cause *cause)
{
    return sizeof(*cause) + cause->out_len + cause->err_len;
}

bool cause_alike(const struct cause *a, const struct cause *b)
{
    return a->error == b->error && a->status == b->status && a->signal == b->signal;
}

void failure_destroy(struct failure *failure)
{
    if (failure != NULL) {
        cause_unref(failure->cause);
        free(failure->record);
        free(failure);
    }
}

void failures_destroy(struct failure *failure)
{
    while (failure != NULL) {
        struct failure *next = failure->next;
        failure_destroy(failure);
        failure = next;
    }
}
