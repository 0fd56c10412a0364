// SPDX-License-Identifier: BSD-2-Clause
// Bytes that every match of a pattern has in it, next to each other: where they are not, there is
// no match.

#ifndef PPROC_PLAN_LITERAL_H
#define PPROC_PLAN_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

#define LITERAL_MAX 32 // bytes
#define LITERALS_MAX 4 // of one pattern

// Byte i is any b with (b & masks[i]) == bytes[i]: letters in either case, if that does not count.
struct literal {
    size_t len; // at least 2
    unsigned char bytes[LITERAL_MAX], masks[LITERAL_MAX];
    size_t rare[2]; // the places of its two rarest bytes, the rarer one first
};

// All of them are in every match.
struct literals {
    size_t count;
    struct literal list[LITERALS_MAX];
};

// Those of plain text.
struct literals literals_of_text(const char *text, bool caseless);

// Those of a pattern that block_pattern() gave; the ones that are likely to be rarest, if there are
// too many.
struct literals literals_of_pattern(const char *pattern, bool caseless);

#endif
