// SPDX-License-Identifier: BSD-2-Clause
// The second stage of a source: feeds a decoder from the descriptor, and gives what comes out.

#include "input/decoding.h"

#include "input/decoder.h"
#include "input/descriptor.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RAW_BYTES ((size_t)64 * 1024)

int decoding_begin(struct decoding *decoding, struct decoder *decoder, const void *head, size_t len)
{
    if (decoding->raw == NULL) {
        decoding->raw = malloc(RAW_BYTES);
    }
    decoding->decoder = decoder;
    if (decoding->raw == NULL || decoder == NULL) {
        return -1;
    }
    memcpy(decoding->raw, head, len);
    decoding->raw_off = 0;
    decoding->raw_len = len;
    decoding->last = decoding->broken = false;
    decoding->state = SOURCE_DATA;
    return 0;
}

void decoding_end(struct decoding *decoding)
{
    if (decoding->decoder != NULL) {
        decoding->decoder->destroy(decoding->decoder);
        decoding->decoder = NULL;
    }
}

void decoding_destroy(struct decoding *decoding)
{
    decoding_end(decoding);
    free(decoding->raw);
}

// What the decoder says when it is not MORE.
static enum source_status decoded(struct decoding *decoding, enum decode_status status)
{
    if (status == DECODE_END) {
        return SOURCE_END;
    }
    uint64_t place = decoding->descriptor->place - (decoding->raw_len - decoding->raw_off);
    (void)stage_damaged(decoding->problem, "%s, at byte %" PRIu64, decoding->decoder->problem,
                        place);
    return status == DECODE_EXTRA ? SOURCE_EXTRA : SOURCE_DAMAGED;
}

// More for the decoder, which has used what it had. WAIT if there is none yet, and none is wanted
// before the decoder has given all that it can.
static enum source_status feed(struct decoding *decoding, bool may_wait)
{
    size_t fetched = 0;
    if (decoding->broken) {
        decoding->state = SOURCE_DAMAGED;
        return SOURCE_DAMAGED;
    }
    bool idle = !decoding->last && descriptor_idle(decoding->descriptor);
    enum source_status status =
        idle ? SOURCE_WAIT
             : descriptor_read(decoding->descriptor, decoding->raw, RAW_BYTES, may_wait, &fetched);
    decoding->broken = status == SOURCE_DAMAGED;
    decoding->raw_off = 0;
    decoding->raw_len = fetched;
    return status;
}

static enum decode_status call_decoder(struct decoding *decoding, void *bytes, size_t room,
                                       size_t *count)
{
    struct decode_buffers buffers = {
        .in = decoding->raw + decoding->raw_off,
        .in_len = decoding->raw_len - decoding->raw_off,
        .in_end = decoding->descriptor->at_end,
        .in_last = decoding->last,
        .out = bytes,
        .out_len = room,
    };
    enum decode_status status = decoding->decoder->decode(decoding->decoder, &buffers);
    decoding->raw_off = decoding->raw_len - buffers.in_len;
    *count = room - buffers.out_len;
    if (status != DECODE_MORE) {
        decoding->state = decoded(decoding, status);
    }
    return status;
}

enum source_status decoding_read(struct decoding *decoding, void *bytes, size_t room, bool may_wait,
                                 size_t *count)
{
    *count = 0;
    while (decoding->state == SOURCE_DATA) {
        enum decode_status status = call_decoder(decoding, bytes, room, count);
        if (*count > 0) {
            return SOURCE_DATA;
        }
        if (status == DECODE_MORE) {
            bool gave_all = decoding->last;
            enum source_status more = feed(decoding, may_wait);
            if (more == SOURCE_STOPPED || (more == SOURCE_WAIT && gave_all)) {
                return more;
            }
            decoding->last = more != SOURCE_DATA;
        }
    }
    return decoding->state;
}
