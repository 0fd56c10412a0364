// SPDX-License-Identifier: BSD-2-Clause
// Rules of --priority and --priority-by: the records of a block have the levels that they have one
// by one. Input: flags, how many rules, their levels and patterns, each with a NUL, if the flags
// say so the pattern of numbers, likewise, and then the records.

#include "fuzz.h"

#include "cli/settings.h"
#include "core/block.h"
#include "core/levels.h"
#include "plan/classify.h"

#include <stdlib.h>

#define BYTES_MAX 600 // patterns that backtrack take long enough
#define RULES_MAX 3

// The level of the only record that the bytes are.
static int level_alone(struct classifier *classifier, char *bytes, size_t len, char delimiter)
{
    struct block block = {.buf = bytes, .len = len, .delimiter = delimiter};
    MUST(classifier_run(classifier, &block, 0) == 0 && block.span_count == 1);
    int level = block.spans[0].level;
    free(block.spans);
    return level;
}

static void compare(const struct classes *classes, struct block *block)
{
    struct classifier *classifier = classifier_create(classes);
    MUST(classifier != NULL && classifier_run(classifier, block, 17) == 0);
    size_t span = 0, off = 0;
    for (uint64_t index = 0; off < block->len; index++) {
        const struct span *now = &block->spans[span];
        size_t end = fuzz_record_end(block->buf, block->len, off, block->delimiter);
        MUST(span < block->span_count && now->level >= LEVEL_MIN && now->level <= LEVEL_MAX);
        MUST(now->level == level_alone(classifier, block->buf + off, end - off, block->delimiter));
        MUST(off != now->off || (now->index == index && now->end == now->off + now->len));
        span += end == now->end;
        off = end;
    }
    MUST(span == block->span_count);
    classifier_destroy(classifier);
    free(block->spans);
}

void fuzz_classify(const unsigned char *data, size_t size)
{
    struct priority rules[RULES_MAX];
    struct feed feed = {data, size};
    if (size > BYTES_MAX) {
        return;
    }
    unsigned char flags = feed_byte(&feed);
    struct settings settings = {.priorities = rules,
                                .priority_count = feed_byte(&feed) % (RULES_MAX + 1),
                                .record_lines = 1,
                                .utf = flags & 1,
                                .delimiter = flags & 2 ? ',' : '\n'};
    for (size_t i = 0; i < settings.priority_count; i++) {
        rules[i].level = (signed char)feed_byte(&feed) % (LEVEL_MAX + 1);
        rules[i].pattern = feed_word(&feed);
    }
    char *by = flags & 4 ? feed_word(&feed) : NULL;
    settings.priority_by = by;
    struct classes *classes = classes_create(&settings);
    if (classes != NULL) {
        struct block block = {.buf = (char *)feed.bytes,
                              .len = feed.len,
                              .delimiter = settings.delimiter,
                              .first_seq = 1};
        compare(classes, &block);
    }
    classes_destroy(classes);
    for (size_t i = 0; i < settings.priority_count; i++) {
        free((char *)rules[i].pattern);
    }
    free(by);
}
