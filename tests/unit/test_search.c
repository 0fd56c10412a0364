// SPDX-License-Identifier: BSD-2-Clause
// Tests of searching whole blocks: which patterns are, and that this decides as if each record were
// alone. Generated patterns and texts are compared: PAIRS=N in the environment says how many,
// SEED=N which.

#include "cli/settings.h"
#include "core/block.h"
#include "core/result.h"
#include "drafts.h"
#include "plan/block_pattern.h"
#include "plan/plan.h"
#include "plan/regex.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS 16 // for each pattern
#define MAX_OPS 3

// --- Which patterns.

static void test_allowed(void)
{
    static const char *const ALLOWED[] = {
        "",
        "plain text, even # and }]",
        "a.b|^c$|",
        "(GET|POST) /api/v\\d+/users/(\\d+)",
        "a*b+c?d{2}e{3,}f{4,5}",
        "a*?b+?c??d{2}?e{3,}?f{4,5}?",
        "(a)(?:b)(?<n>c)(?P<o_1>d)",
        "(?i)a(?-i)b(?i:c)(?-i:d)",
        "(a)\\1(b)\\2\\b\\B",
        "\\d\\w\\s\\D\\W\\S\\t\\r\\f\\a\\e\\x0b\\xfF\\.\\\\\\-\\ \\\"",
        "(?:a(b)\\1)(?i)((c)\\3)",
        "{\"id\": {a}, { \"b\"",
        "\xc3\xa9\xff",
        "[a-z][^\"][]a][^]a][a-][-a][\\d.-][\\]\\\\][\\x20-\\x7e][\\n\\b]",
        "[[:alpha:]_][^[:space:][:punct:]][a[b][[^]",
    };
    static const char *const REFUSED[] = {
        "(?'n'a)",
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "(?<!a)b",
        "(?>a)",
        "(?|a|b)",
        "(?#a)b",
        "a++",
        "a*+",
        "a?+",
        "a{2}+",
        "a{2,3}+",
        "a{2}{3}",
        "a+?+",
        "(a\\1)",
        "((a)\\1)",
        "\\1(a)",
        "\\Aa",
        "a\\z",
        "a\\Z",
        "\\Ga",
        "a\\Kb",
        "\\R",
        "\\X",
        "\\C",
        "\\N",
        "\\H",
        "\\v",
        "\\Qa\\E",
        "\\E",
        "a\\cJ",
        "(?m)a",
        "(?-m)^a$",
        "(?^)a",
        "(?s).",
        "(?x) a",
        "(?im)a",
        "(?i-s)a",
        "(?s:.)",
        "(?J)a",
        "(?U)a",
        "(?n)a",
        "(?-)a",
        "(?C)a",
        "(?C1)a",
        "(*UTF)a",
        "(*CRLF)a",
        "a(*FAIL)",
        "(*pla:a)",
        "(a)(?(1)b)",
        "(?R)?",
        "(a)(?1)",
        "(?<n>a)\\g<n>",
        "(?<n>a)(?&n)",
        "(?<n>a)(?P>n)",
        "(?<n>a)(?P=n)",
        "(?<n>a)\\k<n>",
        "(a)\\g{1}",
        "\\n",
        "a\nb",
        "\\\n",
        "\\x0a",
        "\\x0A",
        "\\xa",
        "\\x{61}",
        "\\012",
        "(a)\\12",
        "\\0",
        "\\o{12}",
        "^*a",
        "\\b+a",
        "$?",
        "a{,3}",
        "a{ 2 }",
        "[\n]",
        "[\\n]",
        "[\\x0a]",
        "[[:^alpha:]]",
        "[[:<:]]a",
        "[a-c-e]",
        "[\\d-.]",
        "[\\012]",
        "[\\Qa\\E]",
        "[\\h]",
        "[[.a.]]",
    };
    for (size_t i = 0; i < sizeof(ALLOWED) / sizeof(ALLOWED[0]); i++) {
        char *pattern = block_pattern(ALLOWED[i]);
        OK(pattern != NULL, "over whole blocks: %s", ALLOWED[i]);
        free(pattern);
    }
    size_t refused = 0;
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++, refused++) {
        char *pattern = block_pattern(REFUSED[i]);
        if (pattern != NULL) {
            printf("# not refused: %s\n", REFUSED[i]);
            free(pattern);
            break;
        }
    }
    OK(refused == sizeof(REFUSED) / sizeof(REFUSED[0]), "record by record: %zu others", refused);
}

static bool becomes(const char *pattern, const char *expected)
{
    char *actual = block_pattern(pattern);
    bool same = actual != NULL && strcmp(actual, expected) == 0;
    if (!same) {
        printf("# %s became %s\n", pattern, actual != NULL ? actual : "nothing");
    }
    free(actual);
    return same;
}

static void test_newlines(void)
{
    OK(becomes("(a|.)+?\\d$", "(a|.)+?\\d$"), "what cannot match a newline stays as it is");
    OK(becomes("\\s\\D\\W\\S", "[^\\S\\n][^\\d\\n][^\\w\\n]\\S"), "escapes lose the newline");
    OK(becomes("[^b]", "[^\\x0a\\x62]"), "negated classes do");
    OK(becomes("[^\\n]", "[^\\x0a]"), "unless they have lost it");
    OK(becomes("[\\s,]", "[\\x09\\x0b-\\x0d\\x20\\x2c]"), "classes do");
    OK(becomes("[\\x08-\\r]", "[\\x08-\\x09\\x0b-\\x0d]"), "ranges do");
}

static bool searches(const char *pattern, unsigned flags)
{
    struct regex *regex = regex_create("--match", pattern, flags);
    bool answer = regex != NULL && regex_searches(regex);
    regex_destroy(regex);
    return answer;
}

static void test_regex(void)
{
    OK(searches("a$", REGEX_LINES), "a pattern for lines is searched over whole blocks");
    OK(!searches("a$", 0), "one for other records is not");
    OK(!searches("(?=a)", REGEX_LINES), "nor one that is not known to be safe");
    OK(!searches("^a", REGEX_LINES) && !searches(".*a", REGEX_LINES),
       "nor one that only matches "
       "where lines begin, which are found faster otherwise");
    OK(searches("(?=a)", REGEX_LINES | REGEX_LITERAL), "plain text always is");
    OK(!searches("a\nb", REGEX_LINES | REGEX_LITERAL), "unless it has a newline");
}

// --- What they decide.

// Operations, to be run both by the plan and on each record alone.
struct trial {
    struct settings settings;
    struct operation operations[MAX_OPS];
    struct draft drafts[MAX_OPS];
    struct regex *regexes[MAX_OPS]; // of the patterns as they are
    struct regex *lines;            // of the first, as the plan has it
    struct plan *plan;
    struct plan_state *state;
    struct matcher *matcher;
};

static struct regex *create_in_silence(const char *pattern, unsigned flags)
{
    silence(true);
    struct regex *regex = regex_create("--match", pattern, flags);
    silence(false);
    return regex;
}

static unsigned trial_flags(const struct trial *trial)
{
    return (trial->settings.ignore_case ? REGEX_CASELESS : 0u) |
           (trial->settings.fixed_strings ? REGEX_LITERAL : 0u);
}

static void trial_end(struct trial *trial)
{
    for (size_t i = 0; i < MAX_OPS; i++) {
        regex_destroy(trial->regexes[i]);
        trial->regexes[i] = NULL;
    }
    regex_destroy(trial->lines);
    plan_state_destroy(trial->state);
    plan_destroy(trial->plan);
    trial->lines = NULL;
    trial->state = NULL;
    trial->plan = NULL;
}

// Compile the operations both ways. False: a pattern is not valid.
static bool trial_begin(struct trial *trial)
{
    const struct settings *settings = &trial->settings;
    for (size_t i = 0; i < settings->operation_count; i++) {
        trial->regexes[i] = create_in_silence(trial->operations[i].pattern, trial_flags(trial));
        if (trial->regexes[i] == NULL) {
            trial_end(trial);
            return false;
        }
    }
    trial->lines =
        regex_create("--match", trial->operations[0].pattern, trial_flags(trial) | REGEX_LINES);
    trial->plan = plan_create(settings);
    trial->state = plan_state_create(trial->plan, 1);
    return trial->lines != NULL;
}

static void make_operations(struct trial *trial)
{
    trial->settings = (struct settings){
        .delimiter = '\n',
        .operations = trial->operations,
        .operation_count = below(3) ? 1 : 1 + below(MAX_OPS),
        .ignore_case = below(4) == 0,
        .fixed_strings = below(16) == 0,
    };
    for (size_t i = 0; i < trial->settings.operation_count; i++) {
        struct draft *draft = &trial->drafts[i];
        draft->len = 0;
        draft->text[0] = '\0';
        if (trial->settings.fixed_strings || below(4) == 0) {
            add_soup(draft);
        } else {
            add_alternatives(draft, 3);
        }
        trial->operations[i] = (struct operation){
            .kind = below(2) ? OPERATION_MATCH : OPERATION_EXCLUDE, .pattern = draft->text};
    }
}

// What each record alone gives: bytes and an account. Failures are the bits of `failed`.
struct outcome {
    char out[MAX_TEXT];
    size_t len;
    struct tally tally;
    uint64_t failed;
    bool differs; // what the plan has made of the pattern matches other records
};

// Does the record match operation `i`? As for regex_match(). Of a record that takes too many steps,
// which depends on how a pattern is written, the plan decides if it does.
static int match_alone(const struct trial *trial, size_t i, const char *record, size_t len,
                       bool *differs)
{
    int matches = regex_match(trial->regexes[i], trial->matcher, record, len);
    if (i > 0) {
        return matches;
    }
    int in_lines = regex_match(trial->lines, trial->matcher, record, len);
    *differs |= matches >= 0 && in_lines >= 0 && matches != in_lines;
    return in_lines;
}

static void decide_alone(const struct trial *trial, const char *text, size_t len,
                         struct outcome *outcome)
{
    *outcome = (struct outcome){0};
    for (const char *record = text, *end = text + len, *next; record < end; record = next) {
        const char *stop = memchr(record, '\n', (size_t)(end - record));
        next = stop != NULL ? stop + 1 : end;
        int kept = 1;
        for (size_t i = 0; i < trial->settings.operation_count && kept == 1; i++) {
            kept = match_alone(trial, i, record, (size_t)((stop != NULL ? stop : end) - record),
                               &outcome->differs);
            if (kept >= 0 && trial->operations[i].kind == OPERATION_EXCLUDE) {
                kept = !kept;
            }
        }
        if (kept == 1) {
            memcpy(outcome->out + outcome->len, record, (size_t)(next - record));
            outcome->len += (size_t)(next - record);
            outcome->tally.emitted++;
        } else if (kept == 0) {
            outcome->tally.dropped++;
        } else {
            outcome->failed |= UINT64_C(1) << outcome->tally.records;
            outcome->tally.failed++;
        }
        outcome->tally.records++;
    }
}

static void decide_by_plan(const struct trial *trial, char *text, size_t len,
                           struct outcome *outcome)
{
    *outcome = (struct outcome){0};
    struct block block = {.delimiter = '\n', .buf = text, .len = len};
    struct result *result = result_create(&block, 0, len);
    if (result == NULL || plan_run(trial->plan, trial->state, result) != 0) {
        abort();
    }
    for (size_t i = 0; i < result->iov_count; i++) {
        memcpy(outcome->out + outcome->len, result->iov[i].iov_base, result->iov[i].iov_len);
        outcome->len += result->iov[i].iov_len;
    }
    for (const struct failure *failure = result->failures; failure; failure = failure->next) {
        outcome->failed |= UINT64_C(1) << failure->nr;
    }
    outcome->tally = result->tally;
    result_destroy(result);
}

static bool outcome_equal(const struct outcome *a, const struct outcome *b)
{
    return a->len == b->len && memcmp(a->out, b->out, a->len) == 0 && a->failed == b->failed &&
           a->tally.records == b->tally.records && a->tally.emitted == b->tally.emitted &&
           a->tally.dropped == b->tally.dropped && a->tally.failed == b->tally.failed;
}

static void show(const struct trial *trial, const char *text, size_t len)
{
    const struct settings *settings = &trial->settings;
    printf("#%s%s\n", settings->ignore_case ? " -i" : "", settings->fixed_strings ? " -F" : "");
    for (size_t i = 0; i < settings->operation_count; i++) {
        show_bytes(trial->operations[i].kind == OPERATION_MATCH ? "-m" : "-v",
                   trial->operations[i].pattern, strlen(trial->operations[i].pattern));
    }
    show_bytes("on", text, len);
}

static void test_pairs(void)
{
    const uint64_t pairs = number("PAIRS", 200000);
    random_state = number("SEED", 1);
    static struct trial trial;
    trial.matcher = matcher_create();
    uint64_t done = 0, searched = 0, hinted = 0, mixed = 0;
    bool same = trial.matcher != NULL;
    while (same && done < pairs) {
        make_operations(&trial);
        if (!trial_begin(&trial)) {
            continue;
        }
        searched += regex_searches(trial.lines) ? TEXTS : 0;
        for (unsigned i = 0; same && i < TEXTS; i++, done++) {
            char text[MAX_TEXT];
            size_t len = make_text(text);
            struct outcome alone, plan;
            decide_alone(&trial, text, len, &alone);
            decide_by_plan(&trial, text, len, &plan);
            same = !alone.differs && outcome_equal(&alone, &plan);
            hinted += regex_hint(trial.lines, text, len) != NULL;
            mixed += alone.tally.emitted > 0 && alone.tally.dropped > 0;
            if (!same) {
                show(&trial, text, len);
                show_bytes("alone", alone.out, alone.len);
                show_bytes("plan", plan.out, plan.len);
            }
        }
        trial_end(&trial);
    }
    matcher_destroy(trial.matcher);
    OK(same, "%ju pairs of patterns and texts: blocks give what records give", (uintmax_t)done);
    OK(searched > pairs / 2, "%ju of them were searched as blocks", (uintmax_t)searched);
    OK(hinted > pairs / 20, "in %ju a literal was looked for", (uintmax_t)hinted);
    OK(mixed > pairs / 20, "in %ju some records were kept, some dropped", (uintmax_t)mixed);
}

// --- Blocks of many records.

#define MANY 20000

// Does record `i` have an x? All of some runs do, none of others, and some at random.
static bool has_x(unsigned i)
{
    unsigned run = i / 1000 % 3;
    return run == 0 || (run == 1 && below(2) == 0);
}

// `pattern` matches what has an x, and nothing else.
static bool keeps_right(enum operation_kind kind, const char *pattern)
{
    char *text = malloc(MANY * 60), *expected = malloc(MANY * 60), *actual = malloc(MANY * 60);
    char *end = text, *expected_end = expected, *actual_end = actual;
    uint64_t emitted = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char *record = end;
        bool x = has_x(i);
        end +=
            sprintf(end, "%u%*s%s%*s\n", i, (int)below(20), "", x ? "(x)" : "", (int)below(20), "");
        if (x == (kind == OPERATION_MATCH)) {
            expected_end = mempcpy(expected_end, record, (size_t)(end - record));
            emitted++;
        }
    }

    struct operation operation = {kind, pattern};
    const struct settings settings = {
        .delimiter = '\n', .operations = &operation, .operation_count = 1};
    struct plan *plan = plan_create(&settings);
    struct plan_state *state = plan_state_create(plan, 1);
    struct block block = {.delimiter = '\n', .buf = text, .len = (size_t)(end - text)};
    struct result *result = result_create(&block, 0, block.len);
    bool right = plan_run(plan, state, result) == 0 && result->tally.records == MANY &&
                 result->tally.emitted == emitted && result->tally.dropped == MANY - emitted;
    for (size_t i = 0; i < result->iov_count; i++) {
        actual_end = mempcpy(actual_end, result->iov[i].iov_base, result->iov[i].iov_len);
    }
    right = right && actual_end - actual == expected_end - expected &&
            memcmp(actual, expected, (size_t)(actual_end - actual)) == 0;
    result_destroy(result);
    plan_state_destroy(state);
    plan_destroy(plan);
    free(text);
    free(expected);
    free(actual);
    return right;
}

static void test_density(void)
{
    OK(keeps_right(OPERATION_MATCH, "x"),
       "where all, some and no records match, match keeps those");
    OK(keeps_right(OPERATION_EXCLUDE, "x"), "and exclude the others");
    OK(keeps_right(OPERATION_MATCH, "\\d\\D*x\\)") && keeps_right(OPERATION_EXCLUDE, "^\\d.*x\\)"),
       "whether a literal is looked for or not");
}

// --- What a search over a block cannot tell.

// Of `unit` repeated between two lines, are so many records kept, and do so many fail?
static bool decides(struct operation operation, const char *unit, size_t times, uint64_t emitted,
                    uint64_t failed)
{
    const struct settings settings = {
        .delimiter = '\n', .operations = &operation, .operation_count = 1};
    struct plan *plan = plan_create(&settings);
    struct plan_state *state = plan_state_create(plan, 1);
    struct block block = {.delimiter = '\n'};
    block.buf = malloc(strlen(unit) * times + 10);
    char *end = stpcpy(block.buf, "ab\n");
    for (size_t i = 0; i < times; i++) {
        end = stpcpy(end, unit);
    }
    end = stpcpy(end, "\nc\na");
    block.len = (size_t)(end - block.buf);

    struct result *result = result_create(&block, 0, block.len);
    bool right = plan_run(plan, state, result) == 0 && result->tally.emitted == emitted &&
                 result->tally.failed == failed && (failed == 0 || result->failures->nr == 1);
    result_destroy(result);
    free(block.buf);
    plan_state_destroy(state);
    plan_destroy(plan);
    return right;
}

static void test_limits(void)
{
    const struct operation match = {OPERATION_MATCH, "(a+)+$"};
    const struct operation exclude = {OPERATION_EXCLUDE, "(a+)+$"};
    const struct operation deep = {OPERATION_MATCH, "(?:a|b)+$"};
    const char *catastrophe = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac";
    OK(decides(match, catastrophe, 1, 1, 1), "a record that takes too many steps fails alone");
    OK(decides(exclude, catastrophe, 1, 2, 1), "with exclude too");
    OK(decides(deep, "ab", 100000, 3, 0), "one that is too much for the JIT's stack is decided");

    const struct operation literal = {OPERATION_EXCLUDE, "(a+)+bc"};
    OK(decides(literal, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac b c bc", 1, 3, 1),
       "a literal alone is no match");
    OK(decides(literal, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac b c", 1, 4, 0),
       "without it there is none, however many steps it would take to tell");
    OK(decides(literal, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac b c\nabc\nabc\nabc\nabc\nabc", 1, 4,
               0),
       "also where it is in most records, and so is not looked for");
}

int main(void)
{
    test_allowed();
    test_newlines();
    test_regex();
    test_pairs();
    test_density();
    test_limits();
    return tap_done();
}
