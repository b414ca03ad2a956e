/*
 * A process that does nothing but keep others alive.
 *
 *   starting --all ready--> running --SIGHUP, good config--> replacing --new ones ready-->
 * running |                                 |
 *                              +------------SIGTERM--------------+--> draining --all gone-->
 * end
 *
 * A generation is a configuration with its children. A reload starts a new generation on the
 * same sockets and, once it is ready, drains the old one, so nothing is ever changed under a
 * running exchange. It has no event loop: it sleeps in ppoll() on the ready pipes and wakes on
 * signals.
 */
#include "gateway/supervisor.h"

#include "gateway/child.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/neighbours.h"
#include "gateway/setup.h"
#include "gateway/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    RESTART_LEAST_MS = 100,
    RESTART_MOST_MS = 5000,
    STEADY_MS = 10000,     /* a child that lived this long starts again at once */
    READY_WAIT_MS = 60000, /* a new generation that isn't ready by then is given up */
    REPORT_MAX = 64 << 10,
};

struct kid {
    pid_t pid; /* 0: not running */
    int ready; /* read end; -1: closed */
    bool is_ready;
    int64_t started;
    int64_t start_at; /* when to start again */
    int64_t pause;
};

/* One configuration and its children: kids[0] is the notary, the rest are workers. */
struct generation {
    struct setup setup;            /* owned */
    struct kid *kids;              /* owned */
    struct neighbours *neighbours; /* owned */
    size_t count;
    size_t pages; /* its first page of metrics: two generations live side by side */
    bool draining;
    int64_t born;
};

struct supervisor {
    const char *file;
    pid_t pid;
    struct sockets *sockets;
    struct generation *current;
    struct generation *next; /* being started by a reload */
    struct generation *old;  /* being drained */
    bool stopping;
    int64_t stop_by;
    int failure; /* exit code that a child asked the whole to end with */
};

static volatile sig_atomic_t hung_up;
static volatile sig_atomic_t terminated;
static volatile sig_atomic_t reaped;

static void on_signal(int number)
{
    hung_up |= number == SIGHUP;
    terminated |= number == SIGTERM || number == SIGINT;
    reaped |= number == SIGCHLD;
}

static size_t worker_count(const struct config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = config->workers ? (size_t)config->workers : (size_t)(cores > 0 ? cores : 1);
    return n < METRICS_CHILDREN_MAX - 1 ? n : METRICS_CHILDREN_MAX - 1;
}

static void generation_free(struct generation *generation)
{
    if (!generation) {
        return;
    }
    for (size_t i = 0; i < generation->count; i++) {
        if (generation->kids[i].ready >= 0) {
            (void)close(generation->kids[i].ready);
        }
    }
    setup_free(&generation->setup);
    neighbours_free(generation->neighbours);
    free(generation->kids);
    free(generation);
}

/* Takes @setup over. */
static struct generation *generation_new(struct setup *setup)
{
    struct generation *generation = calloc(1, sizeof(*generation));
    size_t count = worker_count(setup->config) + 1;
    struct kid *kids = calloc(count, sizeof(*kids));
    struct neighbours *neighbours = neighbours_new(count - 1);
    if (!generation || !kids || !neighbours) {
        free(generation);
        free(kids);
        neighbours_free(neighbours);
        setup_free(setup);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        kids[i].ready = -1;
    }
    *generation = (struct generation){ .setup = *setup,
                                       .kids = kids,
                                       .neighbours = neighbours,
                                       .count = count,
                                       .born = clock_mono_ms() };
    return generation;
}

/* In the child: forget the supervisor's signals and sockets, then be what it should be. */
static _Noreturn void child_main(struct supervisor *supervisor, struct generation *generation,
                                 size_t i, int ready)
{
    static const int numbers[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };
    for (size_t s = 0; s < ARRAY_LEN(numbers); s++) {
        (void)signal(numbers[s], SIG_DFL);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* A supervisor that was killed takes its children along: they drain. In a container it may
     * be process 1, so its own id tells whether it is still there. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor->pid) {
        _exit(EX_OSERR);
    }

    metrics_use(generation->pages + i);
    struct child_socket own[SOCKETS_MAX];
    struct child child = {
        .config = generation->setup.config,
        .maps = generation->setup.maps,
        .validation = generation->setup.validation,
        .labeller = labelling_labeller(generation->setup.labelling),
        .tenant = tenant_policy(generation->setup.tenant),
        .index = (int)i - 1,
        .sockets = own,
        .neighbours = generation->neighbours,
        .ready = ready,
    };
    (void)prctl(PR_SET_NAME, i == 0 ? "cs-notary" : "cs-worker"); /* as ps and top show it */
    log_set_process(i == 0 ? "notary" : "worker", child.index);
    if (i > 0) {
        child.socket_count = sockets_for_worker(supervisor->sockets, i - 1, own);
    }
    _exit(i == 0 ? notary_run(&child) : worker_run(&child));
}

void child_ready(const struct child *child)
{
    metrics_set(METRIC_READY, 1);
    (void)!write(child->ready, "r", 1);
}

static void start(struct supervisor *supervisor, struct generation *generation, size_t i)
{
    struct kid *kid = &generation->kids[i];
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        kid->start_at = clock_mono_ms() + RESTART_MOST_MS;
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(pipe_ends[0]);
        child_main(supervisor, generation, i, pipe_ends[1]);
    }
    (void)close(pipe_ends[1]);
    if (pid < 0) {
        log_line(LOG_ERROR, "fork failed", LOG_ERRNO(errno));
        (void)close(pipe_ends[0]);
        kid->start_at = clock_mono_ms() + RESTART_MOST_MS;
        return;
    }
    kid->pid = pid;
    kid->ready = pipe_ends[0];
    kid->is_ready = false;
    kid->started = clock_mono_ms();
}

static void start_due(struct supervisor *supervisor, struct generation *generation)
{
    if (!generation || generation->draining || supervisor->stopping) {
        return;
    }
    for (size_t i = 0; i < generation->count; i++) {
        if (!generation->kids[i].pid && clock_mono_ms() >= generation->kids[i].start_at) {
            start(supervisor, generation, i);
        }
    }
}

static void signal_all(struct generation *generation, int number)
{
    if (!generation) {
        return;
    }
    generation->draining = true;
    for (size_t i = 0; i < generation->count; i++) {
        if (generation->kids[i].pid) {
            (void)kill(generation->kids[i].pid, number);
        }
    }
}

static bool gone(const struct generation *generation)
{
    for (size_t i = 0; generation && i < generation->count; i++) {
        if (generation->kids[i].pid) {
            return false;
        }
    }
    return true;
}

static bool all_ready(const struct generation *generation)
{
    for (size_t i = 0; i < generation->count; i++) {
        if (!generation->kids[i].is_ready) {
            return false;
        }
    }
    return true;
}

static void kid_ended(struct supervisor *supervisor, struct generation *generation, size_t i,
                      int status)
{
    struct kid *kid = &generation->kids[i];
    int64_t now = clock_mono_ms();
    bool steady = now - kid->started >= STEADY_MS;
    kid->pause = steady || !kid->pause ? RESTART_LEAST_MS : kid->pause * 2;
    kid->pause = kid->pause < RESTART_MOST_MS ? kid->pause : RESTART_MOST_MS;
    kid->start_at = now + kid->pause;
    kid->pid = 0;
    kid->is_ready = false;
    metrics_ended(generation->pages + i);
    if (kid->ready >= 0) {
        (void)close(kid->ready);
        kid->ready = -1;
    }
    if (generation->draining || supervisor->stopping) {
        return;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    log_line(LOG_WARN, "child ended", LOG_I("child", i), LOG_I("exit", code),
             LOG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
             LOG_I("restart_ms", kid->pause));
    if (code == EX_CONFIG && generation == supervisor->current && !supervisor->failure) {
        supervisor->failure = EX_CONFIG; /* it said why; starting again won't help */
    }
}

/* The process @pid is over; it may be one of @generation. */
static void ended(struct supervisor *supervisor, struct generation *generation, pid_t pid,
                  int status)
{
    for (size_t i = 0; generation && i < generation->count; i++) {
        if (generation->kids[i].pid == pid) {
            kid_ended(supervisor, generation, i, status);
        }
    }
}

static void reap(struct supervisor *supervisor)
{
    struct generation *const all[] = { supervisor->current, supervisor->next, supervisor->old };
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (size_t g = 0; g < ARRAY_LEN(all); g++) {
            ended(supervisor, all[g], pid, status);
        }
    }
}

/* Read and check the file, open what it listens on; NULL and the reasons on standard error. */
static struct generation *load(struct supervisor *supervisor, int *code)
{
    struct buf report = heap_buf(REPORT_MAX);
    struct setup setup;
    int r = setup_load(supervisor->file, &report, &setup);
    (void)!write(STDERR_FILENO, report.p, report.n);
    heap_buf_free(&report);
    if (r < 0) {
        *code = EX_CONFIG;
        return NULL;
    }
    const struct config *config = setup.config;
    *code = EX_OSERR;
    log_set_level((enum log_level)config->log->level);
    if (sockets_open(supervisor->sockets, config, worker_count(config)) < 0) {
        setup_free(&setup);
        return NULL;
    }
    return generation_new(&setup);
}

static void reload(struct supervisor *supervisor)
{
    if (supervisor->next || supervisor->old) {
        log_text(LOG_WARN, "reload refused: another one is under way");
        return;
    }
    int code;
    supervisor->next = load(supervisor, &code);
    if (!supervisor->next) {
        log_text(LOG_ERROR, "reload refused: the old configuration stays in force");
        return;
    }
    supervisor->next->pages = supervisor->current->pages ? 0 : METRICS_CHILDREN_MAX;
    log_text(LOG_INFO, "reload: starting the new generation");
}

/* Move generations on: the next becomes current, the old one disappears. */
static void settle(struct supervisor *supervisor)
{
    struct generation *next = supervisor->next;
    if (next && all_ready(next)) {
        supervisor->old = supervisor->current;
        supervisor->current = next;
        supervisor->next = NULL;
        signal_all(supervisor->old, SIGTERM);
        sockets_keep(supervisor->sockets, next->setup.config, worker_count(next->setup.config));
        log_text(LOG_INFO, "reload: the new configuration is in force");
    } else if (next && clock_mono_ms() - next->born > READY_WAIT_MS) {
        log_text(LOG_ERROR, "reload refused: the new generation did not become ready");
        signal_all(next, SIGTERM);
        supervisor->old = next;
        supervisor->next = NULL;
    }
    if (supervisor->old && gone(supervisor->old)) {
        generation_free(supervisor->old);
        supervisor->old = NULL;
    }
}

/* A byte means ready; an end without one that the child is gone, which SIGCHLD tells. */
static void read_ready(struct generation *generation)
{
    for (size_t i = 0; generation && i < generation->count; i++) {
        struct kid *kid = &generation->kids[i];
        char byte;
        if (kid->ready < 0) {
            continue;
        }
        ssize_t n = read(kid->ready, &byte, 1);
        if (n >= 0) {
            kid->is_ready = n == 1;
            (void)close(kid->ready);
            kid->ready = -1;
        }
    }
}

static size_t watch(const struct generation *generation, struct pollfd *fds)
{
    size_t n = 0;
    for (size_t i = 0; generation && i < generation->count; i++) {
        if (generation->kids[i].ready >= 0 && generation->kids[i].pid) {
            fds[n++] = (struct pollfd){ .fd = generation->kids[i].ready, .events = POLLIN };
        }
    }
    return n;
}

static void sleep_until_something(struct supervisor *supervisor, const sigset_t *open_mask)
{
    static struct pollfd fds[2 * METRICS_CHILDREN_MAX];
    size_t n = watch(supervisor->current, fds);
    n += watch(supervisor->next, fds + n);
    const struct timespec tick = { .tv_nsec = 50 * 1000000L };
    if (ppoll(fds, n, &tick, open_mask) > 0) {
        for (size_t i = 0; i < n; i++) {
            if (fds[i].revents) {
                read_ready(supervisor->current);
                read_ready(supervisor->next);
                break;
            }
        }
    }
}

static void stop(struct supervisor *supervisor)
{
    supervisor->stopping = true;
    supervisor->stop_by = clock_mono_ms() + supervisor->current->setup.config->drain_timeout;
    signal_all(supervisor->current, SIGTERM);
    signal_all(supervisor->next, SIGTERM);
    log_text(LOG_INFO, "draining");
}

static void run(struct supervisor *supervisor, const sigset_t *open_mask)
{
    bool announced = false;
    for (;;) {
        start_due(supervisor, supervisor->current);
        start_due(supervisor, supervisor->next);
        sleep_until_something(supervisor, open_mask);
        if (reaped) {
            reaped = 0;
            reap(supervisor);
        }
        settle(supervisor);
        if (!announced && all_ready(supervisor->current)) {
            announced = true;
            log_line(LOG_INFO, "ready", LOG_I("workers", supervisor->current->count - 1));
        }
        if (hung_up && !supervisor->stopping) {
            hung_up = 0;
            reload(supervisor);
        }
        if ((terminated || supervisor->failure) && !supervisor->stopping) {
            stop(supervisor);
        }
        if (supervisor->stopping && clock_mono_ms() > supervisor->stop_by) {
            signal_all(supervisor->current, SIGKILL);
            signal_all(supervisor->next, SIGKILL);
            signal_all(supervisor->old, SIGKILL);
        }
        if (supervisor->stopping && gone(supervisor->current) && gone(supervisor->next) &&
            gone(supervisor->old)) {
            return;
        }
    }
}

static void watch_signals(sigset_t *open_mask)
{
    static const int numbers[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        (void)sigaddset(&blocked, numbers[i]);
        (void)sigaction(numbers[i], &action, NULL);
    }
    /* Only ppoll() lets them in, so none is lost between a look and the sleep. */
    (void)sigprocmask(SIG_BLOCK, &blocked, open_mask);
}

int supervisor_run(const char *file)
{
    int code = EX_OSERR;
    struct supervisor supervisor = { .file = file, .pid = getpid(), .sockets = sockets_new() };
    if (!supervisor.sockets || metrics_map((size_t)2 * METRICS_CHILDREN_MAX) < 0) {
        sockets_free(supervisor.sockets);
        return EX_OSERR;
    }
    supervisor.current = load(&supervisor, &code);
    if (supervisor.current) {
        sigset_t open_mask;
        watch_signals(&open_mask);
        run(&supervisor, &open_mask);
        code = supervisor.failure;
        log_text(LOG_INFO, "ended");
    }
    generation_free(supervisor.current);
    generation_free(supervisor.next);
    generation_free(supervisor.old);
    sockets_free(supervisor.sockets);
    return code;
}
