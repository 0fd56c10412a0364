// SPDX-License-Identifier: BSD-2-Clause
// Base64 (RFC 4648, section 4): the standard alphabet, padded, without line breaks.

#ifndef PPROC_BASE_BASE64_H
#define PPROC_BASE_BASE64_H

#include <stddef.h>

// Characters that `len` bytes make.
#define BASE64_LENGTH(len) (((len) + 2) / 3 * 4)

// Write the BASE64_LENGTH(len) characters of the bytes to `text`. No NUL follows them.
void base64_encode(char *text, const char *bytes, size_t len);

// The opposite; `bytes` has room for len / 4 * 3, and may be `text` itself. Returns 0 with their
// number in *count, or -1 if the text is no Base64: of a wrong length, with wrong characters, or
// with bits that are thrown away.
int base64_decode(char *bytes, size_t *count, const char *text, size_t len);

#endif
