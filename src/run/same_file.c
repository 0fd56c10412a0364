// SPDX-License-Identifier: BSD-2-Clause
// Comparing inputs and outputs before anything is read.

#include "run/same_file.h"

#include "base/diag.h"
#include "base/path.h"
#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What tells one file from another.
struct place {
    bool known;   // it is a regular file, or will be
    dev_t device; // of the file; if it is not there yet, of its directory
    ino_t inode;
    char *missing; // the name in that directory of a file that is not there yet; else NULL
};

struct output {
    const char *what; // it is
    const char *file; // NULL: standard output
    struct place place;
};

static const char *name_of(const struct output *output)
{
    return output->file != NULL ? output->file : "standard output";
}

static struct place place_of_file(const struct stat *status)
{
    return (struct place){
        .known = S_ISREG(status->st_mode), .device = status->st_dev, .inode = status->st_ino};
}

// Where a file will be made. That a directory is missing is told when the file is opened.
static struct place place_of_missing(const char *file)
{
    struct place place = {.known = false};
    struct stat status;
    char *target = path_follow(file);
    char *directory = target != NULL ? path_sibling(target, ".") : NULL;
    if (directory != NULL && stat(directory, &status) == 0) {
        const char *slash = strrchr(target, '/');
        place.device = status.st_dev;
        place.inode = status.st_ino;
        place.missing = strdup(slash != NULL ? slash + 1 : target);
        place.known = place.missing != NULL;
    }
    free(directory);
    free(target);
    return place;
}

static struct place place_of_input(const char *name)
{
    struct stat status;
    int got = strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(name, &status);
    return got == 0 ? place_of_file(&status) : (struct place){.known = false};
}

static struct place place_of_output(const char *file)
{
    struct stat status;
    int got = file != NULL ? stat(file, &status) : fstat(STDOUT_FILENO, &status);
    if (got == 0) {
        return place_of_file(&status);
    }
    return file != NULL && errno == ENOENT ? place_of_missing(file)
                                           : (struct place){.known = false};
}

static bool is_same(const struct place *a, const struct place *b)
{
    if (!a->known || !b->known || a->device != b->device || a->inode != b->inode) {
        return false;
    }
    if (a->missing == NULL || b->missing == NULL) {
        return a->missing == b->missing;
    }
    return strcmp(a->missing, b->missing) == 0;
}

// Is the output also one of the `count` before it?
static bool is_other_output(const struct output *output, const struct output *others, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_same(&output->place, &others[i].place)) {
            diag_error("%s: is %s and also %s: write to another file", name_of(output),
                       others[i].what, output->what);
            return true;
        }
    }
    return false;
}

static bool is_input(const struct output *output, const struct settings *settings)
{
    for (size_t i = 0; i < settings->file_count; i++) {
        struct place input = place_of_input(settings->files[i]);
        if (is_same(&input, &output->place)) {
            diag_error("%s: is an input and also %s: write to another file", settings->files[i],
                       output->what);
            return true;
        }
    }
    return false;
}

bool same_file_refused(const struct settings *settings)
{
    struct output outputs[] = {
        {.what = "the output", .file = settings->output},
        {.what = "the dead-letter file", .file = settings->dead_letter},
        {.what = "the joblog", .file = settings->joblog},
    };
    const size_t count = sizeof(outputs) / sizeof(outputs[0]);
    bool refused = false;
    for (size_t i = 0; i < count; i++) {
        struct output *output = &outputs[i];
        if (i == 0 || output->file != NULL) { // only the output proper has a default
            output->place = place_of_output(output->file);
            refused = refused || is_other_output(output, outputs, i) || is_input(output, settings);
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(outputs[i].place.missing);
    }
    return refused;
}
