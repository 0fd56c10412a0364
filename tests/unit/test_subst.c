// SPDX-License-Identifier: BSD-2-Clause
// Tests of substitution: the expression, the loop over matches, and the same results as
// pcre2_substitute() on generated cases.

#include "plan/op_subst.h"

#include "base/buf.h"
#include "plan/regex.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static struct matcher *matcher;
static unsigned seed = 1;

static unsigned below(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

// A substitution that is ready to run.
struct trial {
    struct op_subst op;
    struct captures *captures;
    struct buf buf; // what it made of the last record
};

static bool begin(struct trial *trial, const char *expression, unsigned flags)
{
    *trial = (struct trial){0};
    if (op_subst_init(&trial->op, expression, flags) != 0) {
        op_subst_destroy(&trial->op);
        return false;
    }
    trial->captures = op_subst_captures(&trial->op);
    return trial->captures != NULL;
}

static void end(struct trial *trial)
{
    op_subst_destroy(&trial->op);
    captures_destroy(trial->captures);
    buf_free(&trial->buf);
}

// Fills trial->buf. Returns whether anything was replaced; -1: the pattern gave up.
static int run(struct trial *trial, const char *bytes, size_t len)
{
    // In memory of its own, so that a sanitizer sees reads beyond it.
    char *record = malloc(len > 0 ? len : 1);
    memcpy(record, bytes, len);
    trial->buf.len = 0;
    int found = op_subst_find(&trial->op, matcher, trial->captures, record, len);
    if (found > 0 && op_subst_append(&trial->op, matcher, trial->captures, record, len,
                                     &trial->buf) != SUBST_DONE) {
        found = -1;
    }
    if (found == 0 && buf_append(&trial->buf, record, len) != 0) {
        abort();
    }
    free(record);
    return found;
}

static bool holds(const struct buf *buf, const char *bytes, size_t len)
{
    return buf->len == len && (len == 0 || memcmp(buf->bytes, bytes, len) == 0);
}

static bool gives(const char *expression, unsigned flags, const char *text, const char *expected)
{
    struct trial trial;
    if (!begin(&trial, expression, flags)) {
        return false;
    }
    int found = run(&trial, text, strlen(text));
    bool same = found >= 0 && holds(&trial.buf, expected, strlen(expected));
    if (!same) {
        printf("# %s of '%s': '%.*s', not '%s'\n", expression, text, (int)trial.buf.len,
               trial.buf.bytes, expected);
    }
    end(&trial);
    return same;
}

// What is said on standard error about an expression that is refused.
static const char *refusal(const char *expression)
{
    static char said[2048];
    struct trial trial;
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    int capture = memfd_create("stderr", 0);
    dup2(capture, STDERR_FILENO);
    bool refused = !begin(&trial, expression, 0);
    dup2(saved, STDERR_FILENO);

    ssize_t len = pread(capture, said, sizeof(said) - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    close(saved);
    close(capture);
    if (!refused) {
        end(&trial);
    }
    return refused ? said : "it was not refused";
}

static void test_expression(void)
{
    OK(gives("s/b/x/", 0, "abcb", "axcb"), "the first match is replaced");
    OK(gives("s/b/x/g", 0, "abcb", "axcx"), "with g all of them");
    OK(gives("s/b/x/2", 0, "abcbb", "abcxb"), "with a number only that one");
    OK(gives("s/b/x/3", 0, "abcb", "abcb"), "which may not be there");
    OK(gives("s/B/x/gi", 0, "abcb", "axcx") && gives("s/B/x/i2", 0, "abcb", "abcx"),
       "with i case does not count");
    OK(gives("s/B/x/", REGEX_CASELESS, "abcb", "axcb"), "nor where that holds for all patterns");
    OK(gives("s/b//g", 0, "abcb", "ac"), "the text may be empty");
    OK(gives("s/b//g", 0, "b", "") && gives("s/^$/x/", 0, "", "x"), "and the record");

    OK(gives("s|/b|x/y|", 0, "a/b", "ax/y"), "the delimiter is what follows the s");
    OK(gives("s,a\\,b,c\\,d,", 0, "a,b", "c,d"), "with a backslash before it it is literal");
    OK(gives("s|a\\|b|c\\|d|", 0, "a|b", "c|d"), "even if it is special in patterns");
    OK(gives("s.a\\.b.x.", 0, "acb a.b", "acb x"), "as a dot is");
    OK(gives("s$a$\\$$", 0, "a", "$") && gives("s{a{b{", 0, "a", "b"), "or in texts");
    OK(gives("s/\\Qa\\/.\\E./x/", 0, "a/.b", "x"), "between \\Q and \\E too");
    OK(gives("s/\\\\/x/", 0, "a\\b", "axb"), "a backslash before a backslash is none");
    OK(gives("s\xc2\xa7/\xc2\xa7\\\xc2\xa7\xc2\xa7", 0, "a/b",
             "a\xc2\xa7"
             "b"),
       "a delimiter may have more than one byte");
    OK(gives("s a b g", 0, "aba", "bbb"), "or be a space");

    OK(gives("s/a.(/[$0]/g", REGEX_LITERAL, "a.(ab(", "[a.(]ab("), "plain text is taken as it is");
    OK(gives("s/a\\/\\d/x/", REGEX_LITERAL, "a/\\d", "x"), "but for the delimiter");
}

static void test_refusals(void)
{
    OK(strcmp(refusal("s/a/b"), "pproc: --subst: the delimiter behind TEXT is missing\n"
                                "  s/a/b\n"
                                "       ^\n") == 0,
       "an expression that ends too early is shown");
    OK(strstr(refusal("s/a\\/b"), "behind RE is missing") != NULL, "at each of its ends");
    OK(strstr(refusal(""), "does not begin with 's'") != NULL, "what begins otherwise");
    OK(strstr(refusal("y/a/b/"), "does not begin with 's'") != NULL, "with another command");
    OK(strstr(refusal("s"), "stands a delimiter") != NULL, "no delimiter");
    OK(strstr(refusal("sxaxbx"), "stands a delimiter") != NULL, "a letter as delimiter");
    OK(strstr(refusal("s\\a\\b\\"), "stands a delimiter") != NULL, "a backslash");
    OK(strstr(refusal("s\na\nb\n"), "stands a delimiter") != NULL, "a newline");
    OK(strstr(refusal("s/a/b/x"), "unknown flag") != NULL, "an unknown flag");
    OK(strstr(refusal("s/a/b/0"), "a number from 1") != NULL, "occurrence 0");
    OK(strstr(refusal("s/a/b/99999999999999999999"), "a number from 1") != NULL, "or too many");
    OK(strstr(refusal("s/a/b/2i3"), "two numbers") != NULL, "two numbers");
    OK(strstr(refusal("s/a/b/g2"), "cannot be together") != NULL, "g and a number");
    OK(strcmp(refusal("s/a(/b/"), "pproc: --subst: missing closing parenthesis\n"
                                  "  a(\n"
                                  "    ^\n") == 0,
       "a pattern that does not compile");
    OK(strstr(refusal("s/a/$1/"), "unknown group") != NULL, "a group that is not there");
}

static void test_empty_matches(void)
{
    OK(gives("s/a*/x/g", 0, "baaac", "xbxxcx"), "empty matches are as in Perl");
    OK(gives("s/a*/x/2", 0, "baaac", "bxc"), "each counts");
    OK(gives("s//x/g", 0, "ab", "xaxbx"), "the empty pattern matches everywhere");
    OK(gives("s/$/x/g", 0, "ab", "abx") && gives("s/^/x/g", 0, "ab", "xab"), "ends match once");
    OK(gives("s/\\b/|/g", 0, "ab cd", "|ab| |cd|"), "between two bytes");
    OK(gives("s/(?<=a)|b/x/g", 0, "ab", "axx"), "an empty match and then one at its place");
    OK(gives("s/a\\K/x/g", 0, "aab", "axaxb"), "a match that begins late");
    OK(gives("s/\\Ga/x/g", 0, "aaba", "xxba"), "or where the last one ended");
}

static void test_limits(void)
{
    struct trial trial;
    const char record[] = "xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    OK(begin(&trial, "s/x|(a+)+$/y/g", 0) && run(&trial, record, strlen(record)) == -1,
       "a pattern may give up behind its first match");
    OK(strstr(matcher_error(matcher), "in --subst 'x|(a+)+$'") != NULL, "and is named: %s",
       matcher_error(matcher));
    end(&trial);

    size_t len = 150000;
    char *deep = malloc(len);
    for (size_t i = 0; i < len; i++) {
        deep[i] = "abc"[i % 3];
    }
    OK(begin(&trial, "s/^((?:a|b|c)*)(c)$/<$2>/", 0) && run(&trial, deep, len) == 1 &&
           trial.buf.len == 3 && memcmp(trial.buf.bytes, "<c>", 3) == 0,
       "what is too much for the JIT's stack has captures too");
    end(&trial);
    free(deep);
}

// --- generated cases

static const char *const atoms[] = {
    "a",     "b",       "[ab]",         ".",  "(a|b)",   "(ab)?", "(a*)", "\\b",  "^",     "$",
    "(?=b)", "x*",      "(?<=a)",       "c?", "a+?",     "(b|)",  "\\w",  "[^a]", "(?:)",  "(?!a)",
    "(c)",   "\\B",     "b{2}",         "|",  "(a)|(b)", "\\s*",  "a*?",  "\n",   "(?i)A", "a++",
    "\\K",   "(?<n>b)", "(a|ab)(c|bc)?"};
static const char *const texts[] = {"",   "x",         "$0",      "<$0>", "[$0$0]",
                                    "$1", "${1}-${2}", "a$2b$1c", "-",    "${0}."};

static void make_pattern(char *pattern)
{
    bool named = false;
    for (unsigned n = 1 + below(4); n > 0; n--) {
        const char *atom = atoms[below(sizeof(atoms) / sizeof(atoms[0]))];
        bool has_name = strstr(atom, "?<n>") != NULL;
        if (!has_name || !named) {
            pattern = stpcpy(pattern, atom);
        }
        named |= has_name;
    }
}

static size_t make_record(char *record, const char *alphabet, size_t letters)
{
    size_t len = below(12);
    for (size_t i = 0; i < len; i++) {
        record[i] = alphabet[below((unsigned)letters)];
    }
    return len;
}

// As many groups as the texts use.
static unsigned groups_of(const pcre2_code *code)
{
    uint32_t count;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

// Is the result that of pcre2_substitute()?
static bool same_as_pcre2(struct trial *trial, const pcre2_code *code, const char *text,
                          uint32_t options, const char *record, size_t len)
{
    char expected[1024];
    size_t expected_len = sizeof(expected);
    int rc = pcre2_substitute(code, (PCRE2_SPTR)record, len, 0,
                              options | PCRE2_SUBSTITUTE_UNSET_EMPTY, NULL, NULL, (PCRE2_SPTR)text,
                              strlen(text), (PCRE2_UCHAR *)expected, &expected_len);
    int found = run(trial, record, len);
    return rc >= 0 && (rc > 0) == (found > 0) && found >= 0 &&
           holds(&trial->buf, expected, expected_len);
}

static void test_against_pcre2(void)
{
    unsigned cases = 0, wrong = 0;
    for (unsigned i = 0; i < 2000; i++) {
        char pattern[128], expression[256], record[16] = "";
        const char *text = texts[below(sizeof(texts) / sizeof(texts[0]))];
        bool global = below(4) != 0;
        make_pattern(pattern);
        int error;
        PCRE2_SIZE place;
        pcre2_code *code =
            pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &place, NULL);
        if (code == NULL || (groups_of(code) < 2 && strpbrk(text, "12") != NULL)) {
            pcre2_code_free(code);
            continue;
        }
        snprintf(expression, sizeof(expression), "s/%s/%s/%s", pattern, text, global ? "g" : "");
        struct trial trial;
        if (!begin(&trial, expression, 0)) {
            abort();
        }
        for (unsigned n = 0; n < 40; n++, cases++) {
            size_t len = make_record(record, "abc \n", 5);
            if (!same_as_pcre2(&trial, code, text, global ? PCRE2_SUBSTITUTE_GLOBAL : 0, record,
                               len) &&
                wrong++ < 5) {
                printf("# %s of '%.*s' gives '%.*s'\n", expression, (int)len, record,
                       (int)trial.buf.len, trial.buf.bytes);
            }
        }
        end(&trial);
        pcre2_code_free(code);
    }
    OK(wrong == 0 && cases > 30000, "%u cases are as pcre2_substitute() has them, %u are not",
       cases, wrong);
}

// No expression may be a trouble, whatever it is: it is run or refused.
static void test_any_expression(void)
{
    static const char bytes[] = "ab//||\\\\\\$012{}()[].*?+ginQEK^\n\xc2\xa7";
    int saved = dup(STDERR_FILENO), nowhere = memfd_create("stderr", 0);
    unsigned compiled = 0, gave_up = 0;
    dup2(nowhere, STDERR_FILENO);
    for (unsigned i = 0; i < 30000; i++) {
        char expression[24] = "s", record[16];
        size_t len = 1 + below(20);
        for (size_t at = 1; at < len; at++) {
            expression[at] = bytes[below(sizeof(bytes) - 1)];
        }
        // Most of these would end too early.
        if (below(2) != 0) {
            expression[1] = expression[len / 2] = expression[len - 1] = '/';
        }
        struct trial trial;
        if (begin(&trial, expression, below(16))) {
            len = make_record(record, bytes, sizeof(bytes) - 1);
            gave_up += run(&trial, record, len) < 0;
            compiled++;
            end(&trial);
        }
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(nowhere);
    OK(compiled > 1000 && gave_up == 0, "%u of 30000 random expressions run, %u give up", compiled,
       gave_up);
}

// --- characters

static void test_utf(void)
{
    OK(gives("s/./x/g", 0, "\xc3\xa9z", "xxx"), "a pattern sees bytes");
    OK(gives("s/./x/g", REGEX_UTF, "\xc3\xa9z", "xx"), "or characters");
    OK(gives("s/\xc3\x89/x/g", REGEX_UTF | REGEX_CASELESS, "\xc3\xa9z", "xz"), "in any case");
    OK(gives("s/\xc3\x89/x/", REGEX_UTF | REGEX_CASELESS | REGEX_LITERAL, "\xc3\xa9z", "xz"),
       "as plain text too");
    OK(gives("s/\\w+/x/g", REGEX_UTF, "\xc3\xa9\xc3\xa8 z", "x x"), "classes know Unicode");
    OK(gives("s//x/g", REGEX_UTF, "\xc3\xa9z", "x\xc3\xa9xzx"),
       "an empty match splits no character");
    OK(gives("s/[^a]/x/g", REGEX_UTF, "a\xffz\xc3", "a\xffx\xc3"),
       "an invalid byte is never matched");
    OK(gives("s/a.*b/x/g", REGEX_UTF,
             "a\xff"
             "b a\xc3\xa9"
             "b",
             "a\xff"
             "b x"),
       "nor within a match");
    OK(gives("s/\\xe9/x/", REGEX_UTF, "\xe9\xc3\xa9", "\xe9x"), "nor by its number");
    OK(strstr(refusal("s/(*UTF)a/b/"), "--utf") != NULL, "it is not turned on otherwise");
}

static bool is_utf(const char *bytes, size_t len)
{
    int error;
    PCRE2_SIZE place;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)bytes, len, PCRE2_UTF | PCRE2_LITERAL, &error, &place, NULL);
    pcre2_code_free(code);
    return code != NULL;
}

// The substitution is not global: is the match valid, if there is one?
static bool match_is_utf(struct trial *trial, const char *record, size_t len)
{
    int found = run(trial, record, len);
    const size_t *match = trial->captures->offsets;
    return found == 0 || (found > 0 && is_utf(record + match[0], match[1] - match[0]));
}

static bool same_runs(struct trial *trials, const char *record, size_t len)
{
    int first = run(&trials[0], record, len), second = run(&trials[1], record, len);
    const struct buf *a = &trials[0].buf, *b = &trials[1].buf;
    return first == second && first >= 0 && holds(a, b->bytes, b->len);
}

static void test_utf_any_bytes(void)
{
    // Where an empty match may lie beside invalid bytes is not defined: after `empty` only valid
    // records are compared.
    static const char *const patterns[] = {".",
                                           "[^a]+",
                                           "\\w+",
                                           "a.*b",
                                           "(?<=.)b",
                                           "\xc3\xa9+",
                                           "\\W",
                                           "(.)(.)",
                                           "(?<!a)b",
                                           "\\x{20ac}",
                                           "[\xc3\xa0-\xc3\xbf]+",
                                           "\\X",
                                           "(?i)\xc3\x89",
                                           "\\p{L}+",
                                           "^.",
                                           ".$",
                                           "[^a]b|\xe2\x82\xac",
                                           "b?",
                                           "\\b",
                                           "(?=\xc3\xa9)",
                                           "$",
                                           "(a|\xc3\xa9)*"};
    const size_t count = sizeof(patterns) / sizeof(patterns[0]), empty = 17;
    static const char bytes[] = "ab\xc3\xa9\xe2\x82\xac\xff\x80\xf0\x9f\x98\x80 \xed\xa0\x80\xc0";
    static const char *const characters[] = {
        "a", "b", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " "};
    unsigned cases = 0, differ = 0, invalid = 0;
    for (size_t i = 0; i < count; i++) {
        char machine[64], interpreter[64], first[64];
        struct trial trials[2], one;
        snprintf(machine, sizeof(machine), "s/%s/<$0>/g", patterns[i]);
        snprintf(interpreter, sizeof(interpreter), "s/(*NO_JIT)%s/<$0>/g", patterns[i]);
        snprintf(first, sizeof(first), "s/%s/<$0>/", patterns[i]);
        if (!begin(&trials[0], machine, REGEX_UTF) || !begin(&trials[1], interpreter, REGEX_UTF) ||
            !begin(&one, first, REGEX_UTF)) {
            abort();
        }
        for (unsigned n = 0; n < 2000; n++, cases++) {
            char record[64] = "";
            size_t len = make_record(record, bytes, sizeof(bytes) - 1);
            invalid += !match_is_utf(&one, record, len);
            if (i >= empty) {
                char *to = record;
                for (unsigned left = below(8); left > 0; left--) {
                    to = stpcpy(to, characters[below(6)]);
                }
                len = (size_t)(to - record);
            }
            if (!same_runs(trials, record, len) && differ++ < 10) {
                printf("# %s:", machine);
                for (size_t at = 0; at < len; at++) {
                    printf(" %02x", (unsigned char)record[at]);
                }
                printf("\n");
            }
        }
        end(&trials[0]);
        end(&trials[1]);
        end(&one);
    }
    OK(differ == 0, "machine code and interpreter agree: %u cases, %u not", cases, differ);
    OK(invalid == 0, "no match has an invalid byte: %u do", invalid);
}

int main(void)
{
    matcher = matcher_create();
    if (matcher == NULL) {
        return 1;
    }
    test_expression();
    test_refusals();
    test_empty_matches();
    test_limits();
    test_against_pcre2();
    test_any_expression();
    test_utf();
    test_utf_any_bytes();
    matcher_destroy(matcher);
    return tap_done();
}
