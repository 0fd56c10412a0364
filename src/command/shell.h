// SPDX-License-Identifier: BSD-2-Clause
// The language of sh: how a word is quoted, and where in a text a quoted word can stand.

#ifndef PPROC_COMMAND_SHELL_H
#define PPROC_COMMAND_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

// Append a word that sh reads as these bytes, in single quotes whatever they are, or only where it
// needs them, as GNU parallel prints it. Returns 0, or -1: no memory.
int shell_quote(struct buf *buf, const char *bytes, size_t len);
int shell_quote_if_needed(struct buf *buf, const char *bytes, size_t len);

// Quotes, substitutions and the like may be so deep in one another.
#define SHELL_DEPTH 64

// Where a reader of a text for sh is, without knowing more of the grammar than what decides whether
// bytes are quoted. What shells read in different ways, or what would take the whole grammar, makes
// everything behind it unclear.
struct shell_reader {
    const char *text;
    size_t len, at;
    char open[SHELL_DEPTH]; // what is open, the innermost last: ( and $( are '(', then " and {
    bool substitution[SHELL_DEPTH];
    size_t depth;
    bool in_word; // the byte before is part of a word, so that '#' begins no comment
    bool dollar;  // the byte before is a '$' that would give a quote behind it a meaning
    bool unclear;
    size_t documents; // here-documents that begin at the next newline
    size_t documents_depth;
    struct {
        char end[64];
        bool quoted;
        bool tabs; // <<-
    } document[4];
};

enum shell_place {
    SHELL_PLAIN,   // a word in single quotes is taken as that word
    SHELL_QUOTED,  // within quotes, a comment, a here-document, ${ } or the like
    SHELL_UNCLEAR, // something before it cannot be followed
};

void shell_reader_init(struct shell_reader *reader, const char *text);

// Go on to byte `at`, not before the place where the reader is.
enum shell_place shell_read_to(struct shell_reader *reader, size_t at);

// The next `len` bytes, at which it is, will be replaced by a quoted word.
void shell_read_word(struct shell_reader *reader, size_t len);

// Which of COMMAND's words is the text that a shell will run: the one behind `-c`, if the word
// number `i` is the name of a shell and options with a c follow. 0: none.
size_t shell_command_text(char *const *words, size_t count, size_t i);

#endif
