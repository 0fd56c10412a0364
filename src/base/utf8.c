// SPDX-License-Identifier: BSD-2-Clause
// UTF-8 as JSON wants it.

#include "base/utf8.h"

#include <stdbool.h>

// U+FFFD, the replacement character.
#define REPLACEMENT "\xef\xbf\xbd"

// Bytes of the character that begins there, 0 if none does. len > 0.
static size_t character(const unsigned char *bytes, size_t len)
{
    unsigned char first = bytes[0];
    if (first < 0x80) {
        return 1;
    }
    size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || len < count) {
        return 0;
    }
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    // Which second bytes would make an overlong form, a surrogate, or too large a number.
    unsigned char second = bytes[1];
    bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                 (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong ? 0 : count;
}

size_t utf8_valid(const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        size_t count = character((const unsigned char *)bytes + done, len - done);
        if (count == 0) {
            break;
        }
        done += count;
    }
    return done;
}

int utf8_repair(struct buf *buf, const char *bytes, size_t len)
{
    for (;;) {
        size_t valid = utf8_valid(bytes, len);
        if (buf_append(buf, bytes, valid) != 0) {
            return -1;
        }
        if (valid == len) {
            return 0;
        }
        if (buf_append(buf, REPLACEMENT, strlen(REPLACEMENT)) != 0) {
            return -1;
        }
        bytes += valid + 1;
        len -= valid + 1;
    }
}
