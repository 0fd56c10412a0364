// SPDX-License-Identifier: BSD-2-Clause
// COMMAND: its parts, what its workers have, and which mode runs.

#include "command/command.h"

#include "base/diag.h"
#include "base/exit_status.h"
#include "base/lookup.h"
#include "base/path.h"
#include "base/thread.h"
#include "cli/settings.h"
#include "command/attempt.h"
#include "command/batch.h"
#include "command/child.h"
#include "command/child_table.h"
#include "command/each.h"
#include "command/environment.h"
#include "command/names.h"
#include "command/tag.h"
#include "command/words.h"
#include "plan/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Bytes of output that one process keeps in memory, at least.
#define SHARE_MIN ((size_t)64 * 1024)

// --- building

// Find the program once, so that what cannot be run is told before anything is read.
static int find_program(struct command *command)
{
    const char *name = words_program(command->words);
    if (name == NULL) {
        return EXIT_OK;
    }
    command->path = lookup_program(name);
    if (command->path != NULL) {
        return EXIT_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        const char *hint = path_is_file(name)          ? " (FILE goes before --)"
                           : strchr(name, ' ') != NULL ? " (a text of several words needs --shell)"
                                                       : "";
        diag_error("%s: COMMAND was not found%s", *name != '\0' ? name : "''", hint);
        return EXIT_NOT_FOUND;
    }
    diag_error("%s: COMMAND cannot be run: %s%s", name, strerror(errno),
               path_is_file(name) ? " (FILE goes before --)" : "");
    return EXIT_NOT_EXECUTABLE;
}

struct command *command_create(const struct settings *settings, int *status)
{
    struct command *command = calloc(1, sizeof(*command));
    *status = EXIT_USAGE;
    if (command == NULL || pthread_mutex_init(&command->mutex, NULL) != 0) {
        diag_error("no memory for COMMAND");
        free(command);
        return NULL;
    }
    command->settings = settings;
    command->process.null_fd = -1;
    command->words = words_create(settings);
    bool tags = settings->tag != NULL && settings->mode != MODE_COPROC; // which the plan makes
    command->tag = tags ? tag_create(settings) : NULL;
    if (command->words != NULL && (!tags || command->tag != NULL)) {
        *status = find_program(command);
    }
    if (*status != EXIT_OK) {
        command_destroy(command);
        return NULL;
    }
    return command;
}

void command_destroy(struct command *command)
{
    if (command == NULL) {
        return;
    }
    if (command->process.null_fd >= 0) {
        close(command->process.null_fd);
    }
    child_table_destroy(command->children);
    buf_free(&command->header);
    THREAD_MUST(pthread_mutex_destroy(&command->mutex));
    free(command->origin);
    free(command->path);
    tag_destroy(command->tag);
    words_destroy(command->words);
    free(command);
}

const struct words *command_words(const struct command *command)
{
    return command->words;
}

static size_t share_of(const struct settings *settings)
{
    size_t share = settings->buffer_size / SETTINGS_OUTPUT_PART / settings->threads;
    return share > SHARE_MIN ? share : SHARE_MIN;
}

int command_prepare(struct command *command, struct spill *spill, struct block_pool *pool,
                    struct joblog *joblog)
{
    const struct settings *settings = command->settings;
    command->joblog = joblog;
    command->origin = calloc(1, sizeof(*command->origin));
    command->children = child_table_create();
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    command->process = (struct process_config){
        .origin = command->origin,
        .table = command->children,
        .spill = spill,
        .pool = pool,
        .null_fd = null_fd,
        .share = share_of(settings),
        .timeout = settings->timeout,
        .kill_after = settings->kill_after,
        .ok_exit = settings->ok_exit,
    };
    if (command->origin == NULL || command->children == NULL || null_fd < 0) {
        return -1;
    }
    child_origin_init(command->origin, settings->threads);
    return 0;
}

int command_name_columns(struct command *command, const char *header, size_t len)
{
    struct iovec line = names_line(header, len, command->settings->delimiter);
    if (words_set_header(command->words, line) != 0) {
        return -1;
    }
    return command->tag != NULL ? tag_set_header(command->tag, line) : 0;
}

struct child_table *command_children(const struct command *command)
{
    return command->children;
}

struct command_state *command_state_create(struct command *command, const struct plan *plan,
                                           unsigned slot)
{
    struct command_state *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return NULL;
    }
    state->command = command;
    state->plan = plan;
    state->slot = slot;
    state->plan_state = plan_state_create(plan, slot);
    int error = state->plan_state == NULL ? errno : ENOMEM;
    state->words = words_state_create();
    state->tag = command->tag != NULL ? tag_state_create() : NULL;
    state->environment = environment_create();
    state->process = command->settings->dry_run ? NULL : process_create(&command->process);
    if (state->plan_state == NULL || state->words == NULL || state->environment == NULL ||
        (state->tag == NULL && command->tag != NULL) ||
        (state->process == NULL && !command->settings->dry_run)) {
        command_state_destroy(state);
        errno = error;
        return NULL;
    }
    return state;
}

void command_state_destroy(struct command_state *state)
{
    if (state == NULL) {
        return;
    }
    process_destroy(state->process);
    environment_destroy(state->environment);
    tag_state_destroy(state->tag);
    words_state_destroy(state->words);
    plan_state_destroy(state->plan_state);
    cause_unref(state->cause);
    buf_free(&state->line);
    buf_free(&state->output_header);
    free(state->input);
    free(state);
}

bool command_is_flawed(const struct command *command)
{
    return atomic_load(&command->flawed);
}

// --- headers

void command_set_header(struct command_state *state, const char *bytes, size_t len)
{
    state->header = bytes;
    state->header_len = len;
}

const char *command_output_header(struct command *command, size_t *len)
{
    mutex_lock(&command->mutex);
    *len = command->header.len;
    mutex_unlock(&command->mutex);
    return command->header.bytes;
}

// --- what is done with a task

enum command_end command_run(struct command_state *state, struct result *result)
{
    if (state->process != NULL) {
        capture_clear(process_output(state->process)); // what another attempt left
    }
    switch (state->command->settings->mode) {
    case MODE_EACH:
        return each_run(state, result);
    case MODE_BATCH:
    case MODE_COPROC:
        return batch_run(state, result);
    case MODE_NONE:
        break;
    }
    return COMMAND_BROKEN;
}

struct attempt command_attempt(const struct command_state *state)
{
    return state->attempt;
}

struct cause *command_cause(const struct command_state *state)
{
    return state->cause;
}

size_t command_front(const struct command_state *state)
{
    return state->front;
}

int command_fail(struct command_state *state, struct result *result, struct cause *cause)
{
    bool keeps = state->command->settings->keep_failed && cause == state->cause;
    if (plan_fail(state->plan, state->plan_state, result, cause) != 0) {
        return -1;
    }
    return keeps ? attempt_give_output(state, result) : 0;
}
