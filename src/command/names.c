// SPDX-License-Identifier: BSD-2-Clause
// Columns by name.

#include "command/names.h"

#include "base/diag.h"
#include "command/columns.h"
#include "command/form.h"

#include <string.h>

// Bytes of a header that a message shows.
#define SHOWN 200

struct iovec names_line(const char *header, size_t len, char delimiter)
{
    len--;
    const char *before = memrchr(header, delimiter, len);
    const char *line = before != NULL ? before + 1 : header;
    return (struct iovec){.iov_base = (char *)line, .iov_len = (size_t)(header + len - line)};
}

static bool has_names(const struct form *forms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < forms[i].count; j++) {
            const struct piece *piece = &forms[i].pieces[j];
            if (piece->blank && piece->placeholder.value == VALUE_NAME) {
                return true;
            }
        }
    }
    return false;
}

// The number of the column, from 1; 0: there is none of that name.
static size_t find(const struct columns_state *state, const struct placeholder *placeholder)
{
    for (size_t column = 1; column <= columns_count(state); column++) {
        struct iovec name = columns_get(state, column);
        if (name.iov_len == placeholder->name_len &&
            memcmp(name.iov_base, placeholder->name, name.iov_len) == 0) {
            return column;
        }
    }
    return 0;
}

static int resolve(const struct columns_state *state, struct iovec line, struct form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        struct placeholder *placeholder = &form->pieces[i].placeholder;
        if (!form->pieces[i].blank || placeholder->value != VALUE_NAME) {
            continue;
        }
        size_t column = find(state, placeholder);
        if (column == 0) {
            diag_error("the header '%.*s' has no column '%.*s', which is what {%.*s} means with "
                       "--header and --colsep",
                       (int)(line.iov_len < SHOWN ? line.iov_len : SHOWN), (char *)line.iov_base,
                       (int)placeholder->name_len, placeholder->name, (int)placeholder->name_len,
                       placeholder->name);
            return -1;
        }
        form_set_column(form, placeholder, column);
    }
    return 0;
}

int names_resolve(const struct columns *columns, struct iovec line, struct form *forms,
                  size_t count)
{
    if (!has_names(forms, count)) {
        return 0;
    }
    // There are no more columns than bytes, and one.
    struct columns_state *state = columns_state_create(columns, line.iov_len + 1);
    if (state == NULL) {
        diag_error("no memory for the names of the columns");
        return -1;
    }
    int status = columns_divide(columns, state, line);
    if (status != 0) {
        diag_error("the header cannot be divided by --colsep: %s", columns_error(state));
    }
    for (size_t i = 0; i < count && status == 0; i++) {
        status = resolve(state, line, &forms[i]);
    }
    columns_state_destroy(state);
    return status;
}
