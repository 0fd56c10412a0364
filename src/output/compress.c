// SPDX-License-Identifier: BSD-2-Clause
// Compression by the filters of libarchive, around no archive at all (its raw format).

#include "output/compress.h"

#include "base/fdio.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Bytes of compressed data in one write.
#define WRITE_BYTES (64 * 1024)

struct compressor {
    struct archive *archive;
    int fd;
    int error; // of the last write, or 0
    enum compression compression;
    bool begun;
};

// A frame of nothing: libarchive crashes at the end of one.
static const unsigned char empty_lz4[] = {4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0};

static const struct {
    const char *suffix;
    int (*add)(struct archive *archive);
} formats[] = {
    [COMPRESSION_GZIP] = {".gz", archive_write_add_filter_gzip},
    [COMPRESSION_ZSTD] = {".zst", archive_write_add_filter_zstd},
    [COMPRESSION_XZ] = {".xz", archive_write_add_filter_xz},
    [COMPRESSION_BZIP2] = {".bz2", archive_write_add_filter_bzip2},
    [COMPRESSION_LZ4] = {".lz4", archive_write_add_filter_lz4},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

enum compression compression_of(const char *file)
{
    size_t len = strlen(file);
    for (size_t i = COMPRESSION_NONE + 1; i < FORMAT_COUNT; i++) {
        size_t suffix = strlen(formats[i].suffix);
        if (len > suffix && strcmp(file + len - suffix, formats[i].suffix) == 0) {
            return (enum compression)i;
        }
    }
    return COMPRESSION_NONE;
}

static la_ssize_t write_compressed(struct archive *archive, void *arg, const void *bytes,
                                   size_t len)
{
    struct compressor *compressor = arg;
    struct iovec iov = {.iov_base = (void *)bytes, .iov_len = len};
    size_t written = 0;
    if (fdio_write_all(compressor->fd, &iov, 1, &written) != 0) {
        compressor->error = errno;
        archive_set_error(archive, errno, "write");
        return -1;
    }
    return (la_ssize_t)len;
}

// What libarchive has said, as errno.
static int failed(struct compressor *compressor)
{
    int error = archive_errno(compressor->archive);
    errno = compressor->error != 0 ? compressor->error : error > 0 ? error : EIO;
    return -1;
}

// Returns 0, or -1 with errno set.
static int begin(struct compressor *compressor)
{
    struct archive *archive = compressor->archive;
    struct archive_entry *entry = archive_entry_new();
    if (entry == NULL) {
        errno = ENOMEM;
        return -1;
    }
    archive_entry_set_filetype(entry, AE_IFREG);
    compressor->begun =
        archive_write_set_format_raw(archive) == ARCHIVE_OK &&
        formats[compressor->compression].add(archive) == ARCHIVE_OK &&
        archive_write_set_bytes_per_block(archive, WRITE_BYTES) == ARCHIVE_OK &&
        archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
        archive_write_open(archive, compressor, NULL, write_compressed, NULL) == ARCHIVE_OK &&
        archive_write_header(archive, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return compressor->begun ? 0 : failed(compressor);
}

struct compressor *compressor_create(enum compression compression, int fd)
{
    struct compressor *compressor = calloc(1, sizeof(*compressor));
    if (compressor == NULL) {
        return NULL;
    }
    compressor->fd = fd;
    compressor->compression = compression;
    compressor->archive = archive_write_new();
    if (compressor->archive == NULL) {
        free(compressor);
        errno = ENOMEM;
        return NULL;
    }
    return compressor;
}

int compressor_write(struct compressor *compressor, const void *bytes, size_t len)
{
    const char *next = bytes;
    if (len > 0 && !compressor->begun && begin(compressor) != 0) {
        return -1;
    }
    while (len > 0) {
        la_ssize_t taken = archive_write_data(compressor->archive, next, len);
        if (taken <= 0) {
            return failed(compressor);
        }
        next += taken;
        len -= (size_t)taken;
    }
    return 0;
}

int compressor_finish(struct compressor *compressor)
{
    if (!compressor->begun && compressor->compression == COMPRESSION_LZ4) {
        struct iovec iov = {.iov_base = (void *)empty_lz4, .iov_len = sizeof(empty_lz4)};
        size_t written = 0;
        return fdio_write_all(compressor->fd, &iov, 1, &written);
    }
    if (!compressor->begun && begin(compressor) != 0) {
        return -1;
    }
    return archive_write_close(compressor->archive) == ARCHIVE_OK ? 0 : failed(compressor);
}

void compressor_destroy(struct compressor *compressor)
{
    if (compressor != NULL) {
        archive_write_fail(compressor->archive); // nothing more is written when it is freed
        archive_write_free(compressor->archive);
        free(compressor);
    }
}
