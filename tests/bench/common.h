/* What the load programs share: sockets, clock, latencies, options. */
#pragma once

#include "crypto/base/attr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* "IPV4:PORT" */
static inline struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    char host[64] = "";
    unsigned port = 0;
    if (sscanf(text, "%63[^:]:%u", host, &port) != 2 ||
        inet_pton(AF_INET, host, &at.sin_addr) != 1) {
        (void)fprintf(stderr, "%s: want IPV4:PORT\n", text);
        exit(64);
    }
    at.sin_port = htons((uint16_t)port);
    return at;
}

static inline int connect_to(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0) {
        die("connect");
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline int listen_on(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 ||
        listen(fd, 1024) < 0) {
        die("listen");
    }
    return fd;
}

/* Accept at @fd and wait for @events of each peer, for ever. @new_peer: what @on_peer gets */
static inline void serve_peers(int fd, uint32_t events, void *(*new_peer)(int fd),
                               void (*on_peer)(void *peer))
{
    int poll = epoll_create1(0);
    struct epoll_event door = { .events = EPOLLIN };
    (void)epoll_ctl(poll, EPOLL_CTL_ADD, fd, &door);
    for (;;) {
        struct epoll_event ready[256];
        int n = epoll_wait(poll, ready, ARRAY_LEN(ready), -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr) {
                on_peer(ready[i].data.ptr);
                continue;
            }
            int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
            struct epoll_event one = { .events = events, .data.ptr = new_peer(peer) };
            (void)epoll_ctl(poll, EPOLL_CTL_ADD, peer, &one);
        }
    }
}

/* Latencies in microseconds, exact up to the last one kept. */
struct latencies {
    uint32_t *each;
    size_t n;
    size_t cap;
};

static inline void latency_add(struct latencies *l, int64_t us)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 1 << 16;
        l->each = realloc(l->each, l->cap * sizeof(*l->each));
        if (!l->each) {
            die("memory");
        }
    }
    l->each[l->n++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static inline int latency_order(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* One line of JSON with rate and quantiles. */
static inline void report(struct latencies *l, double seconds, uint64_t errors, uint64_t bytes)
{
    static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999 };
    uint32_t at[ARRAY_LEN(quantiles)] = { 0 };
    if (l->n) {
        qsort(l->each, l->n, sizeof(*l->each), latency_order);
        for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
            at[i] = l->each[(size_t)(quantiles[i] * (double)(l->n - 1))];
        }
    }
    (void)printf("{\"count\":%zu,\"errors\":%llu,\"per_second\":%.1f,\"bytes\":%llu,"
                 "\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u}\n",
                 l->n, (unsigned long long)errors, (double)l->n / seconds,
                 (unsigned long long)bytes, at[0], at[1], at[2], at[3],
                 l->n ? l->each[l->n - 1] : 0);
}
