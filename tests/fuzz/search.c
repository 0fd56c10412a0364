// SPDX-License-Identifier: BSD-2-Clause
// Searching whole blocks: a pattern that may be searched so finds just the lines that match alone.
// Input: flags, the pattern, a NUL, the lines.

#include "fuzz.h"

#include "plan/regex.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 600 // patterns that backtrack take long enough

static struct regex *lines, *alone;
static struct matcher *matcher;

// Where the line that begins at `at` ends, without its newline.
static size_t line_end(const struct feed *text, size_t at)
{
    const unsigned char *end = memchr(text->bytes + at, '\n', text->len - at);
    return end != NULL ? (size_t)(end - text->bytes) : text->len;
}

static int line_matches(const struct feed *text, size_t at)
{
    return regex_match(alone, matcher, (const char *)text->bytes + at, line_end(text, at) - at);
}

// The lines from `from` to before `to` have no match, as far as can be told.
static void must_not_match(const struct feed *text, size_t from, size_t to)
{
    for (; from < to; from = line_end(text, from) + 1) {
        MUST(line_matches(text, from) != 1);
    }
}

static void compare(const struct feed *text)
{
    size_t from = 0, offset;
    while (from < text->len) {
        int found = regex_search(lines, matcher, NULL, (const char *)text->bytes + from,
                                 text->len - from, &offset);
        if (found < 0) {
            return; // then the rest goes record by record
        }
        if (found == 0) {
            must_not_match(text, from, text->len);
            return;
        }
        MUST(offset <= text->len - from);
        size_t match = from + offset, start = from;
        while (line_end(text, start) < match) {
            start = line_end(text, start) + 1;
        }
        MUST(start < text->len);
        must_not_match(text, from, start);
        MUST(line_matches(text, start) != 0);
        from = line_end(text, start) + 1;
    }
}

void fuzz_search(const unsigned char *data, size_t size)
{
    struct feed feed = {data, size};
    if (size > BYTES_MAX) {
        return;
    }
    if (matcher == NULL) {
        matcher = matcher_create();
        MUST(matcher != NULL);
    }
    unsigned byte = feed_byte(&feed);
    unsigned flags = (byte & 1 ? REGEX_CASELESS : 0u) | (byte & 2 ? REGEX_LITERAL : 0u);
    char *pattern = feed_word(&feed);
    alone = regex_create("--match", pattern, flags);
    lines = alone != NULL ? regex_create("--match", pattern, flags | REGEX_LINES) : NULL;
    MUST((alone == NULL) == (lines == NULL));
    if (lines != NULL && regex_searches(lines)) {
        compare(&feed);
    }
    regex_destroy(lines);
    regex_destroy(alone);
    free(pattern);
}
