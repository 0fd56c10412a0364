// SPDX-License-Identifier: BSD-2-Clause
// The process that forks workers.

#include "run/zygote.h"

#include "base/clock.h"
#include "run/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// Workers may take so long to end by themselves.
#define END_NS (2 * CLOCK_SECOND)

enum order_kind {
    ORDER_START,
    ORDER_KILL,
    ORDER_SIGNAL,
    ORDER_END,
};

struct order {
    enum order_kind kind;
    unsigned place, generation;
    int signal;
};

// A worker that lives.
struct born {
    pid_t pid; // 0: none does
    unsigned generation;
};

// What the process has.
struct nursery {
    const struct zygote_config *config;
    struct born *born; // by place
    unsigned alive;
    int orders;
    int deaths;        // a signalfd
    sigset_t own_mask; // the signals that its workers are to have blocked
    bool ended;        // no worker is forked any more
    int64_t kill_at;   // when workers are killed; 0: orders still come
};

// --- in the zygote

// The process dies with its parent. False: that has died already.
static bool die_with(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

// Somebody waits for answers of the worker.
static void tell(const struct nursery *nursery, unsigned place, const struct answer_frame *answer)
{
    // Nobody waits any more if it fails.
    (void)send(nursery->config->sockets[place][1], answer, sizeof(*answer), MSG_NOSIGNAL);
}

static _Noreturn void be_worker(const struct nursery *nursery, pid_t parent, unsigned place,
                                unsigned generation)
{
    const struct zygote_config *config = nursery->config;
    if (!die_with(parent)) {
        _exit(1);
    }
    prctl(PR_SET_NAME, "pproc-worker");
    for (unsigned i = 0; i < config->count; i++) {
        if (i != place) {
            close(config->sockets[i][1]);
        }
    }
    close(nursery->orders);
    close(nursery->deaths);
    pthread_sigmask(SIG_SETMASK, &nursery->own_mask, NULL);
    config->work(config->arg, place, generation, config->sockets[place][1]);
    _exit(0);
}

static void start(struct nursery *nursery, unsigned place, unsigned generation)
{
    pid_t parent = getpid(), pid = -1;
    errno = ECANCELED;
    if (!nursery->ended) {
        pid = fork();
    }
    if (pid == 0) {
        be_worker(nursery, parent, place, generation);
    }
    if (pid < 0) {
        const struct answer_frame answer = {
            .kind = ANSWER_UNBORN, .generation = generation, .status = errno};
        tell(nursery, place, &answer);
        return;
    }
    nursery->born[place] = (struct born){.pid = pid, .generation = generation};
    nursery->alive++;
}

static void signal_all(const struct nursery *nursery, int signal)
{
    for (unsigned i = 0; i < nursery->config->count; i++) {
        if (nursery->born[i].pid > 0) {
            kill(nursery->born[i].pid, signal);
        }
    }
}

static void obey(struct nursery *nursery, const struct order *order)
{
    const struct born *born = &nursery->born[order->place];
    switch (order->kind) {
    case ORDER_START:
        start(nursery, order->place, order->generation);
        break;
    case ORDER_KILL:
        if (born->pid > 0 && born->generation == order->generation) {
            kill(born->pid, SIGKILL);
        }
        break;
    case ORDER_SIGNAL:
        signal_all(nursery, order->signal);
        break;
    case ORDER_END:
        nursery->ended = true;
        signal_all(nursery, SIGKILL);
        break;
    }
}

static void take_order(struct nursery *nursery)
{
    struct order order;
    ssize_t got = recv(nursery->orders, &order, sizeof(order), MSG_DONTWAIT);
    if (got == sizeof(order)) {
        obey(nursery, &order);
    } else if (got == 0) { // there will be none
        nursery->ended = true;
        nursery->kill_at = clock_now() + END_NS;
    }
}

static void bury(struct nursery *nursery, pid_t pid, int status)
{
    for (unsigned i = 0; i < nursery->config->count; i++) {
        struct born *born = &nursery->born[i];
        if (born->pid == pid) {
            const struct answer_frame answer = {
                .kind = ANSWER_DEAD, .generation = born->generation, .status = status};
            born->pid = 0;
            nursery->alive--;
            tell(nursery, i, &answer);
        }
    }
}

static void reap(struct nursery *nursery)
{
    struct signalfd_siginfo info;
    ssize_t done = read(nursery->deaths, &info, sizeof(info));
    (void)done; // one may stand for several
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        bury(nursery, pid, status);
    }
}

// Milliseconds until workers are to be killed, for poll().
static int patience(const struct nursery *nursery)
{
    if (nursery->kill_at == 0) {
        return -1;
    }
    int64_t left = nursery->kill_at - clock_now();
    return left > 0 ? (int)(left / CLOCK_MILLISECOND) + 1 : 0;
}

static void live(struct nursery *nursery)
{
    while (nursery->kill_at == 0 || nursery->alive > 0) {
        struct pollfd fds[] = {
            {.fd = nursery->deaths, .events = POLLIN},
            {.fd = nursery->kill_at == 0 ? nursery->orders : -1, .events = POLLIN},
        };
        int ready = poll(fds, sizeof(fds) / sizeof(fds[0]), patience(nursery));
        if (ready == 0) {
            signal_all(nursery, SIGKILL);
            nursery->kill_at = clock_now() + END_NS;
        }
        if (ready > 0 && fds[0].revents != 0) {
            reap(nursery);
        }
        if (ready > 0 && fds[1].revents != 0) {
            take_order(nursery);
        }
    }
}

// It is there for its workers alone, and what they print must not get between what we write.
static void leave_standard(void)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null_fd >= 0) {
        (void)dup2(null_fd, STDIN_FILENO);
        close(null_fd);
    }
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
}

static _Noreturn void be_zygote(const struct zygote_config *config, pid_t parent, int orders)
{
    struct nursery nursery = {.config = config, .orders = orders};
    sigset_t deaths;
    if (!die_with(parent)) {
        _exit(1);
    }
    prctl(PR_SET_NAME, "pproc-zygote");
    leave_standard();
    for (unsigned i = 0; i < config->count; i++) {
        close(config->sockets[i][0]);
    }
    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &deaths, &nursery.own_mask);
    nursery.deaths = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    nursery.born = calloc(config->count, sizeof(*nursery.born));
    if (nursery.deaths < 0 || nursery.born == NULL) {
        _exit(1); // who waits for a worker sees the end of its socket
    }
    live(&nursery);
    _exit(0);
}

// --- in its parent

int zygote_fork(struct zygote *zygote, const struct zygote_config *config)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_zygote(config, parent, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        int error = errno;
        close(ends[0]);
        errno = error;
        return -1;
    }
    for (unsigned i = 0; i < config->count; i++) {
        close(config->sockets[i][1]);
        config->sockets[i][1] = -1;
    }
    *zygote = (struct zygote){.pid = pid, .socket = ends[0]};
    return 0;
}

// If it has died nothing is to be done: its workers died with it.
static void give_order(const struct zygote *zygote, const struct order *order)
{
    (void)send(zygote->socket, order, sizeof(*order), MSG_NOSIGNAL);
}

void zygote_start(const struct zygote *zygote, unsigned place, unsigned generation)
{
    const struct order order = {.kind = ORDER_START, .place = place, .generation = generation};
    give_order(zygote, &order);
}

void zygote_kill(const struct zygote *zygote, unsigned place, unsigned generation)
{
    const struct order order = {.kind = ORDER_KILL, .place = place, .generation = generation};
    give_order(zygote, &order);
}

void zygote_signal(const struct zygote *zygote, int signal)
{
    const struct order order = {.kind = ORDER_SIGNAL, .signal = signal};
    give_order(zygote, &order);
}

void zygote_end(const struct zygote *zygote)
{
    const struct order order = {.kind = ORDER_END};
    give_order(zygote, &order);
}

void zygote_reap(struct zygote *zygote)
{
    close(zygote->socket);
    while (waitpid(zygote->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
