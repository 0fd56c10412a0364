// SPDX-License-Identifier: BSD-2-Clause
// The values of --rate, --halt, --backoff and --retry-on.

#include "cli/policy.h"
#include "core/backoff.h"
#include "core/halt.h"
#include "core/rate.h"
#include "core/retry_on.h"
#include "tap.h"

#include <stdbool.h>
#include <stddef.h>

#define MILLISECOND INT64_C(1000000)

static void halt_is(const char *text, struct halt expected)
{
    struct halt halt;
    OK(policy_parse_halt(text, &halt) == 0 && halt.why == expected.why &&
           halt.now == expected.now && halt.percent == expected.percent &&
           halt.value == expected.value,
       "--halt=%s", text);
}

static void test_halt(void)
{
    static const char *const bad[] = {"",
                                      "now",
                                      "soon,fail",
                                      "soon,fail=",
                                      "soon,fail=0",
                                      "soon,fail=0%",
                                      "later,fail=1",
                                      "soon,lose=1",
                                      "soon,fail=101%",
                                      "soon,fail=x",
                                      "soon,fail=1,",
                                      "soon,fail=%",
                                      "soon, fail=1",
                                      "now,fail=-1",
                                      "NOW,fail=1",
                                      "fail=1",
                                      "soon,fail=11111111111111111111111111111111111111111"};
    struct halt halt;
    halt_is("soon,fail=1", (struct halt){.why = HALT_FAIL, .value = 1});
    halt_is("now,fail=3", (struct halt){.why = HALT_FAIL, .now = true, .value = 3});
    halt_is("soon,success=10%", (struct halt){.why = HALT_SUCCESS, .percent = true, .value = 10});
    halt_is("now,done=100%",
            (struct halt){.why = HALT_DONE, .now = true, .percent = true, .value = 100});
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(policy_parse_halt(bad[i], &halt) != 0, "--halt='%s' is refused", bad[i]);
    }
}

static void rate_is(const char *text, uint64_t records, int64_t seconds)
{
    struct rate rate;
    OK(policy_parse_rate(text, &rate) == 0 && rate.records == records &&
           rate.period == seconds * 1000 * MILLISECOND,
       "--rate=%s", text);
}

static void test_rate(void)
{
    static const char *const bad[] = {"",     "20",    "/s",    "0/s",       "20/",  "20/d",
                                      "20/S", "20/ms", "20/s ", "1000001/s", "-1/s", "1.5/s",
                                      "1//s", "1/s/s", " 1/s",  "s/1"};
    struct rate rate;
    rate_is("20/s", 20, 1);
    rate_is("1/m", 1, 60);
    rate_is("1000000/h", 1000000, 3600);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(policy_parse_rate(bad[i], &rate) != 0, "--rate='%s' is refused", bad[i]);
    }
}

static void backoff_is(const char *text, int64_t base, int64_t max, double factor)
{
    struct backoff backoff;
    OK(policy_parse_backoff(text, &backoff) == 0 && backoff.base == base * MILLISECOND &&
           backoff.max == max * MILLISECOND && backoff.factor == factor,
       "--backoff=%s", text);
}

static void test_backoff(void)
{
    static const char *const bad[] = {
        "",         ",1s",       "1s,", "1s,2s,",    "1s,2s,0.5", "1s,2s,x",     "1x",
        "1s,2s,3,", "1s,2s,1e2", "-1s", "1s,2s,0x2", "1s,2s,inf", "1s,2s,1.2.3", "1s,2s,1001"};
    struct backoff backoff;
    backoff_is("1", 1000, 30000, 2);
    backoff_is("0", 0, 30000, 2);
    backoff_is("250ms,2s", 250, 2000, 2);
    backoff_is("100ms,1m,1.5", 100, 60000, 1.5);
    backoff_is("1m", 60000, 60000, 2);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(policy_parse_backoff(bad[i], &backoff) != 0, "--backoff='%s' is refused", bad[i]);
    }
}

static bool has(const struct retry_on *retry_on, enum error error, int status)
{
    const struct cause cause = {.error = error, .status = status};
    return retry_is_wanted(retry_on, &cause);
}

static void test_retry_on(void)
{
    static const char *const bad[] = {"",      "exit,", ",exit",  "256",    "7-5",     "1-",
                                      "regex", "EXIT",  "plugin", "exit 1", "too-long"};
    struct retry_on retry_on;
    OK(policy_parse_retry_on("28,5-7,timeout", &retry_on) == 0, "--retry-on=28,5-7,timeout");
    OK(has(&retry_on, ERROR_EXIT, 28) && has(&retry_on, ERROR_EXIT, 6) &&
           has(&retry_on, ERROR_TIMEOUT, -1),
       "is those");
    OK(!has(&retry_on, ERROR_EXIT, 8) && !has(&retry_on, ERROR_SIGNAL, -1), "and no others");
    OK(policy_parse_retry_on("exit,signal,timeout,spawn,crash,protocol", &retry_on) == 0 &&
           retry_on.errors == RETRY_ON_ALL,
       "all that has a name");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OK(policy_parse_retry_on(bad[i], &retry_on) != 0, "--retry-on='%s' is refused", bad[i]);
    }
}

int main(void)
{
    test_rate();
    test_halt();
    test_backoff();
    test_retry_on();
    return tap_done();
}
