// SPDX-License-Identifier: BSD-2-Clause
// Tests of literals: which bytes every match of a pattern has, and that they are found.

#include "plan/literal.h"

#include "drafts.h"
#include "plan/block_pattern.h"
#include "plan/find_literal.h"
#include "tap.h"

#include <ctype.h>

// The literals in a line, a '|' between them; letters in lower case where case does not count.
static const char *listed(struct literals literals)
{
    static char text[1000];
    char *end = text;
    for (size_t i = 0; i < literals.count; i++) {
        const struct literal *literal = &literals.list[i];
        end = stpcpy(end, i > 0 ? "|" : "");
        for (size_t at = 0; at < literal->len; at++) {
            *end++ = (char)(literal->bytes[at] | (unsigned char)~literal->masks[at]);
        }
    }
    *end = '\0';
    return text;
}

static bool has(const char *pattern, const char *expected)
{
    char *translated = block_pattern(pattern);
    const char *actual = listed(literals_of_pattern(translated, false));
    bool same = strcmp(actual, expected) == 0;
    if (!same) {
        printf("# of %s: %s, not %s\n", pattern, actual, expected);
    }
    free(translated);
    return same;
}

static void test_patterns(void)
{
    OK(has("abc", "abc") && has("a", "") && has("", ""), "two bytes or more are a literal");
    OK(has("\" 500 ", "\" 500 ") && has("a\\.b\\x41\\t", "a.bA\t"), "escapes are what they mean");
    OK(has("ab.cd\\def[gh]ij\\w", "ab|cd|ef|ij"), "what varies ends a literal");
    OK(has("ab+c", "ab|bc") && has("ab{2,}?c", "ab|bc"), "what is repeated has a first and a last");
    OK(has("abc*de", "ab|de") && has("abc?de", "ab|de") && has("abc{0,3}de", "ab|de"),
       "what can be left out is in none");
    OK(has("^ab\\bcd$", "abcd"), "assertions take no bytes");
    OK(has("a(bc)d(?:ef)(?<n>gh)", "abcdefgh"), "groups are looked into");
    OK(has("ab(cd)?ef(?:gh){0}ij", "ab|ef|ij"), "unless they can be left out");
    OK(has("ab(cd)+ef", "abcd|ef"), "one that is repeated ends a literal");
    OK(has("ab(cd|ce)ef", "ab|ef") && has("abc|abd", "") && has("x(ab|(cd))", ""),
       "alternatives have none");
    OK(has("(ab)\\1cd", "ab|cd"), "nor has a back reference");
    OK(has("aB(?i)cD", "abcd") && has("(?i:a)b(?-i:c)", "abc"), "case may not count");
    OK(has("aaaa.bbbb.~~~~.cccc.\\t\\tdd", "\t\tdd|bbbb|~~~~|cccc"),
       "of many the longest and rarest are taken");
    OK(has("\"(GET|POST) /api/v\\d+/users/(\\d+)", " /api/v|/users/"), "as in a log");
}

static void test_text(void)
{
    OK(strcmp(listed(literals_of_text("a.b(", false)), "a.b(") == 0, "plain text is one literal");
    OK(strcmp(listed(literals_of_text("A.b", true)), "a.b") == 0, "in any case");
    OK(strcmp(listed(literals_of_text("0123456789abcdef0123456789abcdefXYZ", false)),
              "0123456789abcdef0123456789abcdef|XYZ") == 0,
       "or several, if it is long");
    OK(literals_of_text("a", false).count == 0, "one byte is none");
}

static bool is_at(const char *text, const char *literal, size_t len, bool caseless)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != literal[i] &&
            !(caseless && tolower((unsigned char)text[i]) == tolower((unsigned char)literal[i]))) {
            return false;
        }
    }
    return true;
}

static const char *find_slowly(const char *text, size_t len, const char *literal, bool caseless)
{
    size_t literal_len = strlen(literal);
    for (size_t i = 0; i + literal_len <= len; i++) {
        if (is_at(text + i, literal, literal_len, caseless)) {
            return text + i;
        }
    }
    return NULL;
}

// Texts end where their memory does, so that a sanitizer sees reads beyond it.
static void test_find(void)
{
    static const char BYTES[] = "aaaAb@`\xe1\xc1!";
    size_t cases = 200000, found = 0, wrong = 0;
    for (size_t i = 0; i < cases; i++) {
        char literal[8] = "";
        size_t len = below(4) ? below(100) : below(8), literal_len = 2 + below(4);
        bool caseless = below(2);
        char *text = malloc(len + 1), *bytes = text + 1;
        for (size_t at = 0; at < len; at++) {
            bytes[at] = below(5) ? 'x' : BYTES[below(sizeof(BYTES) - 1)];
        }
        for (size_t at = 0; at < literal_len; at++) {
            literal[at] = below(5) ? 'x' : BYTES[below(sizeof(BYTES) - 1)];
        }
        struct literals literals = literals_of_text(literal, caseless);
        const char *expected = find_slowly(bytes, len, literal, caseless);
        wrong += literal_find(&literals.list[0], bytes, len) != expected ||
                 literal_find_plain(&literals.list[0], bytes, len) != expected;
        found += expected != NULL;
        free(text);
    }
    OK(wrong == 0, "a literal is found where a plain loop finds it: %zu cases, %zu not", cases,
       wrong);
    OK(found > cases / 4 && found < cases * 3 / 4, "in %zu it is there", found);
}

int main(void)
{
    random_state = number("SEED", 1);
    test_patterns();
    test_text();
    test_find();
    return tap_done();
}
