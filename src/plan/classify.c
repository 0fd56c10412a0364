// SPDX-License-Identifier: BSD-2-Clause
// Records get their levels.
//
// The records of a part of a block are a list of runs. Each rule goes over those that no rule
// before it has decided, and divides them into runs that it matches and runs that it does not.

#include "plan/classify.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "core/levels.h"
#include "core/records.h"
#include "plan/find_literal.h"
#include "plan/regex.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Matching records have `level`, or the level that group 1 of the pattern says.
struct rule {
    struct regex *regex;
    bool by_number;
    int level;
};

struct classes {
    bool whole_blocks; // a block has one level: that of its most urgent record
    size_t count;
    struct rule rules[];
};

// Consecutive records of one level.
struct run {
    size_t off, end; // bytes of the block
    int level;
    bool decided; // some rule has matched them
};

struct runs {
    struct run *list;
    size_t count, cap;
};

struct classifier {
    const struct classes *classes;
    struct matcher *matcher;
    struct captures *captures; // the match and group 1
    struct runs runs, divided; // of the block; and as the rule at hand divides them
    bool told;                 // that a pattern was given up
};

// --- the rules

static int rule_init(struct rule *rule, const char *option, const char *pattern, unsigned flags)
{
    rule->regex = regex_create(option, pattern, flags);
    return rule->regex != NULL ? 0 : -1;
}

static int compile(struct classes *classes, const struct settings *settings)
{
    bool lines = settings->delimiter == '\n' && settings_delimited(settings) && !settings->utf;
    unsigned flags = (lines ? REGEX_LINES : 0u) | (settings->utf ? REGEX_UTF : 0u);
    for (size_t i = 0; i < settings->priority_count; i++) {
        const struct priority *priority = &settings->priorities[i];
        struct rule *rule = &classes->rules[classes->count++];
        rule->level = priority->level;
        if (rule_init(rule, "--priority", priority->pattern, flags) != 0) {
            return -1;
        }
    }
    if (settings->priority_by == NULL) {
        return 0;
    }
    struct rule *rule = &classes->rules[classes->count++];
    rule->by_number = true;
    if (rule_init(rule, "--priority-by", settings->priority_by, flags) != 0) {
        return -1;
    }
    if (regex_groups(rule->regex) == 0) {
        diag_error("--priority-by: '%s' has no group: put ( ) around the number",
                   settings->priority_by);
        return -1;
    }
    return 0;
}

struct classes *classes_create(const struct settings *settings)
{
    size_t count = settings->priority_count + 1;
    struct classes *classes = calloc(1, sizeof(*classes) + count * sizeof(classes->rules[0]));
    if (classes == NULL) {
        diag_error("no memory for the priorities");
        return NULL;
    }
    classes->whole_blocks = settings->exact_blocks || settings->batch_lines > 0;
    if (compile(classes, settings) != 0) {
        classes_destroy(classes);
        return NULL;
    }
    return classes;
}

void classes_destroy(struct classes *classes)
{
    if (classes != NULL) {
        for (size_t i = 0; i < classes->count; i++) {
            regex_destroy(classes->rules[i].regex);
        }
        free(classes);
    }
}

struct classifier *classifier_create(const struct classes *classes)
{
    struct classifier *classifier = calloc(1, sizeof(*classifier));
    if (classifier == NULL) {
        return NULL;
    }
    classifier->classes = classes;
    classifier->matcher = matcher_create();
    classifier->captures = captures_create(2);
    if (classifier->matcher == NULL || classifier->captures == NULL) {
        classifier_destroy(classifier);
        return NULL;
    }
    return classifier;
}

void classifier_destroy(struct classifier *classifier)
{
    if (classifier != NULL) {
        matcher_destroy(classifier->matcher);
        captures_destroy(classifier->captures);
        free(classifier->runs.list);
        free(classifier->divided.list);
        free(classifier);
    }
}

// --- runs

// Add a run behind the others; one that follows on another like it makes one run with it. Returns
// 0, or -1: no memory.
static int add_run(struct runs *runs, struct run run)
{
    struct run *last = runs->count > 0 ? &runs->list[runs->count - 1] : NULL;
    if (last != NULL && last->level == run.level && last->decided == run.decided) {
        last->end = run.end;
        return 0;
    }
    if (runs->list == NULL || runs->count == runs->cap) {
        size_t cap = runs->cap > 0 ? 2 * runs->cap : 64;
        struct run *list = realloc(runs->list, cap * sizeof(*list));
        if (list == NULL) {
            return -1;
        }
        runs->list = list;
        runs->cap = cap;
    }
    runs->list[runs->count++] = run;
    return 0;
}

// --- matching

// A rule on its way through a block.
struct pass {
    struct classifier *classifier;
    const struct rule *rule;
    const struct literal *hint; // that is in every match and few records; NULL: there is none
    bool searches;              // else the pattern finds matches in many records at once
};

static struct pass pass_of(struct classifier *classifier, const struct rule *rule,
                           const struct block *block)
{
    const struct runs *runs = &classifier->runs;
    size_t off = runs->list[0].off, end = runs->list[runs->count - 1].end;
    struct pass pass = {.classifier = classifier, .rule = rule};
    if (block->ends == NULL) {
        pass.hint = regex_hint(rule->regex, block->buf + off, end - off);
        pass.searches = pass.hint == NULL && !rule->by_number && regex_searches(rule->regex);
    }
    return pass;
}

// The whole number that the bytes begin with, as sort -n has it, within the levels; 0: with none.
static int number_of(const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end && isblank((unsigned char)*bytes)) {
        bytes++;
    }
    bool negative = bytes < end && *bytes == '-';
    bytes += bytes < end && (*bytes == '-' || *bytes == '+');
    int number = 0;
    for (; bytes < end && isdigit((unsigned char)*bytes) && number <= LEVEL_MAX; bytes++) {
        number = number * 10 + (*bytes - '0');
    }
    number = number > LEVEL_MAX ? LEVEL_MAX : number;
    return negative ? -number : number;
}

// Does the record match? 1 and its level, or 0; -1 if the pattern was given up.
static int match_record(const struct pass *pass, const struct record *record, int *level)
{
    const struct rule *rule = pass->rule;
    struct classifier *classifier = pass->classifier;
    *level = rule->level;
    if (!rule->by_number) {
        return regex_match(rule->regex, classifier->matcher, record->bytes, record->len);
    }
    int found = regex_find(rule->regex, classifier->matcher, classifier->captures, record->bytes,
                           record->len, 0, false);
    const size_t *group = classifier->captures->offsets + 2;
    if (found > 0 && group[0] != SIZE_MAX) {
        *level = number_of(record->bytes + group[0], group[1] - group[0]);
    }
    return found;
}

// A record on which the pattern is given up does not match.
static bool matches(const struct pass *pass, const struct record *record, int *level)
{
    int found = match_record(pass, record, level);
    if (found < 0 && !pass->classifier->told) {
        pass->classifier->told = true;
        diag_warn("a record of %zu bytes is taken not to match: %s", record->len,
                  matcher_error(pass->classifier->matcher));
    }
    return found > 0;
}

// Go on to the record around `place`.
static void go_to(struct records *records, const char *place)
{
    const char *before = memrchr(records->next, '\n', (size_t)(place - records->next));
    records->next = before != NULL ? before + 1 : records->next;
}

// Go on to the next record that may match. Returns 1 if it does for sure, 0 if it has to be seen,
// -1 if there is none.
static int find_candidate(struct pass *pass, struct records *records)
{
    size_t left = (size_t)(records->end - records->next), offset;
    if (pass->hint != NULL) {
        const char *place = literal_find(pass->hint, records->next, left);
        if (place == NULL) {
            return -1;
        }
        go_to(records, place);
        return 0;
    }
    if (!pass->searches) {
        return 0;
    }
    int found = regex_search(pass->rule->regex, pass->classifier->matcher, NULL, records->next,
                             left, &offset);
    if (found < 0) {
        pass->searches = false; // the rest of the block goes record by record
        return 0;
    }
    if (found == 0) {
        return -1;
    }
    go_to(records, records->next + offset);
    return 1;
}

// Find the next record that matches. False: there are no more.
static bool next_match(struct pass *pass, struct records *records, struct record *record,
                       int *level)
{
    int found = 0;
    while (records->next < records->end && (found = find_candidate(pass, records)) >= 0) {
        *level = pass->rule->level;
        // An empty match can lie behind the last record.
        if (records_next(records, record) && (found > 0 || matches(pass, record, level))) {
            return true;
        }
    }
    return false;
}

// Divide a run by what the rule matches. Returns 0, or -1: no memory.
static int divide(struct pass *pass, const struct block *block, struct run run)
{
    struct runs *divided = &pass->classifier->divided;
    struct records records = records_within(block, run.off, run.end);
    struct record record;
    int level, status = 0;
    while (status == 0 && next_match(pass, &records, &record, &level)) {
        size_t off = (size_t)(record.bytes - block->buf), end = (size_t)(record.next - block->buf);
        if (off > run.off) {
            status = add_run(divided, (struct run){.off = run.off, .end = off});
        }
        if (status == 0) {
            status = add_run(divided,
                             (struct run){.off = off, .end = end, .level = level, .decided = true});
        }
        run.off = end;
    }
    return status == 0 && run.off < run.end ? add_run(divided, run) : status;
}

// --- blocks

// The rule decides about what no rule before it has. Returns 0, or -1: no memory.
static int apply(struct classifier *classifier, const struct rule *rule, const struct block *block)
{
    struct pass pass = pass_of(classifier, rule, block);
    struct runs before = classifier->runs;
    int status = 0;
    classifier->divided.count = 0;
    for (size_t i = 0; status == 0 && i < before.count; i++) {
        const struct run *run = &before.list[i];
        status = run->decided ? add_run(&classifier->divided, *run) : divide(&pass, block, *run);
    }
    classifier->runs = classifier->divided;
    classifier->divided = before;
    return status;
}

// All records of the runs, and those of the block before them, have the level of the most urgent
// one.
static void unite(struct runs *runs, struct block *block)
{
    struct run *all = &runs->list[0];
    for (size_t i = 1; i < runs->count; i++) {
        all->level = runs->list[i].level < all->level ? runs->list[i].level : all->level;
        all->end = runs->list[i].end;
    }
    runs->count = 1;
    if (block->span_count > 0) {
        struct span *before = &block->spans[0];
        all->level = before->level < all->level ? before->level : all->level;
        before->level = all->level;
    }
}

// Runs become spans of the block, behind others; *index is how many records of it are before them,
// if that counts. Returns 0, or -1: no memory.
static int add_spans(const struct runs *runs, struct block *block, uint64_t *index, int64_t now)
{
    size_t count = block->span_count;
    struct span *spans = realloc(block->spans, (count + runs->count) * sizeof(*spans));
    if (spans == NULL) {
        return -1;
    }
    block->spans = spans;
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->list[i];
        struct span *last = count > 0 ? &spans[count - 1] : NULL;
        if (last != NULL && last->level == run->level) {
            last->end = run->end;
            last->len = run->end - last->off;
        } else {
            spans[count++] = (struct span){
                .block = block,
                .end = run->end,
                .off = run->off,
                .len = run->end - run->off,
                .index = *index,
                .level = run->level,
                .entered = now,
            };
        }
        if (block->first_seq > 0 || block->keyed != NULL) {
            *index += records_in_block(block, run->off, run->end);
        }
    }
    block->span_count = count;
    return 0;
}

// So many bytes are classified at a time: a block can be large, and the runs are not charged.
#define SLICE ((size_t)1024 * 1024)

static int classify(struct classifier *classifier, struct block *block, struct run slice)
{
    const struct classes *classes = classifier->classes;
    classifier->runs.count = 0;
    int status = add_run(&classifier->runs, slice);
    for (size_t i = 0; status == 0 && i < classes->count; i++) {
        status = apply(classifier, &classes->rules[i], block);
    }
    if (status == 0 && classes->whole_blocks) {
        unite(&classifier->runs, block);
    }
    return status;
}

int classifier_run(struct classifier *classifier, struct block *block, int64_t now)
{
    uint64_t index = 0;
    for (struct run slice = {0}; slice.end < block->len; slice.off = slice.end) {
        bool last = block->len - slice.off <= SLICE;
        slice.end = last ? block->len : records_end(block, slice.off + SLICE);
        if (classify(classifier, block, slice) != 0 ||
            add_spans(&classifier->runs, block, &index, now) != 0) {
            return -1;
        }
    }
    return 0;
}
