// SPDX-License-Identifier: BSD-2-Clause
// gzip streams: members one after another, perhaps padded with NULs at the end.

#include "input/decoder.h"

#include "input/gzip_member.h"

#include <stdlib.h>

// What each member begins with; of the flags behind it, the upper three bits are never set.
static const unsigned char magic[] = {0x1f, 0x8b, 0x08};

#define MAGIC_BYTES (sizeof(magic) + 1)
#define RESERVED_FLAGS 0xe0

enum place {
    PLACE_SEAM, // before a member: is there one?
    PLACE_MEMBER,
    PLACE_PADDING,
};

struct gzip {
    struct decoder decoder;
    struct gzip_member *member;
    enum place place;
    unsigned char begin[MAGIC_BYTES]; // what was seen of the next member, at a seam
    size_t begin_len;
    bool any; // there was a whole member
};

static enum decode_status damaged(struct gzip *gzip, const char *problem)
{
    gzip->decoder.problem = problem;
    return DECODE_DAMAGED;
}

// What comes next is no member.
static enum decode_status extra(struct gzip *gzip)
{
    if (!gzip->any) {
        return damaged(gzip, "this is not gzip data");
    }
    gzip->decoder.problem = "something that is not gzip data follows the gzip data";
    return DECODE_EXTRA;
}

static unsigned char take_byte(struct decode_buffers *buffers)
{
    buffers->in_len--;
    return *buffers->in++;
}

static bool may_begin(const struct gzip *gzip, unsigned char byte)
{
    return gzip->begin_len < sizeof(magic) ? byte == magic[gzip->begin_len]
                                           : (byte & RESERVED_FLAGS) == 0;
}

// Give the member what the seam took of its header.
static enum decode_status begin_member(struct gzip *gzip, const struct decode_buffers *buffers)
{
    struct decode_buffers begin = {
        .in = gzip->begin, .in_len = gzip->begin_len, .out = buffers->out};
    gzip->begin_len = 0;
    gzip->place = PLACE_MEMBER;
    gzip_member_begin(gzip->member);
    return gzip_member_decode(gzip->member, &begin, &gzip->decoder.problem);
}

static enum decode_status decode_seam(struct gzip *gzip, struct decode_buffers *buffers)
{
    while (buffers->in_len > 0) {
        unsigned char byte = take_byte(buffers);
        if (byte == 0 && gzip->any && gzip->begin_len == 0) {
            gzip->place = PLACE_PADDING;
            return DECODE_MORE;
        }
        if (!may_begin(gzip, byte)) {
            return extra(gzip);
        }
        gzip->begin[gzip->begin_len++] = byte;
        if (gzip->begin_len == MAGIC_BYTES) {
            return begin_member(gzip, buffers);
        }
    }
    return DECODE_MORE;
}

static enum decode_status decode_member(struct gzip *gzip, struct decode_buffers *buffers)
{
    enum decode_status status = gzip_member_decode(gzip->member, buffers, &gzip->decoder.problem);
    if (status == DECODE_END) {
        gzip->any = true;
        gzip->place = PLACE_SEAM;
        return DECODE_MORE;
    }
    return status;
}

static enum decode_status decode_padding(struct gzip *gzip, struct decode_buffers *buffers)
{
    while (buffers->in_len > 0) {
        if (take_byte(buffers) != 0) {
            return extra(gzip);
        }
    }
    return DECODE_MORE;
}

static enum decode_status decode_part(struct gzip *gzip, struct decode_buffers *buffers)
{
    switch (gzip->place) {
    case PLACE_SEAM:
        return decode_seam(gzip, buffers);
    case PLACE_MEMBER:
        return decode_member(gzip, buffers);
    case PLACE_PADDING:
        break;
    }
    return decode_padding(gzip, buffers);
}

// The input has ended: may it, here?
static enum decode_status finish(struct gzip *gzip)
{
    bool whole = gzip->any && gzip->place != PLACE_MEMBER && gzip->begin_len == 0;
    return whole ? DECODE_END : damaged(gzip, "the gzip data ends early");
}

static enum decode_status gzip_decode(struct decoder *decoder, struct decode_buffers *buffers)
{
    struct gzip *gzip = (struct gzip *)decoder;
    enum decode_status status;
    do {
        status = decode_part(gzip, buffers);
    } while (status == DECODE_MORE && buffers->in_len > 0 && buffers->out_len > 0);
    if (status == DECODE_MORE && buffers->out_len > 0 && buffers->in_end) {
        return finish(gzip);
    }
    return status;
}

static void gzip_destroy(struct decoder *decoder)
{
    struct gzip *gzip = (struct gzip *)decoder;
    gzip_member_destroy(gzip->member);
    free(gzip);
}

struct decoder *decode_gzip_create(void)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip == NULL) {
        return NULL;
    }
    gzip->decoder = (struct decoder){.decode = gzip_decode, .destroy = gzip_destroy};
    gzip->member = gzip_member_create();
    if (gzip->member == NULL) {
        free(gzip);
        return NULL;
    }
    return (struct decoder *)gzip;
}
