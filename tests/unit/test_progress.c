// SPDX-License-Identifier: BSD-2-Clause
// Tests of the line that --progress shows: fixed numbers at fixed widths.

#include "cli/progress.h"

#include "base/clock.h"
#include "tap.h"

#include <string.h>

static bool shows(const struct progress *progress, size_t columns, const char *expected)
{
    char line[PROGRESS_BYTES];
    progress_format(progress, columns, line);
    bool same = strcmp(line, expected) == 0;
    if (!same) {
        printf("# '%s'\n# '%s' was expected\n", line, expected);
    }
    return same;
}

static const struct progress half = {.done = 500000,
                                     .total = 1000000,
                                     .elapsed = 5 * CLOCK_SECOND,
                                     .rate = 100000,
                                     .busy = 2,
                                     .workers = 4,
                                     .queued = 1234567,
                                     .retried = 1,
                                     .failed = 23};

static void test_widths(void)
{
    OK(shows(&half, 90,
             "[=========>         ]  50%  100KB/s  ETA 0:05  busy 2/4  queue 1.2MB  retried 1  "
             "failed 23"),
       "a wide line has it all, and a bar in the rest");
    OK(shows(&half, 77,
             "[===>  ]  50%  100KB/s  ETA 0:05  busy 2/4  queue 1.2MB  retried 1  failed 23"),
       "down to a short bar");
    OK(shows(&half, 76, " 50%  100KB/s  ETA 0:05  busy 2/4  queue 1.2MB  retried 1  failed 23"),
       "which is the first to go");
    struct progress plain = half;
    plain.plain = true;
    OK(shows(&plain, 100, " 50%  100KB/s  ETA 0:05  busy 2/4  queue 1.2MB  retried 1  failed 23"),
       "and is not wanted everywhere");
    plain.batch = 262144;
    OK(shows(&plain, 100,
             " 50%  100KB/s  ETA 0:05  busy 2/4  queue 1.2MB  batch 262KB  retried 1  failed 23"),
       "a filter also shows how large a batch is");
    OK(shows(&half, 60, " 50%  100KB/s  ETA 0:05  busy 2/4  queue 1.2MB  failed 23"),
       "then what matters least");
    OK(shows(&half, 24, " 50%  100KB/s  ETA 0:05"), "then more");
    OK(shows(&half, 22, " 50%  ETA 0:05"), "what is left last is how much, and how long");
    OK(shows(&half, 4, " 50%") && shows(&half, 2, " 5") && shows(&half, 0, ""),
       "a terminal with no room at all gets what fits");
}

static void test_no_overflow(void)
{
    const struct progress largest = {.done = UINT64_MAX / 2,
                                     .total = UINT64_MAX,
                                     .elapsed = INT64_MAX,
                                     .rate = 1e300,
                                     .busy = UINT32_MAX,
                                     .workers = UINT32_MAX,
                                     .queued = UINT64_MAX,
                                     .queued_records = true,
                                     .batch = UINT64_MAX,
                                     .retried = UINT64_MAX,
                                     .failed = UINT64_MAX};
    bool fits = true;
    for (size_t columns = 0; columns < 2 * (size_t)PROGRESS_BYTES; columns++) {
        char line[PROGRESS_BYTES];
        progress_format(&largest, columns, line);
        fits &= strlen(line) <= columns && strlen(line) < PROGRESS_BYTES;
        progress_format(&half, columns, line);
        fits &= strlen(line) <= columns;
    }
    OK(fits, "no line is longer than it may be, whatever the numbers");
}

static void test_percent(void)
{
    struct progress progress = {.done = 999999, .total = 1000000, .rate = 1};
    OK(shows(&progress, 4, " 99%"), "there are no 100 percent before the end");
    progress.done = 1000000;
    OK(shows(&progress, 4, "100%"), "there are at the end");
    progress.done = 2000000;
    OK(shows(&progress, 4, "100%"), "and no more, should a file have grown");
    progress.done = 0;
    OK(shows(&progress, 4, "  0%"), "nothing is 0 percent");
    progress.total = 0;
    OK(shows(&progress, 2, "0B"), "also where nobody knows of how much");
}

static void test_unknown_total(void)
{
    struct progress progress = half;
    progress.total = 0;
    progress.queued = 12;
    progress.queued_records = true;
    OK(shows(&progress, 79, "500KB  100KB/s  busy 2/4  queue 12  retried 1  failed 23"),
       "of a pipe the bytes are told, no percent, no bar and no time left");
    progress.rate = 3;
    progress_finish(&progress);
    OK(shows(&progress, 77, "500KB  100KB/s  time 0:05  busy 2/4  queue 12  retried 1  failed 23"),
       "at the end the time that it took, and the rate in it");
}

static bool shows_bytes(uint64_t bytes, const char *expected)
{
    const struct progress progress = {.done = bytes};
    return shows(&progress, strlen(expected), expected);
}

static void test_bytes(void)
{
    OK(shows_bytes(999, "999B") && shows_bytes(1000, "1.0KB"), "units are powers of 1000");
    OK(shows_bytes(9949, "9.9KB") && shows_bytes(9950, "10KB"), "small ones have a decimal");
    OK(shows_bytes(999499, "999KB") && shows_bytes(999500, "1.0MB"), "rounding may change them");
    OK(shows_bytes(UINT64_MAX, "18EB"), "there are enough");
}

static bool time_is(uint64_t left, const char *expected)
{
    char line[PROGRESS_BYTES];
    const struct progress progress = {.total = left, .rate = 1};
    progress_format(&progress, 79, line);
    char *time = strstr(line, "ETA ");
    return time != NULL && strncmp(time + 4, expected, strlen(expected)) == 0;
}

static void test_time(void)
{
    OK(time_is(1, "0:01 ") && time_is(59, "0:59 ") && time_is(60, "1:00 "), "minutes and seconds");
    OK(time_is(3599, "59:59 ") && time_is(3600, "1:00:00 "), "and hours");
    OK(time_is(3599999, "999:59:59 ") && time_is(3600000, "--:-- "), "but not for ever");
    const struct progress still = {.total = 100};
    OK(shows(&still, 15, "  0%  ETA --:--"), "nobody knows where nothing moves");
}

static void test_rate(void)
{
    struct progress progress = {.total = 1000000};
    progress_advance(&progress, 1000, CLOCK_SECOND / 2);
    OK(progress.rate == 2000, "the first rate is that from the start");
    progress_advance(&progress, 1000, CLOCK_SECOND / 2);
    OK(progress.rate == 2000 && progress.done == 1000, "no time is no rate");
    for (int i = 1; i <= 30; i++) {
        progress_advance(&progress, 1000 + (uint64_t)i * 10000,
                         CLOCK_SECOND / 2 + i * CLOCK_SECOND);
    }
    OK(progress.rate > 9500 && progress.rate < 10000, "then it follows the last seconds");
    progress_advance(&progress, 5, 40 * CLOCK_SECOND);
    OK(progress.done == 301000, "what is done never becomes less");
}

int main(void)
{
    test_widths();
    test_no_overflow();
    test_percent();
    test_unknown_total();
    test_bytes();
    test_time();
    test_rate();
    return tap_done();
}
