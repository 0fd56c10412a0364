// SPDX-License-Identifier: BSD-2-Clause
// The signalfd, and doing by hand what blocked signals would have done.

#include "run/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_ignored(int signal)
{
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_init(struct signals *signals)
{
    static const int handled[] = {SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
        if (!is_ignored(handled[i])) {
            sigaddset(&set, handled[i]);
        }
    }
    *signals = (struct signals){.pipe_ignored = is_ignored(SIGPIPE)};
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0) {
        return -1;
    }
    // Writing fails with EPIPE or EFBIG instead.
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGXFSZ);
    return pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 ? 0 : -1;
}

int signals_next(struct signals *signals)
{
    struct signalfd_siginfo info;
    ssize_t got = read(signals->fd, &info, sizeof(info));
    return got == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void raise_unblocked(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    raise(signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void signals_suspend(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    raise_unblocked(SIGTSTP); // goes on here after SIGCONT
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_die(int signal)
{
    const struct rlimit no_core = {0, 0}; // the end is no accident
    setrlimit(RLIMIT_CORE, &no_core);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
    raise_unblocked(signal);
    _exit(128 + signal); // not reached
}
