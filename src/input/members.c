// SPDX-License-Identifier: BSD-2-Clause
// What all formats have in common: members one after another, perhaps padded with NULs at the end.

#include "input/members.h"

#include <stdio.h>
#include <stdlib.h>

enum place {
    PLACE_SEAM, // before a member: is there one?
    PLACE_MEMBER,
    PLACE_PADDING,
};

struct members {
    struct decoder decoder;
    const struct member_format *format;
    struct member *member;
    enum place place;
    unsigned char begin[MEMBER_BEGIN_MAX]; // what was seen of the next member, at a seam
    size_t begin_len;
    size_t padding; // NULs so far
    bool any;       // there was a whole member
    char problem[80];
};

// Say what is wrong: `before`, the name of the format, `after`.
static enum decode_status damaged(struct members *members, const char *before, const char *after)
{
    (void)snprintf(members->problem, sizeof(members->problem), "%s %s %s", before,
                   members->format->name, after);
    members->decoder.problem = members->problem;
    return DECODE_DAMAGED;
}

// What comes next is no member.
static enum decode_status extra(struct members *members)
{
    const char *name = members->format->name;
    if (!members->any) {
        return damaged(members, "this is not", "data");
    }
    (void)snprintf(members->problem, sizeof(members->problem),
                   "something that is not %s data follows the %s data", name, name);
    members->decoder.problem = members->problem;
    return DECODE_EXTRA;
}

static unsigned char take_byte(struct decode_buffers *buffers)
{
    buffers->in_len--;
    return *buffers->in++;
}

// Give the member what the seam took of it.
static enum decode_status begin_member(struct members *members,
                                       const struct decode_buffers *buffers)
{
    struct decode_buffers begin = {
        .in = members->begin, .in_len = members->begin_len, .out = buffers->out};
    members->begin_len = 0;
    members->place = PLACE_MEMBER;
    if (members->member->begin(members->member) != 0) {
        return damaged(members, "there is no memory to decode the", "data");
    }
    return members->member->decode(members->member, &begin, &members->decoder.problem);
}

static enum decode_status decode_seam(struct members *members, struct decode_buffers *buffers)
{
    while (buffers->in_len > 0) {
        unsigned char byte = take_byte(buffers);
        if (byte == 0 && members->any && members->begin_len == 0) {
            members->place = PLACE_PADDING;
            members->padding = 1;
            return DECODE_MORE;
        }
        members->begin[members->begin_len++] = byte;
        if (!members->format->may_begin(members->begin, members->begin_len)) {
            return extra(members);
        }
        if (members->begin_len == members->format->begin_len) {
            return begin_member(members, buffers);
        }
    }
    return DECODE_MORE;
}

static enum decode_status decode_member(struct members *members, struct decode_buffers *buffers)
{
    enum decode_status status =
        members->member->decode(members->member, buffers, &members->decoder.problem);
    if (status == DECODE_END) {
        members->any = true;
        members->place = PLACE_SEAM;
        return DECODE_MORE;
    }
    return status;
}

static enum decode_status decode_padding(struct members *members, struct decode_buffers *buffers)
{
    size_t unit = members->format->padding_unit;
    for (; buffers->in_len > 0; members->padding++) {
        if (*buffers->in != 0) {
            members->place = PLACE_SEAM;
            return unit > 0 && members->padding % unit == 0 ? DECODE_MORE : extra(members);
        }
        (void)take_byte(buffers);
    }
    return DECODE_MORE;
}

static enum decode_status decode_part(struct members *members, struct decode_buffers *buffers)
{
    switch (members->place) {
    case PLACE_SEAM:
        return decode_seam(members, buffers);
    case PLACE_MEMBER:
        return decode_member(members, buffers);
    case PLACE_PADDING:
        break;
    }
    return decode_padding(members, buffers);
}

// The input has ended: may it, here?
static enum decode_status finish(struct members *members)
{
    bool whole = members->any && members->place != PLACE_MEMBER && members->begin_len == 0;
    return whole ? DECODE_END : damaged(members, "the", "data ends early");
}

static enum decode_status members_decode(struct decoder *decoder, struct decode_buffers *buffers)
{
    struct members *members = (struct members *)decoder;
    enum decode_status status;
    do {
        status = decode_part(members, buffers);
    } while (status == DECODE_MORE && buffers->in_len > 0 && buffers->out_len > 0);
    if (status == DECODE_MORE && buffers->out_len > 0 && buffers->in_end) {
        return finish(members);
    }
    return status;
}

static void members_destroy(struct decoder *decoder)
{
    struct members *members = (struct members *)decoder;
    members->member->destroy(members->member);
    free(members);
}

struct decoder *members_create(const struct member_format *format, struct member *member)
{
    struct members *members = member != NULL ? calloc(1, sizeof(*members)) : NULL;
    if (members == NULL) {
        if (member != NULL) {
            member->destroy(member);
        }
        return NULL;
    }
    members->decoder = (struct decoder){.decode = members_decode, .destroy = members_destroy};
    members->format = format;
    members->member = member;
    return (struct decoder *)members;
}
