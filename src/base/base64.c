// SPDX-License-Identifier: BSD-2-Clause
// Base64: three bytes are four characters of six bits.

#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *text, const char *bytes, size_t len)
{
    const unsigned char *in = (const unsigned char *)bytes;
    for (; len > 0; text += 4) {
        size_t count = len < 3 ? len : 3;
        uint32_t bits = (uint32_t)in[0] << 16 | (count > 1 ? (uint32_t)in[1] << 8 : 0) |
                        (count > 2 ? in[2] : 0u);
        text[0] = alphabet[bits >> 18];
        text[1] = alphabet[bits >> 12 & 63];
        text[2] = '=';
        text[3] = '=';
        if (count > 1) {
            text[2] = alphabet[bits >> 6 & 63];
        }
        if (count > 2) {
            text[3] = alphabet[bits & 63];
        }
        in += count;
        len -= count;
    }
}

// Six bits, or -1.
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(char *bytes, size_t *count, const char *text, size_t len)
{
    if (len % 4 != 0) {
        return -1;
    }
    size_t padding = 0;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    size_t done = 0;
    for (size_t i = 0; i < len; i += 4) {
        size_t digits = i + 4 == len ? 4 - padding : 4;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j < digits ? value_of(text[i + j]) : 0;
            if (value < 0) {
                return -1;
            }
            bits = bits << 6 | (uint32_t)value;
        }
        if ((digits == 2 && (bits & 0xffff) != 0) || (digits == 3 && (bits & 0xff) != 0)) {
            return -1;
        }
        bytes[done++] = (char)(bits >> 16);
        if (digits > 2) {
            bytes[done++] = (char)(bits >> 8);
        }
        if (digits > 3) {
            bytes[done++] = (char)bits;
        }
    }
    *count = done;
    return 0;
}
