// SPDX-License-Identifier: BSD-2-Clause
// Translates a pattern into one that may be searched over a whole block.
//
// What is not known to be safe is refused, and such a pattern goes record by record. Known are
// literals, classes, groups, alternation, greedy and lazy quantifiers, ^ $ \b \B, back references
// and (?i). They are copied, but whatever could match a newline is written so that it cannot: [^x]
// becomes [^\nx], \s becomes [^\S\n]. Records have no newline, so this changes nothing for one
// alone. In a block it has two effects: a match lies within one record, and no attempt runs past
// the end of its record, so the work grows no faster than the block does.
//
// A back reference into a group that is still open is refused: PCRE2 can expect longer records then
// than it matches (10.42), and in a block every record is long enough.
//
// Why the matches are the same: what is known only looks at the byte on either side of where it is,
// and with PCRE2_MULTILINE sees the same at a newline as at the end of a record: ^ and $ match, and
// for \b and \B neither is part of a word. So each way through the pattern that leads to a match in
// a record does so at the same place of a block, and the other way round; and since nothing in it
// cuts off backtracking, as look-around, atomic groups and possessive quantifiers do, all ways
// are tried. ^ does not match after a newline that ends the block; nor does a record begin there.

#include "plan/block_pattern.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 256
#define GROUPS 9 // that a back reference of one digit can name

struct translation {
    const char *at; // what comes next in the pattern
    FILE *out;
    unsigned depth;              // of groups that are open
    unsigned groups;             // that capture, so far
    unsigned depths[1 + GROUPS]; // of those, by number, while they are open; then 0
};

// What stands for part of a record.
enum token {
    TOKEN_REFUSED,
    TOKEN_ATOM,  // may be repeated
    TOKEN_OTHER, // may not
};

static int is_word(int c)
{
    return isalnum(c) || c == '_';
}

static int is_ascii(int c)
{
    return isascii(c);
}

static const struct {
    const char *name;
    int (*has)(int c); // an ASCII character
} POSIX_CLASSES[] = {
    {"alnum", isalnum}, {"alpha", isalpha},   {"ascii", is_ascii}, {"blank", isblank},
    {"cntrl", iscntrl}, {"digit", isdigit},   {"graph", isgraph},  {"lower", islower},
    {"print", isprint}, {"punct", ispunct},   {"space", isspace},  {"upper", isupper},
    {"word", is_word},  {"xdigit", isxdigit},
};

static void copy(struct translation *t, size_t len)
{
    fwrite(t->at, 1, len, t->out);
    t->at += len;
}

static bool is_xdigit(char c)
{
    return isascii(c) && isxdigit((unsigned char)c);
}

// Read the escape behind a backslash, if it is one that stands for a single byte. Returns the byte,
// or -1.
static int read_escape(const char **at)
{
    static const char LETTERS[] = "aefnrt", BYTES_OF[] = "\a\033\f\n\r\t";
    const char *text = *at, *letter;
    if (text[0] == '\0') {
        return -1;
    }
    if (text[0] == 'x' && is_xdigit(text[1]) && is_xdigit(text[2])) {
        *at += 3;
        return (int)strtol((const char[]){text[1], text[2], '\0'}, NULL, 16);
    }
    if (!isascii(text[0]) || !isalnum((unsigned char)text[0])) {
        *at += 1;
        return (unsigned char)text[0]; // plain
    }
    letter = strchr(LETTERS, text[0]);
    if (letter == NULL) {
        return -1;
    }
    *at += 1;
    return BYTES_OF[letter - LETTERS];
}

static void add_class(bool set[BYTES], int (*has)(int c), bool negated)
{
    for (int c = 0; c < BYTES; c++) {
        set[c] |= (isascii(c) && has(c)) != negated;
    }
}

// Add \d \s \w or, negated, \D \S \W. Returns whether `letter` is one of these.
static bool add_escaped_class(bool set[BYTES], char letter)
{
    switch (letter) {
    case 'd':
    case 'D':
        add_class(set, isdigit, letter == 'D');
        return true;
    case 's':
    case 'S':
        add_class(set, isspace, letter == 'S');
        return true;
    case 'w':
    case 'W':
        add_class(set, is_word, letter == 'W');
        return true;
    default:
        return false;
    }
}

// Add the class of which the name and ":]" come next. Returns whether there is one.
static bool add_posix_class(bool set[BYTES], const char **at)
{
    for (size_t i = 0; i < sizeof(POSIX_CLASSES) / sizeof(POSIX_CLASSES[0]); i++) {
        size_t len = strlen(POSIX_CLASSES[i].name);
        if (strncmp(*at, POSIX_CLASSES[i].name, len) == 0 && strncmp(*at + len, ":]", 2) == 0) {
            *at += len + 2;
            add_class(set, POSIX_CLASSES[i].has, false);
            return true;
        }
    }
    return false;
}

enum {
    ITEM_REFUSED = -1,
    ITEM_CLASS = -2, // several bytes, already added
};

// Read what may stand between brackets, but for ranges. Returns its byte, or one of the above.
static int read_item(const char **at, bool set[BYTES])
{
    const char *text = *at;
    if (text[0] == '[' && text[1] == ':') {
        *at += 2;
        return add_posix_class(set, at) ? ITEM_CLASS : ITEM_REFUSED;
    }
    if (text[0] == '\0' || (text[0] == '[' && (text[1] == '.' || text[1] == '='))) {
        return ITEM_REFUSED;
    }
    *at += 1;
    if (text[0] != '\\') {
        return (unsigned char)text[0];
    }
    if (add_escaped_class(set, text[1])) {
        *at += 1;
        return ITEM_CLASS;
    }
    if (text[1] == 'b') {
        *at += 1;
        return '\b';
    }
    return read_escape(at);
}

// Read an item or a range. Returns whether it is a known one.
static bool read_items(const char **at, bool set[BYTES])
{
    int first = read_item(at, set), last = first;
    bool range = (*at)[0] == '-' && (*at)[1] != ']';
    if (first == ITEM_CLASS) {
        return !range; // whatever [\d-x] is
    }
    if (range) {
        *at += 1;
        last = read_item(at, set);
    }
    if (first < 0 || last < 0) {
        return false;
    }
    for (int c = first; c <= last; c++) {
        set[c] = true;
    }
    return true;
}

static void put_class(FILE *out, const bool set[BYTES], bool negated)
{
    fputs(negated ? "[^" : "[", out);
    for (int c = 0; c < BYTES; c++) {
        if (!set[c]) {
            continue;
        }
        int first = c;
        while (c + 1 < BYTES && set[c + 1]) {
            c++;
        }
        fprintf(out, first == c ? "\\x%02x" : "\\x%02x-\\x%02x", (unsigned)first, (unsigned)c);
    }
    fputc(']', out);
}

// A class in brackets, of which the first comes next. The bytes of it are collected, so that none
// of the pitfalls of their notation gets through.
static enum token translate_class(struct translation *t)
{
    bool set[BYTES] = {false};
    const char *at = t->at + 1;
    bool negated = *at == '^';
    at += negated;
    const char *items = at;
    do { // a first ] is one of the items
        if (*at == '-' && at > items && at[1] != ']') {
            return TOKEN_REFUSED; // a hyphen that could be a range or not
        }
        if (!read_items(&at, set)) {
            return TOKEN_REFUSED;
        }
    } while (*at != ']');
    set['\n'] = negated;
    if (memchr(set, 1, sizeof(set)) == NULL) {
        return TOKEN_REFUSED; // there was only a newline
    }
    put_class(t->out, set, negated);
    t->at = at + 1;
    return TOKEN_ATOM;
}

static enum token translate_reference(struct translation *t)
{
    unsigned group = (unsigned)(t->at[1] - '0');
    if (isdigit((unsigned char)t->at[2])) {
        return TOKEN_REFUSED; // it can be something else
    }
    if (group > t->groups || t->depths[group] > 0) {
        return TOKEN_REFUSED;
    }
    copy(t, 2);
    return TOKEN_ATOM;
}

// Write this for an escape of one letter.
static enum token put_instead(struct translation *t, const char *text)
{
    fputs(text, t->out);
    t->at += 2;
    return TOKEN_ATOM;
}

static enum token translate_escape(struct translation *t)
{
    const char *at = t->at + 1;
    switch (*at) {
    case 's':
        return put_instead(t, "[^\\S\\n]");
    case 'D':
        return put_instead(t, "[^\\d\\n]");
    case 'W':
        return put_instead(t, "[^\\w\\n]");
    case 'b':
    case 'B':
        copy(t, 2);
        return TOKEN_OTHER;
    case 'd':
    case 'S':
    case 'w':
        copy(t, 2);
        return TOKEN_ATOM;
    case '1' ... '9':
        return translate_reference(t);
    default:;
        int byte = read_escape(&at);
        if (byte < 0 || byte == '\n') {
            return TOKEN_REFUSED;
        }
        fprintf(t->out, "\\x%02x", (unsigned)byte);
        t->at = at;
        return TOKEN_ATOM;
    }
}

// Length of the rest of a group's name up to `end`; 0: it is no name.
static size_t name_len(const char *text, char end)
{
    size_t len = 0;
    while (isascii(text[len]) && is_word(text[len])) {
        len++;
    }
    return len > 0 && text[len] == end ? len + 1 : 0;
}

// Length of what comes after "(?"; 0: not a known one.
static size_t group_len(const char *text)
{
    size_t len;
    switch (text[0]) {
    case ':':
        return 1;
    case 'P':
        len = text[1] == '<' ? name_len(text + 2, '>') : 0;
        return len > 0 ? len + 2 : 0;
    case '<':
        len = name_len(text + 1, '>');
        return len > 0 ? len + 1 : 0;
    case 'i':
    case '-':
        len = text[0] == '-' ? 2 : 1;
        return text[len - 1] == 'i' && (text[len] == ')' || text[len] == ':') ? len + 1 : 0;
    default:
        return 0;
    }
}

static enum token open_group(struct translation *t)
{
    size_t len = 1;
    bool captures = t->at[1] != '?';
    if (t->at[1] == '*') {
        return TOKEN_REFUSED;
    }
    if (!captures) {
        size_t rest = group_len(t->at + 2);
        if (rest == 0) {
            return TOKEN_REFUSED;
        }
        len = 2 + rest;
        captures = t->at[len - 1] == '>';
    }
    if (t->at[len - 1] != ')') { // as in (?i)
        t->depth++;
    }
    if (captures && ++t->groups <= GROUPS) {
        t->depths[t->groups] = t->depth;
    }
    copy(t, len);
    return TOKEN_OTHER;
}

static enum token close_group(struct translation *t)
{
    for (size_t group = 1; group <= GROUPS; group++) {
        if (t->depths[group] == t->depth) {
            t->depths[group] = 0;
        }
    }
    t->depth--;
    copy(t, 1);
    return TOKEN_ATOM;
}

static enum token translate_token(struct translation *t)
{
    switch (*t->at) {
    case '\\':
        return translate_escape(t);
    case '[':
        return translate_class(t);
    case '(':
        return open_group(t);
    case ')':
        return close_group(t);
    case '^':
    case '$':
    case '|':
        copy(t, 1);
        return TOKEN_OTHER;
    case '*':
    case '+':
    case '?':
    case '\n':
        return TOKEN_REFUSED;
    case '{': { // some versions take {,3} and { 3 } for quantifiers
        char next = t->at[1 + strspn(t->at + 1, " \t")];
        if (next == ',' || isdigit((unsigned char)next)) {
            return TOKEN_REFUSED;
        }
        copy(t, 1);
        return TOKEN_ATOM;
    }
    default:
        copy(t, 1);
        return TOKEN_ATOM;
    }
}

// Length of the quantifier at `text`, without what makes it lazy; 0: there is none.
static size_t quantifier_len(const char *text)
{
    static const char DIGITS[] = "0123456789";
    switch (text[0]) {
    case '*':
    case '+':
    case '?':
        return 1;
    case '{': {
        size_t digits = strspn(text + 1, DIGITS), len = 1 + digits;
        if (text[len] == ',') {
            len++;
            len += strspn(text + len, DIGITS);
        }
        return digits > 0 && text[len] == '}' ? len + 1 : 0;
    }
    default:
        return 0;
    }
}

static bool translate(struct translation *t)
{
    while (*t->at != '\0') {
        enum token token = translate_token(t);
        if (token == TOKEN_REFUSED) {
            return false;
        }
        size_t len = quantifier_len(t->at);
        if (len > 0 && token != TOKEN_ATOM) {
            return false;
        }
        copy(t, len > 0 && t->at[len] == '?' ? len + 1 : len);
        // What makes it possessive or is a second quantifier is refused, like one after nothing.
    }
    return true;
}

char *block_pattern(const char *pattern)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return NULL;
    }
    bool known = translate(&(struct translation){.at = pattern, .out = out});
    bool whole = !ferror(out);
    if (fclose(out) != 0 || !known || !whole) {
        free(text);
        return NULL;
    }
    return text;
}
