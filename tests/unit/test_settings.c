// SPDX-License-Identifier: BSD-2-Clause
// From what was typed to what is meant.

#include "cli/limits.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 16
#define KIB ((size_t)1024)

// What the words after the program's name come to; cleared by the next. NULL: refused.
static struct options options;
static struct settings *settings;

// SETTLE("-j2", "a.log"): each word is a string of its own.
#define SETTLE(...) settle((const char *const[]){__VA_ARGS__, NULL})

static struct settings *settle(const char *const words[])
{
    char *argv[WORDS_MAX] = {(char[]){"pproc"}};
    int argc = 1;
    for (; argc < WORDS_MAX - 1 && words[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)words[argc - 1]; // nobody writes to it
    }
    settings_destroy(settings);
    settings = NULL;
    options_clear(&options);
    if (options_parse(&options, argc, argv) == 0) {
        settings = settings_create(&options);
    }
    return settings;
}

static void bail_out(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static void test_defaults(void)
{
    OK(SETTLE("--") == NULL, "a COMMAND is refused");
    OK(settle((const char *const[]){NULL}) != NULL, "no words at all are fine");
    OK(settings->file_count == 1 && strcmp(settings->files[0], "-") == 0,
       "without FILE standard input is read");
    OK(settings->delimiter == '\n' && settings->max_record == UINT64_C(1) << 30,
       "records are lines of up to 1G");
    OK(settings->ordered && settings->stats == STATS_NONE && !settings->explain && !settings->quiet,
       "in order and without reports");
    OK(settings->jobs == settings->processors && settings->threads == settings->processors,
       "as many workers as processors");
    OK(settings->block_size == 256 * KIB && !settings->buffer_raised &&
           settings->buffer_size == (64 + 4 * settings->jobs) * KIB * KIB,
       "64M and 4M for each worker, in blocks of 256K");
    OK(settings->retries == 0 && settings->retry_on.errors == RETRY_ON_ALL &&
           settings->backoff.base == 100000000 && settings->backoff.max == 30000000000 &&
           settings->backoff.factor == 2,
       "nothing is tried again, but if so all, after 100ms, 200ms, and so on up to 30s");
    OK(settings->queue_size == 0 && settings->self_serve, "workers read and write themselves");
}

static void delimiter_is(const char *value, int expected)
{
    OK(SETTLE("-d", value) != NULL && settings->delimiter == (char)expected, "-d '%s' is 0x%02x",
       value, (unsigned)expected);
}

static void test_records(void)
{
    static const char *const bad[] = {"", "ab", "\\q", "\\x1", "\\x1g", "\\x123", "\\tt"};
    delimiter_is(";", ';');
    delimiter_is("\\t", '\t');
    delimiter_is("\\n", '\n');
    delimiter_is("\\0", 0);
    delimiter_is("\\\\", '\\');
    delimiter_is("\\", '\\');
    delimiter_is("\\x7c", '|');
    delimiter_is("\\xFF", 0xff);
    delimiter_is("\xe9", 0xe9);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(SETTLE("-d", bad[i]) == NULL, "-d '%s' is refused", bad[i]);
    }
    OK(SETTLE("-0") != NULL && settings->delimiter == '\0', "-0 is NUL");
    OK(SETTLE("--max-record=64K") != NULL && settings->max_record == 65536, "--max-record=64K");
    OK(SETTLE("--max-record=1024T") != NULL, "--max-record=1024T is the most");
    OK(SETTLE("--max-record=1025T") == NULL, "--max-record=1025T is refused");
    OK(SETTLE("--max-record=0") == NULL, "--max-record=0 is refused");
}

static void jobs_are(const char *value, uint64_t expected)
{
    if (expected < 1) {
        expected = 1;
    }
    OK(SETTLE("-j", value) != NULL && settings->jobs == expected &&
           settings->threads == (expected < settings->processors ? expected : settings->processors),
       "-j %s is %ju workers, of which no more run than there are processors", value,
       (uintmax_t)expected);
}

static void test_workers(void)
{
    static const char *const bad[] = {"",    "x",     "-",   "+",        "%",
                                      "1.5", "10001", "-5%", "+9999999", " 1"};
    if (SETTLE("-j1") == NULL) {
        bail_out("-j1");
    }
    uint64_t processors = settings->processors;

    jobs_are("1", 1);
    jobs_are("7", 7);
    jobs_are("10000", 10000);
    jobs_are("0", processors);
    jobs_are("100%", processors);
    jobs_are("0%", 1);
    jobs_are("50%", processors / 2);
    jobs_are("99%", processors * 99 / 100);
    jobs_are("250%", processors * 250 / 100);
    jobs_are("+3", processors + 3);
    jobs_are("-1", processors - 1);
    jobs_are("-9999", 1);
    OK(SETTLE("-j0", "--", "true") != NULL && settings->jobs == limits_workers(4 * KIB * KIB),
       "-j 0 with a COMMAND is as many workers as the limits allow");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(SETTLE("-j", bad[i]) == NULL, "-j '%s' is refused", bad[i]);
    }
}

// Blocks that the floor of -S is made of.
static size_t blocks_needed(void)
{
    return 2 + 2 * (size_t)settings->threads;
}

static void test_memory(void)
{
    OK(SETTLE("-j1", "-S1M") != NULL && settings->buffer_size == KIB * KIB &&
           settings->block_size == 256 * KIB && !settings->buffer_raised,
       "-S that just suffices changes nothing");
    OK(SETTLE("-j1", "-S1023K") != NULL && settings->buffer_size == 1023 * KIB &&
           settings->block_size == 128 * KIB && !settings->buffer_raised,
       "less makes blocks smaller");
    OK(SETTLE("-j1", "-S16K") != NULL && settings->buffer_size == 16 * KIB &&
           settings->block_size == 4 * KIB && !settings->buffer_raised,
       "down to 4K");
    OK(SETTLE("-j1", "-S1") != NULL && settings->buffer_size == 16 * KIB &&
           settings->block_size == 4 * KIB && settings->buffer_raised,
       "then -S is raised");
    OK(SETTLE("-j64", "-S1") != NULL && settings->buffer_size == blocks_needed() * 4 * KIB,
       "by what runs at once, not by -j");
    OK(SETTLE("-j3", "-S5MB") != NULL && settings->buffer_size == 5000000, "-S5MB");
    OK(SETTLE("-j2", "--", "cat") != NULL && settings->block_size == 8 * KIB * KIB,
       "batches can be larger");
    OK(SETTLE("-j8", "--", "cat") != NULL && settings->block_size == 2 * KIB * KIB,
       "as far as each worker's output is to fit its share");
    OK(SETTLE("-j2", "-S4M", "--", "cat") != NULL && settings->block_size == 512 * KIB &&
           !settings->buffer_raised,
       "of whatever -S is");
    OK(SETTLE("-j2", "--key=(.)", "--", "cat") != NULL && settings->block_size == KIB * KIB,
       "records with keys come in smaller blocks");
    OK(SETTLE("-j2", "-u", "--priority=a=1", "--", "cat") != NULL &&
           settings->block_size == KIB * KIB,
       "so do those with priorities");
    OK(SETTLE("-S1025T") == NULL, "-S beyond all measure is refused");
    OK(SETTLE("-S0") == NULL, "-S0 is refused");
}

static void test_queue(void)
{
    OK(SETTLE("--queue-size=10") != NULL && settings->queue_size == 10 && !settings->self_serve,
       "a queue needs a reader of its own");
    OK(SETTLE("--queue-size=0") == NULL, "--queue-size=0 is refused");
    OK(SETTLE("--queue-size=18446744073709551616") == NULL, "too large a queue is refused");

    setenv("PPROC_DRIVE", "threaded", 1);
    OK(SETTLE("a") != NULL && !settings->self_serve, "PPROC_DRIVE=threaded");
    setenv("PPROC_DRIVE", "self-serve", 1);
    OK(SETTLE("a") != NULL && settings->self_serve, "PPROC_DRIVE=self-serve");
    setenv("PPROC_DRIVE", "", 1);
    OK(SETTLE("a") != NULL && settings->self_serve, "an empty PPROC_DRIVE is none");
    setenv("PPROC_DRIVE", "horse", 1);
    OK(SETTLE("a") == NULL, "another PPROC_DRIVE is refused");
    unsetenv("PPROC_DRIVE");
}

static void test_tmpdir(void)
{
    unsetenv("TMPDIR");
    OK(SETTLE("a") != NULL && strcmp(settings->tmpdir, "/tmp") == 0, "/tmp by default");
    setenv("TMPDIR", "", 1);
    OK(SETTLE("a") != NULL && strcmp(settings->tmpdir, "/tmp") == 0, "an empty TMPDIR is none");
    setenv("TMPDIR", "/var", 1);
    OK(SETTLE("a") != NULL && strcmp(settings->tmpdir, "/var") == 0, "else TMPDIR");
    OK(SETTLE("-T", "/") != NULL && strcmp(settings->tmpdir, "/") == 0, "-T goes before TMPDIR");
    OK(SETTLE("-T", "/dev/null") == NULL, "-T that is no directory is refused");
    OK(SETTLE("-T", "/nonexistent") == NULL, "-T that does not exist is refused");
    OK(SETTLE("-T", "-m") == NULL, "-T that looks like an option is refused");
    unsetenv("TMPDIR");
}

static void test_operations(void)
{
    OK(SETTLE("-i", "-m", "a", "-v", "b", "-F") != NULL && settings->operation_count == 2 &&
           settings->operations[0].kind == OPERATION_MATCH &&
           strcmp(settings->operations[1].pattern, "b") == 0 && settings->ignore_case &&
           settings->fixed_strings,
       "operations in order, -i and -F for all of them");
    OK(!settings->utf && !settings->count, "bytes and no count are the default");
    OK(SETTLE("--utf", "-c", "-s", "s/a/b/") != NULL && settings->utf && settings->count &&
           settings->operations[0].kind == OPERATION_SUBST,
       "--utf, and -c with what changes records");
    OK(SETTLE("-c", "-p", "a") == NULL && SETTLE("-p", "a", "-c") == NULL,
       "but not with a template");
}

static void test_report(void)
{
    OK(SETTLE("-u", "--stats", "--quiet", "--explain") != NULL && !settings->ordered &&
           settings->stats == STATS_TEXT && settings->quiet && settings->explain,
       "-u --stats --quiet --explain");
    OK(!settings->no_decompress && SETTLE("--no-decompress") != NULL && settings->no_decompress,
       "--no-decompress");
    OK(SETTLE("--stats=json") != NULL && settings->stats == STATS_JSON, "--stats=json");
    OK(SETTLE("--stats=xml") == NULL, "--stats=xml is refused");
    OK(SETTLE("--stats=") == NULL, "--stats= is refused");
}

// A file that holds `bytes`, as --files0-from=FILE; lasts until the next.
static const char *list_of(const char *bytes, size_t len)
{
    static const char prefix[] = "--files0-from=";
    static char option[64];
    char *path = option + sizeof(prefix) - 1;
    snprintf(option, sizeof(option), "%s/tmp/pproc-settings-XXXXXX", prefix);
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0) {
        bail_out(path);
    }
    return option;
}

static void unlist(const char *option)
{
    (void)unlink(option + strlen("--files0-from="));
}

// As list_of(), from a string literal.
#define LIST(bytes) list_of(bytes, sizeof(bytes) - 1)

static void names_are(const char *list, size_t count, const char *last, const char *what)
{
    OK(SETTLE(list) != NULL && settings->file_count == count &&
           (count == 0 || strcmp(settings->files[count - 1], last) == 0),
       "%s", what);
    unlist(list);
}

static void list_fails(const char *list, const char *what)
{
    OK(SETTLE(list) == NULL, "%s", what);
    unlist(list);
}

static void test_files0(void)
{
    static char many[100000];
    for (size_t i = 0; i < sizeof(many); i++) {
        many[i] = i % 5 == 4 ? '\0' : 'x';
    }
    names_are(LIST("a\0b\nc\0"), 2, "b\nc", "names end in NUL and may hold newlines");
    names_are(LIST("a\0b"), 2, "b", "the last one may lack its NUL");
    names_are(LIST(""), 0, NULL, "an empty list is no input at all");
    names_are(LIST("-\0a\0"), 2, "a", "a list in a file may name standard input");
    names_are(list_of(many, sizeof(many)), 20000, "xxxx", "a long list is read whole");
    list_fails(LIST("a\0\0b\0"), "an empty name is refused");
    list_fails(LIST("\0"), "an empty name alone is refused");

    const char *list = LIST("a\0");
    OK(SETTLE(list, "b") == NULL, "a list and FILEs are refused");
    unlist(list);
    OK(SETTLE(list) == NULL, "a list that does not exist is refused");
    OK(SETTLE("--files0-from=/") == NULL, "a directory as list is refused");
    OK(SETTLE("--files0-from=-m") == NULL, "a list that looks like an option is refused");
}

static void test_files0_from_standard_input(void)
{
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) < 0 || write(ends[1], "a\0-", 3) != 3 ||
        close(ends[1]) != 0) {
        bail_out("pipe");
    }
    OK(SETTLE("--files0-from=-") == NULL, "a list from standard input cannot name it");
    OK(SETTLE("--files0-from=-") != NULL && settings->file_count == 0,
       "a list from standard input that has ended is empty");
}

static void test_retries(void)
{
    OK(SETTLE("--retries=3") != NULL && settings->retries == 3, "--retries=3");
    OK(SETTLE("--retries=0") != NULL && settings->retries == 0, "--retries=0");
    OK(SETTLE("--retries=") == NULL && SETTLE("--retries=-1") == NULL &&
           SETTLE("--retries=1000001") == NULL,
       "other numbers of attempts are refused");
    OK(SETTLE("--retries=1", "--retry-on=28,timeout") != NULL &&
           settings->retry_on.errors == RETRY_ON(ERROR_TIMEOUT) &&
           statuses_have(&settings->retry_on.statuses, 28),
       "--retry-on=28,timeout is those alone");
    OK(SETTLE("--retries=1", "--retry-on=regex") == NULL, "--retry-on=regex is refused");
    OK(SETTLE("--retries=1", "--backoff=1s,5s,3") != NULL && settings->backoff.base == 1000000000 &&
           settings->backoff.max == 5000000000 && settings->backoff.factor == 3,
       "--backoff=1s,5s,3");
    OK(SETTLE("--retries=1", "--backoff=soon") == NULL, "--backoff=soon is refused");
}

int main(void)
{
    // The messages are tested on the command line.
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0) {
        bail_out("standard error");
    }
    unsetenv("PPROC_DRIVE");
    test_defaults();
    test_records();
    test_workers();
    test_memory();
    test_queue();
    test_tmpdir();
    test_operations();
    test_report();
    test_retries();
    test_files0();
    test_files0_from_standard_input();
    settings_destroy(settings);
    options_clear(&options);
    return tap_done();
}
