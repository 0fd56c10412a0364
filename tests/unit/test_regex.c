// SPDX-License-Identifier: BSD-2-Clause
// Tests of regular expressions: what matches, what is given up, what is refused.

#include "plan/regex.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct matcher *matcher;

// What regex_match() returns for a pattern that compiles.
static int match_bytes(const char *pattern, unsigned flags, const char *bytes, size_t len)
{
    struct regex *regex = regex_create("--match", pattern, flags);
    if (regex == NULL) {
        return -2;
    }
    int matches = regex_match(regex, matcher, bytes, len);
    regex_destroy(regex);
    return matches;
}

static int match(const char *pattern, unsigned flags, const char *text)
{
    return match_bytes(pattern, flags, text, strlen(text));
}

// What is said on standard error about a pattern that does not compile.
static const char *refusal(const char *pattern)
{
    static char said[2048];
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    int capture = memfd_create("stderr", 0);
    dup2(capture, STDERR_FILENO);
    struct regex *regex = regex_create("--match", pattern, 0);
    dup2(saved, STDERR_FILENO);

    ssize_t len = pread(capture, said, sizeof(said) - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    close(saved);
    close(capture);
    regex_destroy(regex);
    return regex == NULL ? said : "it was not refused";
}

// `unit` as often as it fits `len` bytes, then `end`.
static char *repeat(const char *unit, size_t len, const char *end)
{
    char *text = malloc(len + strlen(end) + 1);
    for (size_t i = 0; i < len; i++) {
        text[i] = unit[i % strlen(unit)];
    }
    strcpy(text + len, end);
    return text;
}

static void test_semantics(void)
{
    OK(match("b+", 0, "abbc") == 1, "a pattern matches anywhere in the record");
    OK(match("B", 0, "abbc") == 0, "case counts");
    OK(match("B", REGEX_CASELESS, "abbc") == 1, "with CASELESS it does not");
    OK(match("(a)(b)(b)(c)", 0, "abbc") == 1, "captures are no trouble");
    OK(match("", 0, "") == 1, "the empty pattern matches the empty record");
    OK(match("", REGEX_LITERAL, "x") == 1, "and as plain text every record");

    OK(match("^b", 0, "a\nb") == 0, "^ is the start of the record alone");
    OK(match("a$", 0, "a\nb") == 0, "$ is its end");
    OK(match("a$", 0, "a\n") == 1, "or is before a newline at the end");
    OK(match("a.b", 0, "a\nb") == 0, ". is not a newline");
    OK(match("^a.$", 0, "a\r") == 1, "a carriage return is a character like others");

    OK(match_bytes("a.b", 0, "a\0b", 3) == 1, "a NUL is a character like others");
    OK(match("^..$", 0, "\xc3\xa9") == 1, "patterns see bytes, not characters");
    OK(match("\\xff", 0, "a\xff") == 1, "of any value");
}

static void test_literal(void)
{
    OK(match("a.b", REGEX_LITERAL, "a.b") == 1, "plain text matches itself");
    OK(match("a.b", REGEX_LITERAL, "axb") == 0, "and nothing else");
    OK(match("(*UTF)[", REGEX_LITERAL, "x(*UTF)[y") == 1, "nothing in it is special");
    OK(match("A.b", REGEX_LITERAL | REGEX_CASELESS, "a.B") == 1, "but its case can be ignored");
}

static void test_verbs(void)
{
    OK(match("(*NO_JIT)ab*c", 0, "xabbc") == 1, "a pattern without JIT matches");
    OK(match("(*NO_JIT)ab*c", 0, "xab") == 0, "or does not");
    OK(match("(*NOTEMPTY)a*", 0, "b") == 0, "NOTEMPTY is heeded");
    OK(match("(*NOTEMPTY)a*", 0, "ba") == 1, "and lets other matches be");
}

static void test_limits(void)
{
    char *catastrophe = repeat("a", 40, "b");
    OK(match("(a+)+$", 0, catastrophe) == -1, "backtracking without end is given up");
    OK(strcmp(matcher_error(matcher),
              "more than 10 million steps of backtracking in --match '(a+)+$'") == 0,
       "and the limit, the option and the pattern are named: %s", matcher_error(matcher));
    OK(match("(*NO_JIT)(a+)+$", 0, catastrophe) == -1, "by the interpreter too");
    OK(match("a{40}b", 0, catastrophe) == 1, "the matcher is as good as before");
    free(catastrophe);

    char *deep = repeat("ab", 100000, "");
    OK(match("^(?:a|b)*$", 0, deep) == 1, "what is too much for the JIT's stack still matches");
    OK(match("^(?:a|b)*c$", 0, deep) == 0, "or does not");
    free(deep);

    char *deeper = repeat("ab", 2000000, "");
    OK(match("^(?:a|b)*$", 0, deeper) == -1, "memory for backtracking has a limit");
    OK(strcmp(matcher_error(matcher), "more than 64 MiB of backtracking in --match '^(?:a|b)*$'") ==
           0,
       "which is named: %s", matcher_error(matcher));
    free(deeper);

    catastrophe = repeat("a", 40, "b");
    OK(match("(*LIMIT_MATCH=1000)(a+)+$", 0, catastrophe) == -1, "a pattern may lower its limits");
    OK(strstr(matcher_error(matcher), " in --match '(*LIMIT_MATCH=1000)(...'") != NULL,
       "of a long pattern the beginning is shown: %s", matcher_error(matcher));
    free(catastrophe);
}

static void test_refusals(void)
{
    OK(strcmp(refusal("foo(bar"), "pproc: --match: missing closing parenthesis\n"
                                  "  foo(bar\n"
                                  "         ^\n") == 0,
       "a mistake is shown with a caret at its place");
    OK(strcmp(refusal("\xc3\xa9[z-a]"), "pproc: --match: range out of order in character class\n"
                                        "  \xc3\xa9[z-a]\n"
                                        "      ^\n") == 0,
       "a character of two bytes takes one column");
    OK(strcmp(refusal("\t\n\x1b\xff\xc2\x9b("), "pproc: --match: missing closing parenthesis\n"
                                                "  ?????"
                                                "?(\n"
                                                "         ^\n") == 0,
       "what cannot be printed is a question mark");
    OK(strstr(refusal("(*UTF)a"), "UTF is turned on by --utf") != NULL, "UTF is refused");

    char *head = repeat("ab", 400, "[z-a]"), *tail = repeat("cd", 400, ""), *pattern;
    if (asprintf(&pattern, "%s%s", head, tail) < 0) {
        abort();
    }
    OK(strcmp(refusal(pattern),
              "pproc: --match: range out of order in character class\n"
              "  ...babababababababababababababababab[z-a]cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd...\n"
              "                                         ^\n") == 0,
       "of a long pattern what is around the place is shown");
    free(head);
    free(tail);
    free(pattern);
}

int main(void)
{
    matcher = matcher_create();
    if (matcher == NULL) {
        return 1;
    }
    test_semantics();
    test_literal();
    test_verbs();
    test_limits();
    test_refusals();
    matcher_destroy(matcher);
    return tap_done();
}
