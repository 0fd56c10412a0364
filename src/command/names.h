// SPDX-License-Identifier: BSD-2-Clause
// {NAME}: columns by the names that the header has for them.

#ifndef PPROC_COMMAND_NAMES_H
#define PPROC_COMMAND_NAMES_H

#include <stddef.h>

struct columns;
struct form;
struct iovec;

// The last line of a header, without its delimiter; `header` has at least one, and ends in it.
struct iovec names_line(const char *header, size_t len, char delimiter);

// Find the column for each {NAME} in the forms: of several with that name, the first. Returns 0, or
// -1 after a message on standard error: there is none, or no memory.
int names_resolve(const struct columns *columns, struct iovec line, struct form *forms,
                  size_t count);

#endif
