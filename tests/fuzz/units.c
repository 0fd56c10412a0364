// SPDX-License-Identifier: BSD-2-Clause
// Numbers in options: what is taken is in range, and means the same when it is written out.

#include "fuzz.h"

#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_count(const char *word)
{
    char text[32];
    uint64_t min = 3, max = UINT64_C(1) << 40, count, again;
    if (units_parse_count(word, min, max, &count) == 0) {
        MUST(count >= min && count <= max && word[strspn(word, "0123456789")] == '\0');
        (void)snprintf(text, sizeof(text), "%" PRIu64, count);
        MUST(units_parse_count(text, count, count, &again) == 0 && again == count);
        MUST(units_parse_count(text, count + 1, UINT64_MAX, &again) != 0);
    }
}

static void check_size(const char *word)
{
    char text[32];
    uint64_t bytes, again;
    if (units_parse_size(word, &bytes) == 0) {
        MUST(bytes > 0);
        (void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
        MUST(units_parse_size(text, &again) == 0 && again == bytes);
        MUST(strtoull(word, NULL, 10) <= bytes);
    }
}

static void check_duration(const char *word)
{
    char text[64];
    int64_t nanoseconds, again;
    if (units_parse_duration(word, &nanoseconds) == 0) {
        MUST(nanoseconds >= 0);
        (void)snprintf(text, sizeof(text), "%" PRId64 ".%09" PRId64 "s", nanoseconds / 1000000000,
                       nanoseconds % 1000000000);
        MUST(units_parse_duration(text, &again) == 0 && again == nanoseconds);
    }
}

void fuzz_units(const unsigned char *data, size_t size)
{
    struct feed feed = {data, size};
    while (feed.len > 0) {
        char *word = feed_word(&feed);
        check_count(word);
        check_size(word);
        check_duration(word);
        free(word);
    }
}
