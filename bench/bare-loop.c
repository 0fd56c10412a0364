// SPDX-License-Identifier: BSD-2-Clause
// bare-loop PROGRAM: runs PROGRAM for each line of standard input, its argument; two at once.
//
// Does what pproc promises of processes that write little, and nothing else: their output is taken
// on pipes, they have a session of their own and die with us, and they inherit nothing.

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct loop {
    char *argv[3];
    int output[2], error[2]; // pipes
    char stack[16 * 1024];   // of the process until it is PROGRAM
};

static const char *program;
static int null_fd;

static int become(void *arg)
{
    struct loop *loop = arg;
    if (dup2(null_fd, 0) >= 0 && dup2(loop->output[1], 1) >= 0 && dup2(loop->error[1], 2) >= 0 &&
        close_range(3, ~0U, 0) == 0 && setsid() > 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) {
        execv(program, loop->argv);
    }
    _exit(127);
}

// Of a process that has ended.
static void pass(int from, int to)
{
    char bytes[64 * 1024];
    ssize_t len = read(from, bytes, sizeof(bytes));
    if (len < 0 || write(to, bytes, (size_t)len) != len || close(from) != 0) {
        err(1, "what %s wrote", program);
    }
}

static void run(struct loop *loop)
{
    int pidfd, status, flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    if (pipe2(loop->output, O_CLOEXEC) != 0 || pipe2(loop->error, O_CLOEXEC) != 0) {
        err(1, "pipes");
    }
    pid_t pid = clone(become, loop->stack + sizeof(loop->stack), flags, loop, &pidfd);
    close(loop->output[1]);
    close(loop->error[1]);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    if (pid < 0 || poll(&end, 1, -1) != 1 || waitpid(pid, &status, 0) != pid || status != 0) {
        errx(1, "%s failed", program);
    }
    close(pidfd);
    pass(loop->output[0], STDOUT_FILENO);
    pass(loop->error[0], STDERR_FILENO);
}

static void *loop_main(void *unused)
{
    struct loop loop = {.argv = {(char *)program}};
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&loop.argv[1], &size, stdin)) > 0) {
        loop.argv[1][len - 1] = '\0';
        run(&loop);
    }
    free(loop.argv[1]);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t other;
    program = argv[argc - 1];
    null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (argc != 2 || null_fd < 0 || pthread_create(&other, NULL, loop_main, NULL) != 0) {
        errx(2, "usage: bare-loop PROGRAM");
    }
    loop_main(NULL);
    return pthread_join(other, NULL);
}
