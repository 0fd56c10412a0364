// SPDX-License-Identifier: BSD-2-Clause
// Matching lines for the reader. A line on which the pattern is given up begins no record.

#include "run/record_start.h"

#include "base/diag.h"
#include "plan/plan.h"
#include "plan/regex.h"

#include <errno.h>

static bool begins_record(void *arg, const char *line, size_t len)
{
    struct record_start *start = arg;
    int matches = regex_match(start->regex, start->matcher, line, len);
    if (matches < 0 && !start->told) {
        start->told = true;
        diag_warn("a line of %zu bytes is taken to begin no record: %s", len,
                  matcher_error(start->matcher));
    }
    return matches > 0;
}

int record_start_init(struct record_start *start, const struct plan *plan)
{
    *start = (struct record_start){
        .regex = plan_record_start(plan),
        .lines = {.begins_record = begins_record, .arg = start},
    };
    if (start->regex == NULL) {
        return 0;
    }
    start->matcher = matcher_create();
    if (start->matcher == NULL) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

void record_start_destroy(struct record_start *start)
{
    matcher_destroy(start->matcher);
}
