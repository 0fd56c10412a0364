// SPDX-License-Identifier: BSD-2-Clause
// Print.

#include "plan/op_print.h"

#include "plan/op_regex.h"
#include "plan/template.h"

#include <stddef.h>

int op_print_init(struct op_print *op, const char *text, struct op_regex *match)
{
    op->of_match = match != NULL;
    op->template = template_create("--print", text, match != NULL ? match->regex : NULL);
    if (op->template == NULL) {
        return -1;
    }
    if (match != NULL && match->pairs < template_pairs(op->template)) {
        match->pairs = template_pairs(op->template);
    }
    return 0;
}

void op_print_destroy(struct op_print *op)
{
    template_destroy(op->template);
}
