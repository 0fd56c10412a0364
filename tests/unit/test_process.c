// SPDX-License-Identifier: BSD-2-Clause
// Processes: what they are given, what they leave, how they end.

#include "command/process.h"

#include "base/clock.h"
#include "children.h"
#include "command/child_table.h"

#include <pthread.h>

#define MS CLOCK_MILLISECOND

// Bytes that a process may keep in memory, and of a buffer of the pool.
#define SHARE ((size_t)64 * 1024)
#define USUAL ((size_t)256 * 1024)

static int another; // a descriptor as if we had inherited it
static struct block_pool *pool;
static struct process_config config;
static struct process *process;

// Run a program with up to three words.
static enum process_end run_words(const char *path, const char *const words[3], struct iovec *input,
                                  size_t count)
{
    const char *argv[] = {words[0], words[1], words[2], NULL};
    struct process_job job = {.path = path,
                              .argv = (char *const *)argv,
                              .envp = environ,
                              .input = input,
                              .input_count = count};
    return process_run(process, &job);
}

// Run the actor with an action or two.
static enum process_end run_with(struct iovec *input, size_t count, const char *first,
                                 const char *second)
{
    return run_words(actor, (const char *[]){"actor", first, second}, input, count);
}

static enum process_end run_shell(const char *script)
{
    return run_words("/bin/sh", (const char *[]){"sh", "-c", script}, NULL, 0);
}

static enum process_end run_actor(const char *actions)
{
    return run_with(NULL, 0, actions, NULL);
}

// Is that all that the process wrote? `expected` may be longer than what fits in memory.
static bool wrote(const char *expected)
{
    char tail[4096];
    size_t len = process_output_tail(process, tail, sizeof(tail));
    return len == strlen(expected) && memcmp(tail, expected, len) == 0;
}

static bool complained(const char *expected)
{
    char tail[4096];
    size_t len = process_error_tail(process, tail, sizeof(tail));
    return len == strlen(expected) && memcmp(tail, expected, len) == 0;
}

static void begin_with(size_t share)
{
    process_destroy(process);
    config = (struct process_config){
        .origin = &origin,
        .table = child_table_create(),
        .spill = spill,
        .null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
        .pool = pool,
        .share = share,
        .kill_after = 100 * MS,
    };
    statuses_parse(&config.ok_exit, "0", 1);
    process = process_create(&config);
}

static void begin(void)
{
    begin_with(SHARE);
}

static void end(void)
{
    process_destroy(process);
    process = NULL;
    child_table_destroy(config.table);
    close(config.null_fd);
}

static void test_ends(void)
{
    begin();
    OK(run_actor("out=hello raw=world") == PROCESS_SUCCEEDED, "a process succeeds");
    OK(wrote("hello\nworld"), "its output is there");
    OK(process_status(process) == 0 && process_signal(process) == 0, "so is its status");
    OK(process_time(process) > 0 && process_time(process) < 60 * CLOCK_SECOND, "and its time");

    hide_stderr();
    enum process_end failed = run_actor("out=o err=e exit=7");
    char *said = show_stderr();
    OK(failed == PROCESS_EXITED && process_status(process) == 7, "one fails by its exit status");
    OK(wrote("o\n") && complained("e\n"), "what it wrote last can be had");
    OK(strcmp(said, "e\n") == 0, "its standard error has passed through");
    free(said);

    OK(run_actor("kill=9") == PROCESS_SIGNALLED && process_signal(process) == SIGKILL &&
           process_status(process) == -1,
       "one dies of a signal");
    OK(run_actor("kill=11") == PROCESS_SIGNALLED && process_signal(process) == SIGSEGV,
       "and of another");
    OK(run_actor("exit=255") == PROCESS_EXITED && process_status(process) == 255,
       "255 is a status like any other");
    config.ok_exit.bits[0] |= 1 << 1;
    OK(run_actor("exit=1") == PROCESS_SUCCEEDED, "a status of success is what is said to be one");
    end();
}

static void test_start(void)
{
    begin();
    const char *words[3] = {"nothing", NULL, NULL};
    OK(run_words("/nonexistent", words, NULL, 0) == PROCESS_NOT_STARTED && errno == ENOENT,
       "a program that is not there cannot be started");
    OK(process_status(process) == -1 && process_signal(process) == 0, "and has no status");
    OK(run_words("/", words, NULL, 0) == PROCESS_NOT_STARTED && errno == EACCES,
       "a directory cannot be started");
    OK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "nothing is left of them");

    char script[300];
    snprintf(script, sizeof(script), "%s/script", scratch);
    int fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    const char text[] = "echo \"$1\"\n";
    OK(write(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0, "(a script)");
    words[1] = "a b";
    OK(run_words(script, words, NULL, 0) == PROCESS_SUCCEEDED && wrote("a b\n"),
       "a script without an interpreter is the shell's");

    size_t size = 256 * 1024;
    char *large = malloc(size);
    memset(large, 'x', size - 1);
    large[size - 1] = '\0';
    OK(run_actor(large) == PROCESS_NOT_STARTED && errno == E2BIG,
       "an argument that is too long is told");
    free(large);
    end();
}

// The descriptors that a child inherits, as the actor writes them.
static const char *inherited(void)
{
    static char text[4096];
    size_t len = 0;
    for (int fd = 0; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && (fd <= 2 || (flags & FD_CLOEXEC) == 0)) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ", fd);
        }
    }
    snprintf(text + len, sizeof(text) - len, "\n");
    return text;
}

static void test_surroundings(void)
{
    begin();
    OK(run_actor("fds") == PROCESS_SUCCEEDED && wrote(inherited()),
       "a process has the three descriptors and those that we inherited");
    const char *expected = inherited();
    int own = fcntl(another, F_DUPFD, another);
    OK(run_actor("fds") == PROCESS_SUCCEEDED && wrote(expected),
       "but none that we opened since then");
    close(own);

    char state[128];
    snprintf(state, sizeof(state), "blocked=0 ignored=0 leader=1 files=%llu\n",
             (unsigned long long)origin.files.rlim_cur);
    OK(run_actor("state") == PROCESS_SUCCEEDED && wrote(state),
       "no blocked or ignored signals, a session of its own, the old limit of descriptors");
    OK(run_actor("count") == PROCESS_SUCCEEDED && wrote("0\n"), "its input is empty");
    end();
}

// As if many processes ran at once.
static void test_many(void)
{
    const struct child_origin few = origin;
    child_origin_init(&origin, 1000);
    int fd = dup(another), aside = child_put_aside(&origin, fd);
    OK(aside > fd + 100 && fcntl(fd, F_GETFD) < 0 && fcntl(aside, F_GETFD) == FD_CLOEXEC,
       "among many processes, what is ours is put where they do not copy it");
    close(aside);
    test_surroundings();
    origin = few;
}

// A filter that gets many bytes.
static void test_input(void)
{
    begin();
    enum { PIECES = 3000, PIECE = 1000 };
    static char piece[PIECE];
    struct iovec *iov = calloc(PIECES, sizeof(*iov));
    memset(piece, 'x', sizeof(piece));

    for (size_t i = 0; i < PIECES; i++) {
        iov[i] = (struct iovec){piece, PIECE};
    }
    OK(run_with(iov, PIECES, "count", NULL) == PROCESS_SUCCEEDED && wrote("3000000\n"),
       "a filter gets all of its input");
    for (size_t i = 0; i < PIECES; i++) {
        iov[i] = (struct iovec){piece, PIECE};
    }
    OK(run_with(iov, PIECES, "cat", NULL) == PROCESS_SUCCEEDED, "one that writes meanwhile, too");
    struct result result = {0};
    OK(capture_finish(process_output(process), &result) == 0 && result.own_len == PIECES * PIECE &&
           result.extent_count == 1 && result.extents[0].len == PIECES * PIECE,
       "its output beyond the share of memory is on disk, as one piece");
    result_drop_output(&result);

    for (size_t i = 0; i < PIECES; i++) {
        iov[i] = (struct iovec){piece, PIECE};
    }
    OK(run_with(iov, PIECES, "head=10", "out=enough") == PROCESS_SUCCEEDED && wrote("enough\n"),
       "one that reads only the beginning succeeds");
    for (size_t i = 0; i < PIECES; i++) {
        iov[i] = (struct iovec){piece, PIECE};
    }
    OK(run_with(iov, PIECES, "close=0", "sleep=0.1") == PROCESS_SUCCEEDED,
       "so does one that closes its input");
    free(iov);
    end();
}

// The output of a process that writes that many lines of 64 bytes, in memory.
static struct result output_of(size_t lines)
{
    struct result result = {0};
    char actions[64], last[65];
    snprintf(actions, sizeof(actions), "flood=%zu", lines * 64);
    snprintf(last, sizeof(last), "%063zu\n", lines - 1);
    OK(run_actor(actions) == PROCESS_SUCCEEDED &&
           capture_finish(process_output(process), &result) == 0 && result.own_len == lines * 64 &&
           memcmp(result.own + result.own_len - 64, last, 64) == 0,
       "%zu lines of output are in memory", lines);
    return result;
}

static void test_memory(void)
{
    begin_with(4 * USUAL);
    struct result first = output_of(3000);
    OK(first.own_pool == NULL, "as long as it is not known how much comes, in memory that grows");
    result_drop_output(&first);

    struct result result = output_of(2500);
    OK(result.own_pool == pool && result.own_cap == USUAL,
       "after an output of the size of a block in that of one, which it counts as");
    const char *own = result.own;
    result_drop_output(&result);
    result = output_of(2600);
    OK(result.own_pool == pool && result.own == own, "which the next one takes");
    result_drop_output(&result);

    result = output_of(5000);
    OK(result.own_pool == NULL, "one that is too long for it moves on");
    result_drop_output(&result);
    first = output_of(3000);
    result_drop_output(&first);
    result = output_of(10);
    OK(result.own_pool == NULL, "one of a few bytes does not keep it");
    result_drop_output(&result);

    struct block *block = block_create(pool, 0);
    OK(block != NULL && block->buf == own, "the memory is there for blocks again");
    block_destroy(pool, block);
    end();
}

static void test_tails(void)
{
    begin();
    char tail[4096], last[65];
    snprintf(last, sizeof(last), "%063d\n", 200000 / 64 - 1);
    OK(run_actor("flood=200000 exit=1") == PROCESS_EXITED &&
           process_output_tail(process, tail, sizeof(tail)) == sizeof(tail) &&
           memcmp(tail + sizeof(tail) - 64, last, 64) == 0,
       "the last 4 KiB of an output on disk can be had");
    OK(run_actor("flood=100 exit=1") == PROCESS_EXITED &&
           process_output_tail(process, tail, sizeof(tail)) == 128,
       "and what there is of a short one");

    hide_stderr();
    enum process_end ended = run_actor("flood-err=200000 exit=1");
    char *said = show_stderr();
    OK(ended == PROCESS_EXITED && process_error_tail(process, tail, sizeof(tail)) == sizeof(tail) &&
           memcmp(tail + sizeof(tail) - 64, last, 64) == 0,
       "the last 4 KiB of standard error can be had");
    OK(strlen(said) == 200000, "though all of it has passed");
    free(said);
    end();
}

static void test_relay(void)
{
    begin();
    hide_stderr();
    run_actor("err=a sleep=0.1 err=b");
    char *said = show_stderr();
    OK(strcmp(said, "a\nb\n") == 0, "lines of standard error come together");
    free(said);

    // From a thread of ours the file would have to be looked at: so the child looks.
    char look[1200];
    snprintf(look, sizeof(look),
             "test -s '%s/stderr' && echo early; echo b >&2; i=0; "
             "until test -s '%s/stderr' || test $i = 600; do sleep 0.1; i=$((i + 1)); done; "
             "test -s '%s/stderr' && echo late",
             scratch, scratch, scratch);
    hide_stderr();
    run_shell(look);
    said = show_stderr();
    OK(wrote("late\n"), "of one that takes long they come before its end, after 2 s");
    OK(strcmp(said, "b\n") == 0, "and once only");
    free(said);

    hide_stderr();
    run_shell("printf 'no newline' >&2; exit 1");
    said = show_stderr();
    OK(strcmp(said, "no newline\n") == 0, "a line without its newline gets one");
    OK(complained("no newline"), "but not where its own words count");
    free(said);
    end();
}

static int64_t took(enum process_end expected, const char *actions)
{
    int64_t start = clock_now();
    bool held = run_actor(actions) == expected;
    return held ? clock_now() - start : -1;
}

static void test_timeout(void)
{
    begin();
    config.timeout = CLOCK_SECOND; // by then it does what it is told to, on a busy machine too
    OK(took(PROCESS_TIMED_OUT, "hang") >= CLOCK_SECOND, "a process that hangs is ended");
    OK(process_signal(process) == SIGTERM, "by SIGTERM");
    OK(took(PROCESS_TIMED_OUT, "ignore=15 hang") >= CLOCK_SECOND + 100 * MS,
       "one that does not mind that, too");
    OK(process_signal(process) == SIGKILL, "by SIGKILL");
    OK(run_actor("catch=0 hang") == PROCESS_TIMED_OUT && process_status(process) == 0,
       "a success that comes with SIGTERM is none");
    OK(run_actor("kill=19") == PROCESS_TIMED_OUT && process_signal(process) == SIGTERM,
       "one that is stopped gets SIGTERM");
    config.timeout = 60 * CLOCK_SECOND;
    OK(run_actor("out=x") == PROCESS_SUCCEEDED, "a timeout that does not come changes nothing");
    end();
}

static void test_left_behind(void)
{
    begin();
    char actions[400], file[300];
    snprintf(file, sizeof(file), "%s/pids", scratch);

    snprintf(actions, sizeof(actions), "pids=%s orphan=3600 out=x", file);
    hide_stderr();
    int64_t ns = took(PROCESS_SUCCEEDED, actions);
    run_actor("orphan=2 out=x");
    char *said = show_stderr();
    OK(ns >= CLOCK_SECOND && ns < 3000 * CLOCK_SECOND && wrote("x\n"),
       "an output that is held open is read for 1 s more");
    OK(is_one_message(said), "which is told, once");
    free(said);
    OK(is_left(file) && kill_left(file), "after success it is left alone");

    snprintf(actions, sizeof(actions), "pids=%s orphan=3600 exit=1", file);
    OK(run_actor(actions) == PROCESS_EXITED && is_gone(file), "after failure it is killed");
    unlink(file);
    snprintf(actions, sizeof(actions), "pids=%s quiet=3600 exit=1", file);
    OK(run_actor(actions) == PROCESS_EXITED && is_gone(file), "also if it holds nothing open");
    unlink(file);
    config.timeout = CLOCK_SECOND;
    snprintf(actions, sizeof(actions), "pids=%s ignore=15 orphan=3600 catch=0 hang", file);
    OK(run_actor(actions) == PROCESS_TIMED_OUT && is_gone(file), "and after a timeout");
    end();
}

static void *end_soon(void *arg)
{
    while (access(arg, F_OK) != 0) {
        usleep(1000);
    }
    child_table_end(config.table, SIGTERM);
    return NULL;
}

static void test_end(void)
{
    begin();
    char file[300], actions[400];
    snprintf(file, sizeof(file), "%s/started", scratch);
    snprintf(actions, sizeof(actions), "catch=0 touch=%s hang", file);
    pthread_t thread;
    pthread_create(&thread, NULL, end_soon, file);
    OK(run_actor(actions) == PROCESS_ENDED, "a process is ended with all others");
    pthread_join(thread, NULL);
    OK(run_actor("out=x") == PROCESS_ENDED, "and none is started from then on");
    end();
}

// The limit of descriptors lets only one run at a time.
static void *run_one(void *arg)
{
    struct process *own = process_create(&config);
    const char *argv[] = {"actor", "sleep=0.05", "out=x", NULL};
    struct process_job job = {.path = actor, .argv = (char *const *)argv, .envp = environ};
    for (int i = 0; i < 5; i++) {
        *(bool *)arg &= process_run(own, &job) == PROCESS_SUCCEEDED;
    }
    process_destroy(own);
    return NULL;
}

static void test_few_descriptors(void)
{
    begin();
    struct rlimit old, few;
    getrlimit(RLIMIT_NOFILE, &old);
    int next = dup(STDIN_FILENO);
    close(next);
    few = old;
    few.rlim_cur = (rlim_t)next + 8; // one needs five at once
    pthread_t threads[4];
    bool held[4] = {true, true, true, true};
    hide_stderr();
    setrlimit(RLIMIT_NOFILE, &few);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, run_one, &held[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    setrlimit(RLIMIT_NOFILE, &old);
    char *said = show_stderr();
    OK(held[0] && held[1] && held[2] && held[3], "with few descriptors fewer run at a time");
    OK(is_one_message(said), "which is told, once: %s", said);
    free(said);
    end();
}

static void test_statuses(void)
{
    struct statuses statuses = {0};
    OK(statuses_parse(&statuses, "28", 2) == 0 && statuses_parse(&statuses, "5-7,", 3) == 0 &&
           statuses_parse(&statuses, "255", 3) == 0,
       "statuses are read");
    OK(statuses_have(&statuses, 28) && statuses_have(&statuses, 5) && statuses_have(&statuses, 7) &&
           statuses_have(&statuses, 255) && !statuses_have(&statuses, 4) &&
           !statuses_have(&statuses, 8) && !statuses_have(&statuses, 0),
       "those and no others");
    const char *bad[] = {"", "256", "-1", "1-", "2-1", "x", "1x", "0x1", "1-2-3", "00000001"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(statuses_parse(&statuses, bad[i], strlen(bad[i])) != 0, "'%s' is none", bad[i]);
    }
}

int main(void)
{
    another = fcntl(STDIN_FILENO, F_DUPFD, 50); // before it is looked what is inherited
    if (children_begin("test_process") != 0) {
        return 99;
    }
    pool = block_pool_create(USUAL, 1);
    if (pool == NULL) {
        return 99;
    }

    test_statuses();
    test_ends();
    test_start();
    test_surroundings();
    test_many();
    test_input();
    test_memory();
    test_tails();
    test_relay();
    test_timeout();
    test_left_behind();
    test_end();
    test_few_descriptors();

    block_pool_destroy(pool);
    children_end();
    return tap_done();
}
