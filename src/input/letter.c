// SPDX-License-Identifier: BSD-2-Clause
// From a line of JSON to a record and where it came from.

#include "input/letter.h"

#include "base/base64.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// jansson leaves out bytes of a string that it has no memory for, and says nothing. So whoever
// reads has to know whether there was any.
static _Thread_local bool out_of_memory;

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    out_of_memory = out_of_memory || memory == NULL;
    return memory;
}

void letter_prepare(void)
{
    json_set_alloc_funcs(allocate, free);
}

// Arrays and objects in one another that the stack of any thread has room for.
#define MAX_DEPTH 32

static bool is_too_deep(const char *line, size_t len)
{
    bool in_string = false;
    size_t depth = 0;
    for (size_t i = 0; i < len && depth <= MAX_DEPTH; i++) {
        char c = line[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return depth > MAX_DEPTH;
}

// A whole number from `min` on; `missing` if there is none of that name. -1: it is something else.
static int64_t number(const json_t *json, const char *name, json_int_t min, json_int_t missing)
{
    const json_t *value = json_object_get(json, name);
    if (value == NULL) {
        return missing;
    }
    return json_is_integer(value) && json_integer_value(value) >= min ? json_integer_value(value)
                                                                      : -1;
}

// Set the record, in whatever encoding.
static enum letter_status take_record(struct letter *letter, const json_t *json,
                                      const char **problem)
{
    const json_t *record = json_object_get(json, "record");
    const json_t *encoding = json_object_get(json, "encoding");
    const char *name = encoding != NULL ? json_string_value(encoding) : "utf-8";
    if (!json_is_string(record)) {
        *problem = "it has no record";
        return LETTER_NONE;
    }
    letter->record = json_string_value(record);
    letter->record_len = json_string_length(record);
    if (name != NULL && strcmp(name, "utf-8") == 0) {
        return LETTER_FINE;
    }
    if (name == NULL || strcmp(name, "base64") != 0) {
        *problem = "its encoding is neither utf-8 nor base64";
        return LETTER_NONE;
    }
    char *bytes = (char *)letter->record; // nobody else reads the text
    if (base64_decode(bytes, &letter->record_len, bytes, letter->record_len) != 0) {
        *problem = "its record is not base64";
        return LETTER_NONE;
    }
    return LETTER_FINE;
}

static enum letter_status take(struct letter *letter, const json_t *json, const char **problem)
{
    int64_t nr = number(json, "nr", 1, -1), offset = number(json, "offset", 0, 0);
    letter->input = json_string_value(json_object_get(json, "input"));
    if (letter->input == NULL || nr < 0 || offset < 0) {
        *problem = "it does not tell input and nr";
        return LETTER_NONE;
    }
    letter->nr = (uint64_t)nr;
    letter->offset = (uint64_t)offset;
    enum letter_status status = take_record(letter, json, problem);
    letter->truncated = json_is_true(json_object_get(json, "truncated"));
    if (status == LETTER_FINE && letter->truncated && letter->record_len == 0) {
        *problem = "nothing of its record is there";
        return LETTER_NONE;
    }
    return status;
}

enum letter_status letter_read(struct letter *letter, const char *line, size_t len, char *problem,
                               size_t size)
{
    json_error_t error = {.text = ""};
    const char *why = error.text;
    enum letter_status status = LETTER_NONE;
    if (is_too_deep(line, len)) {
        snprintf(problem, size, "arrays and objects are nested too deeply");
        return LETTER_NONE;
    }
    out_of_memory = false;
    json_t *json = json_loadb(line, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    letter->json = json;
    if (json != NULL) {
        status = take(letter, json, &why);
    }
    if (out_of_memory) {
        status = LETTER_FAILED;
    }
    if (status == LETTER_NONE) {
        snprintf(problem, size, "%s", why);
    }
    if (status != LETTER_FINE) {
        letter_clear(letter);
    }
    return status;
}

void letter_clear(struct letter *letter)
{
    json_decref(letter->json);
    *letter = (struct letter){0};
}
