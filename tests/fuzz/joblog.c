// SPDX-License-Identifier: BSD-2-Clause
// Lines of the joblog: whatever the command is, a line has its columns, and the command can be read
// from it. Input: numbers, then the command.

#include "fuzz.h"

#include "base/buf.h"
#include "output/joblog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COLUMNS 11
#define COMMAND_COLUMN 8

// The bytes that a column stands for.
static void unescape(const char *bytes, size_t len, struct buf *buf)
{
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        MUST(c != '\t' && c != '\n');
        if (c == '\\') {
            MUST(++i < len);
            c = bytes[i] == 't' ? '\t' : bytes[i] == 'n' ? '\n' : bytes[i];
            MUST(c == '\t' || c == '\n' || c == '\\');
        }
        MUST(buf_append(buf, &c, 1) == 0);
    }
}

// The last line has the job.
static void check_line(const char *line, size_t len, const struct job *job)
{
    struct buf command = {0};
    const char *end = line + len - 1;
    MUST(len > 0 && *end == '\n' && memchr(line, '\n', len) == end);
    for (size_t column = 0; column < COLUMNS; column++) {
        const char *stop = memchr(line, '\t', (size_t)(end - line));
        MUST((stop == NULL) == (column == COLUMNS - 1));
        stop = stop != NULL ? stop : end;
        if (column == COMMAND_COLUMN) {
            unescape(line, (size_t)(stop - line), &command);
        }
        line = stop + 1;
    }
    MUST(command.len == job->command_len);
    MUST(command.len == 0 || memcmp(command.bytes, job->command, command.len) == 0);
    buf_free(&command);
}

void fuzz_joblog(const unsigned char *data, size_t size)
{
    struct feed feed = {data, size};
    uint64_t small = feed_byte(&feed);
    struct job job = {
        .seq = small > 200 ? UINT64_MAX : small,
        .start = {.tv_sec = small > 250 ? INT32_MAX : 0, .tv_nsec = 999999999},
        .seconds = small > 240 ? 1e18 : (double)small / 7,
        .sent = small > 220 ? UINT64_MAX : 0,
        .received = small > 210 ? UINT64_MAX : 0,
        .status = (int)small - 1,
        .attempt = small > 230 ? UINT32_MAX : 1,
        .records = small > 225 ? UINT64_MAX : 1,
        .command = (const char *)feed.bytes,
        .command_len = feed.len,
    };
    char name[32];
    int fd = memfd_create("joblog", 0);
    MUST(fd >= 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    struct joblog *joblog = joblog_open(name);
    MUST(joblog != NULL);
    off_t header = lseek(fd, 0, SEEK_END);
    MUST(joblog_write(joblog, &job) == 0 && joblog_finish(joblog) == 0);
    size_t len = (size_t)(lseek(fd, 0, SEEK_END) - header);
    char *line = malloc(len);
    MUST(line != NULL && pread(fd, line, len, header) == (ssize_t)len);
    check_line(line, len, &job);
    free(line);
    joblog_destroy(joblog);
    (void)close(fd);
}
