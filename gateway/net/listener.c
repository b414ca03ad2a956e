/*
 * Accepts in batches. When descriptors or memory run out it waits a little instead of
 * spinning: the kernel's queue holds the connections meanwhile.
 */
#include "gateway/net/listener.h"
#include "gateway/net/timer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

struct listener {
    struct event *readable; /* owned */
    struct event *retry;    /* owned */
    int fd;
    size_t count;
    size_t max;
    bool paused;
    listener_fn fn;
    void *owner;
};

static int set_options(int fd, const struct address *address, bool reuseport)
{
    int on = 1;
    if (address->at.ss_family == AF_UNIX) {
        struct sockaddr_un at;
        memcpy(&at, &address->at, sizeof(at));
        (void)unlink(at.sun_path); /* left over from before */
        return 0;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)) {
        return -errno;
    }
    /* Inherited by what is accepted. Answers are written whole; waiting to fill segments harms.
     */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return 0;
}

int listener_open(const struct address *address, bool reuseport, int *fd)
{
    int s = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) {
        return -errno;
    }
    int r = set_options(s, address, reuseport);
    if (r == 0 && (bind(s, (const struct sockaddr *)&address->at, address->n) < 0 ||
                   listen(s, LISTENER_BACKLOG) < 0)) {
        r = -errno;
    }
    if (r) {
        (void)close(s);
        return r;
    }
    *fd = s;
    return 0;
}

/* Accept only while it is allowed and there is room. */
static void update(struct listener *listener)
{
    if (listener->paused || listener->count >= listener->max) {
        (void)event_del(listener->readable);
        (void)event_del(listener->retry);
    } else if (!event_pending(listener->retry, EV_TIMEOUT, NULL)) {
        (void)event_add(listener->readable, NULL);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    update(arg);
}

static void wait_a_little(struct listener *listener)
{
    (void)event_del(listener->readable);
    (void)timer_add(event_get_base(listener->retry), listener->retry, LISTENER_RETRY_MS);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;
    (void)what;
    for (int i = 0; i < LISTENER_BATCH && listener->count < listener->max; i++) {
        struct address peer = { .n = sizeof(peer.at) };
        int got =
            accept4(fd, (struct sockaddr *)&peer.at, &peer.n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (got < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                wait_a_little(listener);
                return;
            }
            break; /* EAGAIN; or a connection that has gone already: the loop comes back */
        }
        listener->count++;
        listener->fn(listener->owner, got, &peer);
        if (listener->paused) {
            return;
        }
    }
    update(listener);
}

struct listener *listener_new(struct event_base *base, int fd, size_t max, listener_fn fn,
                              void *owner)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (!listener) {
        return NULL;
    }
    *listener = (struct listener){ .fd = fd, .max = max, .fn = fn, .owner = owner };
    listener->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, listener);
    listener->retry = event_new(base, -1, 0, on_retry, listener);
    if (!listener->readable || !listener->retry || event_add(listener->readable, NULL) < 0) {
        listener_free(listener);
        return NULL;
    }
    return listener;
}

void listener_free(struct listener *listener)
{
    if (!listener) {
        return;
    }
    if (listener->readable) {
        event_free(listener->readable);
    }
    if (listener->retry) {
        event_free(listener->retry);
    }
    free(listener);
}

void listener_ended(struct listener *listener)
{
    listener->count--;
    update(listener);
}

size_t listener_count(const struct listener *listener)
{
    return listener->count;
}

void listener_pause(struct listener *listener)
{
    listener->paused = true;
    update(listener);
}

void listener_resume(struct listener *listener)
{
    listener->paused = false;
    update(listener);
}
