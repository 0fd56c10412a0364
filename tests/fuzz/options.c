// SPDX-License-Identifier: BSD-2-Clause
// The command line: any words, ended by NULs. What is taken makes settings that hold together, and
// that are the same the next time. Lists of names are not read.
//
// A word that begins with a byte above 0x7f stands for an option: the one with that number in the
// table, so that a new one is tried without being told of.

#include "fuzz.h"

#include "cli/explain.h"
#include "cli/options.h"
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32

static char *name_option(char *word)
{
    unsigned char first = (unsigned char)word[0];
    char *named;
    if (first < 0x80) {
        return word;
    }
    MUST(asprintf(&named, "--%s%s", option_table[first % OPTION_COUNT].name, word + 1) >= 0);
    free(word);
    return named;
}

// What --explain says of the command line; NULL if it is refused. To be freed.
static char *explain(int argc, char **argv)
{
    struct options options;
    struct settings *settings = NULL;
    char *text = NULL;
    size_t len;
    if (options_parse(&options, argc, argv) == 0 && options.values[OPTION_FILES0_FROM] == NULL) {
        settings = settings_create(&options);
    }
    if (settings != NULL) {
        MUST(settings->threads >= 1 && settings->threads <= settings->jobs);
        MUST(settings->max_record >= 1);
        MUST(settings->block_size > 0 && settings->block_size <= settings->buffer_size);
        MUST(settings->args ||
             (settings->file_count > 0 && settings->files[settings->file_count - 1] != NULL));
        FILE *out = open_memstream(&text, &len);
        MUST(out != NULL);
        explain_print(out, settings, NULL, NULL);
        MUST(fclose(out) == 0);
    }
    settings_destroy(settings);
    options_clear(&options);
    return text;
}

void fuzz_options(const unsigned char *data, size_t size)
{
    struct feed feed = {data, size};
    char *words[WORDS_MAX + 1], *argv[WORDS_MAX + 1];
    int argc = 0;
    words[argc++] = strdup("pproc");
    while (feed.len > 0 && argc < WORDS_MAX) {
        words[argc++] = name_option(feed_word(&feed));
    }
    words[argc] = NULL;
    memcpy(argv, words, sizeof(argv)); // which getopt_long may permute
    char *first = explain(argc, argv);
    memcpy(argv, words, sizeof(argv));
    char *second = explain(argc, argv);
    MUST((first == NULL) == (second == NULL));
    MUST(first == NULL || strcmp(first, second) == 0);
    free(first);
    free(second);
    while (argc > 0) {
        free(words[--argc]);
    }
}
