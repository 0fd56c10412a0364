// SPDX-License-Identifier: BSD-2-Clause
// Coprocs: which replies are taken for answers, and what becomes of a task without one.

#include "command/coproc.h"

#include "base/clock.h"
#include "children.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "command/child_table.h"
#include "command/command.h"
#include "command/coproc_state.h"
#include "core/block.h"
#include "core/result.h"
#include "input/input.h"
#include "plan/plan.h"

#define WORDS_MAX 16
#define TASKS_MAX 8
#define HOUR (3600 * CLOCK_SECOND)

static const struct input input = {.name = "in"};
static char *argv[WORDS_MAX];
static struct options options;
static struct settings *settings;
static struct plan *plan;
static struct command *command;
static struct block_pool *pool;
static struct command_state *state;
static struct coproc *coproc;
static struct block blocks[TASKS_MAX]; // each has one task
static size_t block_count;
static struct coproc_result last; // that take() has got

// BEGIN("--recycle=2", "--", actor, "lines"): the words behind --coproc.
#define BEGIN(...) begin((const char *const[]){__VA_ARGS__, NULL})

static void begin(const char *const words[])
{
    int argc = 0, status;
    argv[argc++] = (char[]){"pproc"};
    argv[argc++] = (char[]){"--coproc"};
    for (size_t i = 0; words[i] != NULL; i++) {
        argv[argc++] = (char *)words[i]; // nobody writes to it
    }
    argv[argc] = NULL;
    block_count = 0;
    if (options_parse(&options, argc, argv) != 0 ||
        (settings = settings_create(&options)) == NULL || (plan = plan_create(settings)) == NULL ||
        (command = command_create(settings, &status)) == NULL ||
        (pool = block_pool_create(settings->block_size, 0)) == NULL ||
        command_prepare(command, spill, pool, NULL) != 0 ||
        (state = command_state_create(command, plan, 1)) == NULL ||
        (coproc = coproc_create(state)) == NULL) {
        printf("Bail out! no coproc\n");
        exit(1);
    }
}

static void end(void)
{
    result_destroy(last.task);
    last.task = NULL;
    coproc_finish(coproc);
    coproc_destroy(coproc);
    command_state_destroy(state);
    command_destroy(command);
    block_pool_destroy(pool);
    plan_destroy(plan);
    settings_destroy(settings);
    options_clear(&options);
}

static struct result *make_task(const char *records)
{
    struct block *block = &blocks[block_count++];
    *block = (struct block){
        .input = &input,
        .buf = (char *)records, // nobody writes to it
        .len = strlen(records),
        .first_seq = 1,
        .first_nr = 1,
        .delimiter = '\n',
    };
    return result_create(block, 0, block->len);
}

static bool add(const char *records)
{
    return coproc_add(coproc, make_task(records)) == 0;
}

// Nothing more comes after these.
static bool add_last(const char *records)
{
    bool added = add(records);
    coproc_flush(coproc, true);
    return added;
}

// How does the next task end?
static enum coproc_end take(void)
{
    result_destroy(last.task);
    while (!coproc_next(coproc, &last)) {
        (void)coproc_wait(coproc, false);
    }
    return last.end;
}

static bool has_output(const struct result *task, const char *expected)
{
    return task->own_len == strlen(expected) &&
           (task->own_len == 0 || memcmp(task->own, expected, task->own_len) == 0);
}

static bool has_tags(const struct result *task, const char *expected)
{
    return task->tags_len == strlen(expected) && memcmp(task->tags, expected, task->tags_len) == 0;
}

static bool is_answered(const char *expected)
{
    return take() == COPROC_DONE && has_output(last.task, expected);
}

// Wait until the process has read all that it was sent.
static void await_reading(void)
{
    do {
        (void)coproc_wait(coproc, true);
    } while (dialog_written(coproc->dialog) == 0 ||
             dialog_consumed(coproc->dialog) < dialog_written(coproc->dialog));
}

static void test_answers(void)
{
    BEGIN("--", actor, "lines");
    OK(coproc_has_room(coproc), "there is room at first");
    OK(add("a\nb\n") && add("c\n"), "(two tasks)");
    OK(is_answered("a\nb\n") && last.task->tally.emitted == 2, "each task gets its own answers");
    OK(is_answered("c\n"), "though nothing follows");
    OK(dialog_lives(coproc->dialog) && coproc_has_room(coproc), "the process lives on for more");
    OK(add("!sleep=0.1 out=late\n") && is_answered("late\n"), "it may be slow");
    OK(add_last("d") && is_answered("d\n"), "a record that lacks its delimiter gets it");
    coproc_finish(coproc);
    OK(!dialog_lives(coproc->dialog) && !command_is_flawed(command), "it ends well");
    end();

    BEGIN("-m", "nothing", "--", actor, "lines");
    OK(add("a\n") && is_answered("") && !dialog_lives(coproc->dialog),
       "a task of which operations leave nothing needs no process");
    end();

    BEGIN("--tag={}=", "--", actor, "lines");
    OK(add_last("a\nb\n") && is_answered("a\nb\n") && has_tags(last.task, "a=\nb=\n"),
       "each record has its tag");
    end();

    BEGIN("--tag={}=", "--", actor, "lines");
    OK(add("a\nb\n!exit=1\nc\n") && take() == COPROC_PARTLY && last.cut == 2,
       "(a task of which a part is answered)");
    struct result *front = result_create(last.task->task.block, 0, last.cut);
    OK(front != NULL && coproc_answer(coproc, front) == 0 && has_output(front, "a\n") &&
           has_tags(front, "a=\n"),
       "so have those that are answered before a process fails");
    result_destroy(front);
    end();
}

static void test_more_replies(void)
{
    BEGIN("--", actor, "lines");
    OK(add("!raw=x\\nx\\n\n") && take() == COPROC_ALONE, "two replies to a record are none");
    OK(add("a\n") && is_answered("a\n"), "another process goes on");
    hide_stderr();
    bool added = add("!raw=x\\nx\\n\n");
    enum coproc_end ended = take();
    coproc_finish(coproc);
    char *said = show_stderr();
    OK(added && ended == COPROC_ALONE && is_one_message(said) &&
           strstr(said, "has given more replies than it got records") != NULL &&
           command_is_flawed(command),
       "after answers that were taken that is told");
    free(said);
    end();

    BEGIN("--", "sh", "-c", "echo early; exec sleep 3600");
    OK(add("a\n") && take() == COPROC_ALONE, "a reply to what was not even read is none");
    end();
}

static void test_fewer_replies(void)
{
    BEGIN("--", actor, "lines");
    OK(add_last("a\n!sleep=0\nb\n") && take() == COPROC_ALONE && !command_is_flawed(command),
       "fewer replies than records are answers to none");
    OK(add_last("a\n!raw=part exit=0\nc\nd\n") && take() == COPROC_ALONE && last.cut == 0,
       "neither are they if the last one is torn");
    OK(add_last("a\n!raw=part\n") && is_answered("a\npart"), "if all are there it may be torn");
    OK(add_last("a\n") && is_answered("a\n"), "which the next process knows nothing of");
    end();
}

static void test_death(void)
{
    BEGIN("--", actor, "lines");
    OK(add("a\nb\n!exit=7\nd\n") && take() == COPROC_PARTLY && last.cut == 2,
       "of the answers of one that dies all but the last one are sure");
    struct result *front = result_create(last.task->task.block, 0, last.cut);
    OK(coproc_answer(coproc, front) == 0 && has_output(front, "a\n"), "and can be had");
    result_destroy(front);
    OK(add("a\n!raw=part exit=3\n") && take() == COPROC_ALONE, "it may die within a reply");
    OK(add("!kill=9\n") && take() == COPROC_ALONE, "or of a signal");
    OK(add("a\n") && is_answered("a\n") && !command_is_flawed(command), "others go on");
    end();

    char file[300], record[400];
    snprintf(file, sizeof(file), "%s/pids", scratch);
    snprintf(record, sizeof(record), "!pids=%s orphan=3600 raw=part exit=0\n", file);
    BEGIN("--", actor, "lines");
    hide_stderr();
    bool alone = add_last(record) && take() == COPROC_ALONE;
    char *said = show_stderr();
    OK(alone && is_one_message(said) && !command_is_flawed(command),
       "a torn reply may be a part where something holds the output open");
    free(said);
    OK(kill_left(file), "which is left alone");
    end();

    BEGIN("--", actor, "lines", "exit=3");
    hide_stderr();
    bool answered = add("a\n") && is_answered("a\n");
    coproc_finish(coproc);
    said = show_stderr();
    OK(answered && is_one_message(said) && strstr(said, "ended with exit status 3") != NULL &&
           command_is_flawed(command),
       "one that fails after its last answer is told");
    free(said);
    end();
}

static void test_silence(void)
{
    BEGIN("--", actor, "count");
    OK(add("a\n"), "(a process that answers at the end of its input)");
    await_reading();
    hide_stderr();
    for (int i = 0; i < 3; i++) {
        skip_time(11 * CLOCK_SECOND);
        (void)coproc_wait(coproc, false);
    }
    char *said = show_stderr();
    OK(is_one_message(said) && strstr(said, "answered nothing for 10 s") != NULL,
       "one that is silent is told, once");
    free(said);
    OK(dialog_is_open(coproc->dialog), "its input does not end for that");
    coproc_flush(coproc, false);
    OK(is_answered("2\n"), "but where answers are needed");
    end();

    BEGIN("--", actor, "lines");
    OK(add("!hang\n"), "(one that hangs at the end of its input)");
    await_reading();
    coproc_flush(coproc, true);
    hide_stderr();
    skip_time(11 * CLOCK_SECOND);
    (void)coproc_wait(coproc, false);
    dialog_kill(coproc->dialog);
    bool alone = take() == COPROC_ALONE;
    said = show_stderr();
    OK(alone && is_one_message(said) && strstr(said, "though its input has ended") != NULL,
       "is told as well");
    free(said);
    end();

    BEGIN("--", actor, "hang");
    OK(add("a\n") && !coproc_has_room(coproc), "one that reads nothing gets nothing more");
    (void)coproc_wait(coproc, true);
    OK(!coproc_has_room(coproc), "and goes on to get nothing");
    dialog_kill(coproc->dialog);
    OK(take() == COPROC_ALONE, "until it is gone");
    end();
}

static void test_timeout(void)
{
    BEGIN("--timeout=1h", "--", "sh", "-c", "while read -r line; do echo $$; done");
    char pid[32] = "";
    OK(add("a\n") && take() == COPROC_DONE && last.task->own_len < sizeof(pid), "(an answer)");
    memcpy(pid, last.task->own, last.task->own_len);
    skip_time(2 * HOUR);
    OK(add("b\n") && is_answered(pid), "no time counts in which nothing is owed");
    end();

    BEGIN("--timeout=1h", "--", actor, "lines");
    OK(add("!hang\n"), "(one that does not answer)");
    await_reading();
    skip_time(2 * HOUR);
    hide_stderr(); // it is told to be silent too
    bool alone = take() == COPROC_ALONE;
    free(show_stderr());
    OK(alone && !dialog_lives(coproc->dialog), "one that owes an answer times out");
    OK(add("a\n") && is_answered("a\n"), "and another one goes on");
    end();
}

static void test_end(void)
{
    BEGIN("--", actor, "lines");
    coproc_call(coproc);
    OK(coproc_wait(coproc, false), "a call ends a wait");
    OK(add("a\n!hang\n"), "(a task)");
    await_reading();
    child_table_end(command_children(command), SIGTERM);
    OK(take() == COPROC_ALONE, "a process is ended with all others");
    OK(add("b\n") && take() == COPROC_ALONE, "and none is started from then on");
    OK(!command_is_flawed(command), "which is no fault of it");
    end();

    char script[300];
    snprintf(script, sizeof(script), "%s/script", scratch);
    int fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    OK(fd >= 0 && close(fd) == 0, "(a program)");
    BEGIN("--", script);
    unlink(script);
    OK(add("a\n") && take() == COPROC_ALONE, "an attempt alone tells why none can be started");
    end();
}

// Of a task that is tried again its records are not those of others.
static void test_again(void)
{
    BEGIN("--", actor, "lines");
    struct result *task = make_task("a\n");
    task->task.attempts = 1;
    OK(coproc_add(coproc, task) == 0 && take() == COPROC_ALONE && !dialog_lives(coproc->dialog),
       "what failed before is run alone");
    end();
}

static void test_recycle(void)
{
    BEGIN("--recycle=2", "--", "sh", "-c", "while read -r line; do echo $$; done");
    OK(add_last("a\nb\nc\nd\ne\n") && take() == COPROC_DONE, "(five records)");
    long pids[5] = {0};
    char *at = last.task->own;
    for (size_t i = 0; i < 5 && at != NULL && at < last.task->own + last.task->own_len; i++) {
        pids[i] = strtol(at, &at, 10);
        at++;
    }
    OK(pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3] && pids[3] != pids[4] &&
           pids[4] > 0,
       "a fresh process after two records");
    end();
}

int main(void)
{
    if (children_begin("test_coproc") != 0) {
        return 99;
    }
    test_answers();
    test_more_replies();
    test_fewer_replies();
    test_death();
    test_silence();
    test_timeout();
    test_end();
    test_again();
    test_recycle();
    children_end();
    return tap_done();
}
