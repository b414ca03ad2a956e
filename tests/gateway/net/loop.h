/* What tests of gateway/net share: an event loop with a time limit, sockets, a raw client. */
#pragma once

#include "gateway/net/conn.h"
#include "gateway/net/listener.h"
#include "tests/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* A loop, a listening socket on a free port, and its address. */
struct loop {
    struct event_base *base;
    int fd;
    struct address at;
};

static inline struct loop loop_open(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    struct loop loop = { .base = event_base_new() };
    assert_non_null(loop.base);
    struct addresses all;
    assert_int_equal(address_resolve(STR("127.0.0.1:0"), 0, &all), 0);
    assert_int_equal(listener_open(&all.each[0], false, &loop.fd), 0);
    loop.at.n = sizeof(loop.at.at);
    assert_int_equal(getsockname(loop.fd, (struct sockaddr *)&loop.at.at, &loop.at.n), 0);
    return loop;
}

static inline void loop_close(struct loop *loop)
{
    conn_reap(loop->base);
    (void)close(loop->fd);
    event_base_free(loop->base);
}

/* Let the loop run for @ms milliseconds, or until nothing is left to do. */
static inline void loop_run(const struct loop *loop, int ms)
{
    struct timeval end = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    (void)event_base_loopexit(loop->base, &end);
    (void)event_base_dispatch(loop->base);
}

enum {
    LOOP_PATIENCE =
        30000, /* turns of a millisecond or more, for what must come on any machine */
};

/* Let the loop run until @condition holds; it must. */
#define loop_until(loop, condition)                                                            \
    do {                                                                                       \
        bool came_ = false;                                                                    \
        for (int i_ = 0; i_ < LOOP_PATIENCE && !came_; i_++) {                                 \
            loop_run((loop), 1);                                                               \
            came_ = (condition);                                                               \
        }                                                                                      \
        assert_true(came_);                                                                    \
    } while (0)

/* A plain client whose reads and writes don't block. */
static inline int raw_connect(const struct loop *loop)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&loop->at.at, loop->at.n), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static inline void raw_send(int fd, struct str bytes)
{
    assert_int_equal(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL), (ssize_t)bytes.n);
}

/* Whether @text contains @z. */
static inline bool has(struct str text, const char *z)
{
    return text.n && memmem(text.p, text.n, z, strlen(z));
}

/* Read what has come to @fd behind the @n bytes in @out; whether it was closed. */
static inline bool raw_read(int fd, struct str out, size_t *n)
{
    union {
        const char *in;
        char *out;
    } space = { out.p };
    ssize_t r = recv(fd, space.out + *n, out.n - *n, 0);
    *n += r > 0 ? (size_t)r : 0;
    return r == 0 || (r < 0 && errno == ECONNRESET);
}

/* What arrives at @fd until @last is there; it comes before the end. */
static inline struct str raw_receive(const struct loop *loop, int fd, struct str out,
                                     const char *last)
{
    size_t n = 0;
    loop_until(loop, raw_read(fd, out, &n) || has(str_of(out.p, n), last));
    assert_true(has(str_of(out.p, n), last));
    return str_of(out.p, n);
}

/* What arrives at @fd until it is closed; it will be, and before @out is full. */
static inline struct str raw_rest(const struct loop *loop, int fd, struct str out)
{
    size_t n = 0;
    loop_until(loop, raw_read(fd, out, &n));
    return str_of(out.p, n);
}

/* Whether nothing arrives at @fd within @ms milliseconds, not even its end. */
static inline bool raw_silent(const struct loop *loop, int fd, int ms)
{
    char byte;
    loop_run(loop, ms);
    return recv(fd, &byte, 1, 0) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}
