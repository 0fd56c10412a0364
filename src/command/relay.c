// SPDX-License-Identifier: BSD-2-Clause
// Lines of standard error that wait, and the last ones that were passed.

#include "command/relay.h"

#include "base/diag.h"

#include <string.h>
#include <unistd.h>

// A child that has written so much does not wait for its end any more; a line of this length is
// passed in parts.
#define WAIT_BYTES ((size_t)64 * 1024)

// Room for a read.
#define READ_BYTES ((size_t)64 * 1024)

bool relay_waits(const struct relay *relay)
{
    return !relay->flows && relay->bytes.len > relay->passed;
}

// Pass what goes up to `end`, and forget all but the last that was passed.
static void pass(struct relay *relay, size_t end)
{
    struct buf *bytes = &relay->bytes;
    if (end > relay->passed) {
        diag_write(bytes->bytes + relay->passed, end - relay->passed);
        relay->passed = end;
    }
    if (relay->passed > RELAY_TAIL) {
        size_t gone = relay->passed - RELAY_TAIL;
        bytes->len -= gone;
        memmove(bytes->bytes, bytes->bytes + gone, bytes->len);
        relay->passed -= gone;
    }
}

static void pass_lines(struct relay *relay)
{
    const struct buf *bytes = &relay->bytes;
    size_t waiting = bytes->len - relay->passed;
    const char *last = waiting > 0 ? memrchr(bytes->bytes + relay->passed, '\n', waiting) : NULL;
    if (last != NULL) {
        pass(relay, (size_t)(last + 1 - bytes->bytes));
    } else if (waiting > WAIT_BYTES) {
        pass(relay, bytes->len);
    }
}

void relay_flow(struct relay *relay)
{
    relay->flows = true;
    pass_lines(relay);
}

ssize_t relay_read(struct relay *relay, int fd)
{
    struct buf *bytes = &relay->bytes;
    if (buf_reserve(bytes, READ_BYTES) != 0) {
        return -1;
    }
    ssize_t got = read(fd, bytes->bytes + bytes->len, bytes->cap - bytes->len);
    if (got > 0) {
        bytes->len += (size_t)got;
        relay->flows |= bytes->len > WAIT_BYTES;
        if (relay->flows) {
            pass_lines(relay);
        }
    }
    return got;
}

void relay_finish(struct relay *relay)
{
    struct buf *bytes = &relay->bytes;
    if (bytes->len == relay->passed) {
        return;
    }
    bool whole = bytes->bytes[bytes->len - 1] == '\n';
    if (!whole && buf_append(bytes, "\n", 1) != 0) {
        whole = true; // no memory even for that
    }
    pass(relay, bytes->len);
    bytes->len -= !whole; // the tail is the child's alone
    relay->passed = bytes->len;
}

size_t relay_tail(const struct relay *relay, char *bytes, size_t size)
{
    size_t len = relay->bytes.len < size ? relay->bytes.len : size;
    len = len < RELAY_TAIL ? len : RELAY_TAIL;
    if (len > 0) {
        memcpy(bytes, relay->bytes.bytes + relay->bytes.len - len, len);
    }
    return len;
}

void relay_clear(struct relay *relay)
{
    relay->bytes.len = relay->passed = 0;
    relay->flows = false;
    if (relay->bytes.cap > WAIT_BYTES) {
        buf_free(&relay->bytes);
    }
}

void relay_free(struct relay *relay)
{
    buf_free(&relay->bytes);
}
