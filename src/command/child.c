// SPDX-License-Identifier: BSD-2-Clause
// Starting and reaping of children.

#include "command/child.h"

#include "base/thread.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// What the child runs on until it is its program.
#define STACK_BYTES ((size_t)64 * 1024)

// A child gets a copy of the table of descriptors, and closes what it must not inherit: where many
// live at once that would soon be most of what a start costs. Then it shares the table first, and
// copies only the front of it: that has what it inherits, and room for ends of pipes that are
// children's, while ours are put behind it.
#define MANY 32
#define FRONT 256
#define DESCRIPTORS 5 // that one child has us keep open, at most

// The thread sanitizer does in the child of a clone what a fork wants: then it has to be one.
#ifdef __SANITIZE_THREAD__
#define SHARE_MEMORY 0
#else
#define SHARE_MEMORY CLONE_VM
#endif

// Where the child tells why it could not start. Shared memory: valgrind makes a fork of a vfork.
struct child_stack {
    const struct child_origin *origin;
    const struct child_program *program;
    int error;
};

// The system lists descriptors in ascending order. What lies between those that programs are to
// inherit is ours, or will be.
static void find_own(struct child_origin *origin)
{
    const size_t most = sizeof(origin->own) / sizeof(origin->own[0]);
    unsigned first = STDERR_FILENO + 1;
    DIR *dir = opendir("/proc/self/fd");
    origin->own_count = 0;
    if (dir == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        unsigned fd = (unsigned)strtoul(entry->d_name, NULL, 10); // of "." and ".." 0
        if (fd < first || (fcntl((int)fd, F_GETFD) & FD_CLOEXEC) != 0) {
            continue;
        }
        if (fd > first && origin->own_count < most - 1) {
            origin->own[origin->own_count++] = (struct child_range){first, fd - 1};
        }
        first = fd + 1;
    }
    closedir(dir);
    origin->own[origin->own_count++] = (struct child_range){first, UINT_MAX};
}

// The table takes its full size at once: later, all threads would be held up each time it grows.
static void set_aside(struct child_origin *origin, unsigned children)
{
    origin->aside = 0;
    bool may_close = close_range(UINT_MAX, UINT_MAX, 0) == 0; // not in some containers
    if (children < MANY || origin->own_count == 0 || !may_close) {
        return;
    }
    origin->aside = (int)origin->own[origin->own_count - 1].first + FRONT;
    int last = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, origin->aside + (int)children * DESCRIPTORS);
    if (last >= 0) {
        close(last);
    }
}

void child_origin_init(struct child_origin *origin, unsigned children)
{
    origin->pid = getpid();
    find_own(origin);
    sigemptyset(&origin->ignored);
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            sigaddset(&origin->ignored, signal);
        }
    }
    if (getrlimit(RLIMIT_NOFILE, &origin->files) == 0) {
        struct rlimit most = {origin->files.rlim_max, origin->files.rlim_max};
        (void)setrlimit(RLIMIT_NOFILE, &most);
    }
    set_aside(origin, children);
}

int child_put_aside(const struct child_origin *origin, int fd)
{
    int aside = origin->aside > 0 ? fcntl(fd, F_DUPFD_CLOEXEC, origin->aside) : -1;
    if (aside < 0) {
        return fd; // it does no harm, but takes time
    }
    close(fd);
    return aside;
}

struct child_stack *child_stack_create(void)
{
    void *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return stack != MAP_FAILED ? stack : NULL;
}

void child_stack_destroy(struct child_stack *stack)
{
    if (stack != NULL) {
        munmap(stack, STACK_BYTES);
    }
}

static void reset_signals(const struct child_origin *origin)
{
    const struct sigaction action = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) {
        if (sigismember(&origin->ignored, signal) == 1) {
            (void)sigaction(signal, &action, NULL);
        }
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

// The table of descriptors is shared with us: take a copy of what is needed.
static int leave_table(const struct child_origin *origin, const struct child_program *program)
{
    int last = (int)origin->own[origin->own_count - 1].first - 1; // that is inherited
    last = program->input > last ? program->input : last;
    last = program->output > last ? program->output : last;
    last = program->error > last ? program->error : last;
    return close_range((unsigned)last + 1, UINT_MAX, CLOSE_RANGE_UNSHARE);
}

// They would be closed anyway, but not before the program is loaded, and so long nobody would see
// the end of what other children write.
static void close_own(const struct child_origin *origin)
{
    for (size_t i = 0; i < origin->own_count; i++) {
        (void)close_range(origin->own[i].first, origin->own[i].last, 0);
    }
}

// In the child: become the program. Returns only on failure, with errno set.
static void become(const struct child_origin *origin, const struct child_program *program)
{
    if (origin->aside > 0 && leave_table(origin, program) != 0) {
        return;
    }
    if (dup2(program->input, STDIN_FILENO) < 0 || dup2(program->output, STDOUT_FILENO) < 0 ||
        dup2(program->error, STDERR_FILENO) < 0) {
        return;
    }
    close_own(origin);
    // Not setpgid(): a background group that touches the terminal would stop for ever.
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return;
    }
    if (getppid() != origin->pid) {
        errno = ESRCH; // too late to be told of its death
        return;
    }
    if (setrlimit(RLIMIT_NOFILE, &origin->files) != 0) {
        return;
    }
    reset_signals(origin);
    execve(program->path, program->argv, program->envp);
}

static int child_main(void *arg)
{
    struct child_stack *stack = arg;
    become(stack->origin, stack->program);
    stack->error = errno;
    _exit(127);
}

int child_start(struct child *child, struct child_stack *stack, const struct child_origin *origin,
                const struct child_program *program)
{
    *stack = (struct child_stack){.origin = origin, .program = program};
    child->pidfd = -1;
    int flags = SHARE_MEMORY | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    flags |= origin->aside > 0 ? CLONE_FILES : 0;
    child->pid = clone(child_main, (char *)stack + STACK_BYTES, flags, stack, &child->pidfd);
    if (child->pid < 0) {
        return -1;
    }
    if (stack->error != 0) {
        child_reap(child);
        errno = stack->error;
        return -1;
    }
    child->pidfd = child_put_aside(origin, child->pidfd);
    return 0;
}

int child_status(const struct child *child)
{
    siginfo_t info;
    int rc;
    do {
        rc = waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOWAIT);
    } while (rc != 0 && errno == EINTR);
    assert(rc == 0);
    return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

void child_reap(struct child *child)
{
    pid_t pid;
    do {
        pid = waitpid(child->pid, NULL, 0);
    } while (pid < 0 && errno == EINTR);
    assert(pid == child->pid);
    close(child->pidfd);
    child->pidfd = -1;
}
