// SPDX-License-Identifier: BSD-2-Clause
// A plugin that plays the part which its argument names, PART or PART=VALUE; see `parts`.

#include "pproc-plugin.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct player {
    const struct part *part;
    const char *value; // "" if there is none
    unsigned worker;
};

struct part {
    const char *name;
    int (*play)(const struct player *player, const struct pproc_record *in,
                struct pproc_output *out, char *error);
};

static int is(const struct pproc_record *in, const char *text)
{
    return in->len == strlen(text) && memcmp(in->bytes, text, in->len) == 0;
}

static int pass(const struct player *player, const struct pproc_record *in,
                struct pproc_output *out, char *error)
{
    (void)player;
    (void)error;
    return pproc_emit(out, in->bytes, in->len);
}

static int upper(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    (void)player;
    char *bytes = malloc(in->len + 1);
    if (bytes == NULL) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "no memory");
        return PPROC_FAILED;
    }
    for (size_t i = 0; i < in->len; i++) {
        bytes[i] = (char)toupper((unsigned char)in->bytes[i]);
    }
    int status = pproc_emit(out, bytes, in->len);
    free(bytes);
    return status;
}

// Once, and once more as often as VALUE says.
static int again(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    int status = pass(player, in, out, error);
    for (long more = strtol(player->value, NULL, 10); more > 0 && status == PPROC_DONE; more--) {
        status = pass(player, in, out, error);
    }
    return status;
}

// Its words, each a record; VALUE divides them.
static int words(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    (void)error;
    const char *word = in->bytes, *end = in->bytes + in->len;
    int status = PPROC_DONE;
    while (word < end && status == PPROC_DONE) {
        const char *stop = memchr(word, player->value[0], (size_t)(end - word));
        stop = stop != NULL ? stop : end;
        status = stop > word ? pproc_emit(out, word, (size_t)(stop - word)) : PPROC_DONE;
        word = stop + 1;
    }
    return status;
}

// Nothing, or if there is a VALUE an empty record.
static int drop(const struct player *player, const struct pproc_record *in,
                struct pproc_output *out, char *error)
{
    (void)in;
    (void)error;
    return player->value[0] != '\0' ? pproc_emit(out, NULL, 0) : PPROC_DONE;
}

static int worker(const struct player *player, const struct pproc_record *in,
                  struct pproc_output *out, char *error)
{
    (void)in;
    (void)error;
    char text[32];
    return pproc_emit(out, text, (size_t)snprintf(text, sizeof(text), "%u", player->worker));
}

// The record VALUE fails; it was put out before.
static int fail(const struct player *player, const struct pproc_record *in,
                struct pproc_output *out, char *error)
{
    int status = pass(player, in, out, error);
    if (!is(in, player->value)) {
        return status;
    }
    snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "I do not like '%s'", player->value);
    return PPROC_FAILED;
}

static int fail_silently(const struct player *player, const struct pproc_record *in,
                         struct pproc_output *out, char *error)
{
    return is(in, player->value) ? PPROC_FAILED : pass(player, in, out, error);
}

// Records that begin with a 7 go well at attempt number VALUE, which the output tells.
static int flaky(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    char text[64];
    if (in->len == 0 || in->bytes[0] != '7') {
        return pass(player, in, out, error);
    }
    if (in->attempt < strtoul(player->value, NULL, 10)) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "attempt %u was too early", in->attempt);
        return PPROC_FAILED_RETRY;
    }
    int len = snprintf(text, sizeof(text), "%.*s at %u", (int)in->len, in->bytes, in->attempt);
    return pproc_emit(out, text, (size_t)len);
}

// The record VALUE ends the process.
static int crash(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    if (is(in, player->value)) {
        raise(SIGSEGV);
    }
    return pass(player, in, out, error);
}

static int kill_us(const struct player *player, const struct pproc_record *in,
                   struct pproc_output *out, char *error)
{
    if (is(in, player->value)) {
        raise(SIGKILL);
    }
    return pass(player, in, out, error);
}

// At the record VALUE it prints something where the output goes.
static int print(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    if (is(in, player->value)) {
        printf("player: printing\n");
        fflush(stdout);
    }
    return pass(player, in, out, error);
}

static int leave(const struct player *player, const struct pproc_record *in,
                 struct pproc_output *out, char *error)
{
    if (is(in, player->value)) {
        exit(0);
    }
    return pass(player, in, out, error);
}

// The record VALUE takes for ever.
static int hang(const struct player *player, const struct pproc_record *in,
                struct pproc_output *out, char *error)
{
    while (is(in, player->value)) {
        fprintf(stderr, "player: hanging\n");
        pause();
    }
    return pass(player, in, out, error);
}

// It fails in silence if what stands behind fails; some would not notice.
static int heedless(const struct player *player, const struct pproc_record *in,
                    struct pproc_output *out, char *error)
{
    (void)pass(player, in, out, error);
    (void)pass(player, in, out, error);
    return PPROC_DONE;
}

static const struct part parts[] = {
    {"pass", pass},         {"upper", upper},   {"again", again}, {"words", words},
    {"drop", drop},         {"worker", worker}, {"fail", fail},   {"silent", fail_silently},
    {"flaky", flaky},       {"crash", crash},   {"exit", leave},  {"hang", hang},
    {"heedless", heedless}, {"kill", kill_us},  {"print", print},
};

// The parts "closed" and "sulk" are for the player itself: it says that it was closed, or cannot be
// opened.
static int open_player(const char *arg, unsigned number, void **state, char *error)
{
    const char *name = arg != NULL ? arg : "pass";
    size_t len = strcspn(name, "=");
    struct player *player = calloc(1, sizeof(*player));
    if (player == NULL) {
        return PPROC_FAILED;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strlen(parts[i].name) == len && strncmp(parts[i].name, name, len) == 0) {
            player->part = &parts[i];
        }
    }
    if (strncmp(name, "closed", len) == 0) {
        player->part = &parts[0];
    }
    // All workers sulk, or only from number VALUE on.
    if (strncmp(name, "sulk", len) == 0) {
        player->part = &parts[0];
        if (name[len] == '\0' || number >= strtoul(name + len + 1, NULL, 10)) {
            player->part = NULL;
        }
    }
    if (player->part == NULL) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "no part '%s' to play", name);
        free(player);
        return PPROC_FAILED;
    }
    player->value = name[len] == '=' ? name + len + 1 : "";
    player->worker = number;
    *state = player;
    return PPROC_DONE;
}

static int play(void *state, const struct pproc_record *in, struct pproc_output *out, char *error)
{
    const struct player *player = state;
    return player->part->play(player, in, out, error);
}

static void close_player(void *state)
{
    struct player *player = state;
    if (strcmp(player->value, "tell") == 0) {
        fprintf(stderr, "player: worker %u is closed\n", player->worker);
    }
    free(player);
}

const struct pproc_plugin pproc_plugin = {
    PPROC_PLUGIN_ABI, "player", "1.0", open_player, play, close_player,
};
