// SPDX-License-Identifier: BSD-2-Clause
// Reading of s/RE/TEXT/FLAGS, and the loop over matches.

#include "plan/op_subst.h"

#include "base/buf.h"
#include "base/diag.h"
#include "plan/regex.h"
#include "plan/template.h"

#include <stdlib.h>
#include <string.h>

#define OPTION "--subst"

// An expression that is taken apart. Places are bytes of it.
struct parts {
    const char *expression;
    size_t delimiter_len; // bytes; a character of UTF-8 has up to 4
    size_t regex, regex_len;
    size_t text, text_len;
    size_t flags;
};

static int refuse(const struct parts *parts, size_t place, const char *reason)
{
    regex_refuse(OPTION, reason, parts->expression, place);
    return -1;
}

static bool is_alphanumeric(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

static size_t character_len(const char *text)
{
    size_t len = 1;
    if ((unsigned char)text[0] >= 0xc0) {
        while (len < 4 && ((unsigned char)text[len] & 0xc0) == 0x80) {
            len++;
        }
    }
    return len;
}

static bool is_delimiter(const struct parts *parts, size_t place)
{
    return strncmp(parts->expression + place, parts->expression + 1, parts->delimiter_len) == 0;
}

// Bytes up to the next delimiter without a backslash before it; -1 if there is none.
static int find_end(const struct parts *parts, size_t from, size_t *len)
{
    for (size_t at = from; parts->expression[at] != '\0'; at++) {
        if (is_delimiter(parts, at)) {
            *len = at - from;
            return 0;
        }
        at += parts->expression[at] == '\\' && parts->expression[at + 1] != '\0';
    }
    return -1;
}

static int take_apart(struct parts *parts)
{
    const char *expression = parts->expression;
    if (expression[0] != 's') {
        return refuse(parts, 0, "it does not begin with 's', as in s/RE/TEXT/FLAGS");
    }
    char delimiter = expression[1];
    if (delimiter == '\0' || delimiter == '\\' || delimiter == '\n' || is_alphanumeric(delimiter)) {
        return refuse(parts, 1,
                      "behind 's' stands a delimiter, such as '/'; it can be no letter, digit, "
                      "backslash or newline");
    }
    parts->delimiter_len = character_len(expression + 1);
    parts->regex = 1 + parts->delimiter_len;
    if (find_end(parts, parts->regex, &parts->regex_len) != 0) {
        return refuse(parts, strlen(expression), "the delimiter behind RE is missing");
    }
    parts->text = parts->regex + parts->regex_len + parts->delimiter_len;
    if (find_end(parts, parts->text, &parts->text_len) != 0) {
        return refuse(parts, strlen(expression), "the delimiter behind TEXT is missing");
    }
    parts->flags = parts->text + parts->text_len + parts->delimiter_len;
    return 0;
}

// Reads the digits at *place and steps over them.
static int parse_occurrence(struct op_subst *op, const struct parts *parts, size_t *place)
{
    const char *text = parts->expression + *place;
    size_t digits = strspn(text, "0123456789");
    uint64_t number = 0;
    if (op->occurrence != 0) {
        return refuse(parts, *place, "two numbers; one occurrence can be meant");
    }
    for (size_t i = 0; i < digits && number < UINT32_MAX; i++) {
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    if (number == 0 || number >= UINT32_MAX) {
        return refuse(parts, *place, "an occurrence is a number from 1 to 4294967294");
    }
    op->occurrence = number;
    *place += digits;
    return 0;
}

static int parse_flags(struct op_subst *op, const struct parts *parts, bool *ignore_case)
{
    for (size_t place = parts->flags; parts->expression[place] != '\0';) {
        switch (parts->expression[place]) {
        case 'g':
            op->global = true;
            place++;
            break;
        case 'i':
            *ignore_case = true;
            place++;
            break;
        case '0' ... '9':
            if (parse_occurrence(op, parts, &place) != 0) {
                return -1;
            }
            break;
        default:
            return refuse(parts, place, "unknown flag: there are g, i and a number");
        }
    }
    if (op->global && op->occurrence != 0) {
        return refuse(parts, parts->flags, "g and a number cannot be together");
    }
    if (op->occurrence == 0) {
        op->occurrence = 1;
    }
    return 0;
}

// The pattern as PCRE2 takes it. A delimiter with a backslash before it is literal there too, but
// not within \Q...\E, nor where all is literal: the backslash goes. NULL: no memory.
static char *make_pattern(const struct parts *parts, bool literal)
{
    const char *from = parts->expression + parts->regex, *end = from + parts->regex_len;
    char *pattern = malloc(parts->regex_len + 1), *to = pattern;
    bool quoted = false;
    if (pattern == NULL) {
        return NULL;
    }
    while (from < end) {
        if (*from != '\\' || from + 1 == end) {
            *to++ = *from++;
            continue;
        }
        bool delimiter = is_delimiter(parts, (size_t)(from + 1 - parts->expression));
        quoted = from[1] == 'Q' || (quoted && from[1] != 'E');
        if (!delimiter || !(literal || quoted)) {
            *to++ = *from;
        }
        *to++ = from[1];
        from += 2;
    }
    *to = '\0';
    return pattern;
}

static int compile(struct op_subst *op, const struct parts *parts, unsigned flags)
{
    char *pattern = make_pattern(parts, flags & REGEX_LITERAL);
    char *text = strndup(parts->expression + parts->text, parts->text_len);
    if (pattern == NULL || text == NULL) {
        diag_error("%s: no memory for its parts", OPTION);
    } else {
        op->regex = regex_create(OPTION, pattern, flags);
        op->text = op->regex != NULL ? template_create(OPTION, text, op->regex) : NULL;
    }
    if (op->text != NULL) {
        op->plain = template_text(op->text, &op->plain_len);
    }
    free(pattern);
    free(text);
    return op->text != NULL ? 0 : -1;
}

int op_subst_init(struct op_subst *op, const char *expression, unsigned flags)
{
    struct parts parts = {.expression = expression};
    bool ignore_case = false;
    *op = (struct op_subst){0};
    if (take_apart(&parts) != 0 || parse_flags(op, &parts, &ignore_case) != 0) {
        return -1;
    }
    return compile(op, &parts, ignore_case ? flags | REGEX_CASELESS : flags);
}

void op_subst_destroy(struct op_subst *op)
{
    regex_destroy(op->regex);
    template_destroy(op->text);
}

struct captures *op_subst_captures(const struct op_subst *op)
{
    return captures_create(template_pairs(op->text));
}

// As in Perl, a match may be empty right behind another one, but not behind an empty one.
static int find_next(const struct op_subst *op, struct matcher *matcher, struct captures *captures,
                     const char *bytes, size_t len)
{
    const size_t *match = captures->offsets;
    return regex_find(op->regex, matcher, captures, bytes, len, match[1], match[0] == match[1]);
}

int op_subst_find(const struct op_subst *op, struct matcher *matcher, struct captures *captures,
                  const char *bytes, size_t len)
{
    int found = regex_find(op->regex, matcher, captures, bytes, len, 0, false);
    for (uint64_t n = 1; found > 0 && n < op->occurrence; n++) {
        found = find_next(op, matcher, captures, bytes, len);
    }
    return found;
}

static int append_text(const struct op_subst *op, const char *bytes, const size_t *match,
                       struct buf *buf)
{
    return op->plain != NULL ? buf_append_few(buf, op->plain, op->plain_len, BUF_FEW)
                             : template_append(op->text, bytes, match, buf);
}

enum subst_status op_subst_append(const struct op_subst *op, struct matcher *matcher,
                                  struct captures *captures, const char *bytes, size_t len,
                                  struct buf *buf)
{
    const size_t *match = captures->offsets;
    size_t copied = 0;
    int found;
    do {
        if (buf_append_few(buf, bytes + copied, match[0] - copied, len - copied) != 0 ||
            append_text(op, bytes, match, buf) != 0) {
            return SUBST_NO_MEMORY;
        }
        copied = match[1];
        found = op->global ? find_next(op, matcher, captures, bytes, len) : 0;
    } while (found > 0);

    if (found < 0) {
        return SUBST_GAVE_UP;
    }
    return buf_append(buf, bytes + copied, len - copied) == 0 ? SUBST_DONE : SUBST_NO_MEMORY;
}
