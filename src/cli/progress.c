// SPDX-License-Identifier: BSD-2-Clause
// The line that --progress shows.

#include "cli/progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// The rate is that of about the last so many nanoseconds.
#define RATE_NS (5 * CLOCK_SECOND)

// A bar with less inside of its brackets says nothing.
#define BAR_MIN 6

// Longer than any person waits.
#define HOURS_MAX 1000

#define PART_BYTES 40

// In the order of the line.
enum part {
    PART_DONE,
    PART_RATE,
    PART_TIME,
    PART_BUSY,
    PART_QUEUE,
    PART_BATCH,
    PART_RETRIED,
    PART_FAILED,
    PART_COUNT,
};

// What is left out first where there is no room; PART_DONE never is.
static const enum part dispensable[] = {PART_BATCH,  PART_RETRIED, PART_QUEUE, PART_BUSY,
                                        PART_FAILED, PART_RATE,    PART_TIME};

void progress_advance(struct progress *progress, uint64_t done, int64_t elapsed)
{
    int64_t ns = elapsed - progress->elapsed;
    if (done < progress->done) {
        done = progress->done; // an estimate that was too high
    }
    if (ns <= 0) {
        return;
    }
    double rate = (double)(done - progress->done) * (double)CLOCK_SECOND / (double)ns;
    double share = progress->elapsed == 0 ? 1 : (double)ns / (double)(ns + RATE_NS);
    progress->rate += (rate - progress->rate) * share;
    progress->done = done;
    progress->elapsed = elapsed;
}

void progress_finish(struct progress *progress)
{
    progress->finished = true;
    if (progress->elapsed > 0) {
        progress->rate = (double)progress->done * (double)CLOCK_SECOND / (double)progress->elapsed;
    }
}

// Three digits at most, as in 0B, 9.5KB, 123MB: powers of 1000.
static void format_bytes(double bytes, const char *suffix, char text[PART_BYTES])
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1000;
        unit++;
    }
    int decimals = unit > 0 && bytes < 9.95 ? 1 : 0;
    (void)snprintf(text, PART_BYTES, "%.*f%s%s", decimals, bytes, units[unit], suffix);
}

// The time left; at the end, the time it took.
static void format_time(const struct progress *progress, char text[PART_BYTES])
{
    const char *name = progress->finished ? "time" : "ETA";
    double seconds = (double)progress->elapsed / (double)CLOCK_SECOND;
    if (!progress->finished) {
        seconds = (double)(progress->total - progress->done) / progress->rate; // may be infinite
    }
    if (!(seconds < HOURS_MAX * 3600.0)) {
        (void)snprintf(text, PART_BYTES, "%s --:--", name);
        return;
    }
    unsigned rounded = (unsigned)(seconds + 0.5);
    unsigned hours = rounded / 3600, minutes = rounded / 60 % 60;
    if (hours > 0) {
        (void)snprintf(text, PART_BYTES, "%s %u:%02u:%02u", name, hours, minutes, rounded % 60);
    } else {
        (void)snprintf(text, PART_BYTES, "%s %u:%02u", name, minutes, rounded % 60);
    }
}

static void format_queue(const struct progress *progress, char text[PART_BYTES])
{
    if (progress->queued_records) {
        (void)snprintf(text, PART_BYTES, "queue %" PRIu64, progress->queued);
    } else {
        char bytes[PART_BYTES];
        format_bytes((double)progress->queued, "", bytes);
        (void)snprintf(text, PART_BYTES, "queue %.20s", bytes);
    }
}

// Empty: there is nothing to say.
static void format_parts(const struct progress *progress, char parts[PART_COUNT][PART_BYTES])
{
    parts[PART_TIME][0] = parts[PART_BATCH][0] = '\0';
    if (progress->total > 0) {
        // Never 100 % before all is done.
        unsigned percent = (unsigned)(100.0 * (double)progress->done / (double)progress->total);
        percent = progress->done >= progress->total ? 100 : percent < 99 ? percent : 99;
        (void)snprintf(parts[PART_DONE], PART_BYTES, "%3u%%", percent);
    } else {
        format_bytes((double)progress->done, "", parts[PART_DONE]);
    }
    if (progress->total > 0 || progress->finished) {
        format_time(progress, parts[PART_TIME]);
    }
    format_bytes(progress->rate, "/s", parts[PART_RATE]);
    (void)snprintf(parts[PART_BUSY], PART_BYTES, "busy %u/%u", progress->busy, progress->workers);
    format_queue(progress, parts[PART_QUEUE]);
    if (progress->batch > 0) {
        char bytes[PART_BYTES];
        format_bytes((double)progress->batch, "", bytes);
        (void)snprintf(parts[PART_BATCH], PART_BYTES, "batch %.20s", bytes);
    }
    (void)snprintf(parts[PART_RETRIED], PART_BYTES, "retried %" PRIu64, progress->retried);
    (void)snprintf(parts[PART_FAILED], PART_BYTES, "failed %" PRIu64, progress->failed);
}

// Columns of the parts, with two blanks between them.
static size_t parts_columns(char parts[PART_COUNT][PART_BYTES])
{
    size_t columns = 0;
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (parts[i][0] != '\0') {
            columns += strlen(parts[i]) + (columns > 0 ? 2 : 0);
        }
    }
    return columns;
}

// A bar with `inside` columns between its brackets, and a blank.
static char *append_bar(const struct progress *progress, size_t inside, char *end)
{
    double share = (double)progress->done / (double)progress->total;
    size_t filled = share >= 1 ? inside : (size_t)(share * (double)inside);
    *end++ = '[';
    memset(end, '=', filled);
    memset(end + filled, ' ', inside - filled);
    if (filled < inside) {
        end[filled] = '>';
    }
    return stpcpy(end + inside, "] ");
}

void progress_format(const struct progress *progress, size_t columns, char line[PROGRESS_BYTES])
{
    char parts[PART_COUNT][PART_BYTES];
    if (columns >= PROGRESS_BYTES) {
        columns = PROGRESS_BYTES - 1;
    }
    format_parts(progress, parts);
    for (size_t i = 0; parts_columns(parts) > columns; i++) {
        if (i == sizeof(dispensable) / sizeof(dispensable[0])) {
            parts[PART_DONE][columns] = '\0';
            break;
        }
        parts[dispensable[i]][0] = '\0';
    }

    char *end = line;
    size_t brackets = strlen("[] "), used = parts_columns(parts) + brackets;
    if (progress->total > 0 && !progress->plain && used + BAR_MIN <= columns) {
        end = append_bar(progress, columns - used, end);
    }
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (parts[i][0] != '\0') {
            end = stpcpy(stpcpy(end, i > 0 ? "  " : ""), parts[i]);
        }
    }
    *end = '\0';
}
