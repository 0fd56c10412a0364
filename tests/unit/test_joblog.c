// SPDX-License-Identifier: BSD-2-Clause
// The joblog, byte by byte, and from many threads.

#include "base/thread.h"
#include "output/joblog.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 8
#define LINES 500

#define HEADER                                                                                     \
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tAttempt\tRecords"  \
    "\n"

static char path[] = "/tmp/test_joblog.XXXXXX";

// All of the file; the length goes to *len.
static char *content(size_t *len)
{
    static char bytes[2 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, bytes, sizeof(bytes) - 1);
    close(fd);
    *len = got > 0 ? (size_t)got : 0;
    bytes[*len] = '\0';
    return bytes;
}

static bool content_is(const char *text, size_t length)
{
    size_t len;
    const char *bytes = content(&len);
    return len == length && memcmp(bytes, text, len) == 0;
}

static void test_lines(void)
{
    struct joblog *joblog = joblog_open(path);
    OK(joblog != NULL && content_is(HEADER, strlen(HEADER)), "a joblog begins with its header");
    struct job job = {
        .seq = 12,
        .start = {.tv_sec = 1795511313, .tv_nsec = 56789012},
        .seconds = 0.0174,
        .sent = 100,
        .received = 7,
        .status = 3,
        .command = "printf %s 'a\tb\nc\\d'",
        .command_len = 19,
        .attempt = 2,
        .records = 10,
    };
    OK(joblog_write(joblog, &job) == 0, "a line is written");
    job = (struct job){
        .seq = UINT64_MAX,
        .start = {.tv_sec = 1795511313},
        .seconds = 123456789,
        .status = -1,
        .signal = 15,
        .command = "a\0b",
        .command_len = 3,
        .attempt = 1,
        .records = 1,
    };
    OK(joblog_write(joblog, &job) == 0, "and another one");
    static const char expected[] =
        HEADER "12\t:\t1795511313.056\t     0.017\t100\t7\t3\t0\t"
               "printf %s 'a\\tb\\nc\\\\d'\t2\t10\n"
               "18446744073709551615\t:\t1795511313.000\t123456789.000\t0\t0\t-1\t15\ta\0b\t1\t1\n";
    OK(content_is(expected, sizeof(expected) - 1),
       "columns have the widths of GNU parallel, and nothing in a command ends one");
    OK(joblog_finish(joblog) == 0 && joblog_error(joblog) == 0, "it is closed");
    joblog_destroy(joblog);

    joblog_destroy(joblog_open(path));
    OK(content_is(HEADER, strlen(HEADER)), "another run begins anew");
}

static void test_created(void)
{
    struct stat status;
    unlink(path);
    mode_t mask = umask(0);
    joblog_destroy(joblog_open(path));
    umask(mask);
    OK(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600,
       "a joblog is for its owner alone");
}

static void test_errors(void)
{
    OK(joblog_open("/dev/full") == NULL, "what cannot be written to is refused");
    OK(joblog_open("/tmp") == NULL, "so is a directory");
    joblog_destroy(NULL);
}

static struct joblog *shared;

static void *write_lines(void *arg)
{
    char command[400];
    char letter = *(char *)arg;
    memset(command, letter, sizeof(command));
    struct job job = {.command = command, .attempt = 1, .records = 1};
    for (size_t i = 0; i < LINES; i++) {
        job.seq = i + 1;
        job.command_len = i % sizeof(command);
        joblog_write(shared, &job);
    }
    return NULL;
}

// Is the command of the line one letter all over, and as long as the number of the line says?
static bool line_is_whole(const char *line)
{
    size_t seq = strtoul(line, NULL, 10);
    for (int i = 0; i < 8; i++) {
        line = strchr(line, '\t');
        if (line == NULL) {
            return false;
        }
        line++;
    }
    char letters[] = {*line, '\0'};
    size_t len = *line != '\t' ? strspn(line, letters) : 0;
    return len == (seq - 1) % 400 && strcmp(line + len, "\t1\t1") == 0;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    char letters[THREADS];
    shared = joblog_open(path);
    for (int i = 0; i < THREADS; i++) {
        letters[i] = (char)('a' + i);
        thread_start(&threads[i], write_lines, &letters[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    joblog_destroy(shared);

    size_t len, count = 0;
    bool whole = true;
    char *save, *line = strtok_r(content(&len), "\n", &save);
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        whole = whole && line_is_whole(line);
        count++;
    }
    OK(whole && count == THREADS * LINES, "lines of several threads are whole: %zu", count);
}

int main(void)
{
    close(mkostemp(path, O_CLOEXEC));
    test_lines();
    test_created();
    test_errors();
    test_threads();
    unlink(path);
    return tap_done();
}
