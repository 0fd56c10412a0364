// SPDX-License-Identifier: BSD-2-Clause
// Tests of templates: what they make of captures, and what is refused.

#include "plan/template.h"

#include "base/buf.h"
#include "plan/regex.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct matcher *matcher;

// What the template makes of the first match of the pattern.
static const char *make(const char *pattern, const char *text, const char *subject)
{
    static char made[1024];
    struct regex *regex = regex_create("--match", pattern, 0);
    struct template *template = template_create("--print", text, regex);
    if (template == NULL) {
        regex_destroy(regex);
        return "it was refused";
    }
    struct captures *captures = captures_create(template_pairs(template));
    struct buf buf = {0};
    strcpy(made, "nothing was found");
    if (regex_find(regex, matcher, captures, subject, strlen(subject), 0, false) == 1 &&
        template_append(template, subject, captures->offsets, &buf) == 0) {
        memcpy(made, buf.bytes != NULL ? buf.bytes : "", buf.len);
        made[buf.len] = '\0';
    }
    buf_free(&buf);
    captures_destroy(captures);
    template_destroy(template);
    regex_destroy(regex);
    return made;
}

static bool makes(const char *pattern, const char *text, const char *subject, const char *expected)
{
    const char *made = make(pattern, text, subject);
    bool same = strcmp(made, expected) == 0;
    if (!same) {
        printf("# %s with %s: '%s', not '%s'\n", pattern, text, made, expected);
    }
    return same;
}

// What is said on standard error about a template that is refused; no pattern: NULL.
static const char *refusal(const char *pattern, const char *text)
{
    static char said[2048];
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    int capture = memfd_create("stderr", 0);
    dup2(capture, STDERR_FILENO);
    struct regex *regex = pattern != NULL ? regex_create("--match", pattern, 0) : NULL;
    struct template *template = template_create("--print", text, regex);
    dup2(saved, STDERR_FILENO);

    ssize_t len = pread(capture, said, sizeof(said) - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    close(saved);
    close(capture);
    regex_destroy(regex);
    bool refused = template == NULL;
    template_destroy(template);
    return refused ? said : "it was not refused";
}

static void test_captures(void)
{
    OK(makes("b(c)(d)", "$0", "abcde", "bcd"), "$0 is the match");
    OK(makes("b(c)(d)", "[$2-$1]", "abcde", "[d-c]"), "$1 is what a group captured");
    OK(makes("b(c)(d)", "\\2\\1\\0", "abcde", "dcbcd"), "\\1 too");
    OK(makes("b(c)", "${1}0", "abc", "c0"), "braces end the number");
    OK(makes("b(c)", "\\10", "abc", "c0"), "after a backslash it has one digit");
    OK(makes("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10\\9", "abcdefghij", "ji"),
       "after a dollar all of them");
    OK(makes("(?<first>a)(?<b2>b)", "${b2}${first}${1}", "ab", "baa"), "groups have names");
    OK(makes("(a)|(b)", "<$1$2>", "b", "<b>"), "an unset group is empty");
    OK(makes("(a)|(b)", "<$2>", "a", "<>"), "at the end of the pattern too");
    OK(makes("(?J)(?<n>a)|(?<n>b)(?<n>c)?", "<${n}>", "a", "<a>") &&
           makes("(?J)(?<n>a)|(?<n>b)(?<n>c)?", "<${n}>", "bc", "<b>"),
       "of several groups of a name the first that is set counts");
    OK(makes("(?J)(?<n>a)|(?<n>b)", "${n}${n}${n}$1$2", "b", "bbbb"), "as often as it is named");
    OK(makes("a(?|(b)|(c))", "$1", "ac", "c"), "groups can share a number");
    OK(makes("(b\\K)c", "<$1>", "abc", "<b>"), "a group may begin before the match");
}

static void test_literals(void)
{
    OK(makes("b", "", "abc", ""), "a template may be empty");
    OK(makes("b", "a\\tb\\nc\\\\d\\$1&e", "b", "a\tb\nc\\d$1&e"),
       "escapes are one byte, & is plain");
    OK(makes("b", "\\&\\/\\.\\{\\\"", "b", "&/.{\""),
       "a backslash takes what is no letter literally");
    OK(makes("b", "\xff\xc3\xa9}", "b", "\xff\xc3\xa9}"), "any byte may stand in it");
}

static bool refuses(const char *pattern, const char *text, const char *reason)
{
    const char *said = refusal(pattern, text);
    bool same = strstr(said, reason) != NULL;
    if (!same) {
        printf("# %s: %s", text, said);
    }
    return same;
}

static void test_refusals(void)
{
    OK(refuses("(a)", "x$2", "pproc: --print: unknown group: the pattern has 1\n  x$2\n    ^\n"),
       "an unknown group is shown");
    OK(refuses("(a)", "${12}", "has 1\n  ${12}\n    ^"), "in braces");
    OK(refuses("(a)", "\\2", "has 1\n  \\2\n   ^"), "after a backslash");
    OK(refuses("(a)", "$99999999999999999999", "has 1"), "however large");
    OK(refuses("(a)", "${4294967297}", "has 1"), "it does not wrap round");
    OK(refuses("(?<ab>a)", "${a}", "no group has this name\n  ${a}\n    ^"), "an unknown name too");
    OK(refuses("(?<ab>a)", "${abc}", "no group has this name"), "even one that is almost right");
    OK(refuses(NULL, "$0$1", "without a --match before it"), "without a pattern there is only $0");
    OK(refuses(NULL, "${a}", "no group has this name"), "and no name");
    OK(refuses("a", "a$", "'$' is followed by"), "a dollar at the end");
    OK(refuses("a", "$b", "\\$ is a dollar"), "a dollar before something else");
    OK(refuses("a", "${}", "'${' is followed by"), "no name");
    OK(refuses("a", "${a", "'${' is followed by"), "a brace that is not closed");
    OK(refuses("a", "x\\", "nothing stands behind"), "a backslash at the end");
    OK(refuses("a", "x\\q", "unknown escape"), "an escape that nobody knows");
}

// No text may be a trouble, whatever it is: it is compiled or refused.
static void test_any_text(void)
{
    static const char bytes[] = "$\\{}0123ann/&\xff";
    bool sane = true;
    unsigned seed = 1, compiled = 0;
    int saved = dup(STDERR_FILENO), nowhere = memfd_create("stderr", 0);
    struct regex *regex = regex_create("--match", "(?J)(?<n>a)(?<n>b)?(?<a>c)?", 0);
    dup2(nowhere, STDERR_FILENO);
    for (unsigned i = 0; i < 20000; i++) {
        char text[16] = "";
        for (int at = rand_r(&seed) % 15; at > 0; at--) {
            text[at - 1] = bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
        }
        struct template *template = template_create("--print", text, regex);
        if (template != NULL) {
            struct buf buf = {0};
            const size_t offsets[] = {0, 2, 0, 1, 1, 2, SIZE_MAX, SIZE_MAX};
            sane = sane && template_pairs(template) <= 4 &&
                   template_append(template, "ab", offsets, &buf) == 0 && buf.len <= 32;
            buf_free(&buf);
            compiled++;
        }
        template_destroy(template);
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(nowhere);
    regex_destroy(regex);
    OK(sane && compiled > 1000 && compiled < 19000, "of random texts %u are templates", compiled);
}

int main(void)
{
    matcher = matcher_create();
    if (matcher == NULL) {
        return 1;
    }
    test_captures();
    test_literals();
    test_refusals();
    test_any_text();
    matcher_destroy(matcher);
    return tap_done();
}
