// SPDX-License-Identifier: BSD-2-Clause
// Numbers as options give them: counts, sizes and durations. All return 0, or -1 with errno EINVAL
// (not a number of this kind) or ERANGE (outside of what is allowed or can be held).

#ifndef PPROC_BASE_UNITS_H
#define PPROC_BASE_UNITS_H

#include <stdint.h>

// A whole decimal number, digits only, from min to max.
int units_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *count);

// Bytes: digits and an optional unit, any case: K M G T or KiB MiB GiB TiB (powers of 1024),
// KB MB GB TB (powers of 1000), B. No fractions, not 0.
int units_parse_size(const char *text, uint64_t *bytes);

// Nanoseconds: a decimal number, fractions allowed, and an optional unit of ms, s, m, h, d;
// without one it is seconds. Not negative.
int units_parse_duration(const char *text, int64_t *nanoseconds);

#endif
