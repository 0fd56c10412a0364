// SPDX-License-Identifier: BSD-2-Clause
// The values of the options that say when records are started, and what is to follow from those
// that fail.

#include "cli/policy.h"

#include "base/clock.h"
#include "base/units.h"
#include "core/backoff.h"
#include "core/halt.h"
#include "core/levels.h"
#include "core/rate.h"
#include "core/retry_on.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_BASE (100 * CLOCK_MILLISECOND)
#define BACKOFF_MAX (30 * CLOCK_SECOND)
#define BACKOFF_FACTOR 2
#define BACKOFF_FACTOR_MAX 1000

// No part of a value is longer.
#define PART_MAX 32

// Take the next part of `*text`, up to one of `ends` or the end, and go behind it. Returns what
// ended it, or -1: it is too long.
static int take_part(const char **text, const char *ends, char part[PART_MAX])
{
    size_t len = strcspn(*text, ends);
    if (len >= PART_MAX) {
        return -1;
    }
    memcpy(part, *text, len);
    part[len] = '\0';
    char end = (*text)[len];
    *text += len + (end != '\0');
    return end;
}

// --- rate

int policy_parse_rate(const char *text, struct rate *rate)
{
    static const struct {
        const char *name;
        int64_t period;
    } units[] = {{"s", CLOCK_SECOND}, {"m", 60 * CLOCK_SECOND}, {"h", 3600 * CLOCK_SECOND}};
    char records[PART_MAX];
    if (take_part(&text, "/", records) != '/' ||
        units_parse_count(records, 1, RATE_RECORDS_MAX, &rate->records) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text, units[i].name) == 0) {
            rate->period = units[i].period;
            return 0;
        }
    }
    return -1;
}

// --- priority

int policy_parse_level(const char *text, int *level)
{
    uint64_t number;
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    if (units_parse_count(text, 0, LEVEL_MAX, &number) != 0) { // LEVEL_MIN is no further from 0
        return -1;
    }
    *level = negative ? -(int)number : (int)number;
    return 0;
}

// --- halt

static int parse_why(const char *name, enum halt_why *why)
{
    static const struct {
        const char *name;
        enum halt_why why;
    } whys[] = {{"fail", HALT_FAIL}, {"success", HALT_SUCCESS}, {"done", HALT_DONE}};
    for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++) {
        if (strcmp(name, whys[i].name) == 0) {
            *why = whys[i].why;
            return 0;
        }
    }
    return -1;
}

int policy_parse_halt(const char *text, struct halt *halt)
{
    char when[PART_MAX], why[PART_MAX], value[PART_MAX];
    if (take_part(&text, ",", when) != ',' || take_part(&text, "=", why) != '=' ||
        take_part(&text, "", value) != '\0' || parse_why(why, &halt->why) != 0) {
        return -1;
    }
    halt->now = strcmp(when, "now") == 0;
    if (!halt->now && strcmp(when, "soon") != 0) {
        return -1;
    }
    size_t len = strlen(value);
    halt->percent = len > 0 && value[len - 1] == '%';
    if (halt->percent) {
        value[len - 1] = '\0';
    }
    return units_parse_count(value, 1, halt->percent ? 100 : UINT64_MAX, &halt->value);
}

// --- backoff

// A plain decimal number. strtod() alone would take much more.
static int parse_factor(const char *text, double *factor)
{
    if (!isdigit((unsigned char)*text) || text[strspn(text, "0123456789.")] != '\0') {
        return -1;
    }
    char *end;
    *factor = strtod(text, &end);
    return *end == '\0' && *factor >= 1 && *factor <= BACKOFF_FACTOR_MAX ? 0 : -1;
}

int policy_parse_backoff(const char *text, struct backoff *backoff)
{
    char part[PART_MAX];
    int end = take_part(&text, ",", part);
    if (end < 0 || units_parse_duration(part, &backoff->base) != 0) {
        return -1;
    }
    backoff->max = backoff->base > BACKOFF_MAX ? backoff->base : BACKOFF_MAX;
    backoff->factor = BACKOFF_FACTOR;
    if (end == ',') {
        end = take_part(&text, ",", part);
        if (end < 0 || units_parse_duration(part, &backoff->max) != 0) {
            return -1;
        }
    }
    if (end == ',') {
        end = take_part(&text, "", part);
        if (end < 0 || parse_factor(part, &backoff->factor) != 0) {
            return -1;
        }
    }
    return 0;
}

// --- retry-on

static int add_retry_on(struct retry_on *retry_on, const char *name)
{
    for (enum error error = 0; RETRY_ON(error) <= RETRY_ON_ALL; error++) {
        if ((RETRY_ON(error) & RETRY_ON_ALL) != 0 && strcmp(name, error_name(error)) == 0) {
            retry_on->errors |= RETRY_ON(error);
            return 0;
        }
    }
    return statuses_parse(&retry_on->statuses, name, strlen(name));
}

int policy_parse_retry_on(const char *text, struct retry_on *retry_on)
{
    char part[PART_MAX];
    int end;
    *retry_on = (struct retry_on){0};
    do {
        end = take_part(&text, ",", part);
        if (end < 0 || add_retry_on(retry_on, part) != 0) {
            return -1;
        }
    } while (end == ',');
    return 0;
}
