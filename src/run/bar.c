// SPDX-License-Identifier: BSD-2-Clause
// The progress bar.
//
// How much is done is told in bytes of the inputs as they are stored, since of compressed files
// nobody knows the rest. What was read but whose records have not had their due does not count:
// with commands that may be most of what was read. Its share is known in decoded bytes alone, so
// the share is what is taken off.

#include "run/bar.h"

#include "base/clock.h"
#include "base/diag.h"
#include "cli/settings.h"
#include "core/core.h"
#include "input/reader.h"
#include "run/threads.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_NS CLOCK_SECOND // a run that is over before needs no bar
#define DRAW_NS (CLOCK_SECOND / 5)
#define LINE_NS CLOCK_SECOND

#define COLUMNS_DEFAULT 80
#define PLAIN_COLUMNS 100 // of lines that go elsewhere

// Bytes of the input still to be read; -1 if nobody knows.
static int64_t input_bytes(const char *name)
{
    struct stat status;
    if (strcmp(name, "-") != 0) {
        if (stat(name, &status) != 0 || S_ISDIR(status.st_mode)) {
            return 0; // it cannot be read
        }
        return S_ISREG(status.st_mode) ? status.st_size : -1;
    }
    off_t position = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (position < 0 || fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) {
        return -1;
    }
    return status.st_size > position ? status.st_size - position : 0;
}

// Bytes of all inputs, 0 if nobody knows.
static uint64_t inputs_bytes(const struct settings *settings)
{
    uint64_t total = 0;
    for (size_t i = 0; i < settings->operand_count; i++) {
        total += strlen(settings->operands[i]) + 1; // with its delimiter
    }
    for (size_t i = 0; i < settings->file_count; i++) {
        int64_t bytes = input_bytes(settings->files[i]);
        if (bytes < 0) {
            return 0;
        }
        total += (uint64_t)bytes;
    }
    return total;
}

// On a terminal where no output appears, nor that of what reads it.
static bool is_wanted_unasked(const struct settings *settings)
{
    struct stat status;
    if (isatty(STDERR_FILENO) == 0) {
        return false;
    }
    return settings->output != NULL ||
           (isatty(STDOUT_FILENO) == 0 && fstat(STDOUT_FILENO, &status) == 0 &&
            !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode));
}

void bar_init(struct bar *bar, const struct settings *settings)
{
    bool wanted = settings->progress == PROGRESS_ALWAYS ||
                  (settings->progress == PROGRESS_AUTO && is_wanted_unasked(settings));
    *bar = (struct bar){.terminal = isatty(STDERR_FILENO) != 0, .due = INT64_MAX};
    if (wanted && !settings->quiet) {
        bar->due = FIRST_NS;
        bar->shown = settings->progress == PROGRESS_ALWAYS;
        bar->progress.total = inputs_bytes(settings);
        bar->progress.workers = settings->threads;
        bar->progress.plain = !bar->terminal;
    }
}

// Look at what is going on. Has all that was read had its due?
static bool look(struct bar *bar, const struct shared *shared, int64_t elapsed)
{
    struct progress *progress = &bar->progress;
    struct core_activity activity = core_activity(shared->core);
    uint64_t decoded = reader_bytes(shared->reader);
    uint64_t fetched = reader_fetched(shared->reader);
    double done = decoded > activity.ahead ? (double)(decoded - activity.ahead) : 0;
    progress->busy = activity.running;
    progress->queued_records = activity.queued_records;
    progress->queued = activity.queued;
    progress->retried = activity.retried;
    progress->failed = activity.failed;
    progress->batch = shared->settings->mode == MODE_BATCH ? activity.task_bytes : 0;
    if (decoded > 0) {
        done *= (double)fetched / (double)decoded;
    }
    progress_advance(progress, (uint64_t)done, elapsed);
    return activity.ahead == 0;
}

// The last column stays free: some terminals go on to the next line there.
static size_t terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        size.ws_col = COLUMNS_DEFAULT;
    }
    return size.ws_col - 1u;
}

// In the background the terminal is another's.
static bool is_in_foreground(void)
{
    pid_t foreground = tcgetpgrp(STDERR_FILENO);
    return foreground < 0 || foreground == getpgrp();
}

// Write it as a line of its own, which stays.
static void write_line(const struct bar *bar)
{
    char line[PROGRESS_BYTES + sizeof("pproc: \n")];
    char *text = stpcpy(line, bar->terminal ? "" : "pproc: ");
    progress_format(&bar->progress, bar->terminal ? terminal_columns() : PLAIN_COLUMNS, text);
    size_t len = strlen(line);
    line[len] = '\n';
    diag_write(line, len + 1);
}

void bar_tick(struct bar *bar, const struct shared *shared, int64_t elapsed)
{
    if (elapsed < bar->due) {
        return;
    }
    bar->due = elapsed + (bar->terminal ? DRAW_NS : LINE_NS);
    look(bar, shared, elapsed);
    if (!bar->terminal) {
        write_line(bar);
    } else if (is_in_foreground()) {
        char line[PROGRESS_BYTES];
        progress_format(&bar->progress, terminal_columns(), line);
        diag_status(line);
        bar->shown = true;
    }
}

void bar_hide(const struct bar *bar)
{
    if (bar->terminal && bar->shown) {
        diag_status("");
    }
}

void bar_finish(struct bar *bar, const struct shared *shared, int64_t elapsed)
{
    if (!bar->shown) {
        return;
    }
    bar_hide(bar);
    bool nothing_left = look(bar, shared, elapsed);
    if (nothing_left && atomic_load(&shared->read_all) && bar->progress.total > 0) {
        bar->progress.done = bar->progress.total; // though not all of an input could be read
    }
    progress_finish(&bar->progress);
    write_line(bar);
}
