// SPDX-License-Identifier: BSD-2-Clause
// Templates are compiled into a list of pieces, so that making the text of a match is copying.

#include "plan/template.h"

#include "base/buf.h"
#include "base/diag.h"
#include "plan/regex.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Either literal bytes or a capture.
struct piece {
    size_t at, len;    // literal: where in `literals`
    size_t candidates; // capture: how many groups from `at` in `groups`, of which the first one
                       // that is set counts; literal: 0
};

struct template
{
    struct piece *pieces;
    size_t piece_count;
    char *literals;
    size_t literals_len;
    unsigned *groups;
    size_t group_count;
    unsigned pairs;
};

// A template that is being read.
struct parser {
    struct template *template;
    const struct regex *regex;
    const char *option, *text;
    size_t at; // of the next byte
};

static int refuse(const struct parser *parser, size_t place, const char *reason)
{
    regex_refuse(parser->option, reason, parser->text, place);
    return -1;
}

static int refuse_no_memory(const char *option)
{
    diag_error("%s: no memory for the text", option);
    return -1;
}

static struct piece *piece_add(struct template *template)
{
    return &template->pieces[template->piece_count++];
}

static void add_literal(struct template *template, char byte)
{
    struct piece *last =
        template->piece_count > 0 ? &template->pieces[template->piece_count - 1] : NULL;
    if (last == NULL || last->candidates > 0) {
        last = piece_add(template);
        *last = (struct piece){.at = template->literals_len};
    }
    template->literals[template->literals_len++] = byte;
    last->len++;
}

// A capture of any of `count` groups, whose numbers were put at the end of `groups`.
static void add_capture(struct template *template, size_t count)
{
    *piece_add(template) = (struct piece){.at = template->group_count, .candidates = count};
    for (; count > 0; count--) {
        unsigned group = template->groups[template->group_count++];
        if (group >= template->pairs) {
            template->pairs = group + 1;
        }
    }
}

// A group by its number, which stands at `place`, in `len` digits.
static int add_number(struct parser *parser, size_t place, size_t len)
{
    unsigned last = parser->regex != NULL ? regex_groups(parser->regex) : 0;
    unsigned group = 0;
    for (size_t i = 0; i < len && group <= last; i++) {
        group = group * 10 + (unsigned)(parser->text[place + i] - '0');
    }
    if (group > last) {
        char reason[120];
        if (parser->regex == NULL) {
            strcpy(reason, "unknown group: without a --match before it there is $0 alone");
        } else {
            snprintf(reason, sizeof(reason), "unknown group: the pattern has %u", last);
        }
        return refuse(parser, place, reason);
    }
    parser->template->groups[parser->template->group_count] = group;
    add_capture(parser->template, 1);
    return 0;
}

static int add_name(struct parser *parser, size_t place, size_t len)
{
    struct template *template = parser->template;
    size_t found = 0;
    if (parser->regex != NULL) {
        // Each use of a name may need as many numbers as there are groups.
        size_t room = template->group_count + regex_groups(parser->regex) + strlen(parser->text);
        unsigned *groups = realloc(template->groups, (room + 1) * sizeof(*groups));
        if (groups == NULL) {
            return refuse_no_memory(parser->option);
        }
        template->groups = groups;
        found = regex_groups_named(parser->regex, parser->text + place, len,
                                   groups + template->group_count);
    }
    if (found == 0) {
        return refuse(parser, place, "unknown group: no group has this name");
    }
    add_capture(template, found);
    return 0;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static size_t digits_len(const char *text)
{
    return strspn(text, "0123456789");
}

// Behind a '$' that stands at `place`.
static int parse_dollar(struct parser *parser, size_t place)
{
    const char *rest = parser->text + parser->at;
    size_t digits = digits_len(rest);
    if (digits > 0) {
        parser->at += digits;
        return add_number(parser, place + 1, digits);
    }
    if (*rest != '{') {
        return refuse(parser, place, "'$' is followed by a number or by {NAME}; \\$ is a dollar");
    }
    size_t len = strcspn(rest + 1, "}");
    if (len == 0 || rest[1 + len] == '\0') {
        return refuse(parser, place, "'${' is followed by a number or a name, and '}'");
    }
    parser->at += len + 2;
    return digits_len(rest + 1) == len ? add_number(parser, place + 2, len)
                                       : add_name(parser, place + 2, len);
}

// Behind a backslash that stands at `place`.
static int parse_backslash(struct parser *parser, size_t place)
{
    char byte = parser->text[parser->at++];
    if (is_digit(byte)) {
        return add_number(parser, place + 1, 1);
    }
    if (byte == '\0') {
        return refuse(parser, place, "nothing stands behind the '\\'; \\\\ is a backslash");
    }
    if (is_letter(byte) && byte != 'n' && byte != 't') {
        return refuse(parser, place, "unknown escape: there are \\n, \\t, \\\\, \\$ and \\1");
    }
    add_literal(parser->template, byte == 'n' ? '\n' : byte == 't' ? '\t' : byte);
    return 0;
}

static int parse(struct parser *parser)
{
    int status = 0;
    while (status == 0 && parser->text[parser->at] != '\0') {
        size_t place = parser->at++;
        switch (parser->text[place]) {
        case '$':
            status = parse_dollar(parser, place);
            break;
        case '\\':
            status = parse_backslash(parser, place);
            break;
        default:
            add_literal(parser->template, parser->text[place]);
        }
    }
    return status;
}

struct template *template_create(const char *option, const char *text, const struct regex *regex)
{
    size_t room = strlen(text) + 1; // no byte makes more than a piece, a literal byte and a group
    struct template *template = calloc(1, sizeof(*template));
    struct parser parser = {template, regex, option, text, 0};
    int status = -1;
    if (template != NULL) {
        template->pieces = calloc(room, sizeof(*template->pieces));
        template->literals = malloc(room + BUF_FEW);
        template->groups = calloc(room, sizeof(*template->groups));
        template->pairs = 1;
    }
    if (template == NULL || template->pieces == NULL || template->literals == NULL ||
        template->groups == NULL) {
        refuse_no_memory(option);
    } else {
        status = parse(&parser);
    }
    if (status != 0) {
        template_destroy(template);
        return NULL;
    }
    return template;
}

void template_destroy(struct template *template)
{
    if (template != NULL) {
        free(template->pieces);
        free(template->literals);
        free(template->groups);
        free(template);
    }
}

unsigned template_pairs(const struct template *template)
{
    return template->pairs;
}

const char *template_text(const struct template *template, size_t *len)
{
    for (size_t i = 0; i < template->piece_count; i++) {
        if (template->pieces[i].candidates > 0) {
            return NULL;
        }
    }
    *len = template->literals_len;
    return template->literals;
}

static int append_capture(const struct template *template, const struct piece *piece,
                          const char *subject, const size_t *offsets, struct buf *buf)
{
    for (size_t i = 0; i < piece->candidates; i++) {
        const size_t *pair = offsets + 2 * (size_t) template->groups[piece->at + i];
        if (pair[0] != SIZE_MAX) {
            // \K within a group can put its start behind its end.
            return pair[0] < pair[1] ? buf_append(buf, subject + pair[0], pair[1] - pair[0]) : 0;
        }
    }
    return 0;
}

int template_append(const struct template *template, const char *subject, const size_t *offsets,
                    struct buf *buf)
{
    const struct piece *end = template->pieces + template->piece_count;
    for (const struct piece *piece = template->pieces; piece < end; piece++) {
        int status = piece->candidates == 0
                         ? buf_append_few(buf, template->literals + piece->at, piece->len, BUF_FEW)
                         : append_capture(template, piece, subject, offsets, buf);
        if (status != 0) {
            return -1;
        }
    }
    return 0;
}
