// SPDX-License-Identifier: BSD-2-Clause
// What follows the members of a zip archive: the central directory, read to the end of the file.
// (libarchive stops in front of it, or does not look behind it.) It begins with the first mark: a
// member that was skipped may leave something ahead of it.

#ifndef PPROC_INPUT_ZIP_DIRECTORY_H
#define PPROC_INPUT_ZIP_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum zip_directory_status {
    ZIP_DIRECTORY_MORE,    // it has not ended yet
    ZIP_DIRECTORY_END,     // it has; NULs may follow
    ZIP_DIRECTORY_EXTRA,   // something else follows it
    ZIP_DIRECTORY_DAMAGED, // this is no directory
};

// All zero at first.
struct zip_directory {
    enum zip_directory_status status;
    uint64_t entries;         // so far
    unsigned char record[46]; // the fixed part of the current record
    size_t record_len;        // what is there of it
    bool begun;               // a record was found
    uint64_t skip;            // bytes up to the next record
    bool last;                // the current record is the end of the directory
};

// The next bytes.
enum zip_directory_status zip_directory_feed(struct zip_directory *directory,
                                             const unsigned char *bytes, size_t len);

// Enough of the end of a file to find where its directory begins, with a short comment at least.
#define ZIP_DIRECTORY_SEARCHED ((size_t)32 * 1024)

// Where the directory begins, by these last bytes of a file. False: they do not tell.
bool zip_directory_find(const unsigned char *bytes, size_t len, uint64_t *place);

#endif
