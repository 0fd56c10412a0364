// SPDX-License-Identifier: BSD-2-Clause
// The account of a run.

#include "cli/stats.h"

#include "base/diag.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// To a tenth of a millisecond: a number that is written without an exponent.
static double round_seconds(double seconds)
{
    return (double)(uint64_t)(seconds * 1e4 + 0.5) / 1e4;
}

// Both forms are made from this object, in its order. NULL: no memory.
static json_t *account_to_json(const struct account *account)
{
    // clang-format off
    return json_pack("{sI sI sI sI sI sI sI sI sI sf sI sI sI}",
                     "read", (json_int_t)account->read,
                     "emitted", (json_int_t)account->emitted,
                     "dropped", (json_int_t)account->dropped,
                     "failed", (json_int_t)account->failed,
                     "unprocessed", (json_int_t)account->unprocessed,
                     "retried", (json_int_t)account->retried,
                     "attempts", (json_int_t)account->attempts,
                     "bytes_in", (json_int_t)account->bytes_in,
                     "bytes_out", (json_int_t)account->bytes_out,
                     "seconds", round_seconds(account->seconds),
                     "workers", (json_int_t)account->workers,
                     "splits", (json_int_t)account->splits,
                     "task_bytes", (json_int_t)account->task_bytes);
    // clang-format on
}

// The lines of the table, the last without its newline. NULL: no memory.
static char *format_text(json_t *json)
{
    char *text = NULL;
    size_t len = 0;
    const char *name;
    json_t *value;
    const char *newline = "";

    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return NULL;
    }
    json_object_foreach(json, name, value)
    {
        fprintf(out, "%spproc: %-12s", newline, name);
        if (json_is_real(value)) {
            fprintf(out, "%20.4f", json_real_value(value));
        } else {
            fprintf(out, "%20" JSON_INTEGER_FORMAT, json_integer_value(value));
        }
        newline = "\n";
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void stats_print(const struct account *account, enum stats_format format)
{
    if (format == STATS_NONE) {
        return;
    }
    json_t *json = account_to_json(account);
    char *text = NULL;
    if (json != NULL) {
        text = format == STATS_TEXT ? format_text(json)
                                    : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    }
    json_decref(json);
    if (text == NULL) {
        diag_error("no memory to print the account");
        return;
    }
    size_t len = strlen(text);
    text[len] = '\n'; // in place of the NUL
    diag_write(text, len + 1);
    free(text);
}
