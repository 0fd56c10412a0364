// SPDX-License-Identifier: BSD-2-Clause
// UTF-8 as JSON wants it.

#ifndef PPROC_BASE_UTF8_H
#define PPROC_BASE_UTF8_H

#include "base/buf.h"

#include <stddef.h>

// How many of the bytes, from the first on, are whole characters of UTF-8: no overlong forms, no
// surrogates, nothing beyond U+10FFFF. NUL is one.
size_t utf8_valid(const char *bytes, size_t len);

// Append the bytes, with U+FFFD in the place of each that belongs to no character. Returns 0, or
// -1: no memory.
int utf8_repair(struct buf *buf, const char *bytes, size_t len);

#endif
