// SPDX-License-Identifier: BSD-2-Clause
// The command line as typed.

#include "cli/options.h"
#include "tap.h"

#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 16

// Parse a command line of words divided by single spaces. Each is cleared by the next.
static struct options options;
static char line_words[256];

static int parse(const char *line)
{
    char *argv[WORDS_MAX] = {(char[]){"pproc"}};
    int argc = 1;
    options_clear(&options);
    snprintf(line_words, sizeof(line_words), "%s", line);
    for (char *rest = line_words; rest != NULL && *line != '\0' && argc < WORDS_MAX - 1;) {
        argv[argc++] = strsep(&rest, " ");
    }
    return options_parse(&options, argc, argv);
}

static bool is(enum option_id id, const char *value)
{
    const char *typed = options.values[id];
    return value == NULL ? typed == NULL : typed != NULL && strcmp(typed, value) == 0;
}

static bool files_are(size_t count, const char *first, const char *last)
{
    return options.file_count == count && strcmp(options.files[0], first) == 0 &&
           strcmp(options.files[count - 1], last) == 0;
}

static bool operation_is(size_t i, enum operation_kind kind, const char *pattern)
{
    return i < options.operation_count && options.operations[i].kind == kind &&
           strcmp(options.operations[i].pattern, pattern) == 0;
}

static void test_values(void)
{
    OK(parse("") == 0 && options.file_count == 0 && options.operation_count == 0,
       "no words at all are fine");
    OK(parse("-j4 --jobs 8") == 0 && is(OPTION_JOBS, "8"), "of a repeated option the last counts");
    OK(parse("-P 50%") == 0 && is(OPTION_JOBS, "50%"), "-P is -j");
    OK(parse("-j -2") == 0 && is(OPTION_JOBS, "-2"), "a value may begin with '-'");
    OK(parse("--max-record=3") == 0 && is(OPTION_MAX_RECORD, "3"), "a value may follow a '='");
    OK(parse("--quiet") == 0 && is(OPTION_QUIET, "") && is(OPTION_EXPLAIN, NULL),
       "an option without argument is given or not");
    OK(parse("--stats") == 0 && is(OPTION_STATS, "text"), "--stats alone means text");
    OK(parse("--stats=json a") == 0 && is(OPTION_STATS, "json") && files_are(1, "a", "a"),
       "--stats=json means json");
    OK(parse("--stats json") == 0 && is(OPTION_STATS, "text") && files_are(1, "json", "json"),
       "the value of --stats is never the next word");
    OK(parse("--quie") == 0 && is(OPTION_QUIET, ""), "a long name may be cut if it is clear");
}

static void test_operands(void)
{
    OK(parse("a -m x b -j2 - -u c") == 0 && files_are(4, "a", "c") &&
           strcmp(options.files[2], "-") == 0,
       "FILEs come in order, between options too, '-' is one");
}

static void test_operations(void)
{
    OK(parse("-m a -v b -e c --exclude=d --match e") == 0 && options.operation_count == 5 &&
           operation_is(0, OPERATION_MATCH, "a") && operation_is(1, OPERATION_EXCLUDE, "b") &&
           operation_is(2, OPERATION_MATCH, "c") && operation_is(3, OPERATION_EXCLUDE, "d") &&
           operation_is(4, OPERATION_MATCH, "e"),
       "operations are kept in the order given, -e is -m");
    OK(parse("-p a -m b -s c --print=d --subst e -v f") == 0 && options.operation_count == 6 &&
           operation_is(0, OPERATION_PRINT, "a") && operation_is(1, OPERATION_MATCH, "b") &&
           operation_is(2, OPERATION_SUBST, "c") && operation_is(3, OPERATION_PRINT, "d") &&
           operation_is(4, OPERATION_SUBST, "e") && operation_is(5, OPERATION_EXCLUDE, "f"),
       "of every kind");
}

static void test_last_of_two(void)
{
    OK(parse("-k -u") == 0 && is(OPTION_UNORDERED, "") && is(OPTION_KEEP_ORDER, NULL),
       "of -k and -u the last counts, -u");
    OK(parse("-uk") == 0 && is(OPTION_UNORDERED, NULL) && is(OPTION_KEEP_ORDER, ""),
       "of -k and -u the last counts, -k");
    OK(parse("-0 -d;") == 0 && is(OPTION_DELIMITER, ";"), "of -0 and -d the last counts, -d");
    OK(parse("-d; -0") == 0 && is(OPTION_DELIMITER, "\\0"), "of -0 and -d the last counts, -0");
}

static void test_refused(void)
{
    static const char *const lines[] = {
        "--nonsense",   // unknown
        "--nonsense=1", //
        "-Z",           //
        "-0Z",          // unknown, after one that is known
        "--m=1",        // --match or --max-record?
        "--quiet=1",    // no value wanted
        "-m",           // value missing
        "--match",      //
        "a b --",       // COMMAND
        "--",           //
        "--",           //
        "-0 --",        //
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        OK(parse(lines[i]) == -1, "refused: %s", lines[i]);
    }
    OK(parse("-d -- a") == 0 && is(OPTION_DELIMITER, "--") && files_are(1, "a", "a"),
       "'--' as a value of an option begins no COMMAND");
    OK(parse("-m x a -d --") == 0 && is(OPTION_DELIMITER, "--"), "not as the last word either");
}

static void test_early_end(void)
{
    OK(parse("-j2 --help --nonsense") == 0 && is(OPTION_HELP, ""), "nothing after --help counts");
    OK(parse("-V --nonsense") == 0 && is(OPTION_VERSION, ""), "nothing after --version counts");
}

// The rest of the program and the papers take this for granted.
static void test_table(void)
{
    bool complete = true, distinct = true, consistent = true;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *info = &option_table[i];
        complete &= strlen(info->shorts) <= 2 && *info->name != '\0' && *info->help != '\0';
        consistent &= (info->argument == NULL) == (info->has_argument == no_argument);
        for (size_t j = 0; j < i; j++) {
            distinct &= strcmp(info->name, option_table[j].name) != 0 &&
                        strpbrk(info->shorts, option_table[j].shorts) == NULL;
        }
    }
    OK(complete, "every option has a long name, at most two short ones and an explanation");
    OK(distinct, "no two options have the same name");
    OK(consistent, "an option has a name for its argument exactly if it takes one");
}

int main(void)
{
    // The messages are tested on the command line.
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0) {
        printf("Bail out! standard error cannot be silenced\n");
        return 1;
    }
    test_values();
    test_operands();
    test_operations();
    test_last_of_two();
    test_refused();
    test_early_end();
    test_table();
    options_clear(&options);
    return tap_done();
}
