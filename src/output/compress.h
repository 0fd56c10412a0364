// SPDX-License-Identifier: BSD-2-Clause
// Compression of the output, in the format that the name of the file asks for.

#ifndef PPROC_OUTPUT_COMPRESS_H
#define PPROC_OUTPUT_COMPRESS_H

#include <stddef.h>

enum compression {
    COMPRESSION_NONE,
    COMPRESSION_GZIP,
    COMPRESSION_ZSTD,
    COMPRESSION_XZ,
    COMPRESSION_BZIP2,
    COMPRESSION_LZ4,
};

struct compressor;

// What a name in .gz .zst .xz .bz2 .lz4 asks for.
enum compression compression_of(const char *file);

// Compress to `fd`, which stays the caller's. NULL with errno set on failure.
struct compressor *compressor_create(enum compression compression, int fd);

// Returns 0, or -1 with errno set.
int compressor_write(struct compressor *compressor, const void *bytes, size_t len);

// Write what is still held back, and the end of the format. Returns 0, or -1 with errno set.
int compressor_finish(struct compressor *compressor);

// NULL is fine.
void compressor_destroy(struct compressor *compressor);

#endif
