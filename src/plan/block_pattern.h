// SPDX-License-Identifier: BSD-2-Clause
// Patterns that may be searched over whole blocks of lines.

#ifndef PPROC_PLAN_BLOCK_PATTERN_H
#define PPROC_PLAN_BLOCK_PATTERN_H

// A pattern that matches within a run of lines, with PCRE2_MULTILINE, just where `pattern`, which
// must be a valid one, matches within each line alone. Classes and escapes of single bytes are
// written as \xHH in it. To be freed. NULL: there is none, or no memory for it.
char *block_pattern(const char *pattern);

#endif
