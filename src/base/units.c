// SPDX-License-Identifier: BSD-2-Clause
// Numbers as options give them.

#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"K", UINT64_C(1) << 10},
    {"KiB", UINT64_C(1) << 10},
    {"KB", UINT64_C(1000)},
    {"M", UINT64_C(1) << 20},
    {"MiB", UINT64_C(1) << 20},
    {"MB", UINT64_C(1000000)},
    {"G", UINT64_C(1) << 30},
    {"GiB", UINT64_C(1) << 30},
    {"GB", UINT64_C(1000000000)},
    {"T", UINT64_C(1) << 40},
    {"TiB", UINT64_C(1) << 40},
    {"TB", UINT64_C(1000000000000)},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60) * 1000000000},
    {"h", UINT64_C(3600) * 1000000000},
    {"d", UINT64_C(86400) * 1000000000},
    {NULL, 0},
};

static int fail(int error)
{
    errno = error;
    return -1;
}

static const char *skip_digits(const char *text)
{
    while (isdigit((unsigned char)*text)) {
        text++;
    }
    return text;
}

// The number that the digits from `text` up to `end` spell. Returns 0, or -1: too large.
static int read_digits(const char *text, const char *end, uint64_t *number)
{
    uint64_t value = 0;
    for (; text < end; text++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) {
            return fail(ERANGE);
        }
    }
    *number = value;
    return 0;
}

// The factor of the unit called `name` in any case, 0 if there is none.
static uint64_t unit_factor(const struct unit *unit, const char *name)
{
    while (unit->name != NULL && strcasecmp(unit->name, name) != 0) {
        unit++;
    }
    return unit->factor;
}

int units_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *count)
{
    const char *end = skip_digits(text);
    uint64_t value;

    if (end == text || *end != '\0') {
        return fail(EINVAL);
    }
    if (read_digits(text, end, &value) != 0 || value < min || value > max) {
        return fail(ERANGE);
    }
    *count = value;
    return 0;
}

int units_parse_size(const char *text, uint64_t *bytes)
{
    const char *end = skip_digits(text);
    uint64_t factor = unit_factor(size_units, end);
    uint64_t value;

    if (end == text || factor == 0) {
        return fail(EINVAL);
    }
    if (read_digits(text, end, &value) != 0 || value == 0 ||
        __builtin_mul_overflow(value, factor, &value)) {
        return fail(ERANGE);
    }
    *bytes = value;
    return 0;
}

int units_parse_duration(const char *text, int64_t *nanoseconds)
{
    const char *end = skip_digits(text);
    const char *fraction = *end == '.' ? end + 1 : end;
    const char *unit = skip_digits(fraction);
    uint64_t factor = unit_factor(duration_units, unit);
    uint64_t value;

    if (end == text || (*end == '.' && unit == fraction) || factor == 0) {
        return fail(EINVAL);
    }
    if (read_digits(text, end, &value) != 0 || __builtin_mul_overflow(value, factor, &value)) {
        return fail(ERANGE);
    }
    for (uint64_t place = factor / 10; fraction < unit; fraction++, place /= 10) {
        if (__builtin_add_overflow(value, (uint64_t)(*fraction - '0') * place, &value)) {
            return fail(ERANGE);
        }
    }
    if (value > INT64_MAX) {
        return fail(ERANGE);
    }
    *nanoseconds = (int64_t)value;
    return 0;
}
