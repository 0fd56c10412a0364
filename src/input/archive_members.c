// SPDX-License-Identifier: BSD-2-Clause
// The third stage of a source: the regular members of a tar, zip or 7z archive, one after another.
//
// libarchive reads the headers and the data, with the one format that was detected and no filter.
// It has to be watched: it takes a tar archive that is cut between two members for a whole one, a
// zip member without a mark for none, and does not look behind the last member. So what follows
// that, the tail, is read here.
//
// It pulls its input through lend(). So that it need not wait there while the caller could go on
// with what it has, the next piece is read ahead before it is called, into the second of two
// buffers. Each buffer has the end of the other one in front: where libarchive ends it may have
// looked at bytes that it did not use.

#include "input/archive_members.h"

#include "input/zip_directory.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)64 * 1024)
#define HISTORY_BYTES ((size_t)1024)
#define TAR_BLOCK_BYTES 512

struct buffer {
    unsigned char *bytes; // HISTORY_BYTES of them in front of it, which were lent before
    size_t len;
    ptrdiff_t lent; // how many of them libarchive has got; less than 0: not even all before them
};

struct kind {
    const char *name;
    int (*support)(struct archive *archive);          // NULL: only where it can be sought in
    int (*support_seekable)(struct archive *archive); // NULL: there too, it is read once
    size_t piece;                                     // bytes that are lent at a time, at most
    // Go to the tail.
    enum source_status (*begin_tail)(struct archive_members *members);
    // The next bytes of it: DATA if all is well so far.
    enum source_status (*check_tail)(struct archive_members *members, const unsigned char *bytes,
                                     size_t len);
    // No more of it.
    enum source_status (*end_tail)(struct archive_members *members);
};

struct archive_members {
    const struct kind *kind;
    struct archive_bytes bytes;
    struct problem *problem;
    locale_t locale; // in which any name can be had; 0: there is none

    struct archive *archive; // NULL until the first member is asked for
    bool seeks;              // it was opened with seek()
    struct buffer buffers[2];
    unsigned current;            // the buffer that is being lent
    uint64_t lent;               // bytes that were, of all that came before too
    enum source_status upstream; // DATA, or what the bytes ended with while lent
    bool over;

    // The current member.
    struct archive_entry *entry;
    char name[32];           // if it has none that can be had
    uint64_t members, place; // how many there were, of all kinds; bytes of this one that were given
    const unsigned char *data; // what libarchive gave of it
    size_t data_len;
    uint64_t data_place;      // where that belongs: what is missing before it is a hole
    enum source_status state; // DATA, or what the member ends with behind that

    uint64_t header_place; // in the archive, of what the last header was looked for behind
    struct zip_directory directory;
};

// --- bytes

static struct buffer *current_buffer(struct archive_members *members)
{
    return &members->buffers[members->current];
}

static struct buffer *other_buffer(struct archive_members *members)
{
    return &members->buffers[!members->current];
}

static size_t unlent(const struct buffer *buffer)
{
    return (size_t)((ptrdiff_t)buffer->len - buffer->lent);
}

static enum source_status fill(struct archive_members *members, struct buffer *buffer,
                               bool may_wait)
{
    buffer->lent = 0;
    return members->bytes.read(members->bytes.from, buffer->bytes, BUFFER_BYTES, may_wait,
                               &buffer->len);
}

// All of the current buffer was lent: go on to the next one. END and EXTRA: there is none.
static enum source_status next_buffer(struct archive_members *members)
{
    struct buffer *last = current_buffer(members), *next = other_buffer(members);
    memcpy(next->bytes - HISTORY_BYTES, last->bytes + last->len - HISTORY_BYTES, HISTORY_BYTES);
    last->len = last->lent = 0;
    members->current = !members->current;
    return next->len > 0 ? SOURCE_DATA : fill(members, next, true);
}

// libarchive wants more. All of it is lent until the next call.
static la_ssize_t lend(struct archive *archive, void *context, const void **bytes)
{
    struct archive_members *members = context;
    (void)archive;
    if (unlent(current_buffer(members)) == 0) {
        members->upstream = next_buffer(members);
        if (members->upstream != SOURCE_DATA) {
            bool end = members->upstream == SOURCE_END || members->upstream == SOURCE_EXTRA;
            return end ? 0 : ARCHIVE_FATAL;
        }
    }
    struct buffer *buffer = current_buffer(members);
    size_t len = unlent(buffer);
    len = len < members->kind->piece ? len : members->kind->piece;
    *bytes = buffer->bytes + buffer->lent;
    buffer->lent += (ptrdiff_t)len;
    members->lent += len;
    return (la_ssize_t)len;
}

static int seek_to(struct archive_members *members, uint64_t place)
{
    for (int i = 0; i < 2; i++) {
        members->buffers[i].len = members->buffers[i].lent = 0;
    }
    members->lent = place;
    return members->bytes.seek(members->bytes.from, place);
}

static la_int64_t seek(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct archive_members *members = context;
    la_int64_t base = 0;
    (void)archive;
    if (whence != SEEK_SET) {
        base = whence == SEEK_CUR ? (la_int64_t)members->lent : (la_int64_t)members->bytes.size;
    }
    offset += base;
    return offset >= 0 && seek_to(members, (uint64_t)offset) == 0 ? offset : ARCHIVE_FATAL;
}

// What is wrong with the bytes as such is told by themselves; DATA: nothing is.
static enum source_status upstream_problem(const struct archive_members *members)
{
    bool end = members->upstream == SOURCE_END || members->upstream == SOURCE_EXTRA;
    return end ? SOURCE_DATA : members->upstream;
}

// What libarchive has to say, unless something is wrong with the bytes as such.
static enum source_status damaged(struct archive_members *members, const char *what,
                                  const char *rest)
{
    enum source_status upstream = upstream_problem(members);
    if (upstream != SOURCE_DATA) {
        return upstream;
    }
    const char *why = archive_error_string(members->archive);
    if (why == NULL || *why == '\0') {
        why = "no reason is known";
    }
    int len = (int)strcspn(why, "\n"); // some end in one
    return stage_damaged(members->problem, "the %s %s is damaged or cut (%.*s)%s",
                         members->kind->name, what, len, why, rest);
}

// --- tails

static enum source_status extra(struct archive_members *members)
{
    (void)stage_damaged(members->problem, "something follows the end of the %s archive",
                        members->kind->name);
    return SOURCE_EXTRA;
}

// NULs may follow.
static enum source_status check_nuls(struct archive_members *members, const unsigned char *bytes,
                                     size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return extra(members);
        }
    }
    return SOURCE_DATA;
}

static enum source_status end_nuls(struct archive_members *members)
{
    (void)members;
    return SOURCE_END;
}

// The buffer goes on where libarchive ended. It does not look ahead further than the history goes;
// should it, what is missing of the tail is damage.
static enum source_status take_back(struct archive_members *members)
{
    struct buffer *buffer = current_buffer(members);
    uint64_t unused = members->lent - (uint64_t)archive_filter_bytes(members->archive, 0);
    ptrdiff_t first = TAR_BLOCK_BYTES - (ptrdiff_t)HISTORY_BYTES; // a block before it is looked at
    bool there = unused <= (uint64_t)(buffer->lent - first);
    buffer->lent = there ? buffer->lent - (ptrdiff_t)unused : first;
    return SOURCE_DATA;
}

// libarchive ended behind a block of NULs, or found no more bytes.
static enum source_status begin_tar_tail(struct archive_members *members)
{
    uint64_t used = (uint64_t)archive_filter_bytes(members->archive, 0);
    (void)take_back(members);
    const struct buffer *buffer = current_buffer(members);
    bool nuls = used - members->header_place >= TAR_BLOCK_BYTES;
    for (ptrdiff_t i = 1; nuls && i <= TAR_BLOCK_BYTES; i++) {
        nuls = buffer->bytes[buffer->lent - i] == 0;
    }
    return nuls ? SOURCE_DATA
                : stage_damaged(members->problem,
                                "the tar archive is cut: there is no block of NULs at its end");
}

static uint64_t number(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 8; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    return value;
}

// Read from here on, to fill the buffer if there is so much.
static enum source_status read_at(struct archive_members *members, uint64_t place)
{
    struct buffer *buffer = current_buffer(members);
    enum source_status status = SOURCE_DATA;
    size_t len = 0, count;
    if (seek_to(members, place) != 0) {
        return stage_damaged(members->problem, "cannot be read at byte %" PRIu64 " once more",
                             place);
    }
    while (status == SOURCE_DATA && len < BUFFER_BYTES) {
        status = members->bytes.read(members->bytes.from, buffer->bytes + len, BUFFER_BYTES - len,
                                     true, &count);
        len += count;
    }
    buffer->len = len;
    return status == SOURCE_END ? SOURCE_DATA : status;
}

// Behind the headers, of which the first bytes of the file tell the place and the size.
static enum source_status begin_7z_tail(struct archive_members *members)
{
    enum source_status status = read_at(members, 0);
    const unsigned char *start = current_buffer(members)->bytes;
    return status == SOURCE_DATA ? read_at(members, 32 + number(start + 12) + number(start + 20))
                                 : status;
}

static enum source_status no_directory(struct archive_members *members)
{
    return stage_damaged(members->problem,
                         "the directory at the end of the zip archive is damaged, cut or missing");
}

static enum source_status begin_zip_tail(struct archive_members *members)
{
    if (!members->seeks) {
        return take_back(members);
    }
    uint64_t size = members->bytes.size, place;
    enum source_status status =
        read_at(members, size < ZIP_DIRECTORY_SEARCHED ? 0 : size - ZIP_DIRECTORY_SEARCHED);
    if (status != SOURCE_DATA) {
        return status;
    }
    const struct buffer *buffer = current_buffer(members);
    return zip_directory_find(buffer->bytes, buffer->len, &place) ? read_at(members, place)
                                                                  : no_directory(members);
}

static enum source_status check_zip_tail(struct archive_members *members,
                                         const unsigned char *bytes, size_t len)
{
    switch (zip_directory_feed(&members->directory, bytes, len)) {
    case ZIP_DIRECTORY_DAMAGED:
        return no_directory(members);
    case ZIP_DIRECTORY_EXTRA:
        return extra(members);
    default:
        return SOURCE_DATA;
    }
}

static enum source_status end_zip_tail(struct archive_members *members)
{
    if (members->directory.status != ZIP_DIRECTORY_END) {
        return no_directory(members);
    }
    return members->directory.entries == members->members
               ? SOURCE_END
               : stage_damaged(members->problem,
                               "the zip archive is damaged: its directory has %" PRIu64
                               " members, and %" PRIu64 " were found",
                               members->directory.entries, members->members);
}

static enum source_status read_tail(struct archive_members *members)
{
    enum source_status status = members->kind->begin_tail(members);
    while (status == SOURCE_DATA) {
        struct buffer *buffer = current_buffer(members);
        status = members->kind->check_tail(members, buffer->bytes + buffer->lent, unlent(buffer));
        if (status == SOURCE_DATA) {
            status = next_buffer(members);
        }
    }
    return status == SOURCE_END ? members->kind->end_tail(members) : status;
}

// --- archives

// Of a piece in which there is damage, what is inflated is lost: so those of zip are small.
static const struct kind kinds[] = {
    [FORMAT_TAR] = {"tar", archive_read_support_format_tar, NULL, BUFFER_BYTES, begin_tar_tail,
                    check_nuls, end_nuls},
    [FORMAT_ZIP] = {"zip", archive_read_support_format_zip_streamable,
                    archive_read_support_format_zip_seekable, 1024, begin_zip_tail, check_zip_tail,
                    end_zip_tail},
    [FORMAT_7Z] = {"7z", NULL, archive_read_support_format_7zip, BUFFER_BYTES, begin_7z_tail,
                   check_nuls, end_nuls},
};

struct archive_members *archive_members_create(enum format format,
                                               const struct archive_bytes *bytes,
                                               struct problem *problem)
{
    struct archive_members *members = calloc(1, sizeof(*members));
    if (members == NULL) {
        return NULL;
    }
    members->kind = &kinds[format];
    members->bytes = *bytes;
    members->problem = problem;
    for (int i = 0; i < 2; i++) {
        unsigned char *memory = calloc(1, HISTORY_BYTES + BUFFER_BYTES);
        members->buffers[i].bytes = memory != NULL ? memory + HISTORY_BYTES : NULL;
    }
    if (members->buffers[0].bytes == NULL || members->buffers[1].bytes == NULL) {
        archive_members_destroy(members);
        return NULL;
    }
    members->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return members;
}

void archive_members_destroy(struct archive_members *members)
{
    if (members == NULL) {
        return;
    }
    (void)archive_read_free(members->archive);
    for (int i = 0; i < 2; i++) {
        if (members->buffers[i].bytes != NULL) {
            free(members->buffers[i].bytes - HISTORY_BYTES);
        }
    }
    if (members->locale != (locale_t)0) {
        freelocale(members->locale);
    }
    free(members);
}

bool archive_members_over(const struct archive_members *members)
{
    return members->over;
}

// Returns what libarchive does.
static int open_archive(struct archive_members *members, int (*support)(struct archive *archive),
                        bool seeks)
{
    (void)archive_read_free(members->archive);
    members->seeks = seeks;
    members->archive = archive_read_new();
    if (members->archive == NULL || support(members->archive) != ARCHIVE_OK) {
        return ARCHIVE_FATAL;
    }
    (void)archive_read_set_read_callback(members->archive, lend);
    (void)archive_read_set_callback_data(members->archive, members);
    if (seeks) {
        (void)archive_read_set_seek_callback(members->archive, seek);
    }
    return archive_read_open1(members->archive);
}

// --- members

// With names as they are, whatever the locale of the user.
static int read_header(struct archive_members *members)
{
    locale_t old = uselocale(members->locale); // 0 changes nothing
    int result = archive_read_next_header(members->archive, &members->entry);
    (void)uselocale(old);
    return result;
}

// A zip archive in a file is read by its directory, which knows more than what is ahead of each
// member. If the directory is lost, the members may still be there.
static int first_header(struct archive_members *members)
{
    const struct kind *kind = members->kind;
    int result = ARCHIVE_FATAL;
    if (members->bytes.seek != NULL && kind->support_seekable != NULL) {
        result = open_archive(members, kind->support_seekable, true);
        result = result == ARCHIVE_OK ? read_header(members) : result;
        if (result != ARCHIVE_FATAL || kind->support == NULL ||
            upstream_problem(members) != SOURCE_DATA || seek_to(members, 0) != 0) {
            return result;
        }
    }
    result = open_archive(members, kind->support, false);
    return result == ARCHIVE_OK ? read_header(members) : result;
}

// What was not read of the last member does not count as part of the header.
static int next_header(struct archive_members *members)
{
    if (members->archive == NULL) {
        return first_header(members);
    }
    int result = archive_read_data_skip(members->archive);
    members->header_place = (uint64_t)archive_filter_bytes(members->archive, 0);
    return result < ARCHIVE_WARN ? result : read_header(members);
}

static const char *begin_member(struct archive_members *members)
{
    const char *name = archive_entry_pathname(members->entry);
    members->place = members->data_place = members->data_len = 0;
    members->state = SOURCE_DATA;
    if (name == NULL) {
        (void)snprintf(members->name, sizeof(members->name), "member %" PRIu64, members->members);
        name = members->name;
    }
    return name;
}

enum source_status archive_members_next(struct archive_members *members, const char **name)
{
    do {
        int result = next_header(members);
        if (members->archive == NULL) {
            errno = ENOMEM;
            return SOURCE_FAILED;
        }
        if (result == ARCHIVE_EOF) {
            members->over = true;
            return read_tail(members);
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            members->over = true;
            return damaged(members, "archive", "; the rest of it is not read");
        }
        members->members++;
    } while (archive_entry_filetype(members->entry) != AE_IFREG ||
             archive_entry_hardlink(members->entry) != NULL);
    *name = begin_member(members);
    return SOURCE_DATA;
}

// What is held of the member: bytes, or the hole before them.
static size_t give(struct archive_members *members, void *bytes, size_t room)
{
    uint64_t hole = members->data_place - members->place;
    size_t len;
    if (hole > 0) {
        len = hole < room ? (size_t)hole : room;
        memset(bytes, 0, len);
    } else {
        len = members->data_len < room ? members->data_len : room;
        if (len > 0) {
            memcpy(bytes, members->data, len);
            members->data += len;
        }
        members->data_len -= len;
        members->data_place += len;
    }
    members->place += len;
    return len;
}

// Can the next member be found where libarchive gave up on the data of this one? By the directory
// of a zip archive it can.
static bool goes_on(const struct archive_members *members)
{
    return members->seeks && members->kind == &kinds[FORMAT_ZIP] &&
           upstream_problem(members) == SOURCE_DATA;
}

static void read_data(struct archive_members *members)
{
    const void *data = NULL;
    size_t len = 0;
    la_int64_t place = (la_int64_t)members->place;
    int result = archive_read_data_block(members->archive, &data, &len, &place);
    if (result == ARCHIVE_EOF) {
        members->state = SOURCE_END;
    } else if (result != ARCHIVE_OK) {
        members->over = result == ARCHIVE_FATAL && !goes_on(members);
        members->state = damaged(
            members, "data", members->over ? "; what follows it in the archive is not read" : "");
    }
    if (result == ARCHIVE_FATAL) {
        return;
    }
    members->data = data;
    members->data_len = len;
    if ((uint64_t)place > members->place) {
        members->data_place = (uint64_t)place;
    }
}

// See that libarchive can be called without waiting.
static bool read_ahead(struct archive_members *members)
{
    struct buffer *next = other_buffer(members);
    return next->len > 0 || fill(members, next, false) != SOURCE_WAIT;
}

enum source_status archive_members_read(struct archive_members *members, void *bytes, size_t room,
                                        bool may_wait, size_t *count)
{
    *count = 0;
    if (archive_entry_is_data_encrypted(members->entry)) {
        return stage_damaged(members->problem, "is encrypted: decrypt it first");
    }
    while ((*count = give(members, bytes, room)) == 0 && members->state == SOURCE_DATA) {
        if (!may_wait && !read_ahead(members)) {
            return SOURCE_WAIT;
        }
        read_data(members);
    }
    return *count > 0 ? SOURCE_DATA : members->state;
}
