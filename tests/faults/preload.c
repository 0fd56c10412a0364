// SPDX-License-Identifier: BSD-2-Clause
// A library for LD_PRELOAD that makes calls of the system fail, as the environment says:
//
//   FAULT_BYTES=N        read, write and their kin move at most N bytes a call
//   FAULT_EINTR=K        every K-th call of them, and of poll and ppoll, fails with EINTR
//   FAULT_EAGAIN=K       every K-th call of them on descriptors 0, 1 and 2 fails with EAGAIN
//   FAULT_READ=E:N       reads of descriptor 0 and of files fail with E after N bytes in all
//   FAULT_WRITE=E:N      writes to descriptor 1 fail with E after N bytes in all
//   FAULT_APPEND=E:N     likewise writes to files that are opened for appending
//   FAULT_SPILL=E:N      likewise pwrite, to whatever file
//   FAULT_CLOSE=E        closing descriptor 1 fails with E
//   FAULT_TMPFILE=1      files without a name (O_TMPFILE) are not supported
//   FAULT_MALLOC=N       the N-th call of malloc or its kin fails; with N+ all that follow, too
//   FAULT_THREAD=N       likewise pthread_create
//   FAULT_PIPE=K         every K-th call of pipe2 fails with EMFILE
//   FAULT_CLONE=K        every K-th call of clone fails with EAGAIN
//   FAULT_CHILDREN=N     clone fails with EAGAIN while N children are not waited for
//   FAULT_LEAP=S         a clone that fails, and being stopped by SIGTSTP, puts the monotonic clock
//                        forward by S seconds
//   FAULT_FORK=N         the N-th call of fork fails with EAGAIN; with N+ all that follow, too
//   FAULT_MARK=FILE      is created when something was made to fail or cut short
//
// E is EIO or ENOSPC. Calls are counted from the start of main, by all threads together. I/O on
// what is no file, pipe, socket or device (an eventfd, say) is left alone.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The function of that name which this library hides.
#define REAL(name)                                                                                 \
    ({                                                                                             \
        static typeof(&name) real_;                                                                \
        if (real_ == NULL) {                                                                       \
            *(void **)&real_ = dlsym(RTLD_NEXT, #name);                                            \
        }                                                                                          \
        real_;                                                                                     \
    })

typedef int main_function(int argc, char **argv, char **envp);

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

// Every n-th call.
struct every {
    unsigned long n;
    atomic_ulong calls;
};

// The n-th call, and perhaps all that follow.
struct nth {
    unsigned long n;
    bool onwards;
    atomic_ulong calls;
};

// An error once `limit` bytes were moved.
struct after {
    int error; // 0: never
    size_t limit;
    atomic_size_t moved;
};

static size_t max_bytes; // 0: any number
static struct every eintr, eagain, pipes, clones;
static struct after reads, writes, appends, spills;
static int close_error;
static struct nth mallocs, threads, forks;
static unsigned long max_children; // 0: any number
static atomic_ulong children;
static unsigned long leap; // seconds
static atomic_ulong leapt; // in all
static bool no_tmpfile;
static const char *mark_file;

static main_function *real_main;
static atomic_bool running; // main has begun

static void mark(void)
{
    static atomic_bool marked;
    if (mark_file != NULL && !atomic_exchange(&marked, true)) {
        int saved = errno;
        int fd = open(mark_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0) {
            REAL(close)(fd);
        }
        errno = saved;
    }
}

static int fail(int error)
{
    mark();
    errno = error;
    return -1;
}

static bool every_hits(struct every *every)
{
    return running && every->n > 0 && ++every->calls % every->n == 0;
}

static bool nth_hits(struct nth *nth)
{
    if (!running || nth->n == 0) {
        return false;
    }
    unsigned long call = ++nth->calls;
    bool hit = call == nth->n || (nth->onwards && call > nth->n);
    if (hit) {
        mark();
    }
    return hit;
}

// The environment: a bad value ends the program, or a test would test nothing.

static void bad_value(const char *name, const char *value)
{
    fprintf(stderr, "preload: bad value %s=%s\n", name, value);
    _exit(99);
}

static unsigned long parse_number(const char *name, const char *value, const char *text,
                                  const char *tail)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || strcmp(end, tail) != 0) {
        bad_value(name, value);
    }
    return number;
}

static unsigned long env_number(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? parse_number(name, value, value, "") : 0;
}

static struct nth env_nth(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        return (struct nth){0};
    }
    bool onwards = strchr(value, '+') != NULL;
    return (struct nth){.n = parse_number(name, value, value, onwards ? "+" : ""),
                        .onwards = onwards};
}

// The error that `value` begins with; *rest is what follows.
static int parse_error(const char *name, const char *value, const char **rest)
{
    if (strncmp(value, "EIO", 3) == 0) {
        *rest = value + 3;
        return EIO;
    }
    if (strncmp(value, "ENOSPC", 6) == 0) {
        *rest = value + 6;
        return ENOSPC;
    }
    bad_value(name, value);
    return 0;
}

static struct after env_after(const char *name)
{
    const char *value = getenv(name), *rest;
    if (value == NULL) {
        return (struct after){0};
    }
    int error = parse_error(name, value, &rest);
    if (*rest != ':') {
        bad_value(name, value);
    }
    return (struct after){.error = error, .limit = parse_number(name, value, rest + 1, "")};
}

static int env_error(const char *name)
{
    const char *value = getenv(name), *rest;
    return value != NULL ? parse_error(name, value, &rest) : 0;
}

static int start(int argc, char **argv, char **envp)
{
    max_bytes = env_number("FAULT_BYTES");
    eintr = (struct every){.n = env_number("FAULT_EINTR")};
    eagain = (struct every){.n = env_number("FAULT_EAGAIN")};
    reads = env_after("FAULT_READ");
    writes = env_after("FAULT_WRITE");
    appends = env_after("FAULT_APPEND");
    spills = env_after("FAULT_SPILL");
    close_error = env_error("FAULT_CLOSE");
    no_tmpfile = getenv("FAULT_TMPFILE") != NULL;
    pipes = (struct every){.n = env_number("FAULT_PIPE")};
    clones = (struct every){.n = env_number("FAULT_CLONE")};
    max_children = env_number("FAULT_CHILDREN");
    leap = env_number("FAULT_LEAP");
    forks = env_nth("FAULT_FORK");
    mallocs = env_nth("FAULT_MALLOC");
    threads = env_nth("FAULT_THREAD");
    mark_file = getenv("FAULT_MARK");
    running = true;
    return real_main(argc, argv, envp);
}

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    real_main = main;
    return REAL(__libc_start_main)(start, argc, argv, init, fini, rtld_fini, stack_end);
}

// Input and output.

static struct after *read_limit(int fd)
{
    struct stat st;
    bool file = fd != 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    return fd == 0 || file ? &reads : NULL;
}

static struct after *write_limit(int fd)
{
    if (fd <= 2) {
        return fd == 1 ? &writes : NULL;
    }
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_APPEND) != 0 ? &appends : NULL;
}

// How many of `size` bytes a call may move, or -1 with errno set.
static ssize_t allowed(int fd, size_t size, struct after *after)
{
    struct stat st;
    if (!running || fstat(fd, &st) != 0 || (st.st_mode & S_IFMT) == 0) {
        return (ssize_t)size;
    }
    if (every_hits(&eintr)) {
        return fail(EINTR);
    }
    if (fd <= 2 && every_hits(&eagain)) {
        return fail(EAGAIN);
    }
    if (max_bytes > 0 && size > max_bytes) {
        mark();
        size = max_bytes;
    }
    if (after != NULL && after->error != 0) {
        size_t left = after->limit - after->moved;
        if (left == 0) {
            return fail(after->error);
        }
        size = size < left ? size : left;
    }
    return (ssize_t)size;
}

static ssize_t moved(ssize_t bytes, struct after *after)
{
    if (running && bytes > 0 && after != NULL) {
        after->moved += (size_t)bytes;
    }
    return bytes;
}

ssize_t read(int fd, void *buf, size_t size)
{
    struct after *limit = read_limit(fd);
    ssize_t n = allowed(fd, size, limit);
    return n < 0 ? -1 : moved(REAL(read)(fd, buf, (size_t)n), limit);
}

ssize_t pread(int fd, void *buf, size_t size, off_t off)
{
    struct after *limit = read_limit(fd);
    ssize_t n = allowed(fd, size, limit);
    return n < 0 ? -1 : moved(REAL(pread)(fd, buf, (size_t)n, off), limit);
}

ssize_t write(int fd, const void *buf, size_t size)
{
    struct after *limit = write_limit(fd);
    ssize_t n = allowed(fd, size, limit);
    return n < 0 ? -1 : moved(REAL(write)(fd, buf, (size_t)n), limit);
}

ssize_t pwrite(int fd, const void *buf, size_t size, off_t off)
{
    ssize_t n = allowed(fd, size, &spills);
    return n < 0 ? -1 : moved(REAL(pwrite)(fd, buf, (size_t)n, off), &spills);
}

// A vector is cut to its first piece that is not empty.

static bool first_piece(const struct iovec *iov, int count, struct iovec *piece)
{
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len > 0) {
            *piece = iov[i];
            return true;
        }
    }
    return false;
}

ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct iovec piece;
    if (!running || !first_piece(iov, count, &piece)) {
        return REAL(readv)(fd, iov, count);
    }
    return read(fd, piece.iov_base, piece.iov_len);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct iovec piece;
    if (!running || !first_piece(iov, count, &piece)) {
        return REAL(writev)(fd, iov, count);
    }
    return write(fd, piece.iov_base, piece.iov_len);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return every_hits(&eintr) ? fail(EINTR) : REAL(poll)(fds, count, timeout);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    return every_hits(&eintr) ? fail(EINTR) : REAL(ppoll)(fds, count, timeout, mask);
}

int close(int fd)
{
    int rc = REAL(close)(fd);
    return rc == 0 && running && fd == 1 && close_error != 0 ? fail(close_error) : rc;
}

int open(const char *path, int flags, ...)
{
    if (running && no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        return fail(EOPNOTSUPP);
    }
    mode_t mode = 0;
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return REAL(open)(path, flags, mode);
}

// Memory. What is forwarded to never comes back here.

static bool out_of_memory(void)
{
    if (!nth_hits(&mallocs)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return out_of_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return out_of_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return out_of_memory() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return out_of_memory() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    int saved = errno;
    void *got = aligned_alloc(alignment, size);
    errno = saved;
    if (got == NULL) {
        return ENOMEM;
    }
    *memory = got;
    return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*entry)(void *), void *arg)
{
    return nth_hits(&threads) ? EAGAIN : REAL(pthread_create)(thread, attr, entry, arg);
}

// Processes.

int pipe2(int fds[2], int flags)
{
    return every_hits(&pipes) ? fail(EMFILE) : REAL(pipe2)(fds, flags);
}

int clone(int (*entry)(void *), void *stack, int flags, void *arg, ...)
{
    va_list args;
    va_start(args, arg);
    pid_t *parent = va_arg(args, pid_t *); // the only one that the program gives
    va_end(args);
    bool many = ++children > max_children && max_children > 0;
    if (many || every_hits(&clones)) {
        children--;
        leapt += leap;
        return fail(EAGAIN);
    }
    return REAL(clone)(entry, stack, flags, arg, parent);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    pid_t ended = REAL(waitpid)(pid, status, options);
    if (ended > 0) {
        children--;
    }
    return ended;
}

pid_t fork(void)
{
    return nth_hits(&forks) ? fail(EAGAIN) : REAL(fork)();
}

// Time. The system's own clock does not leap, so what is waited for until then comes as soon.

int raise(int signal)
{
    if (running && signal == SIGTSTP) {
        leapt += leap;
    }
    return REAL(raise)(signal);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc = REAL(clock_gettime)(clock, now);
    if (rc == 0 && clock == CLOCK_MONOTONIC) {
        now->tv_sec += (time_t)leapt;
    }
    return rc;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *until)
{
    struct timespec time = {.tv_sec = until->tv_sec - (time_t)leapt, .tv_nsec = until->tv_nsec};
    return REAL(pthread_cond_clockwait)(cond, mutex, CLOCK_MONOTONIC, &time);
}
