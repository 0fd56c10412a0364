// SPDX-License-Identifier: BSD-2-Clause
// COMMAND's words: which of them are placeholders, which mode they choose, what they become, and
// what is refused.

#include "base/buf.h"
#include "base/lookup.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "command/environment.h"
#include "command/words.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 12
#define KIB ((size_t)1024)

static struct options options;
static struct settings *settings;
static struct words *words;
static struct words_state *state;
static struct buf said; // on standard error, by the last understand()

static void forget(void)
{
    words_state_destroy(state);
    words_destroy(words);
    settings_destroy(settings);
    options_clear(&options);
    state = NULL;
    words = NULL;
    settings = NULL;
}

static void compile(const char *const typed[])
{
    char *argv[WORDS_MAX] = {(char[]){"pproc"}};
    int argc = 1;
    for (; argc < WORDS_MAX - 1 && typed[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)typed[argc - 1]; // nobody writes to it
    }
    if (options_parse(&options, argc, argv) == 0) {
        settings = settings_create(&options);
    }
    if (settings != NULL) {
        words = words_create(settings);
    }
    if (words != NULL) {
        state = words_state_create();
    }
}

// What a command line without the program's name comes to. False: it is refused, and `said` tells.
static bool understand(const char *const typed[])
{
    forget();
    fflush(stderr);
    int saved = dup(STDERR_FILENO), capture = memfd_create("stderr", 0);
    dup2(capture, STDERR_FILENO);
    compile(typed);
    dup2(saved, STDERR_FILENO);
    off_t size = lseek(capture, 0, SEEK_END);
    said.len = 0;
    if (buf_reserve(&said, (size_t)size + 1) != 0 ||
        pread(capture, said.bytes, (size_t)size, 0) != size) {
        abort();
    }
    said.bytes[size] = '\0';
    close(saved);
    close(capture);
    return words != NULL;
}

#define UNDERSTAND(...) understand((const char *const[]){__VA_ARGS__, NULL})

static struct values some_values(struct iovec *records, size_t count)
{
    return (struct values){
        .records = records, .record_count = count, .file = "in.txt", .nr = 7, .seq = 42, .slot = 3};
}

static enum fill_status make(const char *bytes, size_t len)
{
    // In memory of its own, so that a sanitizer sees reads beyond it.
    char *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, bytes, len);
    struct iovec record = {.iov_base = copy, .iov_len = len};
    struct values values = some_values(&record, 1);
    size_t used;
    enum fill_status status = words_make(words, state, &values, &used);
    free(copy);
    return used == 1 ? status : FILL_NO_MEMORY;
}

// The arguments, divided by '|'.
static const char *arguments(void)
{
    static struct buf joined;
    joined.len = 0;
    for (char **argument = words_arguments(state); *argument != NULL; argument++) {
        if (buf_append(&joined, "|", argument != words_arguments(state)) != 0 ||
            buf_append(&joined, *argument, strlen(*argument)) != 0) {
            abort();
        }
    }
    if (buf_append(&joined, "", 1) != 0) {
        abort();
    }
    return joined.bytes;
}

// --- what words become

struct rendering {
    const char *typed[WORDS_MAX - 1];
    const char *record, *expected;
};

static void test_renderings(void)
{
    static const struct rendering cases[] = {
        {{"--", "p", "{}"}, "a b", "p|a b"},
        {{"--", "p", "<{}>"}, "a b", "p|<a b>"},
        {{"--", "p", "{}{}"}, "x", "p|xx"},
        {{"--", "p", "{}"}, "", "p|"},
        {{"--", "p", "{}"}, "$(x) `y` 'z' \"\\\n*", "p|$(x) `y` 'z' \"\\\n*"},
        {{"--", "p", "{}"}, "-rf", "p|-rf"},
        {{"--", "p", "{}"}, "{.}", "p|{.}"},
        {{"--", "{}", "x"}, "prog", "prog|x"},
        {{"--", "p", "{#}", "{%}", "{file}", "{nr}"}, "x", "p|42|3|in.txt|7"},
        {{"--each", "--", "p", "{#}-{%}"}, "x", "p|42-3|x"},
        {{"--each", "--", "p", "a"}, "x y", "p|a|x y"},
        {{"--each", "--", "p", "{}", "a"}, "x", "p|x|a"},
        {{"-n1", "--", "p", "a"}, "x", "p|a|x"},
        // Braces that are none of ours.
        {{"--", "p", "{}", "{x}", "{ }", "{1}", "{..}", "{NR}", "{#.}"},
         "r",
         "p|r|{x}|{ }|{1}|{..}|{NR}|{#.}"},
        {{"--", "p", "{}", "{{}}", "{", "}", "{}}", "${}"}, "r", "p|r|{r}|{|}|r}|$r"},
        {{"--", "p", "{}", "{a{}b}"}, "r", "p|r|{arb}"},
        // Columns.
        {{"-C,", "--", "p", "{1}", "{2}", "{3}", "{4}"}, "a,b,c", "p|a|b|c|"},
        {{"-C,", "--", "p", "{2}{1}"}, "a,b", "p|ba"},
        {{"-C,", "--", "p", "{2}"}, ",,", "p|"},
        {{"-C,", "--", "p", "{1}", "{}"}, "", "p||"},
        {{"-C,", "--", "p", "{1.}", "{1/}", "{1//}", "{1/.}"}, "d/f.c,x", "p|d/f|f.c|d|f"},
        {{"-C,", "--", "p", "{2.}"}, "x,f.tar.gz", "p|f.tar"},
        {{"-C,", "--", "p", "{1}", "{0}", "{01}", "{1x}", "{-1}", "{1000000}"},
         "a",
         "p|a|{0}|{01}|{1x}|{-1}|{1000000}"},
        {{"-C,", "--", "p", "{10}"}, "1,2,3,4,5,6,7,8,9,ten", "p|ten"},
        {{"-C,", "--", "p", "{999999}"}, "a", "p|"},
        {{"-C.", "--", "p", "{1}", "{2}"}, "axb.c", "p|axb|c"}, // one character is no RE
        {{"-C|", "--", "p", "{1}-{2}"}, "a|b", "p|a-b"},
        {{"-C", "\t", "--", "p", "{2}"}, "a\tb\tc", "p|b"},
        {{"-C", "[,;]", "--", "p", "{1}-{2}-{3}"}, "a,b;c", "p|a-b-c"},
        {{"-C", " +", "--", "p", "{1}-{2}"}, "a   b", "p|a-b"},
        {{"-C", " *, *", "--", "p", "{1}-{2}-{3}"}, "a , b,c", "p|a-b-c"},
        {{"-C", "\\t", "--", "p", "{2}"}, "a\tb", "p|b"},
        {{"-C", "x*", "--", "p", "{1}-{2}-{3}"}, "axxb", "p|a-b-"},
        {{"-C,", "--", "p", "{file}", "{nr}", "{2}"}, "a,b", "p|in.txt|7|b"},
        {{"-C,", "--header", "--", "p", "{1}"}, "a,b", "p|a"},
        // Only STR.
        {{"-I", "X", "--", "p", "X", "aXb", "{}", "{#}", "x"}, "r", "p|r|arb|{}|{#}|x"},
        {{"-I", "{}", "--", "p", "{}", "{.}"}, "r", "p|r|{.}"},
        {{"-I", "%%", "--", "p", "%%%"}, "r", "p|r%"},
        {{"-I", "X", "--each", "--", "p", "{}"}, "r", "p|{}|r"},
        // COMMAND's own --.
        {{"--", "p", "--", "{}"}, "r", "p|--|r"},
        {{"--", "p", "-n", "--each", "{}"}, "r", "p|-n|--each|r"},
        // A text for the shell.
        {{"--shell", "--", "p {}"}, "a b", "/bin/sh|-c|p 'a b'"},
        {{"--shell", "--", "p {} >{}.out"}, "a'b", "/bin/sh|-c|p 'a'\\''b' >'a'\\''b'.out"},
        {{"--shell", "--", "p {/.} {//}"}, "/d x/f.c", "/bin/sh|-c|p 'f' '/d x'"},
        {{"--shell", "--", "x={#}; p {}"}, "", "/bin/sh|-c|x=42; p ''"},
        {{"--shell", "--each", "--", "p"}, "a;b", "/bin/sh|-c|p 'a;b'"},
        {{"--shell", "-C,", "--", "p {2}"}, "a,$x", "/bin/sh|-c|p '$x'"},
        // A shell that is given its text.
        {{"--", "sh", "-c", "{}"}, "ls; pwd", "sh|-c|ls; pwd"},
        {{"--", "sh", "-c", "p \"$1\"", "sh", "{}"}, "a b", "sh|-c|p \"$1\"|sh|a b"},
        {{"--", "sh", "script", "a {}"}, "r", "sh|script|a r"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *record = cases[i].record;
        bool made = understand(cases[i].typed) && make(record, strlen(record)) == FILL_DONE;
        if (!OK(made && strcmp(arguments(), cases[i].expected) == 0, "words are made, case %zu",
                i)) {
            printf("# not '%s' but '%s'\n", cases[i].expected, made ? arguments() : said.bytes);
        }
    }
}

// What GNU parallel makes of the same.
static void test_parts(void)
{
    static const struct {
        const char *record, *parts; // {.}|{/}|{//}|{/.}
    } cases[] = {
        {"file", "file|file|.|file"},
        {"file.txt", "file|file.txt|.|file"},
        {"file.tar.gz", "file.tar|file.tar.gz|.|file.tar"},
        {"/a/b/file.txt", "/a/b/file|file.txt|/a/b|file"},
        {"a/b", "a/b|b|a|b"},
        {"a.d/b", "a.d/b|b|a.d|b"},
        {"a.d/b.c", "a.d/b|b.c|a.d|b"},
        {"/file", "/file|file|/|file"},
        {"//file", "//file|file|/|file"},
        {"./x.y", "./x|x.y|.|x"},
        {"../x.y", "../x|x.y|..|x"},
        {"a/", "a/||.|"},
        {"/", "/||/|"},
        {"a//b", "a//b|b|a|b"},
        {".bashrc", "|.bashrc|.|"},
        {"d/.bashrc", "d/|.bashrc|d|"},
        {"x.", "x|x.|.|x"},
        {"", "||.|"},
        {"a b.c d", "a b|a b.c d|.|a b"},
        {"http://h/p?q=1.5", "http://h/p?q=1|p?q=1.5|http://h|p?q=1"},
    };
    OK(UNDERSTAND("--", "p", "{.}", "{/}", "{//}", "{/.}"), "parts are placeholders");
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *record = cases[i].record;
        bool made = make(record, strlen(record)) == FILL_DONE;
        OK(made && strcmp(arguments() + 2, cases[i].parts) == 0, "parts of '%s' are %s (got %s)",
           record, cases[i].parts, arguments() + 2);
    }
}

// --- modes

static void test_modes(void)
{
    static const struct {
        const char *typed[WORDS_MAX - 1];
        enum command_mode mode;
        const char *reason;
    } cases[] = {
        {{"--", "p"}, MODE_BATCH, "no placeholder"},
        {{"--", "p", "{#}", "{%}"}, MODE_BATCH, "no placeholder"},
        {{"--", "sed", "-E", "s/a{2}/b/"}, MODE_BATCH, "no placeholder"},
        {{"--", "awk", "{print}"}, MODE_BATCH, "no placeholder"},
        {{"--header", "--", "p", "{name}"}, MODE_BATCH, "no placeholder"},
        {{"--", "p", "{}"}, MODE_EACH, "{}"},
        {{"--", "p", "{#}", "{.}"}, MODE_EACH, "{.}"},
        {{"--", "p", "a{/}b"}, MODE_EACH, "{/}"},
        {{"--", "p", "{//}"}, MODE_EACH, "{//}"},
        {{"--", "p", "{/.}"}, MODE_EACH, "{/.}"},
        {{"--", "p", "{file}"}, MODE_EACH, "{file}"},
        {{"--", "p", "{nr}"}, MODE_EACH, "{nr}"},
        {{"-C,", "--", "p", "{2}"}, MODE_EACH, "{2}"},
        {{"-C,", "--", "p", "{2.}"}, MODE_EACH, "{2.}"},
        {{"-C,", "--", "p"}, MODE_BATCH, "no placeholder"},
        {{"--", "{}"}, MODE_EACH, "{}"},
        {{"--header", "-C,", "--", "p", "{name}"}, MODE_EACH, "{name}"},
        {{"--header", "-C,", "--", "awk", "{ print }"}, MODE_BATCH, "no placeholder"},
        {{"--each", "--", "p"}, MODE_EACH, "--each"},
        {{"-n", "3", "--", "p"}, MODE_EACH, "-n"},
        {{"-n", "3", "--", "p", "{}"}, MODE_EACH, "{}"},
        {{"--batch", "--", "p", "{}"}, MODE_BATCH, "--batch"},
        {{"--batch", "--", "p", "{nr}"}, MODE_BATCH, "--batch"},
        {{"-I", "X", "--", "p", "{}"}, MODE_BATCH, "no placeholder"},
        {{"-I", "X", "--", "p", "aXb"}, MODE_EACH, "X"},
        {{"--shell", "--", "p {}"}, MODE_EACH, "{}"},
        {{"--shell", "--", "sort | uniq"}, MODE_BATCH, "no placeholder"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        bool right = understand(cases[i].typed) && settings->mode == cases[i].mode &&
                     strstr(settings->mode_reason, cases[i].reason) != NULL;
        OK(right, "mode %d because of %s", (int)cases[i].mode, cases[i].reason);
    }
}

static void test_batch(void)
{
    struct values values = some_values(NULL, 0);
    size_t used;
    OK(UNDERSTAND("--batch", "--", "p", "{}", "{.}", "{#}", "{%}", "{file}", "{nr}") &&
           words_make(words, state, &values, &used) == FILL_DONE && used == 0 &&
           strcmp(arguments(), "p|{}|{.}|42|3|{file}|{nr}") == 0,
       "with --batch all but {#} and {%%} stays as written");
    OK(UNDERSTAND("--", "p", "{#}{%}") && words_make(words, state, &values, &used) == FILL_DONE &&
           strcmp(arguments(), "p|423") == 0,
       "numbers do not need a record");
}

// --- several records

static char *const many[] = {(char[]){"a b"}, (char[]){""}, (char[]){"c'd"}, (char[]){"e"}};

static const char *make_many(size_t *used)
{
    struct iovec records[LENGTH(many)];
    for (size_t i = 0; i < LENGTH(many); i++) {
        records[i] = (struct iovec){.iov_base = many[i], .iov_len = strlen(many[i])};
    }
    struct values values = some_values(records, LENGTH(many));
    return words_make(words, state, &values, used) == FILL_DONE ? arguments() : "";
}

static void test_several(void)
{
    size_t used = 0;
    OK(UNDERSTAND("-n4", "--", "p", "x") && strcmp(make_many(&used), "p|x|a b||c'd|e") == 0 &&
           used == 4,
       "with -n records are the last arguments");
    OK(UNDERSTAND("-n4", "--", "p", "{}", "x") && strcmp(make_many(&used), "p|a b||c'd|e|x") == 0,
       "or stand where {} stands");
    OK(UNDERSTAND("-n3", "--", "p", "{#}", "{}", "{%}") &&
           strcmp(make_many(&used), "p|42|a b||c'd|3") == 0 && used == 3,
       "no more than N, and numbers beside them");
    OK(UNDERSTAND("-n9", "--shell", "--", "for x in {}; do p \"$x\"; done") &&
           strcmp(make_many(&used),
                  "/bin/sh|-c|for x in 'a b' '' 'c'\\''d' 'e'; do p \"$x\"; done") == 0,
       "in a text for the shell they are several words");
    OK(UNDERSTAND("-n9", "--shell", "--", "p") &&
           strcmp(make_many(&used), "/bin/sh|-c|p 'a b' '' 'c'\\''d' 'e'") == 0,
       "which stand at its end if there is no {}");
}

// Records of `len` bytes, all of them one.
static size_t fitting(size_t count, size_t len)
{
    char *bytes = malloc(len);
    struct iovec *records = calloc(count, sizeof(*records));
    memset(bytes, 'x', len);
    for (size_t i = 0; i < count; i++) {
        records[i] = (struct iovec){.iov_base = bytes, .iov_len = len};
    }
    struct values values = some_values(records, count);
    size_t used = 0;
    enum fill_status status = words_make(words, state, &values, &used);
    free(bytes);
    free(records);
    return status == FILL_DONE ? used : 0;
}

static void test_limits(void)
{
    static char nul[] = "a\0b";
    size_t most = 128 * KIB - 1;
    char *bytes = malloc(128 * KIB);
    memset(bytes, 'x', 128 * KIB);

    OK(UNDERSTAND("--", "p", "{}") && make(nul, 3) == FILL_NUL &&
           strstr(words_error(state, FILL_NUL), "NUL") != NULL,
       "a record with a NUL cannot be passed");
    OK(make(bytes, most) == FILL_DONE && strlen(words_arguments(state)[1]) == most,
       "one of 128 KiB less 1 can");
    OK(make(bytes, most + 1) == FILL_TOO_LONG &&
           strstr(words_error(state, FILL_TOO_LONG), "128 KiB") != NULL,
       "one of 128 KiB cannot");
    OK(make("x", 1) == FILL_DONE, "after which others can");
    OK(UNDERSTAND("--", "p", "-{}") && make(bytes, most) == FILL_TOO_LONG,
       "what stands beside it counts");
    OK(UNDERSTAND("--", "p", "{/}") && make(nul, 3) == FILL_NUL, "a NUL in a part counts");
    OK(UNDERSTAND("-C,", "--", "p", "{2}") && make("a\0,b", 4) == FILL_DONE &&
           strcmp(arguments(), "p|b") == 0,
       "a NUL in what is not passed does not");

    OK(UNDERSTAND("-n100000", "--", "p") && fitting(50000, 100) > 1 && fitting(50000, 100) < 50000,
       "with -n fewer go together where they would not fit");
    OK(fitting(3, most) >= 1, "but one at least");
    OK(fitting(1000, 10) == 1000, "all do where they fit");
    struct iovec records[] = {{bytes, 3}, {nul, 3}, {bytes, 3}};
    struct values values = some_values(records, 3);
    size_t used = 0;
    OK(words_make(words, state, &values, &used) == FILL_DONE && used == 1,
       "one that cannot be passed stands alone");
    values.records = &records[1];
    values.record_count = 2;
    OK(words_make(words, state, &values, &used) == FILL_NUL && used == 1, "and fails alone");
    OK(UNDERSTAND("-n100000", "--shell", "--", "p") && fitting(50000, 100) < 128 * KIB / 100,
       "the text for a shell is one argument");
    free(bytes);
}

static void test_no_giving_up(void)
{
    char record[100];
    memset(record, 'a', sizeof(record));
    record[sizeof(record) - 1] = 'b';
    OK(UNDERSTAND("-C", "(a|aa)+$", "--", "p", "{2}") &&
           make(record, sizeof(record)) == FILL_GAVE_UP &&
           *words_error(state, FILL_GAVE_UP) != '\0',
       "a --colsep that backtracks without end fails the record");
}

// --- refusals

struct refusal {
    const char *typed[WORDS_MAX - 1];
    const char *message; // `said` has it
};

static void test_refusals(void)
{
    static const struct refusal cases[] = {
        {{"--"}, "'--' begins a COMMAND, and there is none"},
        {{"a", "--"}, "'--' begins a COMMAND, and there is none"},
        {{"--each"}, "--each needs a COMMAND"},
        {{"-n2"}, "--max-args needs a COMMAND"},
        {{"--batch"}, "--batch needs a COMMAND"},
        {{"--shell"}, "--shell needs a COMMAND"},
        {{"-IX"}, "--replace needs a COMMAND"},
        {{"--dry-run"}, "--dry-run needs a COMMAND"},
        {{"--ok-exit=1"}, "--ok-exit needs a COMMAND"},
        {{"--binary"}, "--binary needs a COMMAND"},
        {{"--no-split"}, "--no-split needs a COMMAND"},
        {{"--timeout=1"}, "--timeout needs a COMMAND"},
        {{"--kill-after=1"}, "--kill-after needs a COMMAND"},
        {{"--keep-failed"}, "--keep-failed needs a COMMAND"},
        {{"-c", "--", "p"}, "--count and a COMMAND cannot be together"},
        {{"--batch", "--each", "--", "p"}, "--batch and --each cannot be together"},
        {{"--batch", "-n2", "--", "p"}, "--batch and --max-args cannot be together"},
        {{"-n0", "--", "p"}, "bad value '0' for --max-args (-n): allowed"},
        {{"-nx", "--", "p"}, "bad value 'x' for --max-args"},
        {{"-I", "", "--", "p"}, "bad value '' for --replace"},
        {{"-C", "", "--", "p"}, "bad value '' for --colsep"},
        {{"-C", "(a", "--", "p", "{1}"}, "--colsep"},
        {{"--ok-exit=256", "--", "p"}, "bad value '256' for --ok-exit"},
        {{"--ok-exit=", "--", "p"}, "bad value '' for --ok-exit"},
        {{"--ok-exit=0,,1", "--", "p"}, "bad value '0,,1' for --ok-exit"},
        {{"--timeout=0", "--", "p"}, "bad value '0' for --timeout"},
        {{"--timeout=x", "--", "p"}, "bad value 'x' for --timeout"},
        // -n
        {{"-n2", "--", "p", "{}", "{}"}, "there can be only one {}"},
        {{"-n2", "--", "p", "a{}"}, "there can be only one {}"},
        {{"-n2", "--", "p", "{.}"}, "there can be only {#} and {%}"},
        {{"-n2", "--", "p", "{}", "{file}"}, "there can be only {#} and {%}"},
        {{"-n2", "--", "p", "{}", "{nr}"}, "there can be only {#} and {%}"},
        {{"-n2", "-C,", "--", "p", "{1}"}, "there can be only {#} and {%}"},
        {{"-n2", "--shell", "--", "p x{}"}, "there can be only one {}"},
        // --shell
        {{"--shell", "--", "p", "{}"}, "--shell takes COMMAND as one argument, not 2"},
        {{"--shell", "--", "p '{}'"}, "remove them"},
        {{"--shell", "--", "p \"{}\""}, "remove them"},
        {{"--shell", "--", "cat <<E\n{}\nE"}, "here-document"},
        {{"--shell", "--", "p # {}"}, "a comment"},
        {{"--shell", "--", "p $'\\n' {}"}, "not clear"},
        {{"--shell", "-IX", "--", "p 'X'"}, "remove them"},
        // A placeholder in the text of a shell.
        {{"--", "sh", "-c", "p {}"}, "--shell"},
        {{"--", "sh", "-c", "p {}"}, "sh -c '… \"$1\"' sh {}"},
        {{"--", "sh", "-c", "p '{}'"}, "would run as code"},
        {{"--", "bash", "-c", "{};"}, "would run as code"},
        {{"--", "/bin/bash", "-ec", "p {/}"}, "would run as code"},
        {{"--", "env", "A=1", "sh", "-c", "p {}"}, "would run as code"},
        {{"--", "xargs", "sh", "-c", "p {}"}, "would run as code"},
        {{"-IX", "--", "sh", "-c", "p X"}, "would run as code"},
        {{"-C,", "--", "sh", "-c", "p {2}"}, "would run as code"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        bool refused = !understand(cases[i].typed);
        OK(refused && strstr(said.bytes, cases[i].message) != NULL, "refused: %s",
           cases[i].message);
    }
}

// --- showing them

static void test_showing(void)
{
    struct buf buf = {0};
    OK(UNDERSTAND("--", "p", "{}", "a b") && make("x'y", 3) == FILL_DONE &&
           words_print(words, state, &buf) == 0 && buf.len == strlen("p 'x'\"'\"'y' 'a b'") &&
           memcmp(buf.bytes, "p 'x'\"'\"'y' 'a b'", buf.len) == 0,
       "a command is shown so that sh would run it");
    buf.len = 0;
    OK(UNDERSTAND("--shell", "--", "p {} | q") && make("a b", 3) == FILL_DONE &&
           words_print(words, state, &buf) == 0 && buf.len == strlen("p 'a b' | q") &&
           memcmp(buf.bytes, "p 'a b' | q", buf.len) == 0,
       "a text for the shell as the shell gets it");
    buf.len = 0;
    OK(UNDERSTAND("--", "p", "a b{/.}") && words_count(words) == 2 &&
           words_describe(words, 1, &buf) == 0 && buf.len == strlen("'a b' {/.}") &&
           memcmp(buf.bytes, "'a b' {/.}", buf.len) == 0,
       "a word is described by its text and its placeholders");
    buf_free(&buf);
    OK(UNDERSTAND("--", "p", "{}") && strcmp(words_program(words), "p") == 0,
       "the program is the first word");
    OK(UNDERSTAND("--", "{}") && words_program(words) == NULL, "unless the record is");
    OK(UNDERSTAND("--shell", "--", "p") && strcmp(words_program(words), "/bin/sh") == 0,
       "or a shell");
}

// --- environment and programs

static const char *find(char *const *list, const char *name)
{
    for (; *list != NULL; list++) {
        if (strncmp(*list, name, strlen(name)) == 0 && (*list)[strlen(name)] == '=') {
            return *list + strlen(name) + 1;
        }
    }
    return "";
}

static void test_environment(void)
{
    setenv("PPROC_SEQ", "outer", 1);
    setenv("PPROC_TEST", "kept", 1);
    struct environment *environment = environment_create();
    struct values values = some_values(NULL, 0);
    char *const *list = environment_fill(environment, &values, 2);
    OK(strcmp(find(list, "PPROC_SEQ"), "42") == 0 && strcmp(find(list, "PPROC_NR"), "7") == 0 &&
           strcmp(find(list, "PPROC_SLOT"), "3") == 0 &&
           strcmp(find(list, "PPROC_ATTEMPT"), "2") == 0 &&
           strcmp(find(list, "PPROC_FILE"), "in.txt") == 0,
       "a child learns of its first record");
    OK(strcmp(find(list, "PPROC_TEST"), "kept") == 0 &&
           strcmp(find(list, "PATH"), getenv("PATH")) == 0,
       "and has all that we have");
    size_t same = 0;
    for (char *const *at = list; *at != NULL; at++) {
        same += strncmp(*at, "PPROC_SEQ=", 10) == 0;
    }
    OK(same == 1, "a pproc within a pproc has variables of its own");
    values.seq = 43;
    list = environment_fill(environment, &values, 1);
    OK(strcmp(find(list, "PPROC_SEQ"), "43") == 0 && strcmp(find(list, "PPROC_ATTEMPT"), "1") == 0,
       "for each attempt anew");
    environment_destroy(environment);
}

static bool finds(const char *name, const char *expected, int error)
{
    errno = 0;
    char *path = lookup_program(name);
    bool right = expected != NULL ? path != NULL && strcmp(path, expected) == 0
                                  : path == NULL && errno == error;
    free(path);
    return right;
}

static void test_lookup(void)
{
    char directory[] = "/tmp/test_words.XXXXXX";
    if (mkdtemp(directory) == NULL || chdir(directory) != 0) {
        printf("Bail out! %s: %s\n", directory, strerror(errno));
        exit(1);
    }
    char *path = strdup(getenv("PATH"));
    FILE *file = fopen("plain", "w");
    fclose(file);
    setenv("PATH", "/nowhere:/bin", 1);
    OK(finds("sh", "/bin/sh", 0), "a program is found in PATH");
    OK(finds("/bin/sh", "/bin/sh", 0), "one with a slash where it is");
    OK(finds("no-such-program", NULL, ENOENT), "one that is nowhere is not");
    OK(finds("./no-such-program", NULL, ENOENT), "nor with a slash");
    OK(finds("", NULL, ENOENT), "nor one without a name");
    OK(finds("./plain", NULL, EACCES), "a file without permission cannot be run");
    OK(finds("/bin", NULL, EISDIR), "nor a directory");
    OK(finds("./plain/x", NULL, ENOTDIR), "nothing is below a file");
    setenv("PATH", directory, 1);
    OK(finds("plain", NULL, EACCES), "what was found but cannot be run is told");
    setenv("PATH", ":/bin", 1);
    OK(finds("plain", NULL, EACCES) && finds("sh", "/bin/sh", 0),
       "an empty part of PATH is the current directory");
    setenv("PATH", path, 1);
    unlink("plain");
    rmdir(directory);
    free(path);
}

int main(void)
{
    test_renderings();
    test_parts();
    test_modes();
    test_batch();
    test_several();
    test_limits();
    test_no_giving_up();
    test_refusals();
    test_showing();
    test_environment();
    test_lookup();
    forget();
    buf_free(&said);
    return tap_done();
}
