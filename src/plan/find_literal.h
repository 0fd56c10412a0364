// SPDX-License-Identifier: BSD-2-Clause
// Looks for a literal, many bytes at a time where the processor can.

#ifndef PPROC_PLAN_FIND_LITERAL_H
#define PPROC_PLAN_FIND_LITERAL_H

#include <stddef.h>

struct literal;

// Where the literal is first in the bytes; NULL: it is not there.
const char *literal_find(const struct literal *literal, const char *bytes, size_t len);

// The same, as on any processor.
const char *literal_find_plain(const struct literal *literal, const char *bytes, size_t len);

#endif
