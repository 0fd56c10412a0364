// SPDX-License-Identifier: BSD-2-Clause
// Lines of the joblog. What reads that of GNU parallel reads this one: the same header, the same
// columns with the same widths, and the two of our own behind them.

#include "output/joblog.h"

#include "base/buf.h"
#include "base/diag.h"
#include "base/thread.h"
#include "output/append.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER                                                                                     \
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tAttempt\tRecords"  \
    "\n"

struct joblog {
    struct append file;
    pthread_mutex_t mutex; // guards what follows, and what is written
    struct buf line;
};

// Empty the file, if it can be, and begin it anew. Returns 0, or -1 with errno set.
static int begin(struct joblog *joblog)
{
    struct stat status;
    int fd = joblog->file.fd;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ftruncate(fd, 0) != 0) {
        return -1;
    }
    return append_write(&joblog->file, HEADER, strlen(HEADER));
}

struct joblog *joblog_open(const char *file)
{
    struct joblog *joblog = calloc(1, sizeof(*joblog));
    if (joblog == NULL || pthread_mutex_init(&joblog->mutex, NULL) != 0) {
        diag_error("%s: no memory for the joblog", file);
        free(joblog);
        return NULL;
    }
    if (append_open(&joblog->file, file, "the joblog") != 0) {
        joblog_destroy(joblog);
        return NULL;
    }
    if (begin(joblog) != 0) {
        append_refuse(&joblog->file, "the joblog");
        joblog_destroy(joblog);
        return NULL;
    }
    return joblog;
}

// Formats that have no room for a line of their own: columns that are numbers.
#define NUMBERS_BYTES 256

// Add the columns before or behind the command.
__attribute__((format(printf, 2, 3))) static int add_numbers(struct buf *line, const char *format,
                                                             ...)
{
    va_list args;
    if (buf_reserve(line, NUMBERS_BYTES) != 0) {
        return -1;
    }
    va_start(args, format);
    int len = vsnprintf(line->bytes + line->len, NUMBERS_BYTES, format, args);
    va_end(args);
    line->len += (size_t)len;
    return 0;
}

// Add the command so that it neither ends the column nor the line.
static int add_command(struct buf *line, const char *command, size_t len)
{
    if (buf_reserve(line, 2 * len) != 0) {
        return -1;
    }
    char *out = line->bytes + line->len;
    for (size_t i = 0; i < len; i++) {
        char c = command[i];
        char escaped = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\\' ? '\\' : '\0';
        if (escaped != '\0') {
            *out++ = '\\';
            c = escaped;
        }
        *out++ = c;
    }
    line->len = (size_t)(out - line->bytes);
    return 0;
}

static int add_line(struct buf *line, const struct job *job)
{
    line->len = 0;
    if (add_numbers(line, "%" PRIu64 "\t:\t%jd.%03d\t%10.3f\t%" PRIu64 "\t%" PRIu64 "\t%d\t%d\t",
                    job->seq, (intmax_t)job->start.tv_sec, (int)(job->start.tv_nsec / 1000000),
                    job->seconds, job->sent, job->received, job->status, job->signal) != 0) {
        return -1;
    }
    if (add_command(line, job->command, job->command_len) != 0) {
        return -1;
    }
    return add_numbers(line, "\t%u\t%" PRIu64 "\n", job->attempt, job->records);
}

int joblog_write(struct joblog *joblog, const struct job *job)
{
    mutex_lock(&joblog->mutex);
    int rc = add_line(&joblog->line, job);
    if (rc != 0) {
        joblog->file.error = ENOMEM;
    } else {
        rc = append_write(&joblog->file, joblog->line.bytes, joblog->line.len);
    }
    mutex_unlock(&joblog->mutex);
    return rc;
}

int joblog_finish(struct joblog *joblog)
{
    return append_close(&joblog->file);
}

int joblog_error(const struct joblog *joblog)
{
    return joblog->file.error;
}

const char *joblog_name(const struct joblog *joblog)
{
    return joblog->file.name;
}

void joblog_destroy(struct joblog *joblog)
{
    if (joblog != NULL) {
        (void)append_close(&joblog->file);
        THREAD_MUST(pthread_mutex_destroy(&joblog->mutex));
        buf_free(&joblog->line);
        free(joblog);
    }
}
