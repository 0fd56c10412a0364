// SPDX-License-Identifier: BSD-2-Clause
// Runs each fuzz target on each file of its corpus, which is one test, or the target named on the
// files of a directory: `replay TARGET DIRECTORY`. A crash or a hang ends the program, after it has
// named the file.

#include "fuzz.h"

#include "../unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_MAX 120 // for one file; a sanitizer may take its time

_Noreturn static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

static void replay_file(const struct fuzz_target *target, const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        die(path);
    }
    size_t size = (size_t)status.st_size;
    unsigned char *data = malloc(size); // exactly as much: a sanitizer sees the end
    if ((data == NULL && size > 0) || fread(data, 1, size, file) != size) {
        die(path);
    }
    (void)fclose(file);
    (void)alarm(SECONDS_MAX);
    target->run(data, size);
    (void)alarm(0);
    free(data);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const struct fuzz_target *target, const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_visible, alphasort);
    if (count < 0) {
        die(directory);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        printf("# %s\n", path);
        (void)fflush(stdout);
        replay_file(target, path);
        OK(true, "%s: %s", target->name, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    OK(count > 0, "%s: there are files in %s", target->name, directory);
}

int main(int argc, char *argv[])
{
    const char *srcdir = getenv("srcdir");
    for (const struct fuzz_target *target = fuzz_targets; target->name != NULL; target++) {
        char corpus[2048];
        (void)snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s",
                       srcdir != NULL ? srcdir : ".", target->name);
        if (argc < 3) {
            replay(target, corpus);
        } else if (strcmp(argv[1], target->name) == 0) {
            replay(target, argv[2]);
        }
    }
    return tap_done();
}
