// SPDX-License-Identifier: BSD-2-Clause
// The third stage of a source: the regular members of a tar, zip or 7z archive, one after another.

#ifndef PPROC_INPUT_ARCHIVE_MEMBERS_H
#define PPROC_INPUT_ARCHIVE_MEMBERS_H

#include "input/detect.h"
#include "input/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The bytes of an archive.
struct archive_bytes {
    void *from;
    // As source_read() has it. After END, EXTRA and DAMAGED there is nothing but that.
    enum source_status (*read)(void *from, void *bytes, size_t room, bool may_wait, size_t *count);
    // The next byte to be read. Returns 0, or -1 with errno set. NULL: they can be read only once.
    int (*seek)(void *from, uint64_t place);
    uint64_t size; // all of them, if they can be sought in
};

struct archive_members;

// For FORMAT_TAR, FORMAT_ZIP, or FORMAT_7Z, whose bytes must have seek(). What is wrong is told in
// *problem. One thread at a time. NULL: no memory.
struct archive_members *archive_members_create(enum format format,
                                               const struct archive_bytes *bytes,
                                               struct problem *problem);
void archive_members_destroy(struct archive_members *members);

// Go on to the next regular member. DATA: there is one; its name goes to *name, valid until the
// next call. END: there are no more, and the end of the archive was verified. May wait.
enum source_status archive_members_next(struct archive_members *members, const char **name);

// Read the member, as source_read() has it: END is the end of the member.
enum source_status archive_members_read(struct archive_members *members, void *bytes, size_t room,
                                        bool may_wait, size_t *count);

// Was that all? True after END, EXTRA and DAMAGED from archive_members_next(), and after damage in
// a member behind which nothing can be found.
bool archive_members_over(const struct archive_members *members);

#endif
