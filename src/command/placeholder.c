// SPDX-License-Identifier: BSD-2-Clause
// Placeholders: finding them, and the parts of a name of a file.

#include "command/placeholder.h"

#include <string.h>

// A column of more digits is no column: each worker has room for all up to the last.
#define COLUMN_DIGITS 6

struct fixed {
    const char *text; // between the braces
    enum placeholder_value value;
    enum placeholder_part part;
};

static const struct fixed fixed[] = {
    {"", VALUE_RECORD, PART_WHOLE},       {".", VALUE_RECORD, PART_STEM},
    {"/", VALUE_RECORD, PART_BASE},       {"//", VALUE_RECORD, PART_DIR},
    {"/.", VALUE_RECORD, PART_BASE_STEM}, {"#", VALUE_SEQ, PART_WHOLE},
    {"%", VALUE_SLOT, PART_WHOLE},        {"file", VALUE_FILE, PART_WHOLE},
    {"nr", VALUE_NR, PART_WHOLE},
};

static bool read_fixed(const char *text, size_t len, struct placeholder *found)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (strlen(fixed[i].text) == len && memcmp(fixed[i].text, text, len) == 0) {
            *found = (struct placeholder){.value = fixed[i].value, .part = fixed[i].part};
            return true;
        }
    }
    return false;
}

// A number without leading zeros, then the part, as those of a record are written.
static bool read_column(const char *text, size_t len, struct placeholder *found)
{
    size_t column = 0, digits = 0;
    for (; digits < len && text[digits] >= '0' && text[digits] <= '9'; digits++) {
        column = column * 10 + (size_t)(text[digits] - '0');
        if (digits >= COLUMN_DIGITS) {
            return false;
        }
    }
    if (digits == 0 || text[0] == '0' || !read_fixed(text + digits, len - digits, found) ||
        found->value != VALUE_RECORD) {
        return false;
    }
    found->value = VALUE_COLUMN;
    found->column = column;
    return true;
}

// Any text, but with a blank at one end it is rather part of a program, as in awk '{ print }'.
static bool read_name(const char *text, size_t len, struct placeholder *found)
{
    *found = (struct placeholder){.value = VALUE_NAME, .name = text, .name_len = len};
    return text[0] != ' ' && text[len - 1] != ' ';
}

static bool read_braces(const struct placeholder_syntax *syntax, const char *text, size_t len,
                        struct placeholder *found)
{
    if (read_fixed(text, len, found)) {
        return !syntax->numbers_only || !placeholder_is_of_record(found);
    }
    if (syntax->numbers_only) {
        return false;
    }
    if (syntax->columns && read_column(text, len, found)) {
        return true;
    }
    return syntax->names && read_name(text, len, found);
}

size_t placeholder_read(const struct placeholder_syntax *syntax, const char *text,
                        struct placeholder *found)
{
    if (syntax->record != NULL) {
        size_t len = strlen(syntax->record);
        if (syntax->numbers_only || strncmp(text, syntax->record, len) != 0) {
            return 0;
        }
        *found = (struct placeholder){.value = VALUE_RECORD};
        return len;
    }
    if (text[0] != '{') {
        return 0;
    }
    size_t len = strcspn(text + 1, "{}\n");
    if (text[1 + len] != '}' || !read_braces(syntax, text + 1, len, found)) {
        return 0;
    }
    return len + 2;
}

size_t placeholder_find(const struct placeholder_syntax *syntax, const char *text, size_t *at,
                        struct placeholder *found)
{
    for (; text[*at] != '\0'; ++*at) {
        size_t len = placeholder_read(syntax, text + *at, found);
        if (len > 0) {
            return len;
        }
    }
    return 0;
}

bool placeholder_is_of_record(const struct placeholder *placeholder)
{
    return placeholder->value != VALUE_SEQ && placeholder->value != VALUE_SLOT;
}

// --- parts of a name of a file

static struct iovec piece(const char *bytes, size_t len)
{
    return (struct iovec){.iov_base = (char *)bytes, .iov_len = len};
}

static struct iovec base_of(struct iovec name)
{
    const char *bytes = name.iov_base, *end = bytes + name.iov_len;
    const char *slash = name.iov_len > 0 ? memrchr(bytes, '/', name.iov_len) : NULL;
    return slash != NULL ? piece(slash + 1, (size_t)(end - slash - 1)) : name;
}

// Up to the last dot, unless a slash follows it.
static struct iovec stem_of(struct iovec name)
{
    struct iovec base = base_of(name);
    const char *dot = base.iov_len > 0 ? memrchr(base.iov_base, '.', base.iov_len) : NULL;
    return dot != NULL ? piece(name.iov_base, (size_t)(dot - (const char *)name.iov_base)) : name;
}

static size_t without_slashes(const char *bytes, size_t len)
{
    while (len > 1 && bytes[len - 1] == '/') {
        len--;
    }
    return len;
}

// Slashes at the end do not count, as in dirname(1).
static struct iovec dir_of(struct iovec name)
{
    const char *bytes = name.iov_base;
    size_t len = without_slashes(bytes, name.iov_len);
    const char *slash = len > 0 ? memrchr(bytes, '/', len) : NULL;
    return slash != NULL ? piece(bytes, without_slashes(bytes, (size_t)(slash - bytes) + 1))
                         : piece(".", 1);
}

struct iovec placeholder_part(enum placeholder_part part, struct iovec value)
{
    switch (part) {
    case PART_WHOLE:
        break;
    case PART_STEM:
        return stem_of(value);
    case PART_BASE:
        return base_of(value);
    case PART_DIR:
        return dir_of(value);
    case PART_BASE_STEM:
        return stem_of(base_of(value));
    }
    return value;
}
