// SPDX-License-Identifier: BSD-2-Clause
// The run: main builds the parts, waits for signals and for the core, and starts workers as they
// are needed.

#include "run/run.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/exit_status.h"
#include "cli/settings.h"
#include "command/child_table.h"
#include "command/command.h"
#include "core/core.h"
#include "input/reader.h"
#include "input/replay.h"
#include "output/deadletter.h"
#include "output/joblog.h"
#include "output/sink.h"
#include "output/spill.h"
#include "output/writer.h"
#include "plan/classify.h"
#include "plan/plan.h"
#include "run/conclude.h"
#include "run/exit_guard.h"
#include "run/pool.h"
#include "run/run_state.h"
#include "run/same_file.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Blocks that may be live at once. The budget limits what they hold; that they exist takes less
// than half of this many bytes of each, which it does not count.
#define RING_BYTES 1024
#define RING_MIN 1024
#define RING_MAX (64 * 1024)

// Blocks of the usual size in memory that is shared with forked workers.
#define SHARED_MAX 1024

// Work that a task should hold: long against a hand-over, short against a person's patience.
#define TASK_NS (10 * CLOCK_MILLISECOND)

// Likewise, against the start of a process.
#define BATCH_NS (200 * CLOCK_MILLISECOND)

// A task of this many bytes shows what records cost.
#define TASK_BYTES ((size_t)16 * 1024)

// Records of a task of operations, if they have keys: with few of them it is seldom that one has a
// key of another task, and enough that what a task costs does not matter.
#define KEYED_RECORDS 128

// After a signal that ends the process, what is whole is written for at most this long.
#define FLUSH_NS (2 * CLOCK_SECOND)

// timeout(1) sends a signal to us and to our process group: within this time it is one.
#define TWICE_NS (100 * CLOCK_MILLISECOND)

// No wait is longer: poll() takes milliseconds as an int.
#define TIMEOUT_MAX_NS (24 * 3600 * CLOCK_SECOND)

// Free blocks that the reader and the writer have, beside those of workers, and bytes that all of
// them may take: they are beyond the budget.
#define FREE_BLOCKS 2
#define FREE_BYTES ((size_t)8 * 1024 * 1024)

// Bytes from which on memory is the kernel's as soon as it is free, and bytes of free memory that
// are kept.
#define ALLOC_LARGE (1024 * 1024)
#define ALLOC_SPARE (4 * 1024 * 1024)

// --- building and taking apart

static void notify_main(void *arg)
{
    struct run *run = arg;
    ssize_t done = write(run->notify_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)done; // a full counter is readable too
}

static void notify_reader(void *arg)
{
    struct run *run = arg;
    ssize_t done = write(run->demand.fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)done; // likewise
}

// Who finds something in the queue would not wait for what arrived and may be more urgent.
static bool worker_waits(void *arg)
{
    const struct run *run = arg;
    struct core *core = run->shared.core;
    return core_idle(core) || (run->settings->classified && core_activity(core).queued > 0);
}

static size_t ring_size(const struct settings *settings)
{
    size_t blocks = settings->buffer_size / RING_BYTES;
    return blocks < RING_MIN ? RING_MIN : blocks < RING_MAX ? blocks : RING_MAX;
}

// Does COMMAND read records from its standard input?
static bool is_filter(const struct settings *settings)
{
    return settings->mode == MODE_BATCH || settings->mode == MODE_COPROC;
}

// Bytes of blocks and results; the rest is for what processes put out.
static size_t core_limit(const struct settings *settings)
{
    size_t size = settings->buffer_size;
    return settings->mode == MODE_NONE ? size : size - size / SETTINGS_OUTPUT_PART;
}

static int build_core(struct run *run)
{
    const struct settings *settings = run->settings;
    struct core_config config = {
        .pool = run->pool,
        .limit = core_limit(settings),
        .ring = ring_size(settings),
        .queue_size = settings->queue_size,
        .workers = settings->threads,
        .ordered = settings->ordered,
        .self_serve = settings->self_serve,
        .task_records = settings->mode == MODE_EACH ? settings->max_args : 0,
        .task_ns = settings->mode == MODE_BATCH ? BATCH_NS : TASK_NS,
        .task_bytes = is_filter(settings) ? 1 : TASK_BYTES,
        .even_cost = settings->mode == MODE_COPROC, // no process is started for it
        .whole_blocks = settings->exact_blocks || settings->batch_lines > 0,
        .idle = is_filter(settings) ? notify_reader : NULL,
        .idle_arg = run,
        .halt = settings->halt,
        .rate = settings->rate,
        .retries = settings->retries,
        .backoff = settings->backoff,
        .key_jobs = settings->key_jobs,
        .keyed_records = settings->mode == MODE_NONE ? KEYED_RECORDS : 0,
        .aging = settings->aging,
        .seed = (uint64_t)clock_now(),
        .notify = notify_main,
        .notify_arg = run,
    };
    run->shared.core = core_create(&config);
    return run->shared.core != NULL ? 0 : -1;
}

// Blocks that are kept for the next ones: more than processors are not needed at once.
static unsigned free_blocks(const struct settings *settings)
{
    size_t most = FREE_BYTES / settings->block_size;
    unsigned wanted =
        FREE_BLOCKS +
        (settings->threads < settings->processors ? settings->threads : settings->processors);
    return wanted < most ? wanted : (unsigned)most;
}

// Bytes of blocks that forked workers can see where they are, others being copied: of all that
// there can be, or of so many that it does not matter.
static size_t shared_bytes(const struct settings *settings)
{
    size_t blocks = settings->buffer_size / settings->block_size;
    return ((blocks < SHARED_MAX ? blocks : SHARED_MAX) + free_blocks(settings)) *
           settings->block_size;
}

// Outputs of COMMAND end in a delimiter, those of each process are lines.
static struct writer *build_writer(const struct run *run)
{
    const struct settings *settings = run->settings;
    enum writer_ending ending = settings->binary              ? ENDING_NONE
                                : settings->mode != MODE_NONE ? ENDING_ADDED
                                : settings->tag != NULL       ? ENDING_ADDED
                                : settings->ends_all          ? ENDING_ADDED
                                                              : ENDING_ADDED_BETWEEN;
    char delimiter = settings->mode == MODE_EACH ? '\n' : settings->delimiter;
    return writer_create(run->shared.sink, delimiter, ending, run->shared.spill);
}

static int build(struct run *run)
{
    const struct settings *settings = run->settings;
    struct shared *shared = &run->shared;
    struct iovec memory = {0}; // for blocks that forked workers can see

    run->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    shared->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    run->demand = (struct reader_demand){
        .waits = worker_waits, .arg = run, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (run->notify_fd < 0 || shared->stop_fd < 0 || run->demand.fd < 0 ||
        signals_init(&run->signals) != 0) {
        return -1;
    }
    if (settings_forks(settings)) {
        shared->forked = pool_create(settings, shared->plan, shared_bytes(settings));
        if (shared->forked == NULL) {
            return -1;
        }
        memory = shared->forked->blocks;
    }
    run->pool = block_pool_create_in(settings->block_size, free_blocks(settings), memory);
    if (run->pool == NULL || build_core(run) != 0) {
        return -1;
    }
    shared->pool = run->pool;
    shared->spill = spill_create(settings->tmpdir);
    if (record_start_init(&run->record_start, shared->plan) != 0) {
        return -1;
    }
    shared->reader = reader_create(settings, run->pool, &run->record_start.lines, shared->stop_fd);
    if (shared->spill == NULL || shared->reader == NULL) {
        return -1;
    }
    if (is_filter(settings)) { // it should get much at a time
        reader_fill_blocks(shared->reader, &run->demand);
    }
    if (settings->replay) {
        shared->replay = replay_create(settings, run->pool, shared->reader);
        if (shared->replay == NULL) {
            return -1;
        }
    }
    if (settings->keyed) {
        if (record_key_init(&run->record_key, shared->plan) != 0) {
            return -1;
        }
        shared->key = &run->record_key;
    }
    if (settings->classified) {
        shared->classifier = classifier_create(plan_classes(shared->plan));
        if (shared->classifier == NULL) {
            return -1;
        }
    }
    shared->writer = build_writer(run);
    if (shared->writer == NULL) {
        return -1;
    }
    if (shared->command != NULL &&
        command_prepare(shared->command, shared->spill, run->pool, shared->joblog) != 0) {
        return -1;
    }
    return threads_init(&run->threads, shared);
}

static void take_apart(struct run *run)
{
    threads_destroy(&run->threads);
    writer_destroy(run->shared.writer);
    deadletter_destroy(run->shared.letters);
    joblog_destroy(run->shared.joblog);
    sink_destroy(run->shared.sink);
    classifier_destroy(run->shared.classifier);
    replay_destroy(run->shared.replay);
    reader_destroy(run->shared.reader);
    record_start_destroy(&run->record_start);
    record_key_destroy(&run->record_key);
    spill_destroy(run->shared.spill);
    core_destroy(run->shared.core);
    block_pool_destroy(run->pool);
    pool_destroy(run->shared.forked);
    close(run->signals.fd);
    close(run->shared.stop_fd);
    close(run->demand.fd);
    close(run->notify_fd);
}

// --- waiting for the end

static void stop(struct run *run, enum core_phase phase)
{
    core_stop(run->shared.core, phase);
    shared_stop_reading(&run->shared);
}

// Stop all that we started, then ourselves, and go on. What lies between does not count.
static void suspend(struct run *run)
{
    struct command *command = run->shared.command;
    bar_hide(&run->bar);
    clock_hold();
    if (command != NULL) {
        child_table_stop(command_children(command));
    }
    if (run->shared.forked != NULL) {
        pool_signal(run->shared.forked, SIGSTOP);
    }
    signals_suspend();
    clock_release();
    if (command != NULL) {
        child_table_continue(command_children(command));
    }
    if (run->shared.forked != NULL) {
        pool_signal(run->shared.forked, SIGCONT);
    }
}

// Everything that still runs is to end now.
static void kill_children(struct run *run)
{
    if (run->shared.command != NULL) {
        child_table_end(command_children(run->shared.command), SIGKILL);
    }
}

// Children end with the run, one way or the other.
static void end_children(struct run *run)
{
    int64_t now = clock_now();
    if (core_phase(run->shared.core) < CORE_KILL) {
        return;
    }
    if (run->shared.forked != NULL && !atomic_load(&run->shared.forked->ended)) {
        pool_end(run->shared.forked);
    }
    if (run->shared.command == NULL) {
        return;
    }
    if (run->kill_at == 0) {
        run->kill_at = now + run->settings->kill_after;
        child_table_end(command_children(run->shared.command), SIGTERM);
    } else if (run->kill_at <= now) {
        run->kill_at = INT64_MAX;
        kill_children(run);
    }
}

// If the run ended early its forked workers do now; else when all is taken apart.
static void reap_workers(struct run *run)
{
    struct pool *forked = run->shared.forked;
    if (forked != NULL && (run->stuck || core_phase(run->shared.core) >= CORE_KILL)) {
        pool_end(forked);
        pool_wait(forked);
    }
}

// What children left behind when they ended has become ours.
static void reap_orphans(const struct run *run)
{
    if (run->shared.command != NULL) {
        while (waitpid(-1, NULL, WNOHANG | __WNOTHREAD) > 0) {
        }
    }
}

// SIGHUP, SIGINT or SIGTERM: the run ends, or, at the second one, all ends at once.
static void end_by_signal(struct run *run, int signal)
{
    int64_t now = clock_now();
    if (run->signal == 0) {
        run->signal = signal;
        run->signal_at = now;
        run->limit = now + FLUSH_NS + run->settings->kill_after;
        stop(run, CORE_NOW);
    } else if (run->signal != signal || now - run->signal_at >= TWICE_NS) {
        kill_children(run);
        reap_workers(run);
        signals_die(signal);
    }
}

static void handle_signal(struct run *run, int signal)
{
    switch (signal) {
    case SIGUSR1:
        run_print_account(run);
        break;
    case SIGUSR2:
        run->stopped = true;
        stop(run, CORE_SOON);
        break;
    case SIGTSTP:
        suspend(run);
        break;
    default:
        end_by_signal(run, signal);
        break;
    }
}

static void notice_halt(struct run *run)
{
    const struct halt *halt = &run->settings->halt;
    uint64_t emitted, failed;
    if (run->halted || !core_halted(run->shared.core, &emitted, &failed)) {
        return;
    }
    run->halted = true;
    shared_stop_reading(&run->shared);
    if (halt->why == HALT_FAIL) {
        diag_error("halted: %" PRIu64 " of %" PRIu64 " records failed", failed, emitted + failed);
    } else if (halt->why == HALT_SUCCESS) {
        diag_warn("halted: %" PRIu64 " of %" PRIu64 " records succeeded", emitted,
                  emitted + failed);
    } else {
        diag_warn("halted: %" PRIu64 " %s done", emitted + failed,
                  emitted + failed == 1 ? "record is" : "records are");
    }
}

// Milliseconds from now until `due`, for poll(). INT64_MAX: never.
static int timeout_until(int64_t due)
{
    if (due == INT64_MAX) {
        return -1;
    }
    int64_t left = due - clock_now();
    if (left > TIMEOUT_MAX_NS) {
        left = TIMEOUT_MAX_NS; // and then again
    }
    return left > 0 ? (int)(left / CLOCK_MILLISECOND) + 1 : 0;
}

static void wait_for_event(struct run *run)
{
    struct pollfd fds[] = {
        {.fd = run->signals.fd, .events = POLLIN},
        {.fd = run->notify_fd, .events = POLLIN},
    };
    int64_t due = core_tick(run->shared.core, clock_now());
    if (run->limit != 0 && run->limit < due) {
        due = run->limit;
    }
    if (run->kill_at != 0 && run->kill_at < due) {
        due = run->kill_at;
    }
    if (run->bar.due != INT64_MAX && run->start + run->bar.due < due) {
        due = run->start + run->bar.due;
    }
    if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_until(due)) > 0 && fds[1].revents != 0) {
        uint64_t count;
        ssize_t done = read(run->notify_fd, &count, sizeof(count));
        (void)done; // it may be 0 already
    }
}

static void start_workers(struct run *run)
{
    while (core_worker_wanted(run->shared.core)) {
        if (threads_start_worker(&run->threads) == 0) {
            continue;
        }
        const char *why = strerror(errno);
        if (errno == ECANCELED) { // a plugin has said why
            (void)core_worker_missing(run->shared.core);
            atomic_store(&run->shared.misused, true);
            stop(run, CORE_NOW);
        } else if (core_worker_missing(run->shared.core) > 0) {
            diag_warn("only %u of %u workers could be started: %s", run->threads.worker_count,
                      run->settings->threads, why);
        } else {
            diag_error("no worker could be started: %s (raise the limits of processes and memory)",
                       why);
            run->threads_lack = true;
            stop(run, CORE_NOW);
        }
    }
}

// False: some threads are stuck, and were waited for long enough.
static bool wait_for_end(struct run *run)
{
    for (;;) {
        start_workers(run);
        notice_halt(run);
        end_children(run);
        reap_orphans(run);
        if (core_finished(run->shared.core)) {
            return true;
        }
        wait_for_event(run);
        int signal;
        while ((signal = signals_next(&run->signals)) != 0) {
            handle_signal(run, signal);
        }
        if (run->limit != 0 && clock_now() >= run->limit) {
            return false;
        }
        bar_tick(&run->bar, &run->shared, run_time(run));
    }
}

// --- the whole

static void start(struct run *run)
{
    if (run->shared.command != NULL) {
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1); // or else what they leave behind is not ours
    }
    run->start = clock_now();
    start_workers(run);
    if (!run->settings->self_serve && !run->threads_lack &&
        threads_start_roles(&run->threads) != 0) {
        diag_error("the threads that read and write cannot be started: %s", strerror(errno));
        run->threads_lack = true;
        stop(run, CORE_NOW);
    }
}

// All files that are written to, before anything is read. Returns 0, or -1 after a message.
static int open_outputs(struct run *run)
{
    const struct settings *settings = run->settings;
    struct shared *shared = &run->shared;
    shared->sink = sink_open(settings->output);
    if (shared->sink == NULL) {
        return -1;
    }
    if (settings->dead_letter != NULL) {
        shared->letters =
            deadletter_open(settings->dead_letter, settings->letter_format, settings->delimiter);
        if (shared->letters == NULL) {
            return -1;
        }
    }
    if (settings->joblog != NULL) {
        shared->joblog = joblog_open(settings->joblog);
        if (shared->joblog == NULL) {
            return -1;
        }
    }
    return 0;
}

int run(const struct settings *settings, struct plan *plan, struct command *command)
{
    if (same_file_refused(settings)) {
        return EXIT_USAGE;
    }
    // Memory goes from thread to thread, so arenas of their own would only cost address space.
    mallopt(M_ARENA_MAX, 1);
    // What a task makes is got again and again, and each page that went back to the kernel in
    // between would have to be cleared. Only what a record of extraordinary length takes goes back.
    mallopt(M_MMAP_THRESHOLD, ALLOC_LARGE);
    mallopt(M_TRIM_THRESHOLD, ALLOC_SPARE);

    struct run run = {
        .settings = settings,
        .shared = {.settings = settings, .plan = plan, .command = command, .stop_fd = -1},
        .notify_fd = -1,
        .demand = {.fd = -1},
        .signals = {.fd = -1},
    };
    if (open_outputs(&run) != 0) {
        deadletter_destroy(run.shared.letters);
        sink_destroy(run.shared.sink);
        return EXIT_OUTPUT;
    }
    if (build(&run) != 0 || (settings->plugins && exit_guard_arm() != 0)) {
        diag_error("the run cannot be set up: %s", strerror(errno));
        take_apart(&run);
        return EXIT_OUTPUT;
    }
    bar_init(&run.bar, settings);
    start(&run);
    run.stuck = !wait_for_end(&run);
    if (!run.stuck) {
        threads_join(&run.threads);
    }
    exit_guard_disarm();
    kill_children(&run);
    reap_orphans(&run);
    reap_workers(&run);
    enum exit_status status = run_conclude(&run);
    if (run.signal != 0) {
        signals_die(run.signal);
    }
    take_apart(&run);
    return status;
}
