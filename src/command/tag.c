// SPDX-License-Identifier: BSD-2-Clause
// The template of --tag, and the tags that it makes.

#include "command/tag.h"

#include "base/buf.h"
#include "base/diag.h"
#include "cli/settings.h"
#include "command/columns.h"
#include "command/names.h"

#include <stdlib.h>
#include <string.h>

// A buffer that an extraordinary tag made larger than this is given back.
#define KEEP_BYTES ((size_t)128 * 1024)

struct tag {
    char *text; // the template, with its tabs
    struct form form;
    struct columns *columns; // NULL: there are none
};

struct tag_state {
    struct columns_state *columns; // once they are asked for
    struct buf bytes;
};

// \t and \\ mean what they mean in the templates of operations.
static char *unescape(const char *template)
{
    char *text = strdup(template);
    if (text == NULL) {
        return NULL;
    }
    char *to = text;
    for (const char *from = template; *from != '\0'; from++) {
        bool escape = from[0] == '\\' && (from[1] == 't' || from[1] == '\\');
        from += escape;
        *to++ = escape && *from == 't' ? '\t' : *from;
    }
    *to = '\0';
    return text;
}

struct tag *tag_create(const struct settings *settings)
{
    struct tag *tag = calloc(1, sizeof(*tag));
    if (tag != NULL) {
        tag->text = unescape(settings->tag);
    }
    if (tag == NULL || tag->text == NULL ||
        form_init(&tag->form, tag->text, &settings->tag_placeholders) != 0) {
        diag_error("no memory for the template of --tag");
        tag_destroy(tag);
        return NULL;
    }
    if (settings->colsep != NULL) {
        tag->columns = columns_create(settings);
        if (tag->columns == NULL) {
            tag_destroy(tag);
            return NULL;
        }
    }
    return tag;
}

void tag_destroy(struct tag *tag)
{
    if (tag != NULL) {
        columns_destroy(tag->columns);
        form_destroy(&tag->form);
        free(tag->text);
        free(tag);
    }
}

int tag_set_header(struct tag *tag, struct iovec line)
{
    return tag->columns != NULL ? names_resolve(tag->columns, line, &tag->form, 1) : 0;
}

struct tag_state *tag_state_create(void)
{
    return calloc(1, sizeof(struct tag_state));
}

void tag_state_destroy(struct tag_state *state)
{
    if (state != NULL) {
        columns_state_destroy(state->columns);
        buf_free(&state->bytes);
        free(state);
    }
}

// As it is, of any length.
static enum fill_status append_value(struct buf *buf, struct iovec value)
{
    return buf_append(buf, value.iov_base, value.iov_len) == 0 ? FILL_DONE : FILL_NO_MEMORY;
}

// Write each newline as \n, from the end on. Returns 0, or -1: no memory.
static int escape_newlines(struct buf *buf)
{
    size_t count = 0;
    for (size_t i = 0; i < buf->len; i++) {
        count += buf->bytes[i] == '\n';
    }
    if (count == 0) {
        return 0;
    }
    if (buf_reserve(buf, count) != 0) {
        return -1;
    }
    size_t from = buf->len, to = buf->len += count;
    while (from < to) {
        char byte = buf->bytes[--from];
        if (byte == '\n') {
            buf->bytes[--to] = 'n';
            byte = '\\';
        }
        buf->bytes[--to] = byte;
    }
    return 0;
}

enum fill_status tag_make(const struct tag *tag, struct tag_state *state,
                          const struct values *values, struct iovec *bytes)
{
    if (state->bytes.cap > KEEP_BYTES) {
        buf_free(&state->bytes);
    }
    state->bytes.len = 0;
    if (tag->form.last_column > 0) {
        enum fill_status divided =
            form_divide(tag->columns, tag->form.last_column, &state->columns, values->records[0]);
        if (divided != FILL_DONE) {
            return divided;
        }
    }
    enum fill_status status =
        form_fill(&tag->form, values, state->columns, append_value, &state->bytes);
    if (status == FILL_DONE && escape_newlines(&state->bytes) != 0) {
        status = FILL_NO_MEMORY;
    }
    *bytes = (struct iovec){.iov_base = state->bytes.bytes, .iov_len = state->bytes.len};
    return status;
}

const char *tag_error(const struct tag_state *state)
{
    return columns_error(state->columns);
}
