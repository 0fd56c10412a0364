// SPDX-License-Identifier: BSD-2-Clause
// Which replies are to which records.
//
// A record is answered when its reply has its delimiter. But a process can print something and then
// die, of the record that this seems to answer. So the last reply is held until another one comes,
// or the process has lived on for a while; if it fails before, that record is as good as
// unanswered.
//
// One that gives more replies than it got records is found out by a reply that no record asked for,
// or to a record that it has not even read.

#include "base/clock.h"
#include "cli/settings.h"
#include "command/coproc_state.h"
#include "core/records.h"
#include "output/joblog.h"
#include "plan/plan.h"

#include <string.h>

// Bytes of room that are worth a read of their own.
#define ROOM_MIN ((size_t)16 * 1024)

static int log_task(struct coproc *coproc, const struct flight *flight, uint64_t received)
{
    const struct result *task = flight->result.task;
    struct job job = {
        .seq = attempt_values(coproc->state, task).seq,
        .start = flight->start,
        .seconds = (double)(flight->finished - flight->begun) / (double)CLOCK_SECOND,
        .sent = flight->bytes - flight->left,
        .received = received,
        .attempt = 1,
        .records = flight->answered,
    };
    return attempt_log(coproc->state, &job);
}

void coproc_finish_first(struct coproc *coproc)
{
    struct flight *flight = coproc_pop_first(coproc);
    struct result *task = flight->result.task;
    coproc->flush = false;
    if (log_task(coproc, flight, capture_len(&coproc->replies)) != 0) {
        coproc_break_off(coproc);
    }
    coproc_end_flight(coproc, flight, COPROC_DONE);
    result_drop_bytes(task);
    if (capture_finish(&coproc->replies, task) != 0) {
        coproc_break_off(coproc);
    }
}

// Bytes of the first replies, up to `most`; *count is how many have ended.
static size_t replies_length(const char *bytes, size_t len, char delimiter, uint64_t most,
                             uint64_t *count)
{
    uint64_t ends = records_count(bytes, len, delimiter) - (bytes[len - 1] != delimiter);
    *count = ends < most ? ends : most;
    if (ends < most) {
        return len;
    }
    const char *at = bytes;
    if (ends == most) {
        at = memrchr(bytes, delimiter, len);
        return (size_t)(at + 1 - bytes);
    }
    for (uint64_t i = 0; i < most; i++) {
        at = (const char *)memchr(at, delimiter, len - (size_t)(at - bytes)) + 1;
    }
    return (size_t)(at - bytes);
}

// The first task has got so many more replies.
static void count_replies(struct coproc *coproc, struct flight *flight, uint64_t count, int64_t now)
{
    if (count == 0) {
        return;
    }
    flight->answered += count;
    flight->finished = now;
    coproc_note_reply(coproc, now);
}

// Give bytes that the process wrote to the tasks that they answer. They may lie where those that
// follow on the replies belong.
static void take_replies(struct coproc *coproc, const char *bytes, size_t len)
{
    char delimiter = coproc_settings(coproc)->delimiter;
    int64_t now = clock_now();
    bool in_place = bytes != coproc->chunk;
    while (len > 0) {
        struct flight *flight = coproc->flights.first;
        if (flight != NULL && flight_is_complete(flight)) {
            coproc_finish_first(coproc);
            flight = coproc->flights.first;
        }
        if (flight == NULL || flight->answered == flight->given) {
            coproc_refuse(coproc); // one that no record asked for
            return;
        }
        uint64_t count;
        size_t part =
            replies_length(bytes, len, delimiter, flight->given - flight->answered, &count);
        if (capture_reserve(&coproc->replies, flight->bytes) != 0 ||
            capture_append(&coproc->replies, bytes, part) != 0) {
            coproc_break_off(coproc);
            return;
        }
        coproc->torn = bytes[part - 1] != delimiter;
        count_replies(coproc, flight, count, now);
        bytes += part;
        len -= part;
        if (len > 0 && in_place) {
            bytes = memcpy(coproc->chunk, bytes, len);
            in_place = false;
        }
    }
}

// Has it answered something that it did not even read?
static bool is_ahead_of_records(const struct coproc *coproc)
{
    const struct flight *flight = coproc->flights.first;
    if (flight == NULL || flight->to == 0) {
        return false;
    }
    uint64_t read = flight->answered == flight->given   ? flight->to
                    : flight->answered > flight->before ? flight->from + 1
                                                        : flight->from;
    return dialog_consumed(coproc->dialog) < read;
}

// Where to read, and *size bytes at most: where the replies to the first task belong if there is
// room, so that they need not be copied.
static char *reading_place(struct coproc *coproc, size_t *size)
{
    const struct flight *flight = coproc->flights.first;
    if (flight != NULL && !flight_is_complete(flight) &&
        capture_reserve(&coproc->replies, flight->bytes) == 0) {
        char *place = capture_room(&coproc->replies, size);
        if (*size >= ROOM_MIN) {
            *size = *size < COPROC_CHUNK ? *size : COPROC_CHUNK;
            return place;
        }
    }
    *size = COPROC_CHUNK;
    return coproc->chunk;
}

void coproc_receive(struct coproc *coproc)
{
    size_t size;
    char *bytes = reading_place(coproc, &size);
    size_t len = dialog_read(coproc->dialog, bytes, size);
    if (len == 0 || coproc->refused || coproc->broken) {
        return;
    }
    take_replies(coproc, bytes, len);
    if (!coproc->refused && is_ahead_of_records(coproc)) {
        coproc_refuse(coproc);
    }
}

// Only the first `count` of its records are answered: these replies are kept for coproc_answer(),
// and the rest is to be run alone.
static void divide(struct coproc *coproc, struct flight *flight, uint64_t count)
{
    struct command_state *state = coproc->state;
    struct result *task = flight->result.task;
    struct survivors survivors;
    char delimiter = coproc_settings(coproc)->delimiter;
    result_clear(task);
    coproc->answers.len = 0;
    int planned = plan_list(state->plan, state->plan_state, task, &survivors);
    if (planned == PLAN_RETRIABLE || (planned == 0 && survivors.count != flight->records)) {
        coproc_end_flight(coproc, flight, COPROC_ALONE); // a plugin has changed its mind
        return;
    }
    if (planned == 0 && survivors.begins[count] == result_bytes(task)) {
        coproc_end_flight(coproc, flight, COPROC_ALONE); // they are all of its first record
        return;
    }
    if (planned != 0 ||
        capture_take_lines(&coproc->replies, delimiter, (size_t)count, &coproc->answers) != 0) {
        coproc_break_off(coproc);
    } else {
        flight->result.cut = (size_t)(survivors.begins[count] - result_bytes(task));
        flight->answered = count;
        if (log_task(coproc, flight, coproc->answers.len) != 0) {
            coproc_break_off(coproc);
        }
    }
    coproc_end_flight(coproc, flight, COPROC_PARTLY);
}

bool coproc_end_replies(struct coproc *coproc)
{
    if (coproc->torn && dialog_is_whole(coproc->dialog)) {
        count_replies(coproc, coproc->flights.first, 1, clock_now());
        coproc->torn = false;
    }
    return !coproc->torn;
}

void coproc_settle_first(struct coproc *coproc, bool failed)
{
    struct flight *flight = coproc->flights.first;
    bool answers = flight->answered > flight->before;
    uint64_t sure = flight->answered - (failed && answers);
    if (sure == flight->records) {
        coproc_finish_first(coproc);
        return;
    }
    if (!failed && flight->answered == flight->given) {
        return; // another process goes on with it
    }
    (void)coproc_pop_first(coproc);
    if (sure > 0) {
        divide(coproc, flight, sure);
    } else {
        coproc_end_flight(coproc, flight, COPROC_ALONE);
    }
}
