// SPDX-License-Identifier: BSD-2-Clause
// Match and exclude.

#include "plan/op_regex.h"

#include "cli/settings.h"
#include "core/result.h"
#include "plan/regex.h"

int op_regex_init(struct op_regex *op, const struct operation *operation, unsigned flags)
{
    op->keep_matches = operation->kind == OPERATION_MATCH;
    op->regex = regex_create(op->keep_matches ? "--match" : "--exclude", operation->pattern, flags);
    return op->regex != NULL ? 0 : -1;
}

void op_regex_destroy(struct op_regex *op)
{
    regex_destroy(op->regex);
}

enum verdict op_regex_run(const struct op_regex *op, struct matcher *matcher, const char *record,
                          size_t len)
{
    int matches = regex_match(op->regex, matcher, record, len);
    if (matches < 0) {
        return RECORD_FAILED;
    }
    return (matches > 0) == op->keep_matches ? RECORD_KEPT : RECORD_DROPPED;
}

int op_regex_fail(const struct matcher *matcher, struct result *result, const char *record,
                  size_t len)
{
    struct cause *cause = cause_create(ERROR_REGEX, "%s", matcher_error(matcher));
    int rc = cause != NULL ? result_fail(result, result->tally.records, record, len, cause) : -1;
    cause_unref(cause);
    return rc;
}
