// SPDX-License-Identifier: BSD-2-Clause
// Messages on standard error. Each is one line or more, begins with "pproc: " and leaves in one
// write(2), so that messages of several threads are never mixed. Control bytes other than newline
// and tab are shown as '?', since names and records come from anywhere. Thread-safe.
//
// On a terminal there can be a status line, below all messages: a message takes its place, and it
// is drawn again behind the message.

#ifndef PPROC_BASE_DIAG_H
#define PPROC_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

// Suppress warnings and notes from now on (--quiet). To be called before the first thread.
void diag_set_quiet(bool quiet);

// Something is wrong and the exit status will say so. Never suppressed. No newline at the end of
// `format`. Leaves errno as it was.
__attribute__((format(printf, 1, 2))) void diag_error(const char *format, ...);

// Something that the user may want to know; the exit status does not change. Silent with --quiet.
__attribute__((format(printf, 1, 2))) void diag_warn(const char *format, ...);

// Whole lines of another form, as they are, in one write; never between those of others.
void diag_write(const char *lines, size_t len);

// Draw the status line in place of the last one; "" erases it. It has to fit the terminal, and to
// be less than DIAG_STATUS_BYTES. Never waits: nothing happens while a message is being written, or
// the terminal takes nothing.
void diag_status(const char *line);
#define DIAG_STATUS_BYTES 512

#endif
