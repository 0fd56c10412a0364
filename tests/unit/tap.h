// SPDX-License-Identifier: BSD-2-Clause
// The Test Anything Protocol for unit tests: OK() for each thing that must hold, then
// `return tap_done();`. One thread only.

#ifndef PPROC_TESTS_UNIT_TAP_H
#define PPROC_TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

// OK(condition, "what must hold, a sentence" [, printf arguments])
#define OK(condition, ...) tap_ok((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 5, 6))) static inline bool
tap_ok(bool held, const char *condition, const char *file, int line, const char *format, ...)
{
    va_list args;
    tap_count++;
    printf("%s %d - ", held ? "ok" : "not ok", tap_count);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    if (!held) {
        tap_failed++;
        printf("# %s:%d: %s\n", file, line, condition);
    }
    fflush(stdout);
    return held;
}

static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed == 0 ? 0 : 1;
}

#endif
