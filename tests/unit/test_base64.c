// SPDX-License-Identifier: BSD-2-Clause
// Base64: the vectors of RFC 4648, everything that is none, and there and back.

#include "base/base64.h"
#include "tap.h"

#include <string.h>

static const char *const vectors[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff", "+/8="},
};

static bool decodes(const char *text)
{
    char bytes[64];
    size_t count;
    return base64_decode(bytes, &count, text, strlen(text)) == 0;
}

static void test_vectors(void)
{
    bool encoded = true, decoded = true;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const char *bytes = vectors[i][0], *text = vectors[i][1];
        char out[64];
        size_t len = strlen(text), count;
        base64_encode(out, bytes, strlen(bytes));
        encoded = encoded && BASE64_LENGTH(strlen(bytes)) == len && memcmp(out, text, len) == 0;
        decoded = decoded && base64_decode(out, &count, text, len) == 0 && count == strlen(bytes) &&
                  memcmp(out, bytes, count) == 0;
    }
    OK(encoded, "bytes become text");
    OK(decoded, "and text bytes");
}

static void test_malformed(void)
{
    static const char *const texts[] = {"Z",        "Zg",   "Zg=",  "=",     "====",  "Z===",
                                        "Zg==Zg==", "Zh==", "Zm9=", "Zm-v",  "Zm_v",  "Zm 9",
                                        "Z\n==",    "Zg=v", "=Zg=", "Zm9v=", "Zm9v\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OK(!decodes(texts[i]), "text that is no base64 is refused: number %zu", i);
    }
    char bytes[4];
    size_t count;
    OK(base64_decode(bytes, &count, "Zm\0v", 4) != 0, "so is a NUL in it");
}

static void test_all_bytes(void)
{
    char bytes[256], text[BASE64_LENGTH(256)];
    bool right = true;
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)(i * 7 + len);
        }
        base64_encode(text, bytes, len);
        size_t count;
        right = right && base64_decode(text, &count, text, BASE64_LENGTH(len)) == 0 &&
                count == len && memcmp(text, bytes, len) == 0;
    }
    OK(right, "bytes of any length go there and back, decoded in place");
}

int main(void)
{
    test_vectors();
    test_malformed();
    test_all_bytes();
    return tap_done();
}
