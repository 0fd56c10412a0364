// SPDX-License-Identifier: BSD-2-Clause
// Memory that two processes share.

#include "run/area.h"

#include "base/diag.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Bytes at first; only those that are used take memory.
#define FIRST_BYTES ((size_t)64 * 1024)

// To the kernel memory that can be shared and grow is a file.
static int resize(const struct area *area, size_t size)
{
    if (ftruncate(area->fd, (off_t)size) == 0) {
        return 0;
    }
    if (errno == EFBIG) {
        diag_error(
            "--pool=process: %zu bytes of memory that processes share are more than the limit "
            "of the sizes of files (ulimit -f) allows: raise it, or use --pool=thread",
            size);
        errno = EFBIG;
    }
    return -1;
}

int area_init(struct area *area)
{
    *area = (struct area){.fd = memfd_create("pproc", MFD_CLOEXEC)};
    if (area->fd < 0 || resize(area, FIRST_BYTES) != 0) {
        return -1;
    }
    char *bytes = mmap(NULL, FIRST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, area->fd, 0);
    if (bytes == MAP_FAILED) {
        return -1;
    }
    area->bytes = bytes;
    area->size = FIRST_BYTES;
    return 0;
}

void area_destroy(struct area *area)
{
    if (area->bytes != NULL) {
        munmap(area->bytes, area->size);
    }
    if (area->fd >= 0) {
        close(area->fd);
    }
}

int area_follow(struct area *area, size_t size)
{
    struct stat file;
    if (size == area->size) {
        return 0;
    }
    if (size == 0 || fstat(area->fd, &file) != 0 || (uint64_t)file.st_size < size) {
        errno = EINVAL; // whoever touched what is not there would die of it
        return -1;
    }
    char *bytes = mremap(area->bytes, area->size, size, MREMAP_MAYMOVE);
    if (bytes == MAP_FAILED) {
        return -1;
    }
    area->bytes = bytes;
    area->size = size;
    return 0;
}

int area_reserve(struct area *area, size_t size)
{
    size_t wanted = area->size;
    while (wanted < size) {
        wanted *= 2;
    }
    if (wanted == area->size) {
        return 0;
    }
    return resize(area, wanted) == 0 ? area_follow(area, wanted) : -1;
}

void area_shrink(struct area *area)
{
    // What the file loses nobody may touch: the mapping goes first.
    if (area->size > AREA_KEEP && area_follow(area, AREA_KEEP) == 0) {
        int done = ftruncate(area->fd, (off_t)AREA_KEEP);
        (void)done; // else the memory is given back later
    }
}
