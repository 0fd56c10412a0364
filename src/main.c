// SPDX-License-Identifier: BSD-2-Clause
// pproc: options -> settings -> plan -> run -> exit status.
//
// The files. main.c knows cli, plan, command and run; run knows all the rest; every folder may use
// base, and core uses no other.
//
//   base/    diag          messages on standard error
//            units         numbers in options: counts, sizes, durations
//            fdio          reading and writing of descriptors
//            clock         time
//            signal_text   signals as messages name them
//            statuses      sets of exit statuses
//            thread        pthreads
//            buf           memory that grows
//            path          names of files
//            lookup        finding of programs
//            utf8          UTF-8 as JSON wants it
//            base64        bytes as text
//   cli/     options       the command line as typed; options.def is the table of all options
//            settings      what it means: validated, resolved, immutable; settings_command is
//                          about COMMAND, settings_scheduling about when records are started
//            files0        the list of names of --files0-from
//            policy        values of --priority, --rate, --halt, --backoff and --retry-on
//            processors    how many processors there are for us
//            limits        and how many processes at a time
//            usage         --help and --version
//            explain       --explain
//            progress      the line of --progress
//            stats         the account that --stats and SIGUSR1 print
//   input/   source        opens one input after another, gives its bytes, through these stages:
//            descriptor    the bytes of a file as they are
//            decoding      what comes out of a decoder
//            archive_members   the members of tar, zip and 7z archives
//            stage         what these have in common
//            zip_directory the end of a zip archive
//            input         something with a name that records come from
//            detect        what kind of data an input is
//            decoder       interface of what turns compressed bytes into plain ones
//            decode_...    bzip2, compress, gzip, lz4, lzip, xz, zstd
//            members       what they have in common: members one after another
//            frames        what the frames of zstd and lz4 have in common
//            gzip_member   a member of gzip, by ISA-L or zlib
//            lzma_member   a stream of xz or a member of lzip, by liblzma
//            replay        makes blocks of the records in dead letters
//            letter        reads a dead letter
//            reader        cuts bytes into blocks of whole records
//            window        what was read and not handed out yet
//            hand_out      blocks of it, or of operands
//            share         blocks of large files, which workers read side by side
//            framer        finds the ends of records that have several lines
//            line_matcher  interface of what knows at which lines they begin
//            header        lines at the beginning of inputs that are no records
//            operands      operands of the command line that are the records
//   core/    core          what is to be done next, and by whom: the state and its one lock
//            dispatch      what a worker does next, and what comes of it
//            state         what can be done now, and waking those who wait for it
//            split         tasks that failed: split, tried again, or dead
//            carve         making of tasks
//            order         which results can be written, which are settled
//            budget        memory in flight
//            levels        what waits, by priority
//            keys          which records may start, as far as others with their key go
//            rate          when the next task may be started
//            retry         tasks that wait for their next attempt
//            retry_on      which failures are worth one
//            backoff       how long they wait
//            halt          when a run ends early
//            block         a run of records, the unit of memory
//            records       where the records of a block end
//            result        a task and what it gave
//            failure       records that failed, and why
//   plan/    plan          the operations, compiled
//            walk          takes the records of a task through them
//            steps         the list of operations, and what a worker needs for it
//            steps_run     the way of one record through it
//            classify      which priorities records have, for the reader
//            op_regex      match and exclude
//            op_subst      substitute
//            op_print      print
//            op_plugin     an operation in a shared object; pproc-plugin.h is its interface
//            template      the text that takes the place of a match
//            regex         PCRE2
//            block_pattern which patterns may be searched over whole blocks, and how
//            literal       bytes that every match of a pattern has
//            find_literal  looks for them
//   command/ command       COMMAND: its parts, what its workers have, and which mode runs
//            each, batch   its modes: what a process gets
//            coproc        a process that lives on, and its tasks
//            coproc_send   what is sent to it
//            coproc_reply  which replies are to which records
//            coproc_time   how long is waited for what
//            dialog        talks with the process
//            attempt       a process is run, and what became of it is told
//            environment   of a child
//            words         COMMAND's words, and the arguments that they make
//            form          a text with placeholders, to be filled in
//            placeholder   what is one, and the parts of a name of a file
//            columns       of a record
//            names         and by the names that a header has for them
//            tag           what lines of output begin with
//            shell         how sh quotes
//            launch        a child is started, with pipes to it, once there is a place for one
//            process       one run of COMMAND: feeds it, reads what it writes
//            child_watch   what both do with a child: its times, its standard error, its end
//            child         start and end of a child process
//            child_table   the children that live, and how many may
//            capture       what a child writes, until it is known whether it counts
//            relay         what it writes to standard error
//   run/     run           builds the parts, waits for the end, takes all apart
//            conclude      how it ended, and the account
//            bar           when the progress bar is drawn
//            threads       workers, reader and writer
//            worker        what a worker does with its tasks
//            pool          forked workers: what they and the threads share
//            zygote        the process that forks them
//            worker_process   one of them
//            proxy         the thread that gives it its tasks
//            frame         what the two tell each other
//            area          memory that they share
//            exit_guard    plugins that call exit()
//            record_key    the pattern of keys, for the reader
//            record_start  the pattern of lines at which records begin, for the reader
//            signals       signals as something to read
//            same_file     files that are used twice
//   output/  writer        writes results that are ready
//            sink          standard output, or the file that is replaced as a whole
//            compress      compressed files
//            spill         results on disk, beyond the budget
//            failures      telling about records that failed
//            deadletter    the file for them
//            joblog        a line for each attempt
//            append        files that lines are added to

#include "base/diag.h"
#include "base/exit_status.h"
#include "base/fdio.h"
#include "cli/explain.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/usage.h"
#include "command/command.h"
#include "plan/plan.h"
#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// Room for all that is usually printed there: of a write before the end no reason is known.
static void open_stdout(void)
{
    static char buffer[64 * 1024];
    (void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

// The exit status once something was printed on standard output.
static int close_stdout(void)
{
    errno = 0;
    bool failed = ferror(stdout) != 0; // an earlier write, whose errno is gone
    if (fclose(stdout) != 0 || failed) {
        diag_error("standard output: cannot be written: %s", errno == EBADF ? "it is closed"
                                                             : errno != 0
                                                                 ? strerror(errno)
                                                                 : "an earlier write failed");
        return EXIT_OUTPUT;
    }
    return EXIT_OK;
}

static int explain(const struct settings *settings, const struct plan *plan,
                   const struct command *command)
{
    open_stdout();
    explain_print(stdout, settings, plan, command != NULL ? command_words(command) : NULL);
    return close_stdout();
}

static int prepare(const struct options *options)
{
    int status = EXIT_USAGE;
    struct plan *plan = NULL;
    struct command *command = NULL;
    struct settings *settings = settings_create(options);

    if (settings != NULL) {
        diag_set_quiet(settings->quiet);
        plan = plan_create(settings);
    }
    if (plan != NULL && settings->mode != MODE_NONE) {
        command = command_create(settings, &status);
    }
    if (plan != NULL && (settings->mode == MODE_NONE || command != NULL)) {
        status =
            settings->explain ? explain(settings, plan, command) : run(settings, plan, command);
    }
    command_destroy(command);
    plan_destroy(plan);
    settings_destroy(settings);
    return status;
}

static int obey(const struct options *options)
{
    if (options->values[OPTION_HELP] != NULL) {
        open_stdout();
        usage_print_help(stdout);
        return close_stdout();
    }
    if (options->values[OPTION_VERSION] != NULL) {
        open_stdout();
        usage_print_version(stdout);
        return close_stdout();
    }
    return prepare(options);
}

int main(int argc, char *argv[])
{
    struct options options;
    int status = EXIT_USAGE;

    (void)signal(SIGCHLD, SIG_DFL); // it may be ignored by inheritance; then nothing can be reaped
    if (fdio_reserve_standard() != 0) {
        diag_error("standard input, output or error is closed and cannot be occupied: %s",
                   strerror(errno));
        return EXIT_USAGE;
    }
    if (options_parse(&options, argc, argv) == 0) {
        status = obey(&options);
    }
    options_clear(&options);
    return status;
}
