// SPDX-License-Identifier: BSD-2-Clause
// Reading dead letters: what is one, what is none, and what is in it.

#include "input/letter.h"
#include "tap.h"

#include <string.h>

static struct letter letter;
static char problem[200];

static enum letter_status read_text(const char *text)
{
    letter_clear(&letter);
    return letter_read(&letter, text, strlen(text), problem, sizeof(problem));
}

static bool record_is(const char *bytes, size_t len)
{
    return letter.record_len == len && memcmp(letter.record, bytes, len) == 0;
}

static void test_fine(void)
{
    OK(read_text(
           "{\"input\":\"a/b\",\"nr\":12,\"offset\":345,\"record\":\"x\\u0000\\n\\\"\\u20ac\","
           "\"encoding\":\"utf-8\",\"error\":\"exit\",\"stdout\":null}\n") == LETTER_FINE,
       "a line is a letter");
    OK(strcmp(letter.input, "a/b") == 0 && letter.nr == 12 && letter.offset == 345 &&
           !letter.truncated,
       "it tells the place");
    OK(record_is("x\0\n\"\xe2\x82\xac", 7), "and the record, NUL and newline too");

    OK(read_text(" { \"record\" : \"/wAKYQ==\", \"encoding\" : \"base64\", \"nr\" : 1, "
                 "\"input\" : \"-\" }\r\n") == LETTER_FINE,
       "order, space and what is not needed do not matter");
    OK(record_is("\xff\0\na", 4), "base64 is decoded");
    OK(letter.offset == 0, "an offset that is missing is 0");

    OK(read_text("{\"input\":\"-\",\"nr\":1,\"record\":\"\"}") == LETTER_FINE && record_is("", 0),
       "a record may be empty");
    OK(read_text("{\"input\":\"-\",\"nr\":1,\"record\":\"x\",\"truncated\":true}") == LETTER_FINE &&
           letter.truncated,
       "it may be only the beginning of one");
    letter_clear(&letter);
    OK(letter.json == NULL && letter.record == NULL, "nothing is left when it is cleared");
}

static void test_none(void)
{
    static const char *const texts[] = {
        "",
        "\n",
        "x\n",
        "[]\n",
        "null\n",
        "{}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"x\"} {}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"x\"\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"x\",\"record\":\"y\"}\n",
        "{\"input\":\"-\",\"nr\":1}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":7}\n",
        "{\"input\":\"-\",\"record\":\"x\"}\n",
        "{\"input\":\"-\",\"nr\":0,\"record\":\"x\"}\n",
        "{\"input\":\"-\",\"nr\":1.5,\"record\":\"x\"}\n",
        "{\"input\":\"-\",\"nr\":99999999999999999999,\"record\":\"x\"}\n",
        "{\"input\":\"-\",\"nr\":1,\"offset\":-1,\"record\":\"x\"}\n",
        "{\"nr\":1,\"record\":\"x\"}\n",
        "{\"input\":null,\"nr\":1,\"record\":\"x\"}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"x\",\"encoding\":\"latin1\"}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"x\",\"encoding\":null}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"x\",\"encoding\":\"base64\"}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"\",\"truncated\":true}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"\xff\"}\n",
        "{\"input\":\"-\",\"nr\":1,\"record\":\"\\ud800\"}\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        problem[0] = '\0';
        OK(read_text(texts[i]) == LETTER_NONE && problem[0] != '\0' && letter.json == NULL,
           "number %zu is none: %s", i, problem);
    }
}

static void test_depth(void)
{
    OK(read_text(
           "{\"input\":\"-\",\"nr\":1,\"record\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{"
           "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{\",\"more\":[[],[],[{}]]}") == LETTER_FINE,
       "brackets in strings and beside one another are not deep");
    OK(read_text("{\"input\":\"-\",\"nr\":1,\"record\":\"x\",\"more\":"
                 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}") ==
           LETTER_NONE,
       "what is nested without end is no letter: %s", problem);
}

int main(void)
{
    letter_prepare();
    test_fine();
    test_none();
    test_depth();
    return tap_done();
}
