// SPDX-License-Identifier: BSD-2-Clause
// Numbers as options give them.

#include "base/units.h"
#include "tap.h"

#include <errno.h>
#include <inttypes.h>

static void count_is(const char *text, uint64_t expected)
{
    uint64_t count = 0;
    int status = units_parse_count(text, 0, UINT64_MAX, &count);
    OK(status == 0 && count == expected, "the count %s is %" PRIu64, text, expected);
}

static void count_fails(const char *text, uint64_t min, uint64_t max, int error)
{
    uint64_t count = 42;
    errno = 0;
    int status = units_parse_count(text, min, max, &count);
    OK(status == -1 && errno == error && count == 42, "the count '%s' is refused, nothing is set",
       text);
}

static void size_is(const char *text, uint64_t expected)
{
    uint64_t bytes = 0;
    int status = units_parse_size(text, &bytes);
    OK(status == 0 && bytes == expected, "the size %s is %" PRIu64 " bytes", text, expected);
}

static void size_fails(const char *text, int error)
{
    uint64_t bytes = 42;
    errno = 0;
    int status = units_parse_size(text, &bytes);
    OK(status == -1 && errno == error && bytes == 42, "the size '%s' is refused, nothing is set",
       text);
}

static void duration_is(const char *text, int64_t expected)
{
    int64_t nanoseconds = -1;
    int status = units_parse_duration(text, &nanoseconds);
    OK(status == 0 && nanoseconds == expected, "the duration %s is %" PRId64 " ns", text, expected);
}

static void duration_fails(const char *text, int error)
{
    int64_t nanoseconds = 42;
    errno = 0;
    int status = units_parse_duration(text, &nanoseconds);
    OK(status == -1 && errno == error && nanoseconds == 42,
       "the duration '%s' is refused, nothing is set", text);
}

static void test_counts(void)
{
    count_is("0", 0);
    count_is("007", 7);
    count_is("18446744073709551615", UINT64_MAX);
    count_fails("18446744073709551616", 0, UINT64_MAX, ERANGE);
    count_fails("99999999999999999999999", 0, UINT64_MAX, ERANGE);
    count_fails("0", 1, 9, ERANGE);
    count_fails("10", 1, 9, ERANGE);
    count_fails("", 0, 9, EINVAL);
    count_fails("-1", 0, 9, EINVAL);
    count_fails("+1", 0, 9, EINVAL);
    count_fails(" 1", 0, 9, EINVAL);
    count_fails("1 ", 0, 9, EINVAL);
    count_fails("1K", 0, 9, EINVAL);
    count_fails("0x1", 0, 9, EINVAL);
}

static void test_sizes(void)
{
    size_is("1", 1);
    size_is("512B", 512);
    size_is("64K", 65536);
    size_is("64k", 65536);
    size_is("64KiB", 65536);
    size_is("64kib", 65536);
    size_is("64KB", 64000);
    size_is("1M", 1048576);
    size_is("1MB", 1000000);
    size_is("2G", UINT64_C(2147483648));
    size_is("2gb", UINT64_C(2000000000));
    size_is("3T", UINT64_C(3298534883328));
    size_is("3TB", UINT64_C(3000000000000));
    size_is("16777215T", UINT64_C(16777215) << 40);
    size_fails("16777216T", ERANGE);
    size_fails("18446744073709551616", ERANGE);
    size_fails("0", ERANGE);
    size_fails("0K", ERANGE);
    size_fails("", EINVAL);
    size_fails("K", EINVAL);
    size_fails("1.5M", EINVAL);
    size_fails("-1", EINVAL);
    size_fails("1 K", EINVAL);
    size_fails("1Ki", EINVAL);
    size_fails("1X", EINVAL);
    size_fails("1KBB", EINVAL);
}

static void test_durations(void)
{
    duration_is("0", 0);
    duration_is("100ms", INT64_C(100000000));
    duration_is("100MS", INT64_C(100000000));
    duration_is("2", INT64_C(2000000000));
    duration_is("2s", INT64_C(2000000000));
    duration_is("0.25", INT64_C(250000000));
    duration_is("1.5m", INT64_C(90000000000));
    duration_is("1h", INT64_C(3600000000000));
    duration_is("1d", INT64_C(86400000000000));
    duration_is("0.000000001s", 1);
    duration_is("0.0000000009s", 0);
    duration_is("106751d", INT64_C(106751) * 86400 * 1000000000);
    duration_fails("106752d", ERANGE);
    duration_fails("99999999999999999999s", ERANGE);
    duration_fails("", EINVAL);
    duration_fails("s", EINVAL);
    duration_fails(".5s", EINVAL);
    duration_fails("5.s", EINVAL);
    duration_fails("1.2.3", EINVAL);
    duration_fails("-1s", EINVAL);
    duration_fails("1 s", EINVAL);
    duration_fails("1us", EINVAL);
    duration_fails("1e3", EINVAL);
}

int main(void)
{
    test_counts();
    test_sizes();
    test_durations();
    return tap_done();
}
