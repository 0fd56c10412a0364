// SPDX-License-Identifier: BSD-2-Clause
// What tests that start children share: the actor, a directory, the table of children, what went to
// standard error.

#ifndef PPROC_TESTS_UNIT_CHILDREN_H
#define PPROC_TESTS_UNIT_CHILDREN_H

#include "base/clock.h"
#include "command/child.h"
#include "command/process.h"
#include "output/spill.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char actor[4096];  // the program of tests/helper
static char scratch[256]; // a directory for its files
static struct child_origin origin;
static struct spill *spill;
static int hidden_stderr;

// Once, before all. Returns 0, or -1.
static inline int children_begin(const char *test)
{
    const char *builddir = getenv("builddir");
    snprintf(actor, sizeof(actor), "%s/tests/helper/actor", builddir != NULL ? builddir : ".");
    const char *tmpdir = getenv("TMPDIR");
    snprintf(scratch, sizeof(scratch), "%s/%s.XXXXXX", tmpdir != NULL ? tmpdir : "/tmp", test);
    if (mkdtemp(scratch) == NULL) {
        return -1;
    }
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, NULL);
    signal(SIGUSR1, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child_origin_init(&origin, 1);
    spill = spill_create(scratch);
    return spill != NULL ? 0 : -1;
}

// Once, behind all.
static inline void children_end(void)
{
    spill_destroy(spill);
    char command[300];
    snprintf(command, sizeof(command), "rm -r '%s'", scratch);
    OK(system(command) == 0, "nothing but the files of the test is left");
}

// Take what goes to our standard error meanwhile.
static inline void hide_stderr(void)
{
    char file[300];
    snprintf(file, sizeof(file), "%s/stderr", scratch);
    fflush(stderr);
    hidden_stderr = dup(STDERR_FILENO);
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

// Give it back, and say what it was; the memory is the caller's.
static inline char *show_stderr(void)
{
    struct stat status;
    fstat(STDERR_FILENO, &status);
    char *text = calloc(1, (size_t)status.st_size + 1);
    if (pread(STDERR_FILENO, text, (size_t)status.st_size, 0) != status.st_size) {
        text[0] = '\0';
    }
    dup2(hidden_stderr, STDERR_FILENO);
    close(hidden_stderr);
    return text;
}

// Is it one line of ours?
static inline bool is_one_message(const char *said)
{
    const char *end = strchr(said, '\n');
    return strncmp(said, "pproc: ", 7) == 0 && end != NULL && end[1] == '\0';
}

// The process whose id is in the file, or 0.
static inline pid_t left_process(const char *file)
{
    FILE *stream = fopen(file, "r");
    int pid = 0;
    if (stream == NULL || fscanf(stream, "%d", &pid) != 1) {
        pid = 0;
    }
    if (stream != NULL) {
        fclose(stream);
    }
    return pid;
}

static inline bool is_left(const char *file)
{
    pid_t pid = left_process(file);
    return pid > 0 && kill(pid, 0) == 0;
}

// Is it gone, within a moment?
static inline bool is_gone(const char *file)
{
    pid_t pid = left_process(file);
    for (int i = 0; pid > 0 && i < 60000; i++) {
        waitpid(pid, NULL, WNOHANG); // we are its reaper
        if (kill(pid, 0) != 0 && errno == ESRCH) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

// End it, and forget it.
static inline bool kill_left(const char *file)
{
    pid_t pid = left_process(file);
    bool killed = pid > 0 && kill(pid, SIGKILL) == 0 && is_gone(file);
    unlink(file);
    return killed;
}

// From now on it is so much later, without a wait.
static inline void skip_time(int64_t ns)
{
    atomic_fetch_sub(&clock_stopped, ns);
}

#endif
