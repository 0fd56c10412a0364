// SPDX-License-Identifier: BSD-2-Clause
// What kind of data an input is, by its first bytes.

#ifndef PPROC_INPUT_DETECT_H
#define PPROC_INPUT_DETECT_H

#include <stdbool.h>
#include <stddef.h>

// More than this is never looked at.
#define DETECT_BYTES 512

enum format {
    FORMAT_UNDECIDED, // more has to arrive
    FORMAT_PLAIN,     // none of the others
    FORMAT_GZIP,
    FORMAT_BZIP2,
    FORMAT_XZ,
    FORMAT_ZSTD,
    FORMAT_LZ4,
    FORMAT_LZIP,
    FORMAT_COMPRESS,
    FORMAT_TAR,
    FORMAT_ZIP,
    FORMAT_7Z,
};

// The format of an input that begins with these bytes; `end` if it has no more. Undecided only
// while no whole record can be missed by waiting, but for a NUL ahead of the first `delimiter`.
enum format detect_format(const unsigned char *bytes, size_t len, char delimiter, bool end);

// Likewise, of archives only: for what comes out of a compressed input.
enum format detect_archive(const unsigned char *bytes, size_t len, char delimiter, bool end);

// What the name promises: plain if nothing.
enum format detect_name(const char *name);

// Is an input with this name, whose bytes (decompressed) begin so, a tar archive without members?
// It is all NULs; without such a name these are text.
bool detect_empty_tar(const char *name, const unsigned char *bytes, size_t len);

#endif
