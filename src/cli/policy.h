// SPDX-License-Identifier: BSD-2-Clause
// The values of the options that say when records are started, and what is to follow from those
// that fail. All return 0, or -1: it is no such value.

#ifndef PPROC_CLI_POLICY_H
#define PPROC_CLI_POLICY_H

struct backoff;
struct halt;
struct rate;
struct retry_on;

#define HALT_ALLOWED                                                                               \
    "WHEN,WHY=VAL: now or soon; fail, success or done; a number of records or 1% to 100%"
#define PRIORITY_ALLOWED "RE=N: a pattern and its priority, from -100 to 100"
#define RATE_ALLOWED "N/s, N/m or N/h: a number of records from 1 to 1000000"
#define BACKOFF_ALLOWED "BASE[,MAX[,FACTOR]]: two durations such as 100ms,30s and a number from 1"
#define RETRY_ON_ALLOWED                                                                           \
    "a list of exit statuses (28, 5-7), exit, signal, timeout, spawn, crash and protocol"

// --rate: `20/s`, `1/m`.
int policy_parse_rate(const char *text, struct rate *rate);

// A priority within its limits: `-5`, `+7`, `0`.
int policy_parse_level(const char *text, int *level);

// --halt: `soon,fail=3`, `now,success=10%`.
int policy_parse_halt(const char *text, struct halt *halt);

// --backoff: `1s`, `100ms,1m,1.5`. What is not given is as in the default, but MAX no less than
// BASE.
int policy_parse_backoff(const char *text, struct backoff *backoff);

// What it is if it is not given.
#define BACKOFF_DEFAULT "100ms"

// --retry-on: `28,5-7,timeout`.
int policy_parse_retry_on(const char *text, struct retry_on *retry_on);

#endif
