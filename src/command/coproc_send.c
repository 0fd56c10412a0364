// SPDX-License-Identifier: BSD-2-Clause
// What is sent to the process.

#include "base/clock.h"
#include "base/fdio.h"
#include "cli/settings.h"
#include "command/coproc_state.h"

#include <string.h>

// Pieces of a write.
#define PIECES 64

// Bytes of the first `records` records that are not sent.
static size_t records_length(const struct flight *flight, uint64_t records, char delimiter)
{
    size_t bytes = 0;
    for (size_t i = flight->piece; records > 0; i++) {
        const char *at = flight->pieces[i].iov_base, *end = at + flight->pieces[i].iov_len;
        while (records > 0 && at < end) {
            const char *stop = memchr(at, delimiter, (size_t)(end - at));
            const char *next = stop != NULL ? stop + 1 : end;
            bytes += (size_t)(next - at);
            at = next;
            records -= stop != NULL;
        }
    }
    return bytes;
}

// Grant the process the task, or as many of its records as it is to have. False: it has enough.
static bool grant(struct coproc *coproc, struct flight *flight)
{
    if (flight->to > 0) {
        return true;
    }
    uint64_t records = flight->records - flight->given, recycle = coproc_settings(coproc)->recycle;
    size_t bytes = flight->left;
    if (recycle > 0 && records >= recycle - coproc->granted) {
        records = recycle - coproc->granted;
        bytes = records_length(flight, records, coproc_settings(coproc)->delimiter);
        coproc->closes = true;
    }
    if (records == 0) {
        return false;
    }
    coproc->granted += records;
    flight->before = flight->answered;
    flight->given += records;
    flight->due = bytes;
    flight->from = coproc->stream;
    flight->to = coproc->stream += bytes;
    return true;
}

// What can be sent next. Returns the number of bytes.
static size_t gather(struct coproc *coproc, struct iovec *pieces, size_t *count)
{
    size_t total = 0;
    *count = 0;
    for (struct flight *flight = coproc->sending; flight != NULL; flight = flight->next) {
        bool more = flight->to == 0 && coproc->stream > 0;
        if ((coproc->trial && more) || !grant(coproc, flight)) {
            break;
        }
        size_t due = flight->due;
        for (size_t i = flight->piece; due > 0; i++) {
            if (*count == PIECES) {
                return total;
            }
            struct iovec piece = flight->pieces[i];
            piece.iov_len = piece.iov_len < due ? piece.iov_len : due;
            pieces[(*count)++] = piece;
            due -= piece.iov_len;
            total += piece.iov_len;
        }
        if (flight->due < flight->left) {
            break; // the rest is for the next process
        }
    }
    return total;
}

// So many bytes were sent.
static void advance(struct coproc *coproc, size_t bytes, int64_t now)
{
    while (bytes > 0) {
        struct flight *flight = coproc->sending;
        size_t done = bytes < flight->due ? bytes : flight->due;
        struct iovec *left = flight->pieces + flight->piece;
        size_t count = flight->piece_count - flight->piece;
        fdio_advance(&left, &count, done);
        flight->piece = flight->piece_count - count;
        flight->due -= done;
        flight->left -= done;
        bytes -= done;
        if (flight->begun == 0) {
            flight->begun = now;
            clock_gettime(CLOCK_REALTIME, &flight->start);
        }
        if (flight->left == 0) {
            coproc->sending = flight->next;
        }
    }
}

bool coproc_send(struct coproc *coproc)
{
    struct iovec pieces[PIECES];
    size_t count, total;
    while (dialog_is_open(coproc->dialog) && (total = gather(coproc, pieces, &count)) > 0) {
        bool waited_for = coproc->sending == coproc_head(coproc);
        size_t done = dialog_write(coproc->dialog, pieces, count);
        int64_t now = clock_now();
        advance(coproc, done, now);
        if (waited_for && done > 0) {
            coproc->since = now;
        }
        if (done < total) {
            return dialog_is_open(coproc->dialog);
        }
    }
    uint64_t recycle = coproc_settings(coproc)->recycle;
    bool sated = recycle > 0 && coproc->granted == recycle;
    if (coproc->closes && (coproc->sending == NULL || sated || !coproc->trial)) {
        if (dialog_is_open(coproc->dialog) && !coproc_is_owing(coproc)) {
            coproc->since = clock_now(); // it owes only its end
        }
        dialog_close(coproc->dialog);
    }
    return false;
}
