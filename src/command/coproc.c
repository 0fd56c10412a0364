// SPDX-License-Identifier: BSD-2-Clause
// The tasks of a process that lives on, from its start to its end.
//
// How much is sent ahead: a process should never wait for records, but what waits in its pipe could
// have gone to another worker. So a further task is taken once the process has begun to read the
// last one. If it reads all and answers nothing it probably buffers its output: then ever more is
// sent at once.

#include "command/coproc.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/signal_text.h"
#include "cli/settings.h"
#include "command/child.h"
#include "command/coproc_state.h"
#include "command/environment.h"
#include "command/words.h"
#include "core/records.h"
#include "plan/plan.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void fifo_push(struct fifo *fifo, struct flight *flight)
{
    flight->next = NULL;
    if (fifo->first == NULL) {
        fifo->first = flight;
    } else {
        fifo->last->next = flight;
    }
    fifo->last = flight;
}

static struct flight *fifo_pop(struct fifo *fifo)
{
    struct flight *flight = fifo->first;
    if (flight != NULL) {
        fifo->first = flight->next;
    }
    return flight;
}

struct coproc *coproc_create(struct command_state *state)
{
    struct coproc *coproc = calloc(1, sizeof(*coproc));
    if (coproc == NULL) {
        return NULL;
    }
    const struct process_config *config = &state->command->process;
    coproc->state = state;
    capture_init(&coproc->replies, config->spill, config->pool, config->share);
    coproc->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    coproc->dialog = coproc->call_fd >= 0 ? dialog_create(config, coproc->call_fd) : NULL;
    coproc->chunk = malloc(COPROC_CHUNK);
    if (coproc->dialog == NULL || coproc->chunk == NULL) {
        int error = errno;
        coproc_destroy(coproc);
        errno = error;
        return NULL;
    }
    return coproc;
}

void coproc_destroy(struct coproc *coproc)
{
    if (coproc != NULL) {
        dialog_destroy(coproc->dialog);
        if (coproc->call_fd >= 0) {
            close(coproc->call_fd);
        }
        capture_destroy(&coproc->replies);
        buf_free(&coproc->answers);
        free(coproc->chunk);
        free(coproc);
    }
}

void coproc_call(void *arg)
{
    const struct coproc *coproc = arg;
    ssize_t done = write(coproc->call_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)done; // a full counter is readable too
}

const struct settings *coproc_settings(const struct coproc *coproc)
{
    return coproc->state->command->settings;
}

struct flight *coproc_head(const struct coproc *coproc)
{
    struct flight *flight = coproc->flights.first;
    return flight != NULL && flight_is_complete(flight) ? flight->next : flight;
}

bool coproc_is_owing(const struct coproc *coproc)
{
    const struct flight *flight = coproc_head(coproc);
    return flight != NULL && flight->begun != 0 && flight->answered < flight->given;
}

// Bytes that the process has not read, in its pipe or here.
static size_t unread(const struct coproc *coproc)
{
    size_t bytes = 0;
    for (const struct flight *flight = coproc->sending; flight != NULL; flight = flight->next) {
        bytes += flight->left;
    }
    if (dialog_lives(coproc->dialog)) {
        bytes += dialog_written(coproc->dialog) - dialog_consumed(coproc->dialog);
    }
    return bytes;
}

bool coproc_is_full(const struct coproc *coproc)
{
    return coproc->flights.first != NULL &&
           coproc->ahead + coproc_settings(coproc)->block_size > AHEAD_MAX;
}

bool coproc_has_room(struct coproc *coproc)
{
    if (coproc->broken) {
        return true; // the core gives no task any more
    }
    bool ends = coproc->closes || coproc->refused ||
                (dialog_lives(coproc->dialog) && !dialog_is_open(coproc->dialog));
    if (ends || coproc->flush || coproc->alone.first != NULL || coproc_is_full(coproc)) {
        return false;
    }
    size_t window = coproc->window > coproc->last_bytes ? coproc->window : coproc->last_bytes;
    return coproc->flights.first == NULL || unread(coproc) < window;
}

// --- adding

struct flight *coproc_pop_first(struct coproc *coproc)
{
    struct flight *flight = fifo_pop(&coproc->flights);
    coproc->ahead -= flight->bytes;
    return flight;
}

void coproc_end_flight(struct coproc *coproc, struct flight *flight, enum coproc_end end)
{
    flight->result.end = end;
    coproc->blamed |= flight->begun != 0 && end != COPROC_DONE;
    if (end == COPROC_ALONE) {
        result_clear(flight->result.task);
        fifo_push(&coproc->alone, flight);
    } else {
        fifo_push(&coproc->ended, flight);
    }
}

// What is sent of a task that the operations were run on. False: it cannot be.
static bool make_pieces(const struct coproc *coproc, struct flight *flight)
{
    flight->piece_count = attempt_make_records(coproc->state, flight->result.task, flight->pieces);
    for (size_t i = 0; i < flight->piece_count; i++) {
        flight->bytes += flight->pieces[i].iov_len;
    }
    flight->left = flight->bytes;
    return flight->piece_count > 0;
}

static struct flight *make_flight(struct result *task)
{
    struct flight *flight =
        calloc(1, sizeof(*flight) + (task->iov_count + 1) * sizeof(flight->pieces[0]));
    if (flight != NULL) {
        flight->result.task = task;
        flight->records = task->tally.emitted;
    }
    return flight;
}

int coproc_add(struct coproc *coproc, struct result *task)
{
    struct command_state *state = coproc->state;
    // What failed before is not to take others along.
    bool alone = task->task.part || task->task.attempts > 0 || state->process == NULL;
    int planned = alone ? 0 : plan_run(state->plan, state->plan_state, task);
    if (planned != 0 && planned != PLAN_RETRIABLE) {
        return -1;
    }
    alone |= planned != 0;
    struct flight *flight = make_flight(task);
    if (flight == NULL) {
        return -1;
    }
    if (!alone && flight->records == 0) {
        coproc_end_flight(coproc, flight, COPROC_DONE);
        return 0;
    }
    if (alone || !make_pieces(coproc, flight)) {
        coproc_end_flight(coproc, flight, COPROC_ALONE);
        coproc->closes |= dialog_lives(coproc->dialog);
        return 0;
    }
    fifo_push(&coproc->flights, flight);
    if (coproc->sending == NULL) {
        coproc->sending = flight;
    }
    coproc->ahead += flight->bytes;
    coproc->last_bytes = flight->bytes;
    return 0;
}

// --- starting

static int start_program(struct coproc *coproc, const struct values *values)
{
    struct command_state *state = coproc->state;
    char *found;
    const struct child_program program = {
        .path = attempt_find_path(state, &found),
        .argv = words_arguments(state->words),
        .envp = environment_fill(state->environment, values, 1),
    };
    int rc =
        program.path != NULL && program.envp != NULL ? dialog_start(coproc->dialog, &program) : -1;
    int error = errno;
    free(found);
    errno = error;
    return rc;
}

// No process can be started for the tasks. An attempt alone will tell why.
static void give_up_all(struct coproc *coproc)
{
    struct flight *flight;
    while ((flight = fifo_pop(&coproc->flights)) != NULL) {
        coproc_end_flight(coproc, flight, COPROC_ALONE);
    }
    coproc->sending = NULL;
    coproc->ahead = 0;
    coproc->closes = coproc->flush = false;
    capture_clear(&coproc->replies);
}

// Start a process for what there is.
static void start(struct coproc *coproc)
{
    const struct values values = attempt_values(coproc->state, coproc->sending->result.task);
    size_t used;
    if (words_make(coproc->state->command->words, coproc->state->words, &values, &used) !=
            FILL_DONE ||
        start_program(coproc, &values) != 0) {
        give_up_all(coproc);
        return;
    }
    coproc->granted = coproc->stream = 0;
    coproc->refused = coproc->lacking = coproc->trusted = false;
    coproc->blamed = coproc->torn = coproc->blocked = false;
    coproc_reset_times(coproc);
}

// Tasks that a process has had nothing of wait for the next one.
static void give_up_begun(struct coproc *coproc, bool keep_first)
{
    struct fifo flights = coproc->flights;
    struct flight *flight;
    coproc->flights = (struct fifo){0};
    coproc->sending = NULL;
    coproc->ahead = 0;
    while ((flight = fifo_pop(&flights)) != NULL) {
        bool stays = flight->begun == 0 || keep_first;
        keep_first = false;
        if (!stays) {
            coproc_end_flight(coproc, flight, COPROC_ALONE);
            continue;
        }
        flight->given = flight->before = flight->answered;
        flight->due = flight->from = flight->to = 0;
        fifo_push(&coproc->flights, flight);
        coproc->ahead += flight->bytes;
        if (coproc->sending == NULL) {
            coproc->sending = flight;
        }
    }
}

// Something is wrong with a process that has answered all of its records.
static void tell_flaw(struct coproc *coproc, enum process_end end)
{
    const struct dialog *dialog = coproc->dialog;
    const char *name = coproc_settings(coproc)->command[0];
    char text[SIGNAL_TEXT_SIZE];
    if (atomic_exchange(&coproc->state->command->flawed, true)) {
        return;
    }
    if (coproc->refused) {
        diag_error("%s: has given %s replies than it got records, and it is too late to tell "
                   "which: some may be to the wrong ones (--batch if it is a filter)",
                   name, coproc->lacking ? "fewer" : "more");
    } else if (end == PROCESS_SIGNALLED) {
        diag_error("%s: died of %s after it had answered all of its records", name,
                   signal_text(dialog_signal(dialog), text));
    } else if (end == PROCESS_TIMED_OUT) {
        diag_error("%s: had answered all of its records and did not end (--timeout)", name);
    } else {
        diag_error("%s: ended with exit status %d after it had answered all of its records "
                   "(--ok-exit=0,%d if that is no failure)",
                   name, dialog_status(dialog), dialog_status(dialog));
    }
}

static void end_process(struct coproc *coproc)
{
    // It was told that nothing more comes, and has read all.
    bool had_all = coproc->closes && dialog_consumed(coproc->dialog) == coproc->stream;
    enum process_end end = dialog_end(coproc->dialog);
    if (end == PROCESS_BROKEN) {
        coproc_break_off(coproc);
    }
    bool failed = end != PROCESS_SUCCEEDED || coproc->refused || !coproc_end_replies(coproc);
    if (!failed && had_all && coproc_is_owing(coproc)) {
        coproc->lacking = failed = true;
        coproc_refuse(coproc);
    }
    struct flight *flight = coproc->flights.first;
    if (!coproc->refused && flight != NULL && flight->begun != 0) {
        coproc_settle_first(coproc, failed);
    }
    bool goes_on = !failed && flight != NULL && flight == coproc->flights.first;
    give_up_begun(coproc, goes_on);
    if (!goes_on) {
        capture_clear(&coproc->replies);
    }
    bool untold = coproc->refused ? coproc->trusted || !coproc->blamed : failed && !coproc->blamed;
    if (untold && end != PROCESS_ENDED && !coproc->broken) {
        tell_flaw(coproc, end);
    }
    coproc->torn = coproc->refused = coproc->closes = coproc->flush = false;
    coproc->window = 0;
}

static void take_back(struct coproc *coproc)
{
    struct flight *flight;
    struct fifo ended = coproc->ended;
    coproc->ended = (struct fifo){0};
    while ((flight = fifo_pop(&ended)) != NULL) {
        coproc_end_flight(coproc, flight, flight->records > 0 ? COPROC_ALONE : COPROC_DONE);
    }
}

void coproc_refuse(struct coproc *coproc)
{
    coproc->refused = true;
    take_back(coproc);
    dialog_kill(coproc->dialog);
}

void coproc_break_off(struct coproc *coproc)
{
    coproc->broken = true;
    dialog_kill(coproc->dialog);
}

// --- giving back

static struct flight *next_ended(struct coproc *coproc)
{
    struct flight *flight = fifo_pop(&coproc->ended);
    if (flight == NULL && !dialog_lives(coproc->dialog)) {
        flight = fifo_pop(&coproc->alone);
    }
    if (coproc->broken) {
        flight = flight != NULL ? flight : fifo_pop(&coproc->alone);
        flight = flight != NULL ? flight : fifo_pop(&coproc->flights);
        coproc->sending = NULL;
    }
    return flight;
}

bool coproc_next(struct coproc *coproc, struct coproc_result *ended)
{
    struct flight *flight = next_ended(coproc);
    if (flight == NULL) {
        return false;
    }
    *ended = flight->result;
    coproc->trusted |= flight->begun != 0 && ended->end == COPROC_DONE;
    if (coproc->broken) {
        ended->end = COPROC_BROKEN;
    }
    // The process worked on it once it was done with the one before.
    int64_t from = flight->begun > coproc->finished ? flight->begun : coproc->finished;
    if (flight->finished > from) {
        ended->ns = flight->finished - from;
        coproc->finished = flight->finished;
    }
    free(flight);
    return true;
}

int coproc_answer(struct coproc *coproc, struct result *front)
{
    struct command_state *state = coproc->state;
    const struct buf *answers = &coproc->answers;
    int planned = plan_run(state->plan, state->plan_state, front);
    if (planned != 0 && planned != PLAN_RETRIABLE) {
        return -1;
    }
    char delimiter = coproc_settings(coproc)->delimiter;
    if (planned != 0 ||
        records_count(answers->bytes, answers->len, delimiter) != front->tally.emitted) {
        result_clear(front); // a plugin is not of the same mind as before
        return 1;
    }
    result_drop_bytes(front);
    return result_give(front, &coproc->answers);
}

// --- waiting

bool coproc_wait(struct coproc *coproc, bool asks)
{
    if (coproc->sending != NULL && !dialog_lives(coproc->dialog) && coproc->alone.first == NULL) {
        start(coproc);
        if (!dialog_lives(coproc->dialog)) {
            return false;
        }
    }
    if (!coproc->blocked) {
        coproc->blocked = coproc_send(coproc);
    }
    coproc_set_limit(coproc);
    unsigned found =
        dialog_wait(coproc->dialog, coproc->blocked, coproc_next_time(coproc, asks, clock_now()));
    if ((found & DIALOG_TAKES) != 0) {
        coproc->blocked = false;
    }
    if ((found & DIALOG_REPLIES) != 0) {
        coproc_receive(coproc);
    }
    if ((found & DIALOG_OVER) != 0) {
        end_process(coproc);
    }
    int64_t now = clock_now();
    coproc_do_due(coproc, now);
    if (asks) {
        coproc_look(coproc, now);
    }
    return (found & DIALOG_CALLED) != 0;
}

void coproc_flush(struct coproc *coproc, bool last)
{
    coproc->closes |= last;
    coproc->flush |= !last;
}

void coproc_finish(struct coproc *coproc)
{
    coproc->closes = true;
    while (dialog_lives(coproc->dialog)) {
        (void)coproc_wait(coproc, false);
    }
}
