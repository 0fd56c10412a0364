// SPDX-License-Identifier: BSD-2-Clause
// A child for tests: does what it is told, by its arguments or by the lines that it reads.
//
//     actor ACTION...        the actions, in order; an argument may hold several, between blanks
//
//   out=TEXT, err=TEXT       write TEXT and a newline; `\n`, `\t` and `\s` (a blank) in it
//   raw=TEXT                 write TEXT without a newline
//   flood=BYTES              write lines of 64 bytes, as many as make BYTES
//   flood-err=BYTES          likewise to standard error
//   exit=STATUS, kill=SIGNAL end so (SIGNAL is a number)
//   sleep=SECONDS            wait; SECONDS may have a fraction
//   hang                     wait for ever
//   ignore=SIGNAL            as if it never came
//   catch=STATUS             SIGTERM ends it with STATUS from now on
//   close=FD                 close a descriptor
//   orphan=SECONDS           leave a process behind that holds the outputs open for so long
//   daemon=SECONDS           likewise, in a session of its own
//   quiet=SECONDS            likewise in the group, with the outputs closed
//   touch=FILE               create FILE
//   pid=FILE                 write the process id into FILE; orphan and its kin have one each:
//   pids=FILE                append those of the processes that are left behind to FILE
//   fds                      write the numbers of all open descriptors, on one line
//   state                    write signal mask, ignored signals, session (1: its leader), limit of
//                            descriptors, on one line
//   env=NAME                 write the value of an environment variable
//   cat                      copy standard input
//   count                    write how many bytes standard input has
//   head=BYTES               read so many bytes of standard input
//   once=FILE                if FILE is there go on, else create it and exit with status 1
//   lines                    standard input is lines: one that begins with '!' holds actions,
//                            each other is written as it is
//   line=LINE                likewise a line that is an argument of its own, with all its blanks
//
// Each write is one write(2). A mistake in an action ends it with status 125.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MISTAKE 125
#define LINE_BYTES 64

static const char *pids_file;
static volatile int catch_status;

static void act(const char *action);

static void mistake(const char *action)
{
    fprintf(stderr, "actor: what is '%s'?\n", action);
    _exit(MISTAKE);
}

static void put(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno != EINTR) {
            _exit(MISTAKE);
        }
        if (done > 0) {
            bytes += done;
            len -= (size_t)done;
        }
    }
}

// Write the text with its escapes resolved, and `end` behind it.
static void put_text(int fd, const char *text, const char *end)
{
    char line[4096];
    size_t len = 0;
    for (; *text != '\0' && len < sizeof(line) - 2; text++) {
        char byte = *text;
        if (byte == '\\' && text[1] != '\0') {
            byte = *++text == 'n' ? '\n' : *text == 't' ? '\t' : *text == 's' ? ' ' : *text;
        }
        line[len++] = byte;
    }
    len = (size_t)(stpcpy(line + len, end) - line);
    put(fd, line, len);
}

static void flood(int fd, const char *amount)
{
    char line[LINE_BYTES + 1];
    long long left = atoll(amount);
    for (int i = 0; left > 0; i++, left -= LINE_BYTES) {
        snprintf(line, sizeof(line), "%0*d\n", LINE_BYTES - 1, i);
        put(fd, line, LINE_BYTES);
    }
}

static void wait_for(const char *seconds)
{
    double wanted = strtod(seconds, NULL);
    struct timespec time = {.tv_sec = (time_t)wanted,
                            .tv_nsec = (long)((wanted - (double)(time_t)wanted) * 1e9)};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

static void write_number(const char *file, int flags, long number)
{
    char text[32];
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC | flags, 0600);
    if (fd < 0) {
        _exit(MISTAKE);
    }
    put(fd, text, (size_t)snprintf(text, sizeof(text), "%ld\n", number));
    close(fd);
}

enum leaving { ORPHAN, DAEMON, QUIET };

static void leave_behind(enum leaving leaving, const char *seconds)
{
    pid_t pid = fork();
    if (pid < 0) {
        _exit(MISTAKE);
    }
    if (pid > 0) {
        if (pids_file != NULL) {
            write_number(pids_file, O_APPEND, pid);
        }
        return;
    }
    if (leaving == DAEMON) {
        setsid();
    } else if (leaving == QUIET) {
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
    }
    wait_for(seconds);
    _exit(0);
}

static void print_descriptors(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            printf("%d ", fd);
        }
    }
    printf("\n");
    fflush(stdout);
}

static void print_state(void)
{
    sigset_t mask;
    struct rlimit files;
    int blocked = 0, ignored = 0;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        blocked += sigismember(&mask, signal) == 1;
        ignored += sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    printf("blocked=%d ignored=%d leader=%d files=%llu\n", blocked, ignored, getsid(0) == getpid(),
           (unsigned long long)files.rlim_cur);
    fflush(stdout);
}

static void print_environment(const char *name)
{
    const char *value = getenv(name);
    put_text(STDOUT_FILENO, value != NULL ? value : "", "\n");
}

static size_t read_some(char *bytes, size_t size)
{
    ssize_t got;
    do {
        got = read(STDIN_FILENO, bytes, size);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static void copy(void)
{
    char bytes[65536];
    size_t got;
    while ((got = read_some(bytes, sizeof(bytes))) > 0) {
        put(STDOUT_FILENO, bytes, got);
    }
}

static void count(void)
{
    char bytes[65536];
    size_t got, sum = 0;
    while ((got = read_some(bytes, sizeof(bytes))) > 0) {
        sum += got;
    }
    printf("%zu\n", sum);
    fflush(stdout);
}

static void read_head(const char *amount)
{
    char byte;
    for (long left = atol(amount); left > 0 && read_some(&byte, 1) > 0; left--) {
    }
}

static void fail_once(const char *file)
{
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) {
        _exit(1);
    }
}

static void end_caught(int signal)
{
    (void)signal;
    _exit(catch_status);
}

// `line` has its newline, and a NUL behind it; the newline of a line of actions is cut off.
static void act_on_line(char *line, size_t len)
{
    if (line[0] == '!') {
        line[strcspn(line, "\n")] = '\0';
        act(line + 1);
    } else {
        put(STDOUT_FILENO, line, len);
    }
}

static void act_on_lines(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        act_on_line(line, (size_t)len);
    }
    free(line);
}

static void act_on_argument(const char *text)
{
    char *line;
    int len = asprintf(&line, "%s\n", text);
    if (len < 0) {
        _exit(MISTAKE);
    }
    act_on_line(line, (size_t)len);
    free(line);
}

// Does the action begin with `name`? *value is what follows.
static bool is(const char *action, const char *name, const char **value)
{
    size_t len = strlen(name);
    *value = action + len;
    return strncmp(action, name, len) == 0 && (name[len - 1] == '=' || action[len] == '\0');
}

static bool act_on_output(const char *action)
{
    const char *value;
    if (is(action, "out=", &value)) {
        put_text(STDOUT_FILENO, value, "\n");
    } else if (is(action, "err=", &value)) {
        put_text(STDERR_FILENO, value, "\n");
    } else if (is(action, "raw=", &value)) {
        put_text(STDOUT_FILENO, value, "");
    } else if (is(action, "flood=", &value)) {
        flood(STDOUT_FILENO, value);
    } else if (is(action, "flood-err=", &value)) {
        flood(STDERR_FILENO, value);
    } else if (is(action, "fds", &value)) {
        print_descriptors();
    } else if (is(action, "state", &value)) {
        print_state();
    } else if (is(action, "env=", &value)) {
        print_environment(value);
    } else {
        return false;
    }
    return true;
}

static bool act_on_input(const char *action)
{
    const char *value;
    if (is(action, "cat", &value)) {
        copy();
    } else if (is(action, "count", &value)) {
        count();
    } else if (is(action, "head=", &value)) {
        read_head(value);
    } else if (is(action, "lines", &value)) {
        act_on_lines();
    } else {
        return false;
    }
    return true;
}

static bool act_on_itself(const char *action)
{
    const char *value;
    if (is(action, "exit=", &value)) {
        _exit(atoi(value));
    } else if (is(action, "kill=", &value)) {
        raise(atoi(value));
    } else if (is(action, "sleep=", &value)) {
        wait_for(value);
    } else if (is(action, "hang", &value)) {
        for (;;) {
            pause();
        }
    } else if (is(action, "ignore=", &value)) {
        signal(atoi(value), SIG_IGN);
    } else if (is(action, "catch=", &value)) {
        catch_status = atoi(value);
        signal(SIGTERM, end_caught);
    } else if (is(action, "close=", &value)) {
        close(atoi(value));
    } else {
        return false;
    }
    return true;
}

static bool act_on_others(const char *action)
{
    const char *value;
    if (is(action, "orphan=", &value)) {
        leave_behind(ORPHAN, value);
    } else if (is(action, "daemon=", &value)) {
        leave_behind(DAEMON, value);
    } else if (is(action, "quiet=", &value)) {
        leave_behind(QUIET, value);
    } else if (is(action, "touch=", &value)) {
        close(open(value, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    } else if (is(action, "pid=", &value)) {
        write_number(value, O_TRUNC, getpid());
    } else if (is(action, "pids=", &value)) {
        pids_file = strdup(value);
    } else if (is(action, "once=", &value)) {
        fail_once(value);
    } else {
        return false;
    }
    return true;
}

// Do the actions in `text`, between blanks.
static void act(const char *text)
{
    char *copy_of_text = strdup(text), *rest = NULL;
    if (copy_of_text == NULL) {
        _exit(MISTAKE);
    }
    for (char *action = strtok_r(copy_of_text, " ", &rest); action != NULL;
         action = strtok_r(NULL, " ", &rest)) {
        if (!act_on_output(action) && !act_on_input(action) && !act_on_itself(action) &&
            !act_on_others(action)) {
            mistake(action);
        }
    }
    free(copy_of_text);
}

int main(int argc, char **argv)
{
    const char *line;
    for (int i = 1; i < argc; i++) {
        if (is(argv[i], "line=", &line)) {
            act_on_argument(line);
        } else {
            act(argv[i]);
        }
    }
    return 0;
}
