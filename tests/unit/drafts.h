// SPDX-License-Identifier: BSD-2-Clause
// Patterns and texts that are made up: PAIRS=N in the environment says how many, SEED=N which.

#ifndef PPROC_TESTS_UNIT_DRAFTS_H
#define PPROC_TESTS_UNIT_DRAFTS_H

#include "base/units.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TEXT 48

static uint64_t random_state;

// xorshift64* (Marsaglia, Vigna): from 0 to below `n`.
static inline unsigned below(unsigned n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717) >> 32) % n);
}

#define PICK(table) ((table)[below(sizeof(table) / sizeof((table)[0]))])

// Patterns that are made up: the text so far.
struct draft {
    char text[2000];
    size_t len;
};

static inline void add(struct draft *draft, const char *text)
{
    size_t len = strlen(text);
    if (draft->len + len < sizeof(draft->text)) {
        memcpy(draft->text + draft->len, text, len + 1);
        draft->len += len;
    }
}

static inline void add_class(struct draft *draft)
{
    static const char *const ITEMS[] = {
        "a",       "b",         "0",         "A",         " ",          "-",         "_",   "^",
        "]",       "[",         "\\]",       "\\-",       "\\d",        "\\w",       "\\s", "\\D",
        "\\W",     "\\S",       "\\n",       "\\x0a",     "\\b",        "a-b",       "A-b", "\\t-0",
        " -\\x7f", "[:alpha:]", "[:upper:]", "[:space:]", "[:^digit:]", "[:punct:]",
    };
    add(draft, below(2) ? "[^" : "[");
    for (unsigned n = 1 + below(3); n > 0; n--) {
        add(draft, PICK(ITEMS));
    }
    add(draft, "]");
}

static inline void add_alternatives(struct draft *draft, unsigned depth);

static inline void add_atom(struct draft *draft, unsigned depth)
{
    static const char *const KNOWN[] = {
        "a",   "b",   "a",   "b",   "0",   "A",   "-",   "_",     " ",     ".",
        ".",   "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\x61", "\\xff", "\\.",
        "\\1", "\\2", "^",   "$",   "\\b", "\\B", "\\r", "\\ ",   "",
    };
    static const char *const OTHERS[] = {
        "\\A",       "\\z",       "\\Z",     "\\G",  "\\K",     "\\R",      "\\N",       "\\n",
        "\\012",     "\\0",       "\\h",     "\\v",  "\\x0a",   "\\Qa.\\E", "(?s)",      "(?m)",
        "(?i)",      "(?-i)",     "(?U)",    "(?^)", "(?#b)",   "(?1)",     "(?(1)a|b)", "{,2}",
        "(*ACCEPT)", "(*COMMIT)", "(*SKIP)", "\n",   "\\x{62}", "\\g{1}",   "{2}",       "+",
    };
    static const char *const GROUPS[] = {"(", "(", "(", "(?:", "(?:", "(?i:", "(?<n>"};
    static const char *const OTHER_GROUPS[] = {"(?=", "(?!",  "(?<=", "(?<!",
                                               "(?>", "(?s:", "(?|",  "(?-m:"};
    unsigned kind = below(20);
    if (kind < 3) {
        add_class(draft);
    } else if (kind < 8 && depth > 0) {
        add(draft, below(12) ? PICK(GROUPS) : PICK(OTHER_GROUPS));
        add_alternatives(draft, depth - 1);
        add(draft, ")");
    } else {
        add(draft, below(40) ? PICK(KNOWN) : PICK(OTHERS));
    }
}

static inline void add_alternatives(struct draft *draft, unsigned depth)
{
    static const char *const QUANTIFIERS[] = {"*",  "+",   "?",    "*?",    "+?",
                                              "??", "{2}", "{1,}", "{0,2}", "{1,2}?"};
    static const char *const POSSESSIVES[] = {"*+", "++", "?+", "{1,2}+"};
    do {
        for (unsigned n = below(4); n > 0; n--) {
            add_atom(draft, depth);
            if (below(3) == 0) {
                add(draft, below(30) ? PICK(QUANTIFIERS) : PICK(POSSESSIVES));
            }
        }
    } while (below(4) == 0 && (add(draft, "|"), true));
}

// Anything at all, of what has a meaning.
static inline void add_soup(struct draft *draft)
{
    static const char SOUP[] = "ab0 -^^$$..||(())[[]]{}**++??\\\\\\,:<>=!idwsDWSbBnx61";
    for (unsigned n = 1 + below(10); n > 0; n--) {
        add(draft, (char[]){SOUP[below(sizeof(SOUP) - 1)], '\0'});
    }
}

// A text of lines, some of them empty. Returns its length.
static inline size_t make_text(char text[MAX_TEXT])
{
    static const char BYTES[] = "\n\n\n\naaaabbb0A -_\r\0\xff\v]";
    size_t len = below(4) ? 1 + below(12) : below(MAX_TEXT);
    for (size_t i = 0; i < len; i++) {
        text[i] = BYTES[below(sizeof(BYTES) - 1)];
    }
    return len;
}

static inline uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value = otherwise;
    if (text != NULL && units_parse_count(text, 1, UINT64_MAX, &value) != 0) {
        printf("Bail out! %s is not a number\n", name);
        exit(1);
    }
    return value;
}

// A line of a test's output.
static inline void show_bytes(const char *name, const char *bytes, size_t len)
{
    printf("# %s ", name);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        printf(c >= ' ' && c < 0x7f && c != '\\' ? "%c" : "\\x%02x", c);
    }
    printf("\n");
}

// Patterns that are not valid must not fill the log: standard error goes nowhere, or where it went.
static inline void silence(bool on)
{
    static int saved = -1, null;
    if (saved < 0) {
        saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    dup2(on ? null : saved, STDERR_FILENO);
}

#endif
