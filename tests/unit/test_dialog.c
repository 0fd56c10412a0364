// SPDX-License-Identifier: BSD-2-Clause
// Dialogs: what a child that lives on is told and says, and how it ends.

#include "command/dialog.h"

#include "base/clock.h"
#include "children.h"
#include "command/child_table.h"

#include <sys/eventfd.h>

#define HEARD_MAX ((size_t)4 * 1024 * 1024)

static struct process_config config;
static struct dialog *dialog;
static int call_fd;
static char *heard; // from the present child, or the last one
static size_t heard_len;

static void begin(void)
{
    config = (struct process_config){
        .origin = &origin,
        .table = child_table_create(),
        .null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
        .kill_after = 3600 * CLOCK_SECOND,
    };
    statuses_parse(&config.ok_exit, "0", 1);
    call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    dialog = dialog_create(&config, call_fd);
}

static void end(void)
{
    dialog_destroy(dialog);
    child_table_destroy(config.table);
    close(config.null_fd);
    close(call_fd);
}

static int start(const char *path, const char *const words[])
{
    const struct child_program program = {
        .path = path, .argv = (char *const *)words, .envp = environ};
    heard_len = 0;
    return dialog_start(dialog, &program);
}

// A child that does what the lines say that it is sent, after the actions.
static bool start_actor(const char *actions)
{
    return start(actor, (const char *[]){"actor", actions, "lines", NULL}) == 0;
}

static bool start_shell(const char *script)
{
    return start("/bin/sh", (const char *[]){"sh", "-c", script, NULL}) == 0;
}

static bool say(const char *text)
{
    const struct iovec iov = {(char *)text, strlen(text)};
    return dialog_write(dialog, &iov, 1) == iov.iov_len;
}

// Wait once, and read what there is.
static unsigned listen_once(int64_t until)
{
    unsigned found = dialog_wait(dialog, false, until);
    if ((found & DIALOG_REPLIES) != 0) {
        heard_len += dialog_read(dialog, heard + heard_len, HEARD_MAX - heard_len);
    }
    return found;
}

static bool has_heard(const char *text)
{
    return heard_len == strlen(text) && memcmp(heard, text, heard_len) == 0;
}

// Wait for as many bytes. Are they these?
static bool hears(const char *text)
{
    while (heard_len < strlen(text) && (listen_once(INT64_MAX) & DIALOG_OVER) == 0) {
    }
    bool same = has_heard(text);
    heard_len = 0;
    return same;
}

// Wait for its end.
static enum process_end finish(void)
{
    while ((listen_once(INT64_MAX) & DIALOG_OVER) == 0) {
    }
    return dialog_end(dialog);
}

// Wait until it is known that the child has exited; what it wrote stays in the pipe.
static void await_exit(void)
{
    while (dialog_is_open(dialog)) {
        (void)dialog_wait(dialog, false, INT64_MAX);
    }
}

static void test_talk(void)
{
    begin();
    OK(!dialog_lives(dialog), "there is no child at first");
    OK(start_actor("") && dialog_lives(dialog) && dialog_is_open(dialog), "one is started");
    OK(say("a\n") && hears("a\n"), "it answers");
    OK(say("b\nc\n") && hears("b\nc\n"), "again and again");
    OK(dialog_written(dialog) == 6 && dialog_consumed(dialog) == 6, "and has read all");
    OK(say("!out=x out=x\n") && hears("x\nx\n"), "it may answer twice");
    OK(say("!sleep=0.05 out=late\n") && hears("late\n"), "it may be slow");
    dialog_close(dialog);
    OK(finish() == PROCESS_SUCCEEDED && dialog_status(dialog) == 0 && dialog_signal(dialog) == 0,
       "it ends with its input");
    OK(!dialog_lives(dialog) && dialog_is_whole(dialog), "its output was read to the end");

    OK(start_actor("") && dialog_written(dialog) == 0 && !dialog_is_whole(dialog),
       "another one begins anew");
    OK(say("!raw=part\n"), "(it is asked)");
    dialog_close(dialog);
    OK(finish() == PROCESS_SUCCEEDED && has_heard("part") && dialog_is_whole(dialog),
       "the last answer may be torn");
    end();
}

static void test_ends(void)
{
    begin();
    hide_stderr();
    bool asked = start_actor("") && say("!err=oh out=o exit=7\n");
    enum process_end ended = finish();
    char *said = show_stderr();
    OK(asked && ended == PROCESS_EXITED && dialog_status(dialog) == 7, "a child may die amid it");
    OK(has_heard("o\n") && strcmp(said, "oh\n") == 0, "what it said until then is heard");
    OK(!dialog_is_open(dialog) && !dialog_lives(dialog), "and there is none any more");
    free(said);

    OK(start_actor("") && say("!kill=11\n") && finish() == PROCESS_SIGNALLED &&
           dialog_signal(dialog) == SIGSEGV && dialog_status(dialog) == -1,
       "it may die of a signal");
    config.ok_exit.bits[0] |= 1 << 3;
    OK(start_actor("") && say("!exit=3\n") && finish() == PROCESS_SUCCEEDED &&
           dialog_status(dialog) == 3,
       "a status of success is what is said to be one");
    OK(start_actor("close=1 hang"), "(one that closes its output)");
    while (dialog_is_open(dialog)) {
        (void)listen_once(INT64_MAX);
    }
    OK(dialog_lives(dialog), "one that closes its output is told nothing more");
    dialog_kill(dialog);
    OK(finish() == PROCESS_SIGNALLED && dialog_signal(dialog) == SIGKILL,
       "one that is of no use any more is killed");

    const char *const words[] = {"nothing", NULL};
    OK(start("/nonexistent", words) == -1 && errno == ENOENT && !dialog_lives(dialog),
       "a program that is not there cannot be started");
    end();
}

static void test_pipe(void)
{
    begin();
    static char many[64 * 1024];
    const struct iovec iov = {many, sizeof(many)};
    OK(start_actor("hang"), "(a child that does not read)");
    uint64_t written = 0;
    size_t done;
    while ((done = dialog_write(dialog, &iov, 1)) > 0) {
        written += done;
    }
    OK(dialog_is_open(dialog) && written > 0 && dialog_written(dialog) == written,
       "a child that does not read takes what its pipe holds");
    OK(dialog_consumed(dialog) == 0, "and has read nothing of it");
    OK(dialog_wait(dialog, true, clock_now()) == 0, "more it does not take");
    dialog_kill(dialog);
    (void)finish();

    OK(start_shell("read -r line; echo got; exec sleep 3600") &&
           (dialog_wait(dialog, true, INT64_MAX) & DIALOG_TAKES) != 0,
       "one whose pipe is empty takes something");
    OK(say("line\n") && hears("got\n") && dialog_consumed(dialog) == 5, "and reads it");
    dialog_kill(dialog);
    (void)finish();
    end();
}

static void test_waits(void)
{
    begin();
    OK(dialog_wait(dialog, false, clock_now()) == 0, "without a child a wait ends at its time");
    OK(start_actor("") && dialog_wait(dialog, false, clock_now()) == 0,
       "so does one for a child that is silent");
    OK(write(call_fd, &(uint64_t){1}, sizeof(uint64_t)) > 0 &&
           dialog_wait(dialog, false, INT64_MAX) == DIALOG_CALLED,
       "others end a wait");
    OK(dialog_wait(dialog, false, clock_now()) == 0, "once");

    char file[300];
    snprintf(file, sizeof(file), "%s/stderr", scratch);
    hide_stderr();
    bool asked = say("!err=a out=x\n") && hears("x\n");
    while (dialog_wait(dialog, false, clock_now()) != 0) {
    }
    struct stat before, behind;
    stat(file, &before);
    skip_time(3 * CLOCK_SECOND);
    (void)dialog_wait(dialog, false, clock_now());
    stat(file, &behind);
    free(show_stderr());
    OK(asked && before.st_size == 0 && behind.st_size == 2,
       "lines of standard error pass after 2 s, not before");
    dialog_close(dialog);
    (void)finish();
    end();
}

static void test_timeout(void)
{
    begin();
    OK(start_actor(""), "(a child that waits)");
    dialog_limit(dialog, clock_now());
    dialog_limit(dialog, INT64_MAX);
    OK(say("a\n") && hears("a\n"), "a limit that is lifted changes nothing");
    dialog_limit(dialog, clock_now() + 3600 * CLOCK_SECOND);
    OK(say("b\n") && hears("b\n"), "nor does one that does not come");
    skip_time(3601 * CLOCK_SECOND);
    OK(finish() == PROCESS_TIMED_OUT && dialog_signal(dialog) == SIGTERM,
       "one that comes ends it by SIGTERM");

    OK(start_actor("ignore=15") && say("!out=deaf hang\n") && hears("deaf\n"), "(a deaf one)");
    dialog_limit(dialog, clock_now());
    OK(listen_once(clock_now()) == 0 && dialog_lives(dialog), "(SIGTERM does not end it)");
    skip_time(3601 * CLOCK_SECOND);
    OK(finish() == PROCESS_TIMED_OUT && dialog_signal(dialog) == SIGKILL,
       "or by SIGKILL, if it does not mind that");
    OK(start_actor("catch=0") && say("!out=kind hang\n") && hears("kind\n"), "(a kind one)");
    dialog_limit(dialog, clock_now());
    OK(finish() == PROCESS_TIMED_OUT && dialog_status(dialog) == 0,
       "a success that comes with SIGTERM is none");
    end();
}

static void test_left_behind(void)
{
    begin();
    char file[300], actions[400];
    snprintf(file, sizeof(file), "%s/pids", scratch);
    snprintf(actions, sizeof(actions), "pids=%s orphan=3600 flood=60000 exit=0", file);
    hide_stderr();
    bool started = start_actor(actions);
    await_exit();
    skip_time(60 * CLOCK_SECOND);
    unsigned found = dialog_wait(dialog, false, clock_now());
    enum process_end ended = finish();
    char *said = show_stderr();
    OK(started && found == DIALOG_REPLIES,
       "what a child wrote is read, however long after its end");
    OK(ended == PROCESS_SUCCEEDED && heard_len == 60032, "all of it");
    OK(!dialog_is_whole(dialog) && is_one_message(said), "though something holds the output open");
    free(said);
    OK(is_left(file), "that is left alone after success");
    kill_left(file);

    snprintf(actions, sizeof(actions), "pids=%s orphan=3600 exit=0", file);
    hide_stderr();
    started = start_actor(actions);
    await_exit();
    found = dialog_wait(dialog, false, clock_now());
    ended = finish();
    said = show_stderr();
    OK(started && found == 0 && ended == PROCESS_SUCCEEDED, "which is waited for, though not long");
    OK(said[0] == '\0', "and told once only");
    free(said);
    kill_left(file);

    OK(start_shell("yes & exit 0"), "(one that leaves a writer behind)");
    await_exit();
    skip_time(60 * CLOCK_SECOND);
    OK(finish() == PROCESS_SUCCEEDED && heard_len < HEARD_MAX,
       "what goes on writing is left once the child's own must have been read");

    snprintf(actions, sizeof(actions), "pids=%s orphan=3600 exit=1", file);
    started = start_actor(actions);
    await_exit();
    skip_time(60 * CLOCK_SECOND);
    OK(started && finish() == PROCESS_EXITED && is_gone(file), "after failure it is killed");
    end();
}

static void test_end(void)
{
    begin();
    OK(start_actor("") && say("a\n") && hears("a\n"), "(a child)");
    child_table_end(config.table, SIGTERM);
    OK(finish() == PROCESS_ENDED, "a child is ended with all others");
    OK(!start_actor("") && errno == ECANCELED, "and none is started from then on");
    end();
}

int main(void)
{
    heard = malloc(HEARD_MAX);
    if (heard == NULL || children_begin("test_dialog") != 0) {
        return 99;
    }
    test_talk();
    test_ends();
    test_pipe();
    test_waits();
    test_timeout();
    test_left_behind();
    test_end();
    children_end();
    free(heard);
    return tap_done();
}
