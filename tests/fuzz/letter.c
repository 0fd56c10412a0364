// SPDX-License-Identifier: BSD-2-Clause
// Lines that may be dead letters: what is taken has a place and a record, and any line can be read.

#include "fuzz.h"

#include "input/letter.h"

#include <string.h>

void fuzz_letter(const unsigned char *data, size_t size)
{
    static bool prepared;
    if (!prepared) {
        letter_prepare();
        prepared = true;
    }
    struct letter letter = {0};
    char problem[160] = "";
    switch (letter_read(&letter, (const char *)data, size, problem, sizeof(problem))) {
    case LETTER_FINE:
        MUST(letter.nr >= 1 && letter.input != NULL && strlen(letter.input) < size);
        MUST(letter.record != NULL && letter.record_len < size);
        MUST(!letter.truncated || letter.record_len > 0);
        break;
    case LETTER_NONE:
        MUST(problem[0] != '\0' && letter.json == NULL);
        break;
    case LETTER_FAILED:
        MUST(letter.json == NULL);
        break;
    }
    letter_clear(&letter);
}
