// SPDX-License-Identifier: BSD-2-Clause
// Starting a child: its pipes, its place, and scripts that name no interpreter.

#include "command/launch.h"

#include "base/fdio.h"
#include "command/child_table.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pipes_shut(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void pipes_shut_all(struct pipes *pipes)
{
    pipes_shut(&pipes->input);
    pipes_shut(&pipes->output);
    pipes_shut(&pipes->error);
    pipes_shut(&pipes->unread);
}

// A pipe of which `*ours` is our end and `*theirs` the child's. Returns 0, or -1 with errno set.
static int open_pipe(const struct child_origin *origin, int *ours, int *theirs, bool theirs_reads,
                     bool large)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return -1;
    }
    *ours = child_put_aside(origin, fds[theirs_reads ? 1 : 0]);
    *theirs = fds[theirs_reads ? 0 : 1];
    if (large) {
        fdio_enlarge_pipe(*ours, FDIO_CHILD_PIPE_BYTES);
    }
    return theirs_reads ? fcntl(*ours, F_SETFL, O_NONBLOCK) : 0;
}

static int open_pipes(const struct child_origin *origin, struct pipes *pipes, bool filter,
                      struct child_program *program)
{
    if (filter && open_pipe(origin, &pipes->input, &program->input, true, true) != 0) {
        return -1;
    }
    if (open_pipe(origin, &pipes->output, &program->output, false, filter) != 0) {
        return -1;
    }
    return open_pipe(origin, &pipes->error, &program->error, false, false);
}

// A file that is executable and of no format that the system knows is a script of the shell, as
// execvp() has it.
static int start_script(const struct launch *launch, struct child *child,
                        struct child_program *program)
{
    size_t count = 0;
    while (program->argv[count] != NULL) {
        count++;
    }
    char **argv = calloc(count + 2, sizeof(*argv));
    if (argv == NULL) {
        return -1;
    }
    argv[0] = (char *)_PATH_BSHELL;
    argv[1] = (char *)program->path;
    memcpy(argv + 2, program->argv + 1, (count - 1) * sizeof(*argv));
    program->path = _PATH_BSHELL;
    program->argv = argv;
    int rc = child_start(child, launch->stack, launch->origin, program);
    free(argv);
    return rc;
}

static int start(const struct launch *launch, const struct child_program *wanted, bool filter,
                 struct child *child, struct pipes *pipes)
{
    struct child_program program = *wanted;
    program.input = launch->null_fd;
    program.output = program.error = -1;
    int rc = open_pipes(launch->origin, pipes, filter, &program);
    if (rc == 0) {
        rc = child_start(child, launch->stack, launch->origin, &program);
        if (rc != 0 && errno == ENOEXEC) {
            rc = start_script(launch, child, &program);
        }
    }
    int error = errno;
    if (rc == 0 && launch->counts) {
        pipes->unread = child_put_aside(launch->origin, program.input);
    } else if (program.input != launch->null_fd) {
        pipes_shut(&program.input);
    }
    pipes_shut(&program.output);
    pipes_shut(&program.error);
    if (rc != 0) {
        pipes_shut_all(pipes);
    }
    errno = error;
    return rc;
}

// Might it be possible when something else has ended?
static bool is_lack(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

int launch_child(const struct launch *launch, const struct child_program *program, bool filter,
                 struct child *child, struct pipes *pipes)
{
    struct child_table *table = launch->table;
    while (child_table_enter(table)) {
        if (start(launch, program, filter, child, pipes) == 0) {
            child_table_add(table, child);
            return 0;
        }
        if (!is_lack(errno)) {
            child_table_leave(table);
            return -1;
        }
        if (!child_table_lack(table)) {
            return -1;
        }
    }
    errno = ECANCELED;
    return -1;
}
