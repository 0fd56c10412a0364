// SPDX-License-Identifier: BSD-2-Clause
// How long is waited for what.
//
// The input of a process is ended though there is more to come if as much as may be is unanswered,
// or the core needs answers, or another worker its place, and it has read all and is silent. That
// does no harm to one that is only slow, it gives all its answers before it ends; but to start
// another one may cost much. So how long it may be silent is learnt from what came of that the last
// time.

#include "base/clock.h"
#include "base/diag.h"
#include "cli/settings.h"
#include "command/child_table.h"
#include "command/coproc_state.h"

#include <stdatomic.h>

// How long the last reply is held: if the process has more to answer, and if not.
#define HOLD_NS (2 * CLOCK_SECOND)
#define HOLD_IDLE_NS (100 * CLOCK_MILLISECOND)

// How long a process may be silent before its input is ended so that it answers: at first, at most
// and at least.
#define PATIENCE_NS CLOCK_SECOND
#define PATIENCE_MAX_NS (30 * CLOCK_SECOND)
#define PATIENCE_MIN_NS (50 * CLOCK_MILLISECOND)

// After its first task a process gets nothing for so long, to see whether it gives more replies
// than it should: later ones could be to other records. If it is silent it may buffer them.
#define TRIAL_NS (20 * CLOCK_MILLISECOND)
#define TRIAL_SILENCE_NS (50 * CLOCK_MILLISECOND)

// How often is looked whether it has read what it was sent.
#define LOOK_MIN_NS CLOCK_MILLISECOND
#define LOOK_MAX_NS (256 * CLOCK_MILLISECOND)

// After so long a silence a person is told.
#define SILENCE_NS (10 * CLOCK_SECOND)

// How often is looked whether others lack the place of a process that has nothing to do, or is
// silent.
#define IDLE_NS CLOCK_SECOND

static int64_t max_time(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void coproc_reset_times(struct coproc *coproc)
{
    coproc->since = clock_now();
    coproc->closed = 0;
    coproc->trial = true;
    if (coproc->patience == 0) {
        coproc->patience = PATIENCE_NS;
    }
}

void coproc_note_reply(struct coproc *coproc, int64_t now)
{
    coproc->since = now;
    coproc->flush = false;
    coproc->window = 0;
    coproc->look = 0;
    if (coproc->closed != 0) {
        // Would it have answered anyway, only later?
        bool at_once = now - coproc->closed < coproc->patience / 2;
        coproc->patience = at_once ? max_time(coproc->patience / 4, PATIENCE_MIN_NS)
                                   : clock_earlier(coproc->patience * 2, PATIENCE_MAX_NS);
        coproc->closed = 0;
    }
}

// A time, or, once it is past, one that is so much later than now: what was to happen then did not,
// since the process has not read all.
static int64_t or_later(int64_t at, int64_t now, int64_t later)
{
    return at > now ? at : now + later;
}

// Does the process owe answers though it has read all that it was sent?
static bool is_silent(const struct coproc *coproc)
{
    bool sent = coproc->sending == NULL || coproc->sending->due == 0;
    return coproc_is_owing(coproc) && dialog_is_open(coproc->dialog) && sent &&
           dialog_consumed(coproc->dialog) == dialog_written(coproc->dialog);
}

// How long the last reply is held, which is to the last record of the first task.
static int64_t hold_end(const struct coproc *coproc)
{
    bool more = coproc_is_owing(coproc) || coproc->sending != NULL;
    if (more && coproc_settings(coproc)->timeout > 0) {
        return INT64_MAX; // it answers more, or times out
    }
    return coproc->flights.first->finished + (more ? HOLD_NS : HOLD_IDLE_NS);
}

// When the trial is over, unless something happens before.
static int64_t trial_end(const struct coproc *coproc)
{
    return coproc->since + (coproc_is_owing(coproc) ? TRIAL_SILENCE_NS : TRIAL_NS);
}

int64_t coproc_next_time(const struct coproc *coproc, bool asks, int64_t now)
{
    const struct flight *first = coproc->flights.first;
    int64_t next = INT64_MAX;
    if (!dialog_lives(coproc->dialog)) {
        return next;
    }
    if (!dialog_is_open(coproc->dialog)) {
        bool tells = coproc_is_owing(coproc) && !atomic_load(&coproc->state->command->told_silence);
        return tells ? coproc->since + SILENCE_NS : next;
    }
    if (first == NULL) {
        return now + IDLE_NS;
    }
    if (flight_is_complete(first)) {
        next = hold_end(coproc);
    }
    if (coproc->trial && coproc->sending != NULL) {
        next = clock_earlier(next, or_later(trial_end(coproc), now, TRIAL_NS));
    }
    if (!coproc_is_owing(coproc)) {
        return next;
    }
    bool full = coproc->flush || coproc_is_full(coproc);
    next = clock_earlier(
        next, or_later(coproc->since + coproc->patience, now, full ? LOOK_MAX_NS : IDLE_NS));
    if (asks && !full) {
        next = clock_earlier(next, coproc->look_at);
    }
    if (!atomic_load(&coproc->state->command->told_silence)) {
        next = clock_earlier(next, or_later(coproc->since + SILENCE_NS, now, SILENCE_NS));
    }
    return next;
}

// Does another worker wait for the place of the process?
static bool is_short(const struct coproc *coproc)
{
    return child_table_is_short(coproc->state->command->children);
}

static void tell_silence(struct coproc *coproc)
{
    struct command *command = coproc->state->command;
    if (atomic_exchange(&command->told_silence, true)) {
        return;
    }
    if (dialog_is_open(coproc->dialog)) {
        diag_warn("%s: has read its records and answered nothing for 10 s: it may buffer its "
                  "output (stdbuf -oL, sed -u, grep --line-buffered, python3 -u do not), or not "
                  "answer each record (--batch)",
                  command->settings->command[0]);
    } else {
        diag_warn("%s: has answered nothing for 10 s, though its input has ended: it may hang "
                  "(--timeout ends it), or be slow",
                  command->settings->command[0]);
    }
}

void coproc_do_due(struct coproc *coproc, int64_t now)
{
    const struct flight *first = coproc->flights.first;
    int64_t silence = now - coproc->since;
    if (!dialog_lives(coproc->dialog)) {
        return;
    }
    if (!dialog_is_open(coproc->dialog)) {
        if (coproc_is_owing(coproc) && silence >= SILENCE_NS) {
            tell_silence(coproc);
        }
        return;
    }
    if (first == NULL) {
        coproc->closes |= is_short(coproc);
        return;
    }
    if (flight_is_complete(first) && hold_end(coproc) <= now) {
        coproc_finish_first(coproc);
    }
    if (now >= trial_end(coproc) && (!coproc_is_owing(coproc) || is_silent(coproc))) {
        coproc->trial = false;
    }
    if (!is_silent(coproc)) {
        return;
    }
    bool wanted = coproc->flush || coproc_is_full(coproc) || is_short(coproc);
    if (silence >= coproc->patience && wanted) {
        coproc->closes = true;
        coproc->closed = now;
    }
    if (silence >= SILENCE_NS) {
        tell_silence(coproc);
    }
}

void coproc_look(struct coproc *coproc, int64_t now)
{
    if (now < coproc->look_at) {
        return;
    }
    if (coproc->look > 0 && is_silent(coproc)) {
        size_t window = coproc->window > coproc->last_bytes ? coproc->window : coproc->last_bytes;
        coproc->window = window < AHEAD_MAX ? 2 * window : AHEAD_MAX;
    }
    coproc->look = coproc->look == 0            ? LOOK_MIN_NS
                   : coproc->look < LOOK_MAX_NS ? 2 * coproc->look
                                                : LOOK_MAX_NS;
    coproc->look_at = now + coproc->look;
}

void coproc_set_limit(struct coproc *coproc)
{
    int64_t timeout = coproc_settings(coproc)->timeout;
    bool owes = coproc_is_owing(coproc) || !dialog_is_open(coproc->dialog);
    bool limited = timeout > 0 && owes && timeout < INT64_MAX - coproc->since;
    dialog_limit(coproc->dialog, limited ? coproc->since + timeout : INT64_MAX);
}
