// SPDX-License-Identifier: BSD-2-Clause
// Messages on standard error. Each is one line or more, begins with "pproc: " and leaves in one
// write(2), so that messages of several threads are never mixed. Control bytes other than newline
// and tab are shown as '?', since names and records come from anywhere. Thread-safe.

#ifndef PPROC_BASE_DIAG_H
#define PPROC_BASE_DIAG_H

#include <stdbool.h>

// Suppress warnings and notes from now on (--quiet). To be called before the first thread.
void diag_set_quiet(bool quiet);

// Something is wrong and the exit status will say so. Never suppressed. No newline at the end of
// `format`. Leaves errno as it was.
__attribute__((format(printf, 1, 2))) void diag_error(const char *format, ...);

// Something that the user may want to know; the exit status does not change. Silent with --quiet.
__attribute__((format(printf, 1, 2))) void diag_warn(const char *format, ...);

#endif
