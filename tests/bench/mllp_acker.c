/*
 * Yardstick Y4: an MLLP server that finds MSH-10 and acknowledges, and does nothing else.
 *
 *   mllp_acker ADDRESS
 */
#include "tests/bench/common.h"

enum {
    BUFFER = 1 << 20,
};

struct peer {
    int fd;
    size_t n;
    size_t out_n;
    char in[BUFFER];
    char out[BUFFER];
};

/* MSH-10 of @text: the tenth field, counting the separator itself as the first. */
static int control_id(const char *text, const char *end, const char **id)
{
    const char *p = text;
    for (int i = 0; i < 9 && p; i++) {
        p = memchr(p, '|', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p) {
        return 0;
    }
    const char *stop = memchr(p, '|', (size_t)(end - p));
    *id = p;
    return (int)((stop ? stop : end) - p);
}

static void take(struct peer *p)
{
    size_t at = 0;
    for (;;) {
        char *end = memmem(p->in + at, p->n - at, "\x1c\r", 2);
        if (!end || p->out_n > sizeof(p->out) - 256) {
            break;
        }
        const char *id = "";
        int n = control_id(p->in + at, end, &id);
        p->out_n += (size_t)snprintf(p->out + p->out_n, 256,
                                     "\x0bMSH|^~\\&|Y4||||20260101||ACK|%.*s|P|2.5.1\r"
                                     "MSA|AA|%.*s\r\x1c\r",
                                     n < 64 ? n : 64, id, n < 64 ? n : 64, id);
        at = (size_t)(end - p->in) + 2;
    }
    memmove(p->in, p->in + at, p->n - at);
    p->n -= at;
}

static void *new_peer(int fd)
{
    struct peer *p = calloc(1, sizeof(*p));
    p->fd = fd;
    return p;
}

static void on_peer(void *peer)
{
    struct peer *p = peer;
    ssize_t r = recv(p->fd, p->in + p->n, sizeof(p->in) - p->n, 0);
    if (r == 0 || (r < 0 && errno != EAGAIN)) {
        (void)close(p->fd);
        free(p);
        return;
    }
    p->n += r > 0 ? (size_t)r : 0;
    take(p);
    r = p->out_n ? send(p->fd, p->out, p->out_n, MSG_NOSIGNAL) : 0;
    if (r > 0) {
        memmove(p->out, p->out + r, p->out_n - (size_t)r);
        p->out_n -= (size_t)r;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: mllp_acker ADDRESS\n");
        return 64;
    }
    struct sockaddr_in at = address_of(argv[1]);
    serve_peers(listen_on(&at), EPOLLIN, new_peer, on_peer);
}
