// SPDX-License-Identifier: BSD-2-Clause
// Texts with placeholders.

#include "command/form.h"

#include "base/buf.h"
#include "command/columns.h"
#include "core/records.h"
#include "core/result.h"
#include "input/input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct values values_of(const struct result *result, size_t off, uint64_t index,
                        const struct iovec *records, size_t count, unsigned slot)
{
    const struct block *block = result->task.block;
    const struct origin *origin = records_origin(block, off);
    index += result->task.index;
    return (struct values){
        .records = records,
        .record_count = count,
        .file = origin != NULL ? origin->input->name : block->input->name,
        .nr = origin != NULL ? origin->nr : block->first_nr + index,
        .seq = block->first_seq + index,
        .slot = slot,
    };
}

static struct piece *piece_add(struct form *form, const char *bytes, size_t len)
{
    struct piece *pieces = realloc(form->pieces, (form->count + 1) * sizeof(*pieces));
    if (pieces == NULL) {
        return NULL;
    }
    form->pieces = pieces;
    pieces[form->count] = (struct piece){.bytes = bytes, .len = len};
    return &pieces[form->count++];
}

static int add_literal(struct form *form, const char *bytes, size_t len)
{
    return len == 0 || piece_add(form, bytes, len) != NULL ? 0 : -1;
}

void form_set_column(struct form *form, struct placeholder *placeholder, size_t column)
{
    placeholder->column = column;
    if (column > form->last_column) {
        form->last_column = column;
    }
}

static int add_blank(struct form *form, const char *bytes, size_t len,
                     const struct placeholder *placeholder)
{
    struct piece *piece = piece_add(form, bytes, len);
    if (piece == NULL) {
        return -1;
    }
    piece->blank = true;
    piece->placeholder = *placeholder;
    form->blanks++;
    form_set_column(form, &piece->placeholder, placeholder->column);
    return 0;
}

int form_init(struct form *form, const char *text, const struct placeholder_syntax *syntax)
{
    *form = (struct form){.text = text};
    struct placeholder found;
    size_t done = 0, at = 0, len;
    while ((len = placeholder_find(syntax, text, &at, &found)) > 0) {
        if (add_literal(form, text + done, at - done) != 0 ||
            add_blank(form, text + at, len, &found) != 0) {
            return -1;
        }
        done = at += len;
    }
    return add_literal(form, text + done, at - done);
}

void form_destroy(struct form *form)
{
    free(form->pieces);
}

int form_append_record(struct form *form, const char *literal)
{
    const struct placeholder record = {.value = VALUE_RECORD};
    return add_literal(form, literal, strlen(literal)) == 0
               ? add_blank(form, form->text + strlen(form->text), 0, &record)
               : -1;
}

static enum fill_status append_number(struct buf *buf, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRIu64, number);
    return buf_append(buf, text, (size_t)len) == 0 ? FILL_DONE : FILL_NO_MEMORY;
}

static enum fill_status append_records(const struct values *values, enum placeholder_part part,
                                       fill_append *append, struct buf *buf)
{
    enum fill_status status = FILL_DONE;
    for (size_t i = 0; i < values->record_count && status == FILL_DONE; i++) {
        if (i > 0 && buf_append(buf, " ", 1) != 0) {
            return FILL_NO_MEMORY;
        }
        status = append(buf, placeholder_part(part, values->records[i]));
    }
    return status;
}

static enum fill_status fill_blank(const struct placeholder *placeholder,
                                   const struct values *values, const struct columns_state *state,
                                   fill_append *append, struct buf *buf)
{
    switch (placeholder->value) {
    case VALUE_RECORD:
        return append_records(values, placeholder->part, append, buf);
    case VALUE_COLUMN:
    case VALUE_NAME:
        return append(buf,
                      placeholder_part(placeholder->part, columns_get(state, placeholder->column)));
    case VALUE_FILE:
        return append(
            buf, (struct iovec){.iov_base = (char *)values->file, .iov_len = strlen(values->file)});
    case VALUE_NR:
        return append_number(buf, values->nr);
    case VALUE_SEQ:
        return append_number(buf, values->seq);
    case VALUE_SLOT:
        return append_number(buf, values->slot);
    }
    return FILL_DONE;
}

enum fill_status form_divide(const struct columns *columns, size_t last,
                             struct columns_state **state, struct iovec record)
{
    if (*state == NULL) {
        *state = columns_state_create(columns, last);
    }
    if (*state == NULL) {
        return FILL_NO_MEMORY;
    }
    return columns_divide(columns, *state, record) == 0 ? FILL_DONE : FILL_GAVE_UP;
}

enum fill_status form_fill(const struct form *form, const struct values *values,
                           const struct columns_state *state, fill_append *append, struct buf *buf)
{
    enum fill_status status = FILL_DONE;
    for (size_t i = 0; i < form->count && status == FILL_DONE; i++) {
        const struct piece *piece = &form->pieces[i];
        if (piece->blank) {
            status = fill_blank(&piece->placeholder, values, state, append, buf);
        } else if (buf_append(buf, piece->bytes, piece->len) != 0) {
            status = FILL_NO_MEMORY;
        }
    }
    return status;
}
