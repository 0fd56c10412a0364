// SPDX-License-Identifier: BSD-2-Clause
// Sets of exit statuses.

#include "base/statuses.h"

#include "base/units.h"

#include <string.h>

#define STATUS_MAX 255

static int parse_status(const char *text, size_t len, uint64_t *status)
{
    char digits[8];
    if (len >= sizeof(digits)) {
        return -1;
    }
    memcpy(digits, text, len);
    digits[len] = '\0';
    return units_parse_count(digits, 0, STATUS_MAX, status);
}

int statuses_parse(struct statuses *statuses, const char *text, size_t len)
{
    const char *dash = memchr(text, '-', len);
    size_t first_len = dash != NULL ? (size_t)(dash - text) : len;
    uint64_t first, last;
    if (parse_status(text, first_len, &first) != 0) {
        return -1;
    }
    last = first;
    if (dash != NULL && parse_status(dash + 1, len - first_len - 1, &last) != 0) {
        return -1;
    }
    if (last < first) {
        return -1;
    }
    for (uint64_t status = first; status <= last; status++) {
        statuses->bits[status / 64] |= UINT64_C(1) << (status % 64);
    }
    return 0;
}
