// SPDX-License-Identifier: BSD-2-Clause
// Regular expressions by PCRE2.
//
// Matching goes to the JIT's machine code directly. It keeps the match limit, and has a stack of
// its own, of JIT_STACK_MAX bytes: a record that needs more of it is tried again by the
// interpreter, which backtracks on the heap, up to HEAP_LIMIT_KIB. The interpreter also does all
// the work where there is no JIT: the results are the same.

#include "plan/regex.h"

#include "base/diag.h"
#include "core/records.h"
#include "plan/block_pattern.h"
#include "plan/find_literal.h"
#include "plan/literal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT 10000000u // steps of backtracking from one start
#define HEAP_LIMIT_KIB (64u * 1024)
#define JIT_STACK_MIN ((size_t)32 * 1024)
#define JIT_STACK_MAX ((size_t)1024 * 1024)

// Columns of a pattern that messages show: around the place of a mistake, and as its name.
#define PLACE_COLUMNS 72
#define NAME_COLUMNS 20
#define EXCERPT_BYTES(columns) (4 * (columns) + sizeof("......"))

struct regex {
    pcre2_code *code; // the same for records and for runs of lines, so that what is given up does
                      // not depend on how records are cut into blocks
    bool jit;
    bool searches;                          // see regex_searches()
    struct literals literals;               // that every match has
    const char *option;                     // that gave it
    char name[EXCERPT_BYTES(NAME_COLUMNS)]; // how the pattern begins, for messages
};

struct matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack; // NULL: the JIT takes 32 KiB of the thread's own
    char error[256];
};

// Bytes of the printable character at `text`, which takes one column; 0 if there is none.
static size_t printable(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    if (lead < 0x80) {
        return lead >= ' ' && lead != 0x7f;
    }
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool control = lead == 0xc2 && (unsigned char)text[1] < 0xa0;
    return lead >= 0xc2 && lead <= 0xf4 && !control ? len : 0;
}

// Bytes of the column at `text`: a printable character, or one byte that will be shown as '?'.
static size_t column_len(const char *text)
{
    size_t len = printable(text);
    return len > 0 ? len : 1;
}

// Copy up to `columns` columns of the pattern around the byte at `place`, with dots where something
// is left out, to `out`, EXCERPT_BYTES(columns). Returns the column of the place there.
static size_t excerpt(const char *pattern, size_t place, size_t columns, char *out)
{
    size_t at = 0, total = 0; // columns before the place, and in all
    for (size_t i = 0; pattern[i] != '\0'; total++) {
        i += column_len(pattern + i);
        at += i <= place;
    }

    size_t first = total > columns && at > columns / 2 ? at - columns / 2 : 0;
    char *end = out;
    if (first > 0) {
        end = stpcpy(end, "...");
    }
    for (size_t skip = first; skip > 0; skip--) {
        pattern += column_len(pattern);
    }
    for (; columns > 0 && *pattern != '\0'; columns--) {
        size_t len = printable(pattern);
        end = len > 0 ? mempcpy(end, pattern, len) : stpcpy(end, "?");
        pattern += column_len(pattern);
    }
    strcpy(end, *pattern != '\0' ? "..." : "");
    return at - first + (first > 0 ? 3 : 0);
}

void regex_refuse(const char *option, const char *reason, const char *text, size_t place)
{
    char shown[EXCERPT_BYTES(PLACE_COLUMNS)];
    size_t column = excerpt(text, place, PLACE_COLUMNS, shown);
    diag_error("%s: %s\n  %s\n  %*s^", option, reason, shown, (int)column, "");
}

static void say_invalid(const char *option, const char *pattern, int error, size_t place)
{
    char reason[160] = "UTF is turned on by --utf, for all patterns; without it they see bytes";
    if (error != PCRE2_ERROR_UTF_IS_DISABLED) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)reason, sizeof(reason));
    }
    regex_refuse(option, reason, pattern, place);
}

static uint32_t compile_options(unsigned flags)
{
    uint32_t options = flags & REGEX_CASELESS ? PCRE2_CASELESS : 0;
    if (flags & REGEX_LITERAL) {
        options |= PCRE2_LITERAL;
    }
    if (flags & REGEX_UTF) {
        // Records are any bytes. Code that is made so checks them itself, in the JIT too.
        options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
        return flags & REGEX_LITERAL ? options : options | PCRE2_UCP; // PCRE2 takes not both
    }
    // The direct entry to the JIT does not check UTF: no pattern may turn it on. Plain text cannot,
    // and PCRE2 does not take both options.
    return flags & REGEX_LITERAL ? options : options | PCRE2_NEVER_UTF;
}

// NULL with *error and *place if the pattern is not valid, or without memory.
static pcre2_code *compile(const char *pattern, uint32_t options, int *error, PCRE2_SIZE *place)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (context == NULL) {
        *error = PCRE2_ERROR_NOMEMORY;
        *place = 0;
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF); // whatever the library was built with
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern), options, error, place, context);
    pcre2_compile_context_free(context);
    return code;
}

// Matches that can only begin where a line does need the lines to be found first, and memchr() is
// better at that: `-m ^1` takes 2.8 times as long when whole blocks are searched.
static bool begins_anywhere(const pcre2_code *code)
{
    enum { AT_LINES = 2 };
    uint32_t type = AT_LINES;
    pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &type);
    return type != AT_LINES;
}

// Make the code one for runs of lines too, if there is such a one. Returns whether it is. Also
// finds literals to look for.
static bool compile_for_lines(struct regex *regex, const char *pattern, unsigned flags)
{
    bool caseless = flags & REGEX_CASELESS;
    if (flags & REGEX_LITERAL) {
        regex->literals = literals_of_text(pattern, caseless);
        return strchr(pattern, '\n') == NULL;
    }
    char *for_lines = block_pattern(pattern);
    if (for_lines == NULL) {
        return false;
    }
    regex->literals = literals_of_pattern(for_lines, caseless);
    int error;
    PCRE2_SIZE place;
    pcre2_code *code = compile(for_lines, compile_options(flags) | PCRE2_MULTILINE, &error, &place);
    free(for_lines);
    if (code == NULL || !begins_anywhere(code)) {
        pcre2_code_free(code);
        return false;
    }
    pcre2_code_free(regex->code);
    regex->code = code;
    return true;
}

// Make machine code of the pattern. Returns whether there is some.
static bool compile_jit(pcre2_code *code, const char *pattern)
{
    // The direct entry to the JIT takes no notice of a leading (*NOTEMPTY).
    if (strstr(pattern, "(*NOTEMPTY") != NULL) {
        return false;
    }
    // The JIT before 10.43 may miss matches of (a|)b* with an empty last alternative.
    if (PCRE2_MAJOR == 10 && PCRE2_MINOR < 43 && strstr(pattern, "|)") != NULL) {
        return false;
    }
    size_t size = 0; // stays 0 after (*NO_JIT), which is no error
    return pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0 &&
           pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
}

struct regex *regex_create(const char *option, const char *pattern, unsigned flags)
{
    struct regex *regex = calloc(1, sizeof(*regex));
    if (regex == NULL) {
        diag_error("%s: no memory to compile the pattern", option);
        return NULL;
    }
    int error;
    PCRE2_SIZE place;
    regex->code = compile(pattern, compile_options(flags), &error, &place);
    if (regex->code == NULL) {
        say_invalid(option, pattern, error, place);
        regex_destroy(regex);
        return NULL;
    }
    bool for_lines = flags & REGEX_LINES && compile_for_lines(regex, pattern, flags);
    regex->jit = compile_jit(regex->code, pattern);
    regex->searches = for_lines && regex->jit;
    regex->option = option;
    excerpt(pattern, 0, NAME_COLUMNS, regex->name);
    return regex;
}

void regex_destroy(struct regex *regex)
{
    if (regex != NULL) {
        pcre2_code_free(regex->code);
        free(regex);
    }
}

struct matcher *matcher_create(void)
{
    struct matcher *matcher = calloc(1, sizeof(*matcher));
    if (matcher == NULL) {
        return NULL;
    }
    matcher->context = pcre2_match_context_create(NULL);
    matcher->data = pcre2_match_data_create(1, NULL);
    matcher->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    if (matcher->context == NULL || matcher->data == NULL) {
        matcher_destroy(matcher);
        return NULL;
    }
    pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
    pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return matcher;
}

void matcher_destroy(struct matcher *matcher)
{
    if (matcher != NULL) {
        pcre2_jit_stack_free(matcher->stack);
        pcre2_match_data_free(matcher->data);
        pcre2_match_context_free(matcher->context);
        free(matcher);
    }
}

// The match data holds on to what was backtracked on, so it is made for one record only: one that
// needs a lot must not keep it for the rest of the run.
static int interpret(const struct regex *regex, const struct matcher *matcher, const char *bytes,
                     size_t len)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (data == NULL) {
        return PCRE2_ERROR_NOMEMORY;
    }
    int rc =
        pcre2_match(regex->code, (PCRE2_SPTR)bytes, len, 0, PCRE2_NO_JIT, data, matcher->context);
    pcre2_match_data_free(data);
    return rc;
}

static void say_why(struct matcher *matcher, const struct regex *regex, int rc)
{
    char other[120];
    const char *reason = other;
    switch (rc) {
    case PCRE2_ERROR_MATCHLIMIT:
        reason = "more than 10 million steps of backtracking";
        break;
    case PCRE2_ERROR_HEAPLIMIT:
        reason = "more than 64 MiB of backtracking";
        break;
    case PCRE2_ERROR_NOMEMORY:
        reason = "no memory left for backtracking";
        break;
    default:
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)other, sizeof(other));
    }
    snprintf(matcher->error, sizeof(matcher->error), "%s in %s '%s'", reason, regex->option,
             regex->name);
}

static bool has_literals(const struct regex *regex, const char *bytes, size_t len)
{
    for (size_t i = 0; i < regex->literals.count; i++) {
        if (literal_find(&regex->literals.list[i], bytes, len) == NULL) {
            return false;
        }
    }
    return true;
}

// Matching has ended with this error. Whether a record without a literal fails must not depend on
// whether the literal was looked for before: it does not, but has no match.
static int no_match(const struct regex *regex, struct matcher *matcher, int rc, const char *bytes,
                    size_t len)
{
    if (rc == PCRE2_ERROR_NOMATCH || !has_literals(regex, bytes, len)) {
        return 0;
    }
    say_why(matcher, regex, rc);
    return -1;
}

int regex_match(const struct regex *regex, struct matcher *matcher, const char *bytes, size_t len)
{
    int rc = PCRE2_ERROR_JIT_STACKLIMIT;
    if (regex->jit) {
        rc = pcre2_jit_match(regex->code, (PCRE2_SPTR)bytes, len, 0, 0, matcher->data,
                             matcher->context);
    }
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
        rc = interpret(regex, matcher, bytes, len);
    }
    if (rc >= 0) {
        return 1; // 0 too: more captures than the match data has room for
    }
    return no_match(regex, matcher, rc, bytes, len);
}

// What a sample is, in bytes.
#define SAMPLE ((size_t)8 * 1024)

// How often the literal is there, up to `limit`.
static size_t occurrences(const struct literal *literal, const char *bytes, size_t len,
                          size_t limit)
{
    const char *end = bytes + len, *found;
    size_t count = 0;
    while (count < limit && (found = literal_find(literal, bytes, (size_t)(end - bytes))) != NULL) {
        bytes = found + 1;
        count++;
    }
    return count;
}

const struct literal *regex_hint(const struct regex *regex, const char *lines, size_t len)
{
    const struct literal *best = NULL;
    size_t sample = len < SAMPLE ? len : SAMPLE, limit = records_count(lines, sample, '\n') / 2 + 1;
    for (size_t i = 0; i < regex->literals.count; i++) {
        size_t count = occurrences(&regex->literals.list[i], lines, sample, limit);
        if (count < limit) {
            best = &regex->literals.list[i];
            limit = count;
        }
    }
    return best;
}

bool regex_searches(const struct regex *regex)
{
    return regex->searches;
}

int regex_search(const struct regex *regex, struct matcher *matcher, struct captures *captures,
                 const char *lines, size_t len, size_t *offset)
{
    pcre2_match_data *data = captures != NULL ? captures->data : matcher->data;
    int rc = pcre2_jit_match(regex->code, (PCRE2_SPTR)lines, len, 0, 0, data, matcher->context);
    if (rc >= 0) {
        *offset = pcre2_get_ovector_pointer(data)[0];
        return 1;
    }
    return rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

// --- finding of places

unsigned regex_groups(const struct regex *regex)
{
    uint32_t count = 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count); // cannot fail
    return count;
}

size_t regex_groups_named(const struct regex *regex, const char *name, size_t len,
                          unsigned *numbers)
{
    // An entry is the number in two bytes and the name; same names are in the order of numbers.
    uint32_t count = 0, size = 0;
    PCRE2_SPTR entry = NULL;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &entry);

    size_t found = 0;
    for (; count > 0; count--, entry += size) {
        const char *known = (const char *)entry + 2;
        if (strlen(known) == len && memcmp(known, name, len) == 0) {
            numbers[found++] = (unsigned)entry[0] << 8 | entry[1];
        }
    }
    return found;
}

struct captures *captures_create(unsigned pairs)
{
    struct captures *captures = calloc(1, sizeof(*captures));
    if (captures == NULL) {
        return NULL;
    }
    captures->data = pcre2_match_data_create(pairs, NULL);
    if (captures->data == NULL) {
        free(captures);
        return NULL;
    }
    captures->offsets = pcre2_get_ovector_pointer(captures->data);
    return captures;
}

void captures_destroy(struct captures *captures)
{
    if (captures != NULL) {
        pcre2_match_data_free(captures->data);
        free(captures);
    }
}

// See interpret().
static int interpret_from(const struct regex *regex, const struct matcher *matcher,
                          pcre2_match_data *data, const char *bytes, size_t len, size_t from,
                          uint32_t options)
{
    uint32_t pairs = pcre2_get_ovector_count(data);
    pcre2_match_data *own = pcre2_match_data_create(pairs, NULL);
    if (own == NULL) {
        return PCRE2_ERROR_NOMEMORY;
    }
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)bytes, len, from, options | PCRE2_NO_JIT, own,
                         matcher->context);
    if (rc >= 0) {
        memcpy(pcre2_get_ovector_pointer(data), pcre2_get_ovector_pointer(own),
               pairs * 2 * sizeof(PCRE2_SIZE));
    }
    pcre2_match_data_free(own);
    return rc;
}

int regex_find(const struct regex *regex, struct matcher *matcher, struct captures *captures,
               const char *bytes, size_t len, size_t from, bool not_empty_at_from)
{
    pcre2_match_data *data = captures->data;
    uint32_t options = not_empty_at_from ? PCRE2_NOTEMPTY_ATSTART : 0;
    int rc = PCRE2_ERROR_JIT_STACKLIMIT;
    if (regex->jit) {
        rc = pcre2_jit_match(regex->code, (PCRE2_SPTR)bytes, len, from, options, data,
                             matcher->context);
    }
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
        rc = interpret_from(regex, matcher, data, bytes, len, from, options);
    }
    if (rc >= 0) {
        const size_t *match = captures->offsets;
        if (match[0] >= from && match[0] <= match[1]) {
            return 1;
        }
        rc = PCRE2_ERROR_BADSUBSPATTERN; // by \K where it makes no sense
    }
    return no_match(regex, matcher, rc, bytes, len);
}

const char *matcher_error(const struct matcher *matcher)
{
    return matcher->error;
}
