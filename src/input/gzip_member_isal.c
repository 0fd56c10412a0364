// SPDX-License-Identifier: BSD-2-Clause
// One member of a gzip stream, decoded by ISA-L.
//
// Three things that isal_inflate() does not do well are dealt with here. A header that comes in
// pieces makes it forget the flags: so headers are read by isal_read_gzip_header(). When it meets
// damage it counts the match that is wrong as output, though nothing was written there: so it is
// taken back to where it was, and fed byte by byte, which makes it stop in time. What it then has
// decoded and could not deliver stays in its own buffer: that is drained.

#include "input/gzip_member.h"

#include "input/members.h"

#include <isa-l/igzip_lib.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct gzip_member {
    struct member member;
    bool in_header;
    const char *problem; // damage was met; what was decoded before it may still be held
    struct isal_gzip_header header;
    struct inflate_state state, before; // of the last call
};

static uint32_t at_most(size_t len)
{
    return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

static void lend(struct inflate_state *state, const struct decode_buffers *buffers)
{
    state->next_in = (uint8_t *)buffers->in; // it does not write there
    state->avail_in = at_most(buffers->in_len);
    state->next_out = buffers->out;
    state->avail_out = at_most(buffers->out_len);
}

static void take_back(const struct inflate_state *state, struct decode_buffers *buffers)
{
    buffers->in_len -= (size_t)(state->next_in - buffers->in);
    buffers->in = state->next_in;
    buffers->out_len -= (size_t)(state->next_out - buffers->out);
    buffers->out = state->next_out;
}

static void read_header(struct gzip_member *member, struct decode_buffers *buffers)
{
    lend(&member->state, buffers);
    int result = isal_read_gzip_header(&member->state, &member->header);
    take_back(&member->state, buffers);
    member->in_header = result == ISAL_END_INPUT;
    if (result < 0) {
        member->problem = "the header of the gzip data is damaged";
    }
}

// All of the state that means something.
static void copy_state(struct inflate_state *to, const struct inflate_state *from)
{
    memcpy(to, from, offsetof(struct inflate_state, tmp_out_buffer) + (size_t)from->tmp_out_valid);
}

// Decode again, from where the last call began, what comes before the damage.
static int inflate_bytewise(struct gzip_member *member)
{
    struct inflate_state *state = &member->state;
    int result = ISAL_DECOMP_OK;
    copy_state(state, &member->before);
    for (uint32_t left = state->avail_in; left > 0 && state->avail_out > 0; left--) {
        state->avail_in = 1;
        result = isal_inflate(state);
        if (result < 0) {
            break;
        }
    }
    return result;
}

static void inflate_data(struct gzip_member *member, struct decode_buffers *buffers)
{
    lend(&member->state, buffers);
    copy_state(&member->before, &member->state);
    int result = isal_inflate(&member->state);
    if (result < 0 && result != ISAL_INCORRECT_CHECKSUM) {
        result = inflate_bytewise(member);
    }
    take_back(&member->state, buffers);
    if (result == ISAL_INCORRECT_CHECKSUM) {
        member->problem = "the checksum or the length of the gzip data is wrong";
    } else if (result < 0) {
        member->problem = "the gzip data is damaged";
    }
}

// After damage: deliver what was decoded before it.
static enum decode_status drain(struct gzip_member *member, struct decode_buffers *buffers)
{
    struct inflate_state *state = &member->state;
    size_t held = (size_t)(state->tmp_out_valid - state->tmp_out_processed);
    size_t len = held < buffers->out_len ? held : buffers->out_len;
    if (len > 0) {
        memcpy(buffers->out, state->tmp_out_buffer + state->tmp_out_processed, len);
        state->tmp_out_processed += (int32_t)len;
        buffers->out += len;
        buffers->out_len -= len;
    }
    return len < held ? DECODE_MORE : DECODE_DAMAGED;
}

static int gzip_begin(struct member *base)
{
    struct gzip_member *member = (struct gzip_member *)base;
    isal_inflate_reset(&member->state);
    member->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&member->header);
    member->in_header = true;
    member->problem = NULL;
    return 0;
}

static enum decode_status gzip_decode(struct member *base, struct decode_buffers *buffers,
                                      const char **problem)
{
    struct gzip_member *member = (struct gzip_member *)base;
    if (member->in_header) {
        read_header(member, buffers);
    }
    while (member->problem == NULL && !member->in_header && buffers->out_len > 0) {
        inflate_data(member, buffers);
        if (member->problem == NULL && member->state.block_state == ISAL_BLOCK_FINISH) {
            return DECODE_END;
        }
        if (buffers->in_len == 0) {
            break;
        }
    }
    *problem = member->problem;
    return member->problem != NULL ? drain(member, buffers) : DECODE_MORE;
}

static void gzip_destroy(struct member *base)
{
    free(base);
}

struct member *gzip_member_create(void)
{
    struct gzip_member *member = malloc(sizeof(*member));
    if (member == NULL) {
        return NULL;
    }
    member->member =
        (struct member){.begin = gzip_begin, .decode = gzip_decode, .destroy = gzip_destroy};
    isal_inflate_init(&member->state);
    return (struct member *)member;
}
