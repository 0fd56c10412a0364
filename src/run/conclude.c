// SPDX-License-Identifier: BSD-2-Clause
// How a run ended, and the account of it.

#include "run/conclude.h"

#include "base/clock.h"
#include "base/diag.h"
#include "cli/settings.h"
#include "cli/stats.h"
#include "command/command.h"
#include "core/core.h"
#include "input/input.h"
#include "input/replay.h"
#include "output/deadletter.h"
#include "output/failures.h"
#include "output/joblog.h"
#include "output/sink.h"
#include "output/spill.h"
#include "output/writer.h"
#include "run/pool.h"
#include "run/run_state.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

// --- the account

int64_t run_time(const struct run *run)
{
    return clock_now() - run->start;
}

static struct account make_account(struct run *run)
{
    struct ledger ledger = core_ledger(run->shared.core);
    return (struct account){
        .read = ledger.read,
        .emitted = ledger.emitted,
        .dropped = ledger.dropped,
        .failed = ledger.failed,
        .unprocessed = ledger.unprocessed,
        .retried = ledger.retried,
        .attempts = ledger.attempts,
        .splits = ledger.splits,
        .task_bytes = core_activity(run->shared.core).task_bytes,
        .bytes_in = reader_bytes(run->shared.reader),
        .bytes_out = writer_bytes(run->shared.writer),
        .seconds = (double)run_time(run) / (double)CLOCK_SECOND,
        .workers = run->settings->jobs,
    };
}

void run_print_account(struct run *run)
{
    struct account account = make_account(run);
    enum stats_format format = run->settings->stats;
    stats_print(&account, format != STATS_NONE ? format : STATS_TEXT);
}

// --- how it ended

static void tell_position(struct run *run, const struct input *input, uint64_t nr)
{
    if (input != NULL) {
        diag_error("ended by SIG%s: all was processed up to record %" PRIu64 " of %s",
                   sigabbrev_np(run->signal), nr, input->name);
    } else {
        diag_error("ended by SIG%s: no record was processed", sigabbrev_np(run->signal));
    }
}

// Did SIGUSR2 keep something from being processed?
static bool is_cut_short(const struct run *run, const struct ledger *ledger)
{
    return run->stopped && (ledger->unprocessed > 0 || !atomic_load(&run->shared.read_all));
}

// Why dead letters are missing, an errno; 0: they are not.
static int letters_error(const struct run *run)
{
    const struct deadletter *letters = run->shared.letters;
    return letters != NULL ? deadletter_error(letters) : 0;
}

static int joblog_failure(const struct run *run)
{
    const struct joblog *joblog = run->shared.joblog;
    return joblog != NULL ? joblog_error(joblog) : 0;
}

// Is the output not what it should be?
static bool is_broken(const struct run *run)
{
    const struct shared *shared = &run->shared;
    return run->output_error != 0 || letters_error(run) != 0 || joblog_failure(run) != 0 ||
           spill_error(shared->spill) != 0 || atomic_load(&shared->out_of_memory) ||
           atomic_load(&shared->misused) || run->threads_lack ||
           (shared->forked != NULL && atomic_load(&shared->forked->lost));
}

// Tell of the last failures, and see that the dead letters are on their way to the disk.
static void finish_letters(struct run *run, struct failure *failures)
{
    struct shared *shared = &run->shared;
    if (shared->letters != NULL && run->stuck && deadletter_is_stuck(shared->letters)) {
        failures_destroy(failures); // nobody waits for what is stuck
        return;
    }
    failures_tell(failures, shared->letters, &shared->failures_shown);
    if (shared->letters != NULL) {
        (void)deadletter_finish(shared->letters); // told below
    }
}

// Likewise the joblog, unless somebody who was not waited for may still write there.
static void finish_joblog(struct run *run)
{
    if (run->shared.joblog != NULL && !run->stuck) {
        (void)joblog_finish(run->shared.joblog); // told below
    }
}

// The file takes its place only if all that was to be written is.
static void finish_output(struct run *run)
{
    run->output_error = writer_error(run->shared.writer);
    if (run->signal == 0 && !is_broken(run)) {
        run->output_error = sink_finish(run->shared.sink) == 0 ? 0 : errno;
    } else {
        sink_abandon(run->shared.sink);
    }
}

// Tell what broke the run, if anything did.
static bool tell_breakage(const struct run *run)
{
    const struct shared *shared = &run->shared;
    int spill = spill_error(shared->spill), output = run->output_error;
    if (spill != 0) {
        diag_error(
            "%s: results that have to wait cannot be stored: %s (see --tmpdir, --buffer-size)",
            run->settings->tmpdir, strerror(spill));
    } else if (output != 0) {
        diag_error("%s: cannot be written: %s", sink_name(shared->sink),
                   output == EBADF ? "it is closed" : strerror(output));
    }
    if (joblog_failure(run) != 0) {
        diag_error("%s: the joblog cannot be written: %s", joblog_name(shared->joblog),
                   strerror(joblog_failure(run)));
    }
    if (letters_error(run) != 0) {
        diag_error("%s: dead letters cannot be written: %s", deadletter_name(shared->letters),
                   strerror(letters_error(run)));
    }
    if (atomic_load(&shared->out_of_memory)) {
        diag_error("out of memory: the run ended early (see --buffer-size, --max-record)");
    }
    return is_broken(run);
}

// Could some input not be read whole?
static bool is_damaged(const struct run *run)
{
    const struct shared *shared = &run->shared;
    return reader_damaged(shared->reader) ||
           (shared->replay != NULL && replay_damaged(shared->replay));
}

static enum exit_status status_of(const struct run *run, bool broken, const struct ledger *ledger)
{
    if (atomic_load(&run->shared.misused)) {
        return EXIT_USAGE;
    }
    if (broken) {
        return EXIT_OUTPUT;
    }
    if (is_damaged(run)) {
        return EXIT_INPUT;
    }
    if (is_cut_short(run, ledger)) {
        return EXIT_STOPPED;
    }
    if (run->halted) { // the user has what he asked for, or else what he feared
        return run->settings->halt.why == HALT_FAIL ? EXIT_STOPPED : EXIT_OK;
    }
    const struct command *command = run->shared.command;
    bool flawed = command != NULL && command_is_flawed(command);
    return ledger->failed > 0 || flawed ? EXIT_FAILED_RECORDS : EXIT_OK;
}

enum exit_status run_conclude(struct run *run)
{
    struct shared *shared = &run->shared;
    uint64_t nr;
    bar_finish(&run->bar, shared, run_time(run));
    const struct input *input = core_position(shared->core, &nr);
    finish_letters(run, core_close_ledger(shared->core));
    finish_joblog(run);
    if (run->signal == 0 && !is_broken(run)) {
        (void)shared_write_header(shared); // failures are told below
        if (run->settings->count) {
            struct ledger ledger = core_ledger(shared->core);
            (void)writer_write_number(shared->writer, ledger.emitted + ledger.more);
        }
    }
    finish_output(run);
    if (run->output_error == EPIPE && !run->signals.pipe_ignored) {
        signals_die(SIGPIPE);
    }

    bool broken = tell_breakage(run);
    struct ledger ledger = core_ledger(shared->core);
    failures_summary(ledger.failed, shared->letters);
    failures_doomed(ledger.doomed);
    if (run->signal != 0) {
        tell_position(run, input, nr);
    } else if (is_cut_short(run, &ledger)) {
        diag_warn("stopped by SIGUSR2 before all was processed");
    }
    if (run->signal != 0 || run->settings->stats != STATS_NONE) {
        run_print_account(run);
    }
    return status_of(run, broken, &ledger);
}
