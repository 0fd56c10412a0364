// SPDX-License-Identifier: BSD-2-Clause
// Match and exclude.

#include "plan/op_regex.h"

#include "cli/settings.h"
#include "plan/regex.h"

int op_regex_init(struct op_regex *op, const struct operation *operation, unsigned flags)
{
    *op = (struct op_regex){.keep_matches = operation->kind == OPERATION_MATCH};
    op->regex = regex_create(op->keep_matches ? "--match" : "--exclude", operation->pattern, flags);
    return op->regex != NULL ? 0 : -1;
}

void op_regex_destroy(struct op_regex *op)
{
    regex_destroy(op->regex);
}

int op_regex_keeps(const struct op_regex *op, struct matcher *matcher, struct captures *captures,
                   const char *record, size_t len)
{
    int found = captures == NULL ? regex_match(op->regex, matcher, record, len)
                                 : regex_find(op->regex, matcher, captures, record, len, 0, false);
    return found < 0 ? -1 : (found > 0) == op->keep_matches;
}
