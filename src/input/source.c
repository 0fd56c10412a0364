// SPDX-License-Identifier: BSD-2-Clause
// The source: opens one input after another and gives its bytes, decoded.
//
//     descriptor ──► [decoding] ──► [archive members] ──► caller
//
// Which of these stages an input needs is told by its first bytes, then again by those that come
// out of a decoder. They are kept in `head` until that is known. Otherwise bytes go straight to
// the caller's memory.

#include "input/source.h"

#include "cli/settings.h"
#include "input/archive_members.h"
#include "input/decoder.h"
#include "input/decoding.h"
#include "input/descriptor.h"
#include "input/detect.h"
#include "input/input.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 4096 // a small file in one read

// A member of an archive.
struct member_input {
    struct member_input *next; // the one before it
    struct input input;
    char name[]; // of `input`
};

struct source {
    const struct settings *settings;
    struct problem problem; // what is wrong with the current input
    struct input *files;
    size_t opened;                    // how many were opened; the last one is the current one
    struct member_input *members;     // of all archives so far, the last one first
    const struct input *current;      // a file, or a member of one
    struct archive_members *archive;  // the current file is one; NULL: it is not
    struct member_input *next_member; // found, and to be the next input

    struct descriptor descriptor;
    struct decoding decoding;
    bool detected;                  // what the current file is is known, or does not matter
    unsigned char head[HEAD_BYTES]; // to be given before all else
    size_t head_off, head_len;
    enum source_status state; // DATA until the current input has ended
};

struct source *source_create(const struct settings *settings, int stop_fd)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return NULL;
    }
    source->settings = settings;
    source->descriptor = (struct descriptor){
        .settings = settings, .stop_fd = stop_fd, .problem = &source->problem, .fd = -1};
    source->decoding =
        (struct decoding){.descriptor = &source->descriptor, .problem = &source->problem};
    source->files = calloc(settings->file_count, sizeof(source->files[0]));
    if (source->files == NULL) {
        free(source);
        return NULL;
    }
    for (size_t i = 0; i < settings->file_count; i++) {
        source->files[i].name = settings->files[i];
    }
    return source;
}

static void close_file(struct source *source)
{
    archive_members_destroy(source->archive);
    source->archive = NULL;
    decoding_end(&source->decoding);
    descriptor_close(&source->descriptor);
}

void source_destroy(struct source *source)
{
    if (source == NULL) {
        return;
    }
    close_file(source);
    decoding_destroy(&source->decoding);
    while (source->members != NULL) {
        struct member_input *next = source->members->next;
        free(source->members);
        source->members = next;
    }
    free(source->files);
    free(source);
}

const struct input *source_input(const struct source *source)
{
    return source->current;
}

uint64_t source_fetched(const struct source *source)
{
    return atomic_load_explicit(&source->descriptor.fetched, memory_order_relaxed);
}

bool source_wait(const struct source *source, int fd)
{
    return descriptor_wait(&source->descriptor, fd);
}

const char *source_problem(const struct source *source)
{
    return source->problem.text;
}

// The file that is open, or was.
static const struct input *current_file(const struct source *source)
{
    return &source->files[source->opened - 1];
}

// After the archive comes the member that was found in it, and after that the archive again.
static const struct input *next_in_archive(struct source *source)
{
    if (source->next_member == NULL) {
        return current_file(source);
    }
    const struct input *input = &source->next_member->input;
    source->next_member = NULL;
    return input;
}

bool source_next(struct source *source)
{
    source->state = SOURCE_DATA;
    if (source->archive != NULL && !archive_members_over(source->archive)) {
        source->current = next_in_archive(source);
        return true;
    }
    close_file(source);
    if (source->opened == source->settings->file_count) {
        return false;
    }
    source->opened++;
    source->current = current_file(source);
    source->detected = source->settings->no_decompress;
    source->head_off = source->head_len = 0;
    descriptor_open(&source->descriptor, source->current->name);
    return true;
}

// --- the bytes of a file, decoded

static enum source_status fetch(struct source *source, void *bytes, size_t room, bool may_wait,
                                size_t *count)
{
    return descriptor_read(&source->descriptor, bytes, room, may_wait, count);
}

static enum source_status decode(struct source *source, void *bytes, size_t room, bool may_wait,
                                 size_t *count)
{
    return decoding_read(&source->decoding, bytes, room, may_wait, count);
}

static enum source_status read_file(void *from, void *bytes, size_t room, bool may_wait,
                                    size_t *count)
{
    struct source *source = from;
    size_t held = source->head_len - source->head_off;
    if (held > 0) {
        *count = held < room ? held : room;
        memcpy(bytes, source->head + source->head_off, *count);
        source->head_off += *count;
        return SOURCE_DATA;
    }
    return source->decoding.decoder != NULL ? decode(source, bytes, room, may_wait, count)
                                            : fetch(source, bytes, room, may_wait, count);
}

static int seek_file(void *from, uint64_t place)
{
    struct source *source = from;
    source->head_off = source->head_len = 0;
    return descriptor_seek(&source->descriptor, place);
}

uint64_t source_left(const struct source *source, uint64_t offset)
{
    const struct descriptor *descriptor = &source->descriptor;
    bool whole = source->detected && source->archive == NULL && source->decoding.decoder == NULL;
    if (!whole || source->state != SOURCE_DATA || !descriptor->regular) {
        return 0;
    }
    uint64_t size = descriptor_size(descriptor);
    return size > offset ? size - offset : 0;
}

int source_share(const struct source *source, uint64_t offset, off_t *place)
{
    *place = source->descriptor.position + (off_t)offset;
    return fcntl(source->descriptor.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

int source_skip(struct source *source, uint64_t offset)
{
    uint64_t place = source->descriptor.place;
    if (seek_file(source, offset) != 0) {
        return -1;
    }
    atomic_fetch_add_explicit(&source->descriptor.fetched, offset > place ? offset - place : 0,
                              memory_order_relaxed);
    return 0;
}

// --- what a file is

// Formats as messages have them, and their decoders.
static const struct {
    const char *what;
    struct decoder *(*create_decoder)(unsigned threads);
} formats[] = {
    [FORMAT_GZIP] = {"gzip data", decode_gzip_create},
    [FORMAT_BZIP2] = {"bzip2 data", decode_bzip2_create},
    [FORMAT_XZ] = {"xz data", decode_xz_create},
    [FORMAT_ZSTD] = {"zstd data", decode_zstd_create},
    [FORMAT_LZ4] = {"lz4 data", decode_lz4_create},
    [FORMAT_LZIP] = {"lzip data", decode_lzip_create},
    [FORMAT_COMPRESS] = {"compress (.Z) data", decode_compress_create},
    [FORMAT_TAR] = {"a tar archive", NULL},
    [FORMAT_ZIP] = {"a zip archive", NULL},
    [FORMAT_7Z] = {"a 7z archive", NULL},
};

// The file is not read at all; what is wrong with it has been said.
static enum source_status refuse(struct source *source)
{
    source->head_len = source->head_off = 0;
    source->detected = true;
    return SOURCE_DAMAGED;
}

static enum source_status refuse_name(struct source *source, enum format promised)
{
    if (!source->descriptor.broken) {
        (void)stage_damaged(&source->problem,
                            "is %s %s, though its name says so (--no-decompress reads it as it is)",
                            source->head_len == 0 ? "empty, not" : "not", formats[promised].what);
    }
    return refuse(source);
}

static enum source_status refuse_7z(struct source *source, enum format outer)
{
    if (outer != FORMAT_PLAIN) {
        (void)stage_damaged(&source->problem,
                            "holds a 7z archive in %s, which cannot be read on the way: "
                            "decompress it to a file first",
                            formats[outer].what);
    } else {
        (void)stage_damaged(&source->problem,
                            "is a 7z archive, which cannot be read from a pipe: give the name of a "
                            "file, or < FILE");
    }
    return refuse(source);
}

// Where the head comes from, and who looks at it.
typedef enum source_status read_function(struct source *source, void *bytes, size_t room,
                                         bool may_wait, size_t *count);
typedef enum format detect_function(const unsigned char *bytes, size_t len, char delimiter,
                                    bool end);

// Read into the head until it tells its format.
static enum source_status fill_head(struct source *source, read_function *read,
                                    detect_function *detect, enum format *format)
{
    enum source_status status;
    do {
        size_t count;
        status = read(source, source->head + source->head_len, HEAD_BYTES - source->head_len, true,
                      &count);
        if (status == SOURCE_STOPPED) {
            return status;
        }
        source->head_len += count;
        *format = detect(source->head, source->head_len, source->settings->delimiter,
                         status != SOURCE_DATA);
    } while (*format == FORMAT_UNDECIDED);
    if (*format == FORMAT_PLAIN &&
        detect_empty_tar(current_file(source)->name, source->head, source->head_len)) {
        *format = FORMAT_TAR;
    }
    return SOURCE_DATA;
}

// The head goes to a decoder; what comes out of it may be an archive.
static enum source_status detect_inner(struct source *source, enum format outer, enum format *inner)
{
    struct decoder *decoder = formats[outer].create_decoder(source->settings->threads);
    if (decoding_begin(&source->decoding, decoder, source->head, source->head_len) != 0) {
        return SOURCE_FAILED;
    }
    source->head_len = 0;
    return fill_head(source, decode, detect_archive, inner);
}

static enum source_status begin_archive(struct source *source, enum format format,
                                        enum format outer)
{
    bool seekable = outer == FORMAT_PLAIN && source->descriptor.regular;
    if (format == FORMAT_7Z && !seekable) {
        return refuse_7z(source, outer);
    }
    struct archive_bytes bytes = {
        .from = source,
        .read = read_file,
        .seek = seekable ? seek_file : NULL,
        .size = seekable ? descriptor_size(&source->descriptor) : 0,
    };
    source->archive = archive_members_create(format, &bytes, &source->problem);
    return source->archive != NULL ? SOURCE_DATA : SOURCE_FAILED;
}

static enum source_status detect_file(struct source *source)
{
    enum format promised = detect_name(current_file(source)->name);
    enum format format, outer = FORMAT_PLAIN;
    enum source_status status = fill_head(source, fetch, detect_format, &format);
    if (status != SOURCE_DATA) {
        return status;
    }
    if (promised != FORMAT_PLAIN && promised != format) {
        return refuse_name(source, promised);
    }
    if (format != FORMAT_PLAIN && formats[format].create_decoder != NULL) {
        outer = format;
        status = detect_inner(source, outer, &format);
    }
    if (status == SOURCE_DATA && format != FORMAT_PLAIN) {
        status = begin_archive(source, format, outer);
    }
    source->detected = status == SOURCE_DATA;
    return status;
}

// --- members

// A member is an input that lives as long as the source. NULL: no memory.
static struct member_input *create_member(struct source *source, const char *name)
{
    const char *archive = current_file(source)->name;
    size_t size = strlen(archive) + 1 + strlen(name) + 1;
    struct member_input *member = malloc(sizeof(*member) + size);
    if (member != NULL) {
        (void)snprintf(member->name, size, "%s:%s", archive, name);
        member->input.name = member->name;
        member->next = source->members;
        source->members = member;
    }
    return member;
}

// An archive itself has no bytes, but another member, or an end.
static enum source_status find_member(struct source *source)
{
    const char *name;
    enum source_status status = archive_members_next(source->archive, &name);
    if (status != SOURCE_DATA) {
        return status;
    }
    source->next_member = create_member(source, name);
    return source->next_member != NULL ? SOURCE_END : SOURCE_FAILED;
}

static enum source_status read_input(struct source *source, void *bytes, size_t room, bool may_wait,
                                     size_t *count)
{
    if (!source->detected) {
        enum source_status status = detect_file(source);
        if (status != SOURCE_DATA) {
            return status;
        }
    }
    if (source->archive == NULL) {
        return read_file(source, bytes, room, may_wait, count);
    }
    return source->current == current_file(source)
               ? find_member(source)
               : archive_members_read(source->archive, bytes, room, may_wait, count);
}

enum source_status source_read(struct source *source, char *bytes, size_t room, bool may_wait,
                               size_t *count)
{
    *count = 0;
    if (source->state == SOURCE_DATA) {
        enum source_status status = read_input(source, bytes, room, may_wait, count);
        bool over = status == SOURCE_END || status == SOURCE_EXTRA || status == SOURCE_DAMAGED;
        source->state = over ? status : SOURCE_DATA;
        return status;
    }
    return source->state;
}
