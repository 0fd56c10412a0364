// SPDX-License-Identifier: BSD-2-Clause
// Reading and writing of descriptors.

#include "base/fdio.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noreturn)) static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

static void make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0) {
        die("pipe2");
    }
}

static void put(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        die("write");
    }
}

static void test_read(void)
{
    char bytes[16];
    int ends[2];
    make_pipe(ends);
    put(ends[1], "hello");
    OK(fdio_read(ends[0], bytes, 3, -1) == 3 && memcmp(bytes, "hel", 3) == 0,
       "at most as many bytes as asked for are read");
    OK(fdio_read(ends[0], bytes, sizeof(bytes), -1) == 2, "what is there is read");
    (void)close(ends[1]);
    OK(fdio_read(ends[0], bytes, sizeof(bytes), -1) == 0, "the end is 0");
    (void)close(ends[0]);
    errno = 0;
    OK(fdio_read(ends[0], bytes, sizeof(bytes), -1) == -1 && errno == EBADF,
       "a descriptor that is closed is an error");
}

static void test_stop(void)
{
    char bytes[16];
    int ends[2];
    int stop = eventfd(0, EFD_CLOEXEC);
    make_pipe(ends);
    put(ends[1], "hello");
    OK(fdio_read(ends[0], bytes, sizeof(bytes), stop) == 5, "without a stop, bytes are read");
    if (eventfd_write(stop, 1) != 0) {
        die("eventfd_write");
    }
    errno = 0;
    OK(fdio_read(ends[0], bytes, sizeof(bytes), stop) == -1 && errno == ECANCELED,
       "a stop ends the wait");
    put(ends[1], "hello");
    errno = 0;
    OK(fdio_read(ends[0], bytes, sizeof(bytes), stop) == -1 && errno == ECANCELED,
       "a stop goes before bytes");
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    errno = 0;
    OK(fdio_read(file, bytes, sizeof(bytes), stop) == -1 && errno == ECANCELED,
       "a stop goes before the bytes of a regular file");
    OK(fdio_read(file, bytes, sizeof(bytes), -1) == sizeof(bytes), "which are there");
    (void)close(file);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(stop);
}

static void on_signal(int number)
{
    (void)number;
}

// Writes to a descriptor, once the thread that reads it has been interrupted.
struct late {
    pthread_t reader;
    int fd;
};

static bool is_asleep(void)
{
    char state = '?';
    FILE *file = fopen("/proc/self/stat", "r"); // of the first thread, which reads
    if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
        die("/proc/self/stat");
    }
    (void)fclose(file);
    return state == 'S';
}

static void *write_late(void *arg)
{
    struct late *late = arg;
    for (int i = 0; i < 3; i++) {
        while (!is_asleep()) {
            (void)sched_yield();
        }
        (void)pthread_kill(late->reader, SIGUSR1);
    }
    put(late->fd, "late");
    return NULL;
}

static void test_interrupted(bool nonblocking, bool stoppable)
{
    char bytes[16];
    int ends[2];
    int stop = stoppable ? eventfd(0, EFD_CLOEXEC) : -1;
    pthread_t thread;
    make_pipe(ends);
    if (nonblocking && fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        die("fcntl");
    }
    struct late late = {pthread_self(), ends[1]};
    if (pthread_create(&thread, NULL, write_late, &late) != 0) {
        die("pthread_create");
    }
    OK(fdio_read(ends[0], bytes, sizeof(bytes), stop) == 4,
       "a read of a %s descriptor%s waits, signals or not",
       nonblocking ? "non-blocking" : "blocking", stoppable ? " that can be stopped" : "");
    (void)pthread_join(thread, NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    if (stop >= 0) {
        (void)close(stop);
    }
}

static void test_readable(void)
{
    char byte;
    int ends[2];
    make_pipe(ends);
    OK(!fdio_readable(ends[0]), "an empty pipe is not readable");
    put(ends[1], "x");
    OK(fdio_readable(ends[0]), "a pipe with a byte in it is readable");
    OK(fdio_read(ends[0], &byte, 1, -1) == 1 && !fdio_readable(ends[0]), "until it is read");
    (void)close(ends[1]);
    OK(fdio_readable(ends[0]), "a pipe at its end is readable");
    (void)close(ends[0]);
    OK(fdio_readable(ends[0]), "a descriptor that is closed is readable: a read returns at once");
}

#define PIECES (3 * IOV_MAX / 2)
#define PIECE 700

struct sink {
    int fd;
    size_t count;
    bool right;
};

// Reads a byte, then all, so that the writer meets a full pipe.
static void *drain(void *arg)
{
    struct sink *sink = arg;
    unsigned char bytes[4096];
    ssize_t count;
    sink->right = true;
    while ((count = read(sink->fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < count; i++, sink->count++) {
            sink->right = sink->right && bytes[i] == (unsigned char)(sink->count / PIECE);
        }
    }
    return NULL;
}

static void test_write(bool nonblocking)
{
    static char bytes[PIECES][PIECE];
    static struct iovec iov[2 * PIECES];
    int ends[2];
    size_t written = 7;
    pthread_t thread;
    make_pipe(ends);
    if (nonblocking && fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
        die("fcntl");
    }
    for (size_t i = 0; i < PIECES; i++) {
        memset(bytes[i], (int)i, PIECE);
        iov[2 * i] = (struct iovec){NULL, 0};
        iov[2 * i + 1] = (struct iovec){bytes[i], PIECE};
    }
    struct sink sink = {.fd = ends[0]};
    if (pthread_create(&thread, NULL, drain, &sink) != 0) {
        die("pthread_create");
    }
    OK(fdio_write_all(ends[1], iov, 2 * PIECES, &written) == 0,
       "more than a pipe holds is written");
    OK(written == 7 + (size_t)PIECES * PIECE, "all of it is counted");
    (void)close(ends[1]);
    (void)pthread_join(thread, NULL);
    OK(sink.right && sink.count == (size_t)PIECES * PIECE, "and arrives as it is, on a %s pipe",
       nonblocking ? "non-blocking" : "blocking");
    (void)close(ends[0]);
}

static void test_write_errors(void)
{
    struct iovec iov = {(char[]){"x"}, 1};
    int ends[2];
    size_t written = 0;
    make_pipe(ends);
    (void)close(ends[0]);
    errno = 0;
    OK(fdio_write_all(ends[1], &iov, 1, &written) == -1 && errno == EPIPE && written == 0,
       "a pipe that nobody reads is an error");
    (void)close(ends[1]);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    iov = (struct iovec){(char[]){"x"}, 1};
    errno = 0;
    OK(fdio_write_all(full, &iov, 1, &written) == -1 && errno == ENOSPC, "a full disk is one");
    OK(fdio_write_all(full, NULL, 0, &written) == 0, "nothing to write is none");
    iov = (struct iovec){NULL, 0};
    OK(fdio_write_all(full, &iov, 1, &written) == 0, "nor are pieces of nothing");
    (void)close(full);
}

static void set_size(int fd, int bytes)
{
    if (fcntl(fd, F_SETPIPE_SZ, bytes) < 0) {
        die("F_SETPIPE_SZ");
    }
}

static void test_enlarge(void)
{
    enum { PAGE = 4096, ENOUGH = 128 * 1024, TOO_MUCH = 1 << 30 };
    int ends[2];
    make_pipe(ends);
    set_size(ends[0], PAGE);
    fdio_enlarge_pipe(ends[0], ENOUGH);
    OK(fcntl(ends[0], F_GETPIPE_SZ) == ENOUGH, "a small pipe is enlarged");
    set_size(ends[0], 2 * ENOUGH);
    fdio_enlarge_pipe(ends[1], ENOUGH);
    OK(fcntl(ends[0], F_GETPIPE_SZ) == 2 * ENOUGH, "a large one stays as it is");
    set_size(ends[0], PAGE);
    fdio_enlarge_pipe(ends[0], TOO_MUCH);
    OK(fcntl(ends[0], F_GETPIPE_SZ) > PAGE, "where not all is allowed, a part is taken");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

// In a child of our own: with these descriptors closed, a file that is opened must get another.
static bool reserves(const int *closed, size_t count)
{
    pid_t child = fork();
    if (child == 0) {
        char byte = 'x';
        for (size_t i = 0; i < count; i++) {
            (void)close(closed[i]);
        }
        bool right = fdio_reserve_standard() == 0;
        for (size_t i = 0; i < count; i++) {
            errno = 0;
            right = right && read(closed[i], &byte, 1) == -1 && errno == EBADF;
            errno = 0;
            right = right && write(closed[i], &byte, 1) == -1 && errno == EBADF;
        }
        right = right && open("/", O_RDONLY) > 2;
        _exit(right ? 0 : 1);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void test_reserve(void)
{
    (void)fflush(stdout);
    OK(reserves((int[]){0}, 1), "a closed standard input is reserved");
    OK(reserves((int[]){1}, 1), "a closed standard output is reserved");
    OK(reserves((int[]){0, 2}, 2), "so are two of the three");
    OK(reserves((int[]){0, 1, 2}, 3), "and all");
    OK(reserves(NULL, 0), "with none closed nothing happens");
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    test_reserve();
    test_read();
    test_stop();
    test_interrupted(false, false);
    test_interrupted(false, true);
    test_interrupted(true, true);
    test_interrupted(true, false);
    test_readable();
    test_write(false);
    test_write(true);
    test_write_errors();
    test_enlarge();
    return tap_done();
}
