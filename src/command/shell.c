// SPDX-License-Identifier: BSD-2-Clause
// The language of sh, as far as quoting goes. The reader errs on one side: a place that it calls
// plain is plain in dash, bash and ksh alike.

#include "command/shell.h"

#include "base/buf.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define BLANKS " \t"
#define OPERATORS ";&|<>()"

// --- quoting

// In single quotes; each one among the bytes is written as `one`.
static int quote(struct buf *buf, const char *bytes, size_t len, const char *one)
{
    const char *end = bytes + len;
    int status = buf_append(buf, "'", 1);
    while (status == 0 && bytes < end) {
        const char *stop = memchr(bytes, '\'', (size_t)(end - bytes));
        size_t plain = (size_t)((stop != NULL ? stop : end) - bytes);
        status = buf_append(buf, bytes, plain);
        if (status == 0 && stop != NULL) {
            status = buf_append(buf, one, strlen(one));
            plain++;
        }
        bytes += plain;
    }
    return status == 0 ? buf_append(buf, "'", 1) : -1;
}

int shell_quote(struct buf *buf, const char *bytes, size_t len)
{
    return quote(buf, bytes, len, "'\\''");
}

static bool needs_quotes(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\0' || strchr(LETTERS DIGITS "-_.+/", bytes[i]) == NULL) {
            return true;
        }
    }
    return len == 0;
}

int shell_quote_if_needed(struct buf *buf, const char *bytes, size_t len)
{
    if (!needs_quotes(bytes, len)) {
        return buf_append(buf, bytes, len);
    }
    // Quotes at the ends stand alone, outside of the pair that they would leave empty.
    size_t first = 0, last = len;
    while (first < last && bytes[first] == '\'') {
        first++;
    }
    while (last > first && bytes[last - 1] == '\'') {
        last--;
    }
    int status = 0;
    for (size_t i = 0; i < first && status == 0; i++) {
        status = buf_append(buf, "\"'\"", 3);
    }
    if (status == 0 && (last > first || len == 0)) {
        status = quote(buf, bytes + first, last - first, "'\"'\"'");
    }
    for (size_t i = last; i < len && status == 0; i++) {
        status = buf_append(buf, "\"'\"", 3);
    }
    return status;
}

// --- reading

void shell_reader_init(struct shell_reader *reader, const char *text)
{
    *reader = (struct shell_reader){.text = text, .len = strlen(text)};
}

// Past the end, so that no place is left: what was begun there has no end.
static void skip_all(struct shell_reader *reader)
{
    reader->at = reader->len + 1;
}

static bool within(const struct shell_reader *reader, char what)
{
    return memchr(reader->open, what, reader->depth) != NULL;
}

static bool within_substitution(const struct shell_reader *reader)
{
    for (size_t i = 0; i < reader->depth; i++) {
        if (reader->substitution[i]) {
            return true;
        }
    }
    return false;
}

static char innermost(const struct shell_reader *reader)
{
    return reader->depth > 0 ? reader->open[reader->depth - 1] : '\0';
}

// Something begins with `len` bytes.
static void enter(struct shell_reader *reader, char what, bool substitution, size_t len)
{
    if (reader->depth == SHELL_DEPTH) {
        reader->unclear = true;
        return;
    }
    reader->open[reader->depth] = what;
    reader->substitution[reader->depth++] = substitution;
    reader->at += len;
    reader->in_word = false;
}

// What is innermost ends with the next byte.
static void leave(struct shell_reader *reader, bool in_word)
{
    reader->depth--;
    reader->at++;
    reader->in_word = in_word;
}

static void read_backslash(struct shell_reader *reader)
{
    bool joins_lines = reader->text[reader->at + 1] == '\n';
    if (reader->text[reader->at + 1] == '\0') {
        skip_all(reader);
        return;
    }
    // It could be in the middle of a keyword, too.
    reader->unclear = joins_lines && within_substitution(reader);
    reader->in_word |= !joins_lines;
    reader->at += 2;
}

// Up to the next `quote` without a backslash before it, if backslashes count.
static void skip_quoted(struct shell_reader *reader, char quote, bool backslashes)
{
    const char *text = reader->text;
    size_t at = reader->at + 1;
    while (text[at] != quote && text[at] != '\0') {
        at += backslashes && text[at] == '\\' && text[at + 1] != '\0' ? 2 : 1;
    }
    if (text[at] == '\0') {
        skip_all(reader);
        return;
    }
    reader->at = at + 1;
    reader->in_word = true;
}

// A quote, single or double, that is not within double quotes itself.
static void read_quote(struct shell_reader *reader)
{
    bool single = reader->text[reader->at] == '\'';
    // $'' knows backslashes in some shells.
    if ((reader->dollar && single) || (innermost(reader) == '{' && within(reader, '"'))) {
        reader->unclear = true;
    } else if (single) {
        skip_quoted(reader, '\'', false);
    } else {
        enter(reader, '"', false, 1);
    }
}

// From the two parentheses that begin an expression, to the two that end it. Only what ends at the
// same place if it is no expression after all, but a subshell in a subshell.
static void skip_arithmetic(struct shell_reader *reader)
{
    const char *begin = reader->text + reader->at;
    size_t depth = 0, len = 0;
    do {
        char byte = begin[len];
        depth += byte == '(';
        depth -= byte == ')';
        if (byte == '\0' ||
            strchr(LETTERS DIGITS BLANKS "_$.,?:;+-*/%=!<>&|^~()[]", byte) == NULL ||
            strncmp(begin + len, "<<", 2) == 0 || strncmp(begin + len, "case", 4) == 0) {
            reader->unclear = true;
            return;
        }
        len++;
    } while (depth > 0);
    reader->at += len;
    reader->in_word = true;
}

static void read_dollar(struct shell_reader *reader)
{
    const char *next = reader->text + reader->at + 1;
    if (next[0] == '(' && next[1] == '(') {
        reader->at++;
        skip_arithmetic(reader);
    } else if (next[0] == '(') {
        enter(reader, '(', true, 2);
    } else if (next[0] == '{') {
        reader->unclear = next[1] != '\0' && strchr(BLANKS "\n|", next[1]) != NULL; // a command
        enter(reader, '{', false, 2);
    } else if (next[0] == '[' || (next[0] == '\\' && next[1] == '\n')) {
        reader->unclear = true;
    } else {
        bool parameter = next[0] == '$' || next[0] == '#';
        reader->at += parameter ? 2 : 1;
        reader->dollar = !parameter;
        reader->in_word = true;
    }
}

// What ends a here-document: a word, quoted or not, which begins at `at`. Returns the byte behind
// it; 0: it is not understood.
static size_t read_document_end(struct shell_reader *reader, size_t at)
{
    const char *text = reader->text;
    char *end = reader->document[reader->documents].end;
    size_t len = 0, begin = at;
    char quote = '\0';
    for (; text[at] != '\0' && (quote != '\0' || strchr(BLANKS "\n" OPERATORS, text[at]) == NULL);
         at++) {
        char byte = text[at];
        if (byte == '$' || byte == '`' || byte == '\n' || (byte == '\\' && quote != '\0') ||
            len == sizeof(reader->document[0].end) - 1) {
            return 0;
        }
        if (byte == quote) {
            quote = '\0';
        } else if (quote == '\0' && (byte == '\'' || byte == '"')) {
            quote = byte;
            reader->document[reader->documents].quoted = true;
        } else if (byte == '\\') {
            reader->document[reader->documents].quoted = true;
            if (text[++at] == '\n' || text[at] == '\0') {
                return 0;
            }
            end[len++] = text[at];
        } else {
            end[len++] = byte;
        }
    }
    end[len] = '\0';
    return quote == '\0' ? (at > begin ? at : 0) : 0;
}

// At "<<".
static void read_document(struct shell_reader *reader)
{
    const char *text = reader->text;
    size_t at = reader->at + 2;
    if (text[at] == '<') { // <<< word
        reader->at = at + 1;
        return;
    }
    if (reader->documents == sizeof(reader->document) / sizeof(reader->document[0]) ||
        (reader->documents > 0 && reader->documents_depth != reader->depth)) {
        reader->unclear = true;
        return;
    }
    reader->document[reader->documents].quoted = false;
    reader->document[reader->documents].tabs = text[at] == '-';
    at += text[at] == '-';
    at += strspn(text + at, BLANKS);
    size_t end = read_document_end(reader, at);
    reader->unclear = end == 0;
    reader->at = end;
    reader->documents++;
    reader->documents_depth = reader->depth;
    reader->in_word = true;
}

// Past the lines of here-document number `i`, which begins here.
static void skip_document(struct shell_reader *reader, size_t i)
{
    const char *end = reader->document[i].end;
    size_t end_len = strlen(end);
    for (;;) {
        if (reader->at >= reader->len) {
            skip_all(reader);
            return;
        }
        const char *line = reader->text + reader->at;
        size_t len = strcspn(line, "\n");
        size_t tabs = reader->document[i].tabs ? strspn(line, "\t") : 0;
        if (len - tabs == end_len && memcmp(line + tabs, end, end_len) == 0) {
            reader->at += len + (line[len] != '\0');
            return;
        }
        // Where these span lines, shells differ in what ends first.
        for (size_t at = 0; at < len && !reader->document[i].quoted; at++) {
            if (line[at] == '`' || (line[at] == '$' && strchr("({", line[at + 1]) != NULL) ||
                (line[at] == '\\' && line[at + 1] == '\n')) {
                reader->unclear = true;
                return;
            }
        }
        reader->at += len + (line[len] != '\0');
    }
}

static void read_newline(struct shell_reader *reader)
{
    reader->at++;
    reader->in_word = false;
    if (reader->documents > 0 && reader->documents_depth != reader->depth) {
        reader->unclear = true;
        return;
    }
    for (size_t i = 0; i < reader->documents && !reader->unclear; i++) {
        skip_document(reader, i);
    }
    reader->documents = 0;
}

static void read_parenthesis(struct shell_reader *reader)
{
    const char *text = reader->text + reader->at;
    if (text[0] == '(' && text[1] == '(') {
        skip_arithmetic(reader);
    } else if (text[0] == '(') {
        enter(reader, '(', false, 1);
    } else if (reader->depth > 0) {
        reader->unclear = reader->documents > 0;
        leave(reader, reader->substitution[reader->depth - 1]);
    } else { // of a pattern of case
        reader->at++;
        reader->in_word = false;
    }
}

static bool begins_case(const struct shell_reader *reader)
{
    const char *text = reader->text + reader->at;
    return !reader->in_word && strncmp(text, "case", 4) == 0 && text[4] != '\0' &&
           strchr(BLANKS "\n\\", text[4]) != NULL;
}

// One step where commands stand.
static void read_command(struct shell_reader *reader)
{
    char byte = reader->text[reader->at];
    switch (byte) {
    case '\\':
        read_backslash(reader);
        break;
    case '\'':
    case '"':
        read_quote(reader);
        break;
    case '`':
        skip_quoted(reader, '`', true);
        break;
    case '$':
        read_dollar(reader);
        break;
    case '(':
    case ')':
        read_parenthesis(reader);
        break;
    case '\n':
        read_newline(reader);
        break;
    case '<':
        if (reader->text[reader->at + 1] == '<') {
            read_document(reader);
            break;
        }
        reader->unclear = reader->text[reader->at + 1] == '\\';
        reader->at++;
        reader->in_word = false;
        break;
    case '#':
        if (!reader->in_word) {
            const char *end = strchr(reader->text + reader->at, '\n');
            if (end == NULL) {
                skip_all(reader);
            } else {
                reader->at = (size_t)(end - reader->text);
            }
            break;
        }
        reader->at++;
        break;
    default:
        // A pattern of case ends in a parenthesis that nothing opened.
        reader->unclear = within_substitution(reader) && begins_case(reader);
        reader->in_word = strchr(BLANKS OPERATORS, byte) == NULL;
        reader->at++;
    }
}

// One step within double quotes or ${ }.
static void read_quoted(struct shell_reader *reader)
{
    char byte = reader->text[reader->at], open = innermost(reader);
    if (byte == '\\') {
        read_backslash(reader);
    } else if (byte == '`') {
        skip_quoted(reader, '`', true);
    } else if (byte == '$') {
        read_dollar(reader);
    } else if (byte == (open == '"' ? '"' : '}')) {
        leave(reader, true);
    } else if (open == '{' && (byte == '\'' || byte == '"')) {
        read_quote(reader);
    } else {
        reader->at++;
    }
}

enum shell_place shell_read_to(struct shell_reader *reader, size_t at)
{
    while (reader->at < at && !reader->unclear) {
        bool dollar = reader->dollar;
        if (reader->depth == 0 || innermost(reader) == '(') {
            read_command(reader);
        } else {
            read_quoted(reader);
        }
        reader->dollar = reader->dollar && !dollar;
    }
    if (reader->unclear) {
        return SHELL_UNCLEAR;
    }
    bool plain = reader->depth == 0 || innermost(reader) == '(';
    return plain && reader->at == at && !reader->dollar ? SHELL_PLAIN : SHELL_QUOTED;
}

void shell_read_word(struct shell_reader *reader, size_t len)
{
    reader->at += len;
    reader->in_word = true;
}

// --- shells among the words of a command

static bool is_shell(const char *word)
{
    static const char *const names[] = {"sh",    "ash",  "bash",  "csh",  "dash",
                                        "fish",  "ksh",  "ksh93", "mksh", "posh",
                                        "rbash", "rksh", "tcsh",  "yash", "zsh"};
    const char *slash = strrchr(word, '/');
    const char *base = slash != NULL ? slash + 1 : word;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(base, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Does the option take the next word for its value, which is no text to be run?
static bool takes_value(const char *option)
{
    return strcmp(option, "--rcfile") == 0 || strcmp(option, "--init-file") == 0 ||
           (option[1] != '-' && strpbrk(option, "oO") != NULL);
}

size_t shell_command_text(char *const *words, size_t count, size_t i)
{
    bool runs_text = false;
    if (!is_shell(words[i])) {
        return 0;
    }
    for (i++; i < count && (words[i][0] == '-' || words[i][0] == '+'); i++) {
        if (strcmp(words[i], "--") == 0) {
            i++;
            break;
        }
        runs_text |= words[i][0] == '-' && words[i][1] != '-' && strchr(words[i], 'c') != NULL;
        i += takes_value(words[i]);
    }
    return runs_text && i < count ? i : 0;
}
