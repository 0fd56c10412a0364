// SPDX-License-Identifier: BSD-2-Clause
// The command line as typed.

#include "cli/options.h"

#include "base/diag.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_info option_table[OPTION_COUNT] = {
#define OPTION(id, shorts, name, argument, has_argument, group, help)                              \
    [OPTION_##id] = {shorts, name, argument, has_argument, GROUP_##group, help},
#include "cli/options.def"
};

const char *option_text(enum option_id id, char text[static OPTION_TEXT_SIZE])
{
    const struct option_info *info = &option_table[id];
    int len = snprintf(text, OPTION_TEXT_SIZE, "--%s", info->name);
    if (*info->shorts != '\0') {
        (void)snprintf(text + len, OPTION_TEXT_SIZE - (size_t)len, " (-%c)", *info->shorts);
    }
    return text;
}

#define HINT "\nTry 'pproc --help'"

// What getopt_long returns for an operand, since its optstring begins with '-', and for a long
// option: LONG_BASE + its id, beyond any character.
#define OPERAND 1
#define LONG_BASE 256

// No option has more than two short names; each may need a ':'.
#define SHORTS_BYTES (sizeof("-:") + sizeof("x:y:") * OPTION_COUNT)

static void describe_shorts(char *text)
{
    text = stpcpy(text, "-:"); // operands in order; a missing argument returns ':'
    for (size_t id = 0; id < OPTION_COUNT; id++) {
        for (const char *name = option_table[id].shorts; *name != '\0'; name++) {
            *text++ = *name;
            if (option_table[id].has_argument != no_argument) {
                *text++ = ':';
            }
        }
    }
    *text = '\0';
}

static void describe_longs(struct option longs[static OPTION_COUNT + 1])
{
    for (size_t id = 0; id < OPTION_COUNT; id++) {
        longs[id] = (struct option){
            .name = option_table[id].name,
            .has_arg = option_table[id].has_argument,
            .val = LONG_BASE + (int)id,
        };
    }
    longs[OPTION_COUNT] = (struct option){0};
}

// The option that getopt_long means by `found`, OPTION_COUNT if there is none.
static enum option_id option_find(int found)
{
    if (found >= LONG_BASE) {
        return (enum option_id)(found - LONG_BASE);
    }
    size_t id = 0;
    while (id < OPTION_COUNT && strchr(option_table[id].shorts, found) == NULL) {
        id++;
    }
    return (enum option_id)id;
}

// Put the long names that begin with what was typed into `text`, as many as fit. Returns how many
// there are.
static unsigned list_abbreviated(const char *typed, char *text, size_t size)
{
    size_t len = strcspn(typed, "="), used = 0;
    unsigned count = 0;
    for (size_t id = 0; id < OPTION_COUNT; id++) {
        const char *name = option_table[id].name;
        if (strncmp(name, typed, len) == 0) {
            int more = snprintf(text + used, size - used, "%s--%s", count > 0 ? ", " : "", name);
            used += used + (size_t)more < size ? (size_t)more : 0;
            count++;
        }
    }
    return count;
}

static int refuse_unknown(const char *word)
{
    int len = (int)strcspn(word, "=");
    char names[512];
    if (optopt >= LONG_BASE) {
        diag_error("option '--%s' takes no value" HINT, option_table[optopt - LONG_BASE].name);
    } else if (optopt != 0) {
        diag_error("unknown option '-%c'" HINT, optopt);
    } else if (list_abbreviated(word + 2, names, sizeof(names)) > 1) {
        diag_error("option '%.*s' is short for more than one: %s" HINT, len, word, names);
    } else {
        diag_error("unknown option '%.*s'" HINT, len, word);
    }
    return -1;
}

static int refuse_missing_value(void)
{
    const struct option_info *info = &option_table[option_find(optopt)];
    diag_error("option '--%s' needs a value: --%s=%s" HINT, info->name, info->name, info->argument);
    return -1;
}

// What stands behind the "--", another "--" too.
static int set_command(struct options *options, char *words[], size_t count)
{
    options->command = words;
    options->command_count = count;
    if (count == 0) {
        diag_error("'--' begins a COMMAND, and there is none "
                   "(a FILE whose name begins with '-' is given as './-NAME')" HINT);
        return -1;
    }
    return 0;
}

static void add_operation(struct options *options, enum operation_kind kind, const char *pattern)
{
    options->operations[options->operation_count++] =
        (struct operation){.kind = kind, .pattern = pattern};
}

static void note_option(struct options *options, enum option_id id, const char *value)
{
    options->values[id] = value != NULL ? value : "";
    switch (id) {
    case OPTION_NULL:
        options->values[OPTION_DELIMITER] = "\\0";
        break;
    case OPTION_MATCH:
        add_operation(options, OPERATION_MATCH, value);
        break;
    case OPTION_EXCLUDE:
        add_operation(options, OPERATION_EXCLUDE, value);
        break;
    case OPTION_SUBST:
        add_operation(options, OPERATION_SUBST, value);
        break;
    case OPTION_PRINT:
        add_operation(options, OPERATION_PRINT, value);
        break;
    case OPTION_PRIORITY:
        options->priorities[options->priority_count++] = value;
        break;
    case OPTION_PLUGIN:
        add_operation(options, OPERATION_PLUGIN, value);
        break;
    case OPTION_KEEP_ORDER:
        options->values[OPTION_UNORDERED] = NULL;
        break;
    case OPTION_UNORDERED:
        options->values[OPTION_KEEP_ORDER] = NULL;
        break;
    case OPTION_PROGRESS:
        options->values[id] = value != NULL ? value : "auto";
        break;
    case OPTION_HEADER:
        options->values[id] = value != NULL ? value : "1";
        break;
    case OPTION_TAG:
        options->values[id] = value != NULL ? value : "{}\t";
        break;
    case OPTION_STATS:
        options->values[id] = value != NULL ? value : "text";
        break;
    default:
        break;
    }
}

// Is the operand perhaps the value of the option before it, which takes one behind a '=' alone?
static void note_operand(struct options *options, char *before, char *word)
{
    options->files[options->file_count++] = word;
    for (size_t id = 0; id < OPTION_COUNT; id++) {
        const struct option_info *info = &option_table[id];
        if (info->has_argument == optional_argument && strncmp(before, "--", 2) == 0 &&
            strcmp(before + 2, info->name) == 0) {
            options->loose = word;
            options->loose_from = info->name;
        }
    }
}

static int parse(struct options *options, int argc, char *argv[])
{
    char shorts[SHORTS_BYTES];
    struct option longs[OPTION_COUNT + 1];

    describe_shorts(shorts);
    describe_longs(longs);
    opterr = 0;
    optind = 0; // start afresh
    for (int word = 1;; word = optind) {
        int found = getopt_long(argc, argv, shorts, longs, NULL);
        switch (found) {
        case -1:
            // Only a "--" that ends the options is stepped over by the call that finds the end.
            return optind > word ? set_command(options, argv + optind, (size_t)(argc - optind)) : 0;
        case OPERAND:
            note_operand(options, argv[word - 1], optarg);
            break;
        case '?':
            return refuse_unknown(argv[word]);
        case ':':
            return refuse_missing_value();
        default:
            note_option(options, option_find(found), optarg);
            if (options->values[OPTION_HELP] != NULL || options->values[OPTION_VERSION] != NULL) {
                return 0;
            }
        }
    }
}

int options_parse(struct options *options, int argc, char *argv[])
{
    // There are no more operands, operations and priorities than words.
    *options = (struct options){
        .operations = calloc((size_t)argc + 1, sizeof(*options->operations)),
        .priorities = calloc((size_t)argc + 1, sizeof(*options->priorities)),
        .files = calloc((size_t)argc + 1, sizeof(*options->files)),
    };
    if (options->operations == NULL || options->priorities == NULL || options->files == NULL) {
        diag_error("no memory for the command line");
        return -1;
    }
    return parse(options, argc, argv);
}

void options_clear(struct options *options)
{
    free(options->operations);
    free(options->priorities);
    free(options->files);
    *options = (struct options){0};
}
