// SPDX-License-Identifier: BSD-2-Clause
// COMMAND's words: any command line, and any record. What a placeholder stands for stays within its
// argument, and what is shown is what sh would run. Input: words, each with a NUL, an empty one,
// and then the record.

#include "fuzz.h"

#include "base/buf.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "command/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

static enum fill_status make(const struct words *words, struct words_state *state, char *record,
                             size_t len)
{
    struct iovec bytes = {record, len};
    const struct values values = {
        .records = &bytes, .record_count = 1, .file = "in", .nr = 7, .seq = 42, .slot = 3};
    size_t used;
    enum fill_status status = words_make(words, state, &values, &used);
    MUST(used == 1);
    return status;
}

static size_t count_arguments(const struct words_state *state)
{
    size_t count = 0;
    while (words_arguments(state)[count] != NULL) {
        count++;
    }
    return count;
}

// The end of the word at the front of a line for sh; its bytes are put into `word`. Outside of
// quotes nothing has a meaning of its own; in double ones there are single ones.
static const char *read_word(const char *line, const char *end, struct buf *word)
{
    static const char plain[] = "-_.+/";
    char quote = '\0';
    word->len = 0;
    for (; line < end && (quote != '\0' || *line != ' '); line++) {
        if (quote == *line) {
            quote = '\0';
        } else if (quote == '\0' && (*line == '\'' || *line == '"')) {
            quote = *line;
        } else {
            MUST(quote == '\'' || (quote == '"' && *line == '\'') ||
                 isalnum((unsigned char)*line) || memchr(plain, *line, strlen(plain)) != NULL);
            MUST(buf_append(word, line, 1) == 0);
        }
    }
    MUST(quote == '\0');
    return line;
}

// The line that is shown has the arguments.
static void check_line(const struct words *words, const struct words_state *state)
{
    struct buf line = {0}, word = {0};
    MUST(words_print(words, state, &line) == 0);
    const char *at = line.bytes, *end = line.bytes + line.len;
    for (char **argument = words_arguments(state); *argument != NULL; argument++) {
        MUST(argument == words_arguments(state) || (at < end && *at++ == ' '));
        at = read_word(at, end, &word);
        MUST(word.len == strlen(*argument));
        MUST(word.len == 0 || memcmp(word.bytes, *argument, word.len) == 0);
    }
    MUST(at == end);
    buf_free(&line);
    buf_free(&word);
}

static void try_record(const struct settings *settings, const struct words *words,
                       struct feed *feed)
{
    static char plain[] = "x";
    struct words_state *state = words_state_create();
    MUST(state != NULL);
    char *record = malloc(feed->len + 1); // exactly as much is read, as a sanitizer sees
    MUST(record != NULL);
    memcpy(record, feed->bytes, feed->len);
    if (make(words, state, plain, 1) == FILL_DONE) {
        size_t count = count_arguments(state);
        enum fill_status status = make(words, state, record, feed->len);
        MUST(status != FILL_NO_MEMORY);
        if (status == FILL_DONE) {
            MUST(count_arguments(state) == count);
            if (!settings->shell) {
                check_line(words, state);
            }
        } else {
            MUST(words_error(state, status) != NULL);
        }
    }
    free(record);
    words_state_destroy(state);
}

void fuzz_words(const unsigned char *data, size_t size)
{
    struct feed feed = {data, size};
    char *typed[WORDS_MAX + 1], *argv[WORDS_MAX + 1];
    int argc = 0;
    typed[argc++] = strdup("pproc");
    while (feed.len > 0 && argc < WORDS_MAX && *feed.bytes != '\0') {
        typed[argc++] = feed_word(&feed);
    }
    (void)feed_byte(&feed);
    typed[argc] = NULL;
    memcpy(argv, typed, sizeof(argv)); // which getopt_long may permute
    struct options options;
    struct settings *settings = NULL;
    struct words *words = NULL;
    if (options_parse(&options, argc, argv) == 0 && options.values[OPTION_FILES0_FROM] == NULL) {
        settings = settings_create(&options);
    }
    if (settings != NULL && settings->command != NULL) {
        words = words_create(settings);
    }
    struct iovec header = {(char *)"a,b", 3};
    if (words != NULL && (settings->header_lines == 0 || words_set_header(words, header) == 0)) {
        try_record(settings, words, &feed);
    }
    words_destroy(words);
    settings_destroy(settings);
    options_clear(&options);
    while (argc > 0) {
        free(typed[--argc]);
    }
}
