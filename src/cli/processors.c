// SPDX-License-Identifier: BSD-2-Clause
// How many processors this process may use: the one place that asks Linux.
//
// A quota binds a control group and all below it, so the groups from our own up to the root of the
// mount are looked at and the smallest counts. In a container the path that the kernel tells may
// not exist below its mount; the levels that do exist are those that bind it.

#include "cli/processors.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Masks of so many processors are tried before giving up.
#define MASK_MAX (1 << 20)

static unsigned affinity(void)
{
    for (int size = CPU_SETSIZE; size <= MASK_MAX; size *= 2) {
        cpu_set_t *set = CPU_ALLOC(size);
        if (set == NULL) {
            break;
        }
        int error = sched_getaffinity(0, CPU_ALLOC_SIZE(size), set) == 0 ? 0 : errno;
        int count = error == 0 ? CPU_COUNT_S(CPU_ALLOC_SIZE(size), set) : 0;
        CPU_FREE(set);
        if (count > 0) {
            return (unsigned)count;
        }
        if (error != EINVAL) { // EINVAL: the machine has more processors than the mask
            break;
        }
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online <= INT_MAX ? (unsigned)online : 1;
}

// Read up to two whole numbers from a file of the group. Returns how many there are.
static int read_numbers(const char *group, const char *name, long long numbers[static 2])
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", group, name);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return 0;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    int count = fscanf(file, "%lld %lld", &numbers[0], &numbers[1]);
    (void)fclose(file);
    return count < 0 ? 0 : count;
}

// Processors that the quota of one group comes to, 0: none. Version 2 has both numbers in one file,
// "max" in place of the first for no quota; version 1 has them in two, the first negative then.
static unsigned group_quota(const char *group, bool version_2)
{
    long long numbers[2];
    bool known;

    if (version_2) {
        known = read_numbers(group, "cpu.max", numbers) == 2;
    } else {
        long long period[2];
        known = read_numbers(group, "cpu.cfs_quota_us", numbers) == 1 &&
                read_numbers(group, "cpu.cfs_period_us", period) == 1;
        numbers[1] = known ? period[0] : 0;
    }
    if (!known || numbers[0] <= 0 || numbers[1] <= 0) {
        return 0;
    }
    long long count = numbers[0] / numbers[1] + (numbers[0] % numbers[1] != 0);
    return count <= INT_MAX ? (unsigned)count : 0;
}

// 0 means no quota.
static unsigned smaller_quota(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

// The smallest quota of the group `path` of the hierarchy at `mount` and of all above it.
static unsigned hierarchy_quota(const char *mount, const char *path, bool version_2)
{
    char group[PATH_MAX];
    int len = snprintf(group, sizeof(group), "%s%s", mount, path);
    if (len < 0 || (size_t)len >= sizeof(group)) {
        return group_quota(mount, version_2);
    }

    unsigned quota = 0;
    char *end = group + len;
    while (end >= group + strlen(mount)) {
        *end = '\0';
        quota = smaller_quota(quota, group_quota(group, version_2));
        do {
            end--;
        } while (end > group && *end != '/');
    }
    return quota;
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    while (strncmp(list, word, len) != 0 || (list[len] != ',' && list[len] != '\0')) {
        list = strchr(list, ',');
        if (list == NULL) {
            return false;
        }
        list++;
    }
    return true;
}

// The quota that one line of /proc/self/cgroup, "ID:CONTROLLERS:PATH", leads to.
static unsigned line_quota(const char *root, char *line)
{
    char mount[PATH_MAX];
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL) {
        return 0;
    }
    *path++ = '\0';
    controllers++;

    bool version_2 = *controllers == '\0';
    if (!version_2 && !has_word(controllers, "cpu")) {
        return 0;
    }
    int len = snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup%s", root, version_2 ? "" : "/cpu");
    if (len < 0 || (size_t)len >= sizeof(mount)) {
        return 0;
    }
    return hierarchy_quota(mount, path, version_2);
}

unsigned processors_quota(const char *root)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = len > 0 && (size_t)len < sizeof(path) ? fopen(path, "re") : NULL;
    if (file == NULL) {
        return 0;
    }

    unsigned quota = 0;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        quota = smaller_quota(quota, line_quota(root, line));
    }
    free(line);
    (void)fclose(file);
    return quota;
}

unsigned processors_available(void)
{
    return smaller_quota(processors_quota(""), affinity());
}
