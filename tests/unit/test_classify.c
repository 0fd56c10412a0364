// SPDX-License-Identifier: BSD-2-Clause
// Which levels records get. Generated rules and texts are compared with each record alone: PAIRS=N
// in the environment says how many, SEED=N which.

#include "cli/settings.h"
#include "core/block.h"
#include "core/levels.h"
#include "core/records.h"
#include "drafts.h"
#include "plan/classify.h"
#include "plan/regex.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RULES 3
#define TEXTS 16 // for each set of rules

// Spans without gaps, of whole records, of other levels than their neighbours, and numbered.
static bool is_whole(const struct block *block, int64_t now)
{
    size_t off = 0;
    uint64_t index = 0;
    for (size_t i = 0; i < block->span_count; i++) {
        const struct span *span = &block->spans[i];
        if (span->block != block || span->off != off || span->len == 0 ||
            span->end != off + span->len || span->entered != now ||
            (i > 0 && span->level == block->spans[i - 1].level) ||
            span->index != (block->first_seq > 0 ? index : 0) ||
            (off > 0 && block->ends == NULL && block->buf[off - 1] != block->delimiter)) {
            return false;
        }
        off += span->len;
        index = records_in_block(block, 0, off);
    }
    return off == block->len;
}

// Classify the block; whether the spans are as they should be.
static bool classify(const struct settings *settings, struct block *block)
{
    struct classes *classes = classes_create(settings);
    struct classifier *classifier = classes != NULL ? classifier_create(classes) : NULL;
    bool fine = classifier != NULL && classifier_run(classifier, block, 17) == 0;
    classifier_destroy(classifier);
    classes_destroy(classes);
    return fine && is_whole(block, 17);
}

static int level_at(const struct block *block, size_t off)
{
    size_t i = 0;
    while (i + 1 < block->span_count && block->spans[i + 1].off <= off) {
        i++;
    }
    return block->spans[i].level;
}

static void clear(struct block *block)
{
    free(block->spans);
    block->spans = NULL;
    block->span_count = 0;
}

// Has each record of the text the level that stands beside it?
static bool gives(const struct settings *settings, const char *text, const int *levels)
{
    struct block block = {
        .delimiter = settings->delimiter, .buf = (char *)text, .len = strlen(text), .first_seq = 1};
    struct records records;
    struct record record;
    bool same = classify(settings, &block);
    records = records_within(&block, 0, block.len);
    while (same && records_next(&records, &record)) {
        same = level_at(&block, (size_t)(record.bytes - text)) == *levels++;
    }
    clear(&block);
    return same;
}

static void test_rules(void)
{
    struct priority rules[] = {{"b", -1}, {"[ab]", 1}, {"^.$", -2}};
    struct settings settings = {
        .delimiter = '\n', .record_lines = 1, .priorities = rules, .priority_count = 3};
    OK(gives(&settings, "a\nab\nc\ncc\nd", (int[]){1, -1, -2, 0, -2}), "the first match counts");
    OK(gives(&settings, "\n\n", (int[]){0, 0}), "empty records match what they match");

    settings.priority_by = "^c(\\S*)";
    OK(gives(&settings, "b\nc7\nc-7x\nc1000\nc-101\ncx\nc+5\nc 5",
             (int[]){-1, 7, -7, 100, -100, 0, 5, 0}),
       "else the number does");
    settings.priority_by = "x|^c(.*)";
    OK(gives(&settings, "c \t12\nxx\ncc", (int[]){12, 0, 0}), "after blanks; without one it is 0");

    settings = (struct settings){
        .delimiter = '\0', .record_lines = 1, .priorities = rules, .priority_count = 1};
    OK(gives(&settings, "a\nb\nc", (int[]){-1}), "records need not be lines");
}

// Records with an index, and blocks that are batches.
static void test_blocks(void)
{
    static char text[] = "a\nb\nc\nd\n";
    static size_t ends[] = {4, 6, 8};
    struct priority rules[] = {{"^b", -1}, {"a", 1}};
    struct settings settings = {
        .delimiter = '\n', .record_lines = 2, .priorities = rules, .priority_count = 2};
    struct block block = {
        .delimiter = '\n', .buf = text, .len = 8, .first_seq = 5, .ends = ends, .end_count = 3};
    OK(classify(&settings, &block) && block.span_count == 2 && level_at(&block, 0) == 1 &&
           level_at(&block, 4) == 0 && block.spans[1].index == 1,
       "records may have several lines");
    clear(&block);
    settings.batch_lines = 3;
    OK(classify(&settings, &block) && block.span_count == 1 && level_at(&block, 0) == 0,
       "an exact batch has the level of its most urgent record");
    clear(&block);
}

// A block of several slices: each of its records is 10 bytes.
static void test_large(void)
{
    const size_t count = 500000;
    char *text = malloc(count * 10 + 1);
    for (size_t i = 0; i < count; i++) {
        sprintf(text + i * 10, "%s%08zu\n", i % 70000 == 0 ? "u" : "x", i);
    }
    struct priority rules[] = {{"u", -1}, {"^x.*77$", 1}};
    struct settings settings = {
        .delimiter = '\n', .record_lines = 1, .priorities = rules, .priority_count = 2};
    struct block block = {.delimiter = '\n', .buf = text, .len = count * 10, .first_seq = 1};
    bool right = classify(&settings, &block);
    for (size_t i = 0; right && i < count; i += 1111) {
        int level = i % 70000 == 0 ? -1 : i % 100 == 77;
        right = level_at(&block, i * 10) == level;
    }
    OK(right && level_at(&block, 70000 * 10 * 3) == -1, "large blocks are classified in parts");
    clear(&block);
    settings.exact_blocks = true;
    OK(classify(&settings, &block) && block.span_count == 1 && level_at(&block, 0) == -1,
       "and are united all the same");
    clear(&block);
    free(text);
}

// --- generated rules

struct trial {
    struct draft drafts[RULES];
    struct priority rules[RULES];
    struct regex *alone[RULES]; // each as it is, for single records
    struct settings settings;
    struct matcher *matcher;
};

static bool trial_begin(struct trial *trial)
{
    bool valid = true;
    trial->settings = (struct settings){.delimiter = '\n',
                                        .record_lines = 1,
                                        .priorities = trial->rules,
                                        .priority_count = 1 + below(RULES)};
    for (size_t i = 0; i < trial->settings.priority_count; i++) {
        struct draft *draft = &trial->drafts[i];
        *draft = (struct draft){0};
        add_alternatives(draft, 2);
        trial->rules[i] = (struct priority){.pattern = draft->text, .level = (int)below(3) - 1};
        trial->alone[i] = regex_create("--priority", draft->text, 0);
        valid = valid && trial->alone[i] != NULL;
    }
    return valid;
}

static void trial_end(struct trial *trial)
{
    for (size_t i = 0; i < trial->settings.priority_count; i++) {
        regex_destroy(trial->alone[i]);
    }
}

static int level_alone(const struct trial *trial, const struct record *record)
{
    for (size_t i = 0; i < trial->settings.priority_count; i++) {
        if (regex_match(trial->alone[i], trial->matcher, record->bytes, record->len) > 0) {
            return trial->rules[i].level;
        }
    }
    return 0;
}

static bool is_same(const struct trial *trial, const struct block *block, uint64_t *urgent)
{
    struct records records = records_within(block, 0, block->len);
    struct record record;
    bool same = true;
    while (same && records_next(&records, &record)) {
        int level = level_alone(trial, &record);
        same = level_at(block, (size_t)(record.bytes - block->buf)) == level;
        *urgent += level < 0;
    }
    return same;
}

static void test_pairs(void)
{
    const uint64_t pairs = number("PAIRS", 50000);
    random_state = number("SEED", 1);
    static struct trial trial;
    trial.matcher = matcher_create();
    uint64_t done = 0, urgent = 0, divided = 0;
    bool same = trial.matcher != NULL;
    silence(true); // of patterns that are not valid, or given up
    while (same && done < pairs) {
        bool valid = trial_begin(&trial);
        for (unsigned i = 0; valid && same && i < TEXTS; i++, done++) {
            char text[MAX_TEXT];
            struct block block = {.delimiter = '\n', .buf = text, .len = make_text(text)};
            if (block.len == 0) {
                continue; // no block is empty
            }
            same = classify(&trial.settings, &block) && is_same(&trial, &block, &urgent);
            divided += block.span_count > 1;
            clear(&block);
            if (!same) {
                show_bytes("on", text, block.len);
            }
        }
        for (size_t i = 0; !same && i < trial.settings.priority_count; i++) {
            show_bytes("rule", trial.drafts[i].text, trial.drafts[i].len);
        }
        trial_end(&trial);
    }
    silence(false);
    matcher_destroy(trial.matcher);
    OK(same, "%ju pairs of rules and texts: blocks give what records give", (uintmax_t)done);
    OK(urgent > pairs / 20, "%ju records were urgent", (uintmax_t)urgent);
    OK(divided > pairs / 20, "%ju texts had records of several levels", (uintmax_t)divided);
}

int main(void)
{
    test_rules();
    test_blocks();
    test_large();
    test_pairs();
    return tap_done();
}
