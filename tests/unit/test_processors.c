// SPDX-License-Identifier: BSD-2-Clause
// How many processors this process may use, with a directory that stands for the system's files.

#include "cli/processors.h"
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/pproc-processors-XXXXXX";

static void bail_out(const char *path)
{
    printf("Bail out! %s: %s\n", path, strerror(errno));
    exit(1);
}

// Write a file below `root`, and the directories above it.
static void put(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            bail_out(path);
        }
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) {
        bail_out(path);
    }
}

static void start_afresh(void)
{
    char command[PATH_MAX];
    snprintf(command, sizeof(command), "rm -rf '%s'/*", root);
    if (system(command) != 0) {
        bail_out(root);
    }
}

static void quota_is(unsigned expected, const char *what)
{
    unsigned quota = processors_quota(root);
    OK(quota == expected, "%s: %u (found %u)", what, expected, quota);
}

static void test_version_2(void)
{
    start_afresh();
    quota_is(0, "no file of control groups");
    put("proc/self/cgroup", "0::/a.slice/b\n");
    quota_is(0, "a group that is not mounted");
    put("sys/fs/cgroup/a.slice/b/cpu.max", "max 100000\n");
    quota_is(0, "a group without quota");
    put("sys/fs/cgroup/a.slice/b/cpu.max", "400000 100000\n");
    quota_is(4, "a quota of the group itself");
    put("sys/fs/cgroup/a.slice/cpu.max", "250000 100000\n");
    quota_is(3, "a smaller quota above it, rounded up");
    put("sys/fs/cgroup/cpu.max", "1000 100000\n");
    quota_is(1, "a quota at the top, as containers see theirs, less than one processor");
    put("sys/fs/cgroup/cpu.max", "nonsense\n");
    quota_is(3, "what is no quota counts for nothing");
}

static void test_version_1(void)
{
    start_afresh();
    put("proc/self/cgroup", "9:name=systemd:/x\n2:cpuset:/x\n1:cpu,cpuacct:/x\n0::/\n");
    put("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    quota_is(0, "version 1 without quota");
    put("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "150000\n");
    quota_is(2, "version 1 with a quota");
}

static void test_affinity(void)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        bail_out("sched_getaffinity");
    }
    unsigned available = processors_available();
    OK(available >= 1 && available <= (unsigned)CPU_COUNT(&allowed),
       "at least one processor, no more than the affinity allows");

    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_SET(cpu, &one);
        }
    }
    if (sched_setaffinity(0, sizeof(one), &one) != 0) {
        bail_out("sched_setaffinity");
    }
    OK(processors_available() == 1, "one processor if the affinity allows one");
}

int main(void)
{
    if (mkdtemp(root) == NULL) {
        bail_out(root);
    }
    test_version_2();
    test_version_1();
    test_affinity();
    start_afresh();
    (void)rmdir(root);
    return tap_done();
}
