// SPDX-License-Identifier: BSD-2-Clause
// The core: what is to be done next, and by whom.
//
// A state machine with one lock. There is no I/O, no clock and no thread in it: those who have
// them (reader, workers, writer, main) ask what to do and tell what they did. Two drives use it:
//
//   self-serve  Workers do everything: core_take() gives them tasks, and also the roles of reading
//               and of writing whenever those are free. For plans in which nothing ever waits.
//   threaded    A reader and a writer thread have those roles, with core_room() and core_output().
//
// Rules:
// - Only reading ever waits for memory. What workers give is charged by force, so a task that runs
//   can always end. There is room when nothing is charged, or when one more block fits.
// - Nothing is read further ahead of the oldest unwritten record than the budget.
// - Ordered: results of a block are sorted by offset; what is contiguous from the oldest record not
//   yet handed over is handed to the writer at once. Unordered: every result is, when it is done.
//   In both, records are accounted for (settled) in input order, when they are written.
// - One parked worker is woken for one task, the last one parked first, since its caches are warm;
//   whoever takes a task and sees more wakes one more.
// - With a rate there is no task for anybody until core_tick() opens the bucket for the next one.
// - A parked worker is woken to read only if tasks cost more than a wake-up does.

#ifndef PPROC_CORE_CORE_H
#define PPROC_CORE_CORE_H

#include "core/backoff.h"
#include "core/halt.h"
#include "core/rate.h"
#include "core/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

struct core_config {
    struct block_pool *pool; // where the memory of blocks goes back to
    size_t limit;            // bytes of blocks and results in flight, at least 1
    size_t ring;             // blocks that may be live at once, at least 1
    size_t queue_size;       // records that may wait to be started; 0: no such limit
    unsigned workers;        // at most so many, at least 1
    bool ordered;
    bool self_serve;
    size_t task_records; // records of a task; 0: as many as take about task_ns
    int64_t task_ns;     // nanoseconds of work that a task should hold
    size_t task_bytes;   // of a task as long as nothing is known of what it costs
    bool even_cost;      // a task takes nothing beside what its bytes do
    bool whole_blocks;   // a block is a task
    unsigned retries;    // further attempts of a record that fails
    struct backoff backoff;
    unsigned key_jobs;    // records with the same key that run or wait for another attempt
    size_t keyed_records; // that a task has at most, if they may have keys; 0: as many as else
    int64_t aging; // nanoseconds after which what waits counts as one level more urgent; 0: never
    struct halt halt;
    struct rate rate; // of starts of records, if not self_serve; further attempts count too
    uint64_t seed;    // of the random part of the backoff

    // Tells main to look at core_finished(), core_worker_wanted(), core_tick(), core_halted() and
    // core_phase().
    // Called with the lock held: must neither block nor call the core.
    void (*notify)(void *arg);
    void *notify_arg;
    // Likewise tells the reader that core_idle() has become true; NULL: it does not matter.
    void (*idle)(void *arg);
    void *idle_arg;
};

// How the run goes on. It only ever grows.
enum core_phase {
    CORE_RUN,  // to the end
    CORE_SOON, // nothing new is started, what runs is finished, and what is done is written
    CORE_KILL, // the same, but whoever runs something should end it
    CORE_NOW,  // the same, but of ordered output only what is before the first unfinished record
};

// What the core knows of a worker.
struct core_worker {
    // For core_poll(): tells the worker to ask again. Constant, set between core_worker_init() and
    // the first use. Called with the lock held: must neither block nor call the core.
    void (*notify)(void *arg);
    void *notify_arg;

    // The core's, guarded by its lock.
    pthread_cond_t wake;
    bool parked;              // it is to be woken if there is something for it
    struct core_worker *next; // parked before it
    unsigned unanswered;      // tasks that it has by core_poll()
    bool quiet;               // it can do no more than wait for answers
};

enum core_step {
    CORE_TASK,  // run work->task, then core_done(), core_fail() or core_give_up(). If it is
                // doomed (task.doom), its records fail with that instead; then core_done()
    CORE_READ,  // read, then core_admit() or core_eof()
    CORE_WRITE, // write work->results and tell work->failures, then core_written()
    CORE_END,   // nothing will come any more
    CORE_WAIT,  // nothing at the moment; not from core_take()
    CORE_FLUSH, // there will be nothing before the worker has its answers; from core_poll() only
    CORE_NO_MEMORY, // a task could not be made
};

struct work {
    struct result *task;
    struct result *results;   // linked by queue_next, in the order of output
    struct failure *failures; // the taker's to free, in input order
    bool last;                // with CORE_FLUSH: nothing more will be read
};

// How a run of a task that failed went.
struct attempt {
    int64_t ns;     // how long it took
    bool may_split; // its records may be run apart; else it fails or succeeds as one
    bool retriable; // another attempt may help
    // If it is split: these bytes of the task, whole records and less than all, are a part of their
    // own, and so are those before and behind. Both 0: it is not known where the fault lies.
    size_t suspect_begin, suspect_end;
};

enum core_verdict {
    CORE_SPLIT, // its parts will be run
    CORE_RETRY, // another attempt will be made
    CORE_DEAD,  // it has failed for good
};

// Records that went where.
struct ledger {
    uint64_t read, emitted, dropped, failed, unprocessed;
    uint64_t retried;  // records that were attempted more than once
    uint64_t attempts; // runs of tasks
    uint64_t splits;   // those of them after which the task was split
    uint64_t doomed;   // of the failed: not run, since samples of their batch failed alike
    uint64_t more;     // records put out beyond one for each that was emitted
};

// What goes on at one moment.
struct core_activity {
    unsigned running;         // tasks that workers have
    uint64_t queued;          // what was read and is not started: bytes,
    bool queued_records;      // or records, if they are counted
    uint64_t ahead;           // bytes of records that were read and are not settled
    uint64_t retried, failed; // as in the ledger
    uint64_t task_bytes;      // of a task, on average of late
};

// NULL with errno set on failure.
struct core *core_create(const struct core_config *config);
// No thread may use it any more. Frees what is still held, tasks that were taken too. NULL is fine.
void core_destroy(struct core *core);

// --- Workers. core_take() waits, core_try_take() does not, and core_poll() is for those that wait
// --- for other things too.

// Returns 0, or -1 with errno set.
int core_worker_init(struct core_worker *worker);
// No thread may use the core any more: it may be about to wake the worker.
void core_worker_destroy(struct core_worker *worker);
enum core_step core_take(struct core *core, struct core_worker *worker, struct work *work);
enum core_step core_try_take(struct core *core, struct work *work);

// For a worker that has several tasks at once: it sends their records to a process of its own and
// goes on taking tasks before it has the answers. It does nothing but this, in the threaded drive:
//
//   CORE_TASK   Its records are unanswered until core_done(), core_fail() or core_give_up(), in any
//               order. A part of a task that was split (task.part) is not for a process that others
//               were sent to; while the worker runs such a one it need not care for the others.
//   CORE_WAIT   The worker waits for answers, and for worker->notify() to ask again. It need not
//               ask before. What it does besides handling answers it announces by core_busy().
//   CORE_FLUSH  The process is to be told that no more will come, as by closing its standard input,
//               since it may hold answers back until then. All of them are collected before the
//               worker asks again. Without this a run would never end: nothing can be taken, read
//               or written before some answer comes. If not `last` the process may only be slow; to
//               wait for its next answer for a moment costs less than to start another.
//   CORE_END    Nothing is unanswered, and nothing will come any more.
//
// A worker that has as much unanswered as it may must not ask. It is taken to be busy: if its
// process then gives no answer it has to decide by itself to flush.
enum core_step core_poll(struct core *core, struct core_worker *worker, struct work *work);
// The worker was told to wait, and does something else for some time: whoever else waits is woken
// for what there is to do.
void core_busy(struct core *core, struct core_worker *worker);

// The task has run, for `ns` nanoseconds; each of its records is in the tally.
void core_done(struct core *core, struct result *result, int64_t ns);
// The task has failed as a whole, because of `cause`, which stays the caller's. If it is split or
// to be retried it is the core's again. If it is dead it stays the caller's, with its output and
// account empty: he says of each of its records what became of it, with result_fail() for those
// that failed, and then calls core_done(). `now` is in nanoseconds, of the clock of core_tick().
enum core_verdict core_fail(struct core *core, struct result *result, struct cause *cause,
                            const struct attempt *attempt, int64_t now);
// Cut off the first `len` bytes of a task that the caller has, whole records and less than all: he
// has both then, without output and account. For records that were answered before the rest failed.
// NULL: no memory, the task is as it was.
struct result *core_cut(struct core *core, struct result *result, size_t len);
// Likewise, but they have been run and the rest has not: its output and account become those of the
// front.
struct result *core_cut_done(struct core *core, struct result *result, size_t len);
// The caller has the front of a task, that core_cut() gave and that may be attempted again, and the
// rest of it, which was not run. Does the rest have to wait for the end of the front, since
// records in them may have the same key? If so it is the core's again.
bool core_put_behind(struct core *core, struct result *front, struct result *rest);
// The task could not be run to its end and the run is about to end: its records stay unprocessed.
void core_give_up(struct core *core, struct result *result);
// Do the bytes that the result owns leave no room to read on, while others have to be written
// before it? Then they should go to disk before core_done().
bool core_should_spill(struct core *core, const struct result *result);

// --- Reading. core_room() waits, core_try_room() does not.

// Take the role of reading as soon as there is room. False: stop reading. *max_records is how many
// records the next block may have; 0: any number.
bool core_room(struct core *core, size_t *max_records);
bool core_try_room(struct core *core, size_t *max_records);
// Is there a worker, or could there be one, that has nothing to do?
bool core_idle(struct core *core);
// Hand over what was read, and the role.
void core_admit(struct core *core, struct block *block);
// Likewise of a block whose bytes are not here yet: all of it is the task of the caller, who runs
// it as one from core_take(). NULL: no memory; the block is still the caller's, who has the role.
struct result *core_admit_task(struct core *core, struct block *block);
// There is no more to read.
void core_eof(struct core *core);

// --- Writing. core_output() waits, core_try_output() does not.

// Take what can be written, and the role of writing. False: there will be nothing any more.
bool core_output(struct core *core, struct work *work);
bool core_try_output(struct core *core, struct work *work);
// Give back what was written, and the role. `unwritten` is the first of `results` that was not
// written since output is broken, or NULL: the run then ends.
void core_written(struct core *core, struct result *results, struct result *unwritten);

// --- Main.

// Start what is due at `now`, and what the rate allows by then. Returns when there is more of that,
// or INT64_MAX.
int64_t core_tick(struct core *core, int64_t now);
void core_stop(struct core *core, enum core_phase phase);
enum core_phase core_phase(struct core *core);
// Has `config.halt` ended the run? If so the counts are of the records that had reached their end
// by then; those that operations dropped are none of them. Whoever waits for input should stop,
// and if halt.now what runs should be ended, each with core_give_up().
bool core_halted(struct core *core, uint64_t *emitted, uint64_t *failed);
// Has all been read, run and written, as far as the phase asks for it?
bool core_finished(struct core *core);
// Is a worker missing? If so it counts as existing from now on.
bool core_worker_wanted(struct core *core);
// A worker that was wanted could not be made: there will be no more. Returns how many there are.
unsigned core_worker_missing(struct core *core);
// What is settled so far.
struct ledger core_ledger(struct core *core);
// What is going on.
struct core_activity core_activity(struct core *core);
// Up to which record (from 1; 0: none) of which input (NULL: none yet) everything was written.
const struct input *core_position(struct core *core, uint64_t *nr);
// Account for all that is not settled: the run has ended. The ledger balances from then on. Returns
// the failures that nobody has taken, those of what was written without being settled among them;
// they are the caller's.
struct failure *core_close_ledger(struct core *core);

#endif
