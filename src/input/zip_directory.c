// SPDX-License-Identifier: BSD-2-Clause
// What follows the members of a zip archive: the central directory.

#include "input/zip_directory.h"

#include <string.h>

#define MARK_BYTES 4 // what a record begins with
#define END_BYTES 22
#define LOCATOR_BYTES 20
#define END64_BYTES 56

static uint64_t number(const unsigned char *bytes, size_t len)
{
    uint64_t value = 0;
    while (len > 0) {
        value = value << 8 | bytes[--len];
    }
    return value;
}

static const struct record {
    char mark[MARK_BYTES + 1];
    size_t len;           // of the fixed part
    size_t field, fields; // where the lengths of the variable parts are, and how many they are
    size_t width;         // bytes of each length
} records[] = {
    {"PK\1\2", 46, 28, 3, 2},                   // a member
    {"PK\5\5", 6, 4, 1, 2},                     // a signature
    {"PK\6\6", 12, 4, 1, 8},                    // the end, for large archives
    {"PK\6\7", LOCATOR_BYTES, 0, 0, 0},         // where that is
    {"PK\5\6", END_BYTES, END_BYTES - 2, 1, 2}, // the end, and a comment
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct record *find_record(const unsigned char *mark)
{
    for (size_t i = 0; i < COUNT(records); i++) {
        if (memcmp(mark, records[i].mark, MARK_BYTES) == 0) {
            return &records[i];
        }
    }
    return NULL;
}

// The fixed part of a record is there. False: it is wrong.
static bool take_record(struct zip_directory *directory, const struct record *record)
{
    directory->skip = 0;
    for (size_t i = 0; i < record->fields; i++) {
        directory->skip +=
            number(directory->record + record->field + i * record->width, record->width);
    }
    directory->record_len = 0;
    directory->entries += record == &records[0];
    directory->last = record == &records[COUNT(records) - 1];
    uint64_t entries = number(directory->record + 10, 2); // as the end has them; all ones: too many
    return !directory->last || entries == 0xffff || entries == (directory->entries & 0xffff);
}

// What is there is no mark. Ahead of the first one there may be something else.
static size_t no_record(struct zip_directory *directory)
{
    if (directory->begun) {
        directory->status = ZIP_DIRECTORY_DAMAGED;
    }
    directory->record_len--;
    memmove(directory->record, directory->record + 1, directory->record_len);
    return 0;
}

// Take what is needed for the current record, or skip to the next. Returns how many bytes.
static size_t feed_record(struct zip_directory *directory, const unsigned char *bytes, size_t len)
{
    if (directory->skip > 0) {
        len = len < directory->skip ? len : (size_t)directory->skip;
        directory->skip -= len;
        return len;
    }
    const struct record *record = NULL;
    size_t want = MARK_BYTES;
    if (directory->record_len >= MARK_BYTES) {
        record = find_record(directory->record);
        if (record == NULL) {
            return no_record(directory);
        }
        want = record->len;
        directory->begun = true;
    }
    len = len < want - directory->record_len ? len : want - directory->record_len;
    memcpy(directory->record + directory->record_len, bytes, len);
    directory->record_len += len;
    if (record != NULL && directory->record_len == record->len && !take_record(directory, record)) {
        directory->status = ZIP_DIRECTORY_DAMAGED;
    }
    return len;
}

enum zip_directory_status zip_directory_feed(struct zip_directory *directory,
                                             const unsigned char *bytes, size_t len)
{
    while (len > 0 && directory->status == ZIP_DIRECTORY_MORE) {
        size_t used = feed_record(directory, bytes, len);
        bytes += used;
        len -= used;
        if (directory->last && directory->skip == 0 && directory->status == ZIP_DIRECTORY_MORE) {
            directory->status = ZIP_DIRECTORY_END;
        }
    }
    for (; len > 0 && directory->status == ZIP_DIRECTORY_END; len--) {
        if (*bytes++ != 0) {
            directory->status = ZIP_DIRECTORY_EXTRA;
        }
    }
    return directory->status;
}

bool zip_directory_find(const unsigned char *bytes, size_t len, uint64_t *place)
{
    for (size_t i = len >= END_BYTES ? len - END_BYTES + 1 : 0; i-- > 0;) {
        const unsigned char *end = bytes + i;
        if (memcmp(end, "PK\5\6", MARK_BYTES) != 0 || number(end + 20, 2) > len - i - END_BYTES) {
            continue;
        }
        const unsigned char *end64 = end - LOCATOR_BYTES - END64_BYTES;
        bool large = i >= LOCATOR_BYTES + END64_BYTES &&
                     memcmp(end - LOCATOR_BYTES, "PK\6\7", MARK_BYTES) == 0 &&
                     memcmp(end64, "PK\6\6", MARK_BYTES) == 0;
        *place = large ? number(end64 + 48, 8) : number(end + 16, 4);
        return true;
    }
    return false;
}
