// SPDX-License-Identifier: BSD-2-Clause
// The source: opens one input after another and gives its bytes, decoded.
//
//     descriptor ──► fetch ──► [raw ──► decoder] ──► caller
//
// Plain bytes go straight to the caller's memory. Only the first ones of an input are kept in
// `head`, until the format is known; then again those that come out of a decoder, until it is
// known that they are no archive.

#include "input/source.h"

#include "base/fdio.h"
#include "cli/settings.h"
#include "input/decoder.h"
#include "input/detect.h"
#include "input/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 4096 // a small file in one read
#define RAW_BYTES (64 * 1024)

struct source {
    const struct settings *settings;
    int stop_fd;
    struct input *inputs; // all of them
    size_t opened;        // how many were opened; the last one is the current one

    _Atomic uint64_t all_fetched; // bytes of all inputs; read by one, looked at by all

    // The current input.
    int fd;           // -1: none, or it could not be opened
    bool regular;     // a regular file: a read of it never waits
    off_t size;       // of a regular file, when it was opened
    off_t position;   // where in the file reading began
    uint64_t fetched; // bytes that were read
    bool at_end;      // a read found nothing more

    // DATA until the decoder says END or EXTRA, or something is DAMAGED.
    enum source_status state;

    bool detected;                  // the format is known, or does not matter
    unsigned char head[HEAD_BYTES]; // to be given to the caller before all else
    size_t head_off, head_len;

    struct decoder *decoder; // NULL: plain
    unsigned char *raw;      // compressed bytes; NULL until the first decoder
    size_t raw_off, raw_len;
    bool last;   // what follows these is not there yet, or never will be
    bool broken; // there will be no more, for a reason that has been noted

    char problem[256];
};

struct source *source_create(const struct settings *settings, int stop_fd)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return NULL;
    }
    source->settings = settings;
    source->stop_fd = stop_fd;
    source->fd = -1;
    source->inputs = calloc(settings->file_count, sizeof(source->inputs[0]));
    if (source->inputs == NULL) {
        free(source);
        return NULL;
    }
    for (size_t i = 0; i < settings->file_count; i++) {
        source->inputs[i].name = settings->files[i];
    }
    return source;
}

static void close_input(struct source *source)
{
    if (source->fd > STDIN_FILENO) {
        (void)close(source->fd); // nothing was written
    }
    source->fd = -1;
    if (source->decoder != NULL) {
        source->decoder->destroy(source->decoder);
        source->decoder = NULL;
    }
}

void source_destroy(struct source *source)
{
    if (source != NULL) {
        close_input(source);
        free(source->raw);
        free(source->inputs);
        free(source);
    }
}

const struct input *source_input(const struct source *source)
{
    return &source->inputs[source->opened - 1];
}

uint64_t source_fetched(const struct source *source)
{
    return atomic_load_explicit(&source->all_fetched, memory_order_relaxed);
}

const char *source_problem(const struct source *source)
{
    return source->problem;
}

// The input gives nothing more; say why.
__attribute__((format(printf, 2, 3))) static enum source_status damaged(struct source *source,
                                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(source->problem, sizeof(source->problem), format, args);
    va_end(args);
    source->state = SOURCE_DAMAGED;
    return SOURCE_DAMAGED;
}

// Neither waits for a writer of a FIFO, nor takes a terminal for its own.
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static void look_at_file(struct source *source)
{
    struct stat status;
    source->regular = fstat(source->fd, &status) == 0 && S_ISREG(status.st_mode);
    if (source->regular) {
        off_t position = lseek(source->fd, 0, SEEK_CUR);
        source->size = status.st_size;
        source->position = position > 0 ? position : 0;
        (void)posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    } else {
        fdio_enlarge_pipe(source->fd);
    }
}

bool source_next(struct source *source)
{
    close_input(source);
    if (source->opened == source->settings->file_count) {
        return false;
    }
    const char *name = source->inputs[source->opened++].name;
    source->fetched = 0;
    source->at_end = false;
    source->state = SOURCE_DATA;
    source->detected = source->settings->no_decompress;
    source->head_off = source->head_len = 0;
    source->raw_off = source->raw_len = 0;
    source->last = source->broken = false;
    source->fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, OPEN_FLAGS);
    if (source->fd < 0) {
        (void)damaged(source, "cannot be opened: %s", strerror(errno));
    } else {
        look_at_file(source);
    }
    return true;
}

static enum source_status fetch_failed(struct source *source)
{
    switch (errno) {
    case ECANCELED:
        return SOURCE_STOPPED;
    case EISDIR:
        return damaged(source, "is a directory: name the files in it");
    case EBADF:
        return damaged(source, "standard input is closed");
    default:
        return damaged(source, "cannot be read at byte %" PRIu64 ": %s", source->fetched,
                       strerror(errno));
    }
}

// No more bytes: was that all of the file?
static enum source_status fetch_end(struct source *source)
{
    struct stat status;
    off_t end = source->position + (off_t)source->fetched;
    if (source->regular && end < source->size && fstat(source->fd, &status) == 0 &&
        status.st_size < source->size) {
        return damaged(source, "got shorter while it was read: it ends at byte %jd of %jd",
                       (intmax_t)end, (intmax_t)source->size);
    }
    source->at_end = true;
    return SOURCE_END;
}

// Bytes of the descriptor, as they are.
static enum source_status fetch(struct source *source, void *bytes, size_t room, bool may_wait,
                                size_t *count)
{
    *count = 0;
    if (source->state != SOURCE_DATA) {
        return source->state;
    }
    if (source->at_end) {
        return SOURCE_END;
    }
    int stop_fd = source->stop_fd;
    if (!may_wait && !source->regular) {
        if (!fdio_readable(source->fd)) {
            return SOURCE_WAIT;
        }
        stop_fd = -1; // it does not wait: no need to poll again
    }
    ssize_t got = fdio_read(source->fd, bytes, room, stop_fd);
    if (got <= 0) {
        return got == 0 ? fetch_end(source) : fetch_failed(source);
    }
    *count = (size_t)got;
    source->fetched += *count;
    atomic_fetch_add_explicit(&source->all_fetched, *count, memory_order_relaxed);
    return SOURCE_DATA;
}

// What the decoder says when it is not MORE.
static enum source_status decoded(struct source *source, enum decode_status status)
{
    if (status == DECODE_END) {
        return SOURCE_END;
    }
    uint64_t place = source->fetched - (source->raw_len - source->raw_off);
    (void)damaged(source, "%s, at byte %" PRIu64, source->decoder->problem, place);
    return status == DECODE_EXTRA ? SOURCE_EXTRA : SOURCE_DAMAGED;
}

// More for the decoder, which has used what it had. WAIT if there is none yet, and none is wanted
// before the decoder has given all that it can.
static enum source_status feed_decoder(struct source *source, bool may_wait)
{
    size_t fetched = 0;
    if (source->broken) {
        source->state = SOURCE_DAMAGED;
        return SOURCE_DAMAGED;
    }
    bool idle = !source->last && !source->regular && !fdio_readable(source->fd);
    enum source_status status =
        idle ? SOURCE_WAIT : fetch(source, source->raw, RAW_BYTES, may_wait, &fetched);
    if (status == SOURCE_DAMAGED) {
        source->state = SOURCE_DATA; // of the decoder
        source->broken = true;
    }
    source->raw_off = 0;
    source->raw_len = fetched;
    return status;
}

static enum decode_status call_decoder(struct source *source, void *bytes, size_t room,
                                       size_t *count)
{
    struct decode_buffers buffers = {
        .in = source->raw + source->raw_off,
        .in_len = source->raw_len - source->raw_off,
        .in_end = source->at_end,
        .in_last = source->last,
        .out = bytes,
        .out_len = room,
    };
    enum decode_status status = source->decoder->decode(source->decoder, &buffers);
    source->raw_off = source->raw_len - buffers.in_len;
    *count = room - buffers.out_len;
    if (status != DECODE_MORE) {
        source->state = decoded(source, status);
    }
    return status;
}

// Bytes out of the decoder.
static enum source_status decode(struct source *source, void *bytes, size_t room, bool may_wait,
                                 size_t *count)
{
    *count = 0;
    while (source->state == SOURCE_DATA) {
        enum decode_status status = call_decoder(source, bytes, room, count);
        if (*count > 0) {
            return SOURCE_DATA;
        }
        if (status == DECODE_MORE) {
            bool gave_all = source->last;
            enum source_status more = feed_decoder(source, may_wait);
            if (more == SOURCE_STOPPED || (more == SOURCE_WAIT && gave_all)) {
                return more;
            }
            source->last = more != SOURCE_DATA;
        }
    }
    return source->state;
}

// Formats as messages have them, their decoders, and the way out of those that have none.
static const struct {
    const char *what;
    struct decoder *(*create_decoder)(unsigned threads);
    const char *unpack;
} formats[] = {
    [FORMAT_GZIP] = {"gzip data", decode_gzip_create, NULL},
    [FORMAT_BZIP2] = {"bzip2 data", decode_bzip2_create, NULL},
    [FORMAT_XZ] = {"xz data", decode_xz_create, NULL},
    [FORMAT_ZSTD] = {"zstd data", decode_zstd_create, NULL},
    [FORMAT_LZ4] = {"lz4 data", decode_lz4_create, NULL},
    [FORMAT_LZIP] = {"lzip data", decode_lzip_create, NULL},
    [FORMAT_COMPRESS] = {"compress (.Z) data", NULL, "gzip -dc FILE"},
    [FORMAT_TAR] = {"a tar archive", NULL, "tar -xOf FILE"},
    [FORMAT_ZIP] = {"a zip archive", NULL, "unzip -p FILE"},
    [FORMAT_7Z] = {"a 7z archive", NULL, "7z x -so FILE"},
};

// The input is not read at all; what is wrong with it has been said.
static enum source_status refuse(struct source *source)
{
    source->head_len = 0;
    source->detected = true;
    return SOURCE_DAMAGED;
}

static enum source_status refuse_name(struct source *source, enum format promised)
{
    if (source->state != SOURCE_DAMAGED) {
        (void)damaged(source,
                      "is %s %s, though its name says so (--no-decompress reads it as it is)",
                      source->head_len == 0 ? "empty, not" : "not", formats[promised].what);
    }
    return refuse(source);
}

static enum source_status refuse_format(struct source *source, enum format format)
{
    (void)damaged(source, "holds %s, which this version cannot read (%s | pproc ...)",
                  formats[format].what, formats[format].unpack);
    return refuse(source);
}

static enum source_status refuse_inner(struct source *source, enum format outer, enum format inner)
{
    (void)damaged(source, "holds %s in %s, which this version cannot read: unpack it first",
                  formats[inner].what, formats[outer].what);
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
    return SOURCE_DATA;
}

// Pass the head on to a decoder. Returns 0, or -1 without memory.
static int begin_decoding(struct source *source, enum format format)
{
    if (source->raw == NULL) {
        source->raw = malloc(RAW_BYTES);
    }
    source->decoder =
        source->raw != NULL ? formats[format].create_decoder(source->settings->threads) : NULL;
    if (source->decoder == NULL) {
        return -1;
    }
    memcpy(source->raw, source->head, source->head_len);
    source->raw_len = source->head_len;
    source->head_len = 0;
    return 0;
}

// What comes out of a decoder may be an archive.
static enum source_status detect_inner(struct source *source, enum format outer)
{
    enum format inner;
    if (begin_decoding(source, outer) != 0) {
        return SOURCE_FAILED;
    }
    enum source_status status = fill_head(source, decode, detect_archive, &inner);
    if (status != SOURCE_DATA) {
        return status;
    }
    if (inner != FORMAT_PLAIN) {
        return refuse_inner(source, outer, inner);
    }
    source->detected = true;
    return SOURCE_DATA;
}

static enum source_status detect_input(struct source *source)
{
    enum format promised = detect_name(source_input(source)->name);
    enum format format;
    enum source_status status = fill_head(source, fetch, detect_format, &format);
    if (status != SOURCE_DATA) {
        return status;
    }
    if (promised != FORMAT_PLAIN && promised != format) {
        return refuse_name(source, promised);
    }
    if (format != FORMAT_PLAIN) {
        return formats[format].create_decoder != NULL ? detect_inner(source, format)
                                                      : refuse_format(source, format);
    }
    source->detected = true;
    return SOURCE_DATA;
}

enum source_status source_read(struct source *source, char *bytes, size_t room, bool may_wait,
                               size_t *count)
{
    *count = 0;
    if (!source->detected) {
        enum source_status status = detect_input(source);
        if (status != SOURCE_DATA) {
            return status;
        }
    }
    size_t held = source->head_len - source->head_off;
    if (held > 0) {
        *count = held < room ? held : room;
        memcpy(bytes, source->head + source->head_off, *count);
        source->head_off += *count;
        return SOURCE_DATA;
    }
    return source->decoder != NULL ? decode(source, bytes, room, may_wait, count)
                                   : fetch(source, bytes, room, may_wait, count);
}
