// SPDX-License-Identifier: BSD-2-Clause
// Columns of a record, divided by --colsep.

#include "command/columns.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "plan/regex.h"

#include <stdlib.h>
#include <string.h>

struct columns {
    char byte;           // divides them, if there is no regex
    struct regex *regex; // divides them; NULL: a byte does
};

struct columns_state {
    struct matcher *matcher;   // with a regex only
    struct captures *captures; // likewise
    size_t last;               // columns behind it are not asked for
    size_t count;              // found, no more than these
    struct iovec fields[];     // room for those
};

struct columns *columns_create(const struct settings *settings)
{
    struct columns *columns = calloc(1, sizeof(*columns));
    if (columns == NULL) {
        diag_error("no memory for the columns");
        return NULL;
    }
    if (strlen(settings->colsep) == 1) {
        columns->byte = settings->colsep[0];
        return columns;
    }
    columns->regex = regex_create("--colsep", settings->colsep, settings->utf ? REGEX_UTF : 0);
    if (columns->regex == NULL) {
        free(columns);
        return NULL;
    }
    return columns;
}

void columns_destroy(struct columns *columns)
{
    if (columns != NULL) {
        regex_destroy(columns->regex);
        free(columns);
    }
}

struct columns_state *columns_state_create(const struct columns *columns, size_t last)
{
    struct columns_state *state = calloc(1, sizeof(*state) + last * sizeof(state->fields[0]));
    if (state == NULL) {
        return NULL;
    }
    state->last = last;
    if (columns->regex == NULL) {
        return state;
    }
    state->matcher = matcher_create();
    state->captures = captures_create(1);
    if (state->matcher == NULL || state->captures == NULL) {
        columns_state_destroy(state);
        return NULL;
    }
    return state;
}

void columns_state_destroy(struct columns_state *state)
{
    if (state != NULL) {
        matcher_destroy(state->matcher);
        captures_destroy(state->captures);
        free(state);
    }
}

// Find what ends the column that begins at `from`: a separator at [*stop, *next). 1, 0, or -1.
// An empty one divides as in Perl's split: not at the begin of a column, nor at the end of all.
static int find_separator(const struct columns *columns, struct columns_state *state,
                          struct iovec record, size_t from, size_t *stop, size_t *next)
{
    const char *bytes = record.iov_base;
    if (columns->regex == NULL) {
        const char *found = from < record.iov_len
                                ? memchr(bytes + from, columns->byte, record.iov_len - from)
                                : NULL;
        if (found == NULL) {
            return 0;
        }
        *stop = (size_t)(found - bytes);
        *next = *stop + 1;
        return 1;
    }
    int found = regex_find(columns->regex, state->matcher, state->captures, bytes, record.iov_len,
                           from, true);
    if (found > 0) {
        const size_t *offsets = state->captures->offsets;
        *stop = offsets[0];
        *next = offsets[1];
        found = *stop < record.iov_len;
    }
    return found;
}

int columns_divide(const struct columns *columns, struct columns_state *state, struct iovec record)
{
    size_t from = 0, stop, next;
    int found = 1;
    state->count = 0;
    while (found > 0 && state->count < state->last) {
        found = find_separator(columns, state, record, from, &stop, &next);
        if (found < 0) {
            return -1;
        }
        state->fields[state->count++] = (struct iovec){
            .iov_base = (char *)record.iov_base + from,
            .iov_len = (found ? stop : record.iov_len) - from,
        };
        from = found ? next : from;
    }
    return 0;
}

const char *columns_error(const struct columns_state *state)
{
    return matcher_error(state->matcher);
}

size_t columns_count(const struct columns_state *state)
{
    return state->count;
}

struct iovec columns_get(const struct columns_state *state, size_t column)
{
    return column <= state->count ? state->fields[column - 1]
                                  : (struct iovec){.iov_base = (char *)""};
}
