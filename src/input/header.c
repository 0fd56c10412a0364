// SPDX-License-Identifier: BSD-2-Clause
// Finding, keeping and comparing headers.

#include "input/header.h"

#include <string.h>

size_t header_find(const struct header *header, const char *bytes, size_t len, bool end)
{
    size_t at = 0;
    for (size_t line = 0; line < header->lines; line++) {
        const char *stop = memchr(bytes + at, header->delimiter, len - at);
        if (stop == NULL) {
            return end && at < len && line + 1 == header->lines ? len : 0;
        }
        at = (size_t)(stop + 1 - bytes);
    }
    return at;
}

int header_accept(struct header *header, const struct input *input, const char *bytes, size_t len)
{
    struct buf *known = &header->bytes;
    size_t lines_len = len - (bytes[len - 1] == header->delimiter); // the last one may lack it
    if (header->input != NULL) {
        return lines_len + 1 == known->len && memcmp(bytes, known->bytes, lines_len) == 0;
    }
    if (buf_append(known, bytes, lines_len) != 0 || buf_append(known, &header->delimiter, 1) != 0) {
        return -1;
    }
    header->input = input;
    return 1;
}

void header_destroy(struct header *header)
{
    buf_free(&header->bytes);
}
