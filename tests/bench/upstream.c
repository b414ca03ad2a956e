/*
 * An HTTP server that answers every request with the same body: the server behind the
 * proxies that are compared.
 *
 *   upstream ADDRESS BYTES|FILE [empty]
 *
 * empty: nothing is stored, so a GET without a query is answered by 404.
 * It reads heads and bodies with Content-Length; keeps connections; one thread.
 */
#include "tests/bench/common.h"

enum {
    HEAD = 64 << 10,
};

struct peer {
    int fd;
    size_t n;
    size_t skip;    /* of a request's body */
    size_t answers; /* due */
    size_t sent;    /* of the first of them */
    uint64_t none;  /* which of them are 404: bits, the first lowest */
    char in[HEAD];
};

static char *answer;
static size_t answer_n;
static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
static bool empty;

static void make_answer(const char *what)
{
    FILE *file = fopen(what, "rb");
    size_t n = file ? 0 : strtoull(what, NULL, 10);
    if (file) {
        (void)fseek(file, 0, SEEK_END);
        n = (size_t)ftell(file);
        rewind(file);
    }
    answer = malloc(n + 256);
    if (!answer) {
        die("memory");
    }
    answer_n = (size_t)snprintf(answer, 256,
                                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
                                "Content-Length: %zu\r\n\r\n",
                                n);
    memset(answer + answer_n, 'x', n);
    if (file && fread(answer + answer_n, 1, n, file) != n) {
        die(what);
    }
    answer_n += n;
}

static void take(struct peer *p)
{
    for (;;) {
        size_t n = p->skip < p->n ? p->skip : p->n;
        p->skip -= n;
        memmove(p->in, p->in + n, p->n - n);
        p->n -= n;
        char *end = memmem(p->in, p->n, "\r\n\r\n", 4);
        if (p->skip || !end) {
            return;
        }
        *end = '\0';
        const char *length = strcasestr(p->in, "\r\ncontent-length:");
        p->skip = (size_t)(end - p->in) + 4 + (length ? strtoull(length + 17, NULL, 10) : 0);
        const char *line_end = strchr(p->in, '\r');
        bool query = line_end && memchr(p->in, '?', (size_t)(line_end - p->in));
        bool read = empty && !query && memcmp(p->in, "GET ", 4) == 0;
        p->none |= (uint64_t)(read && p->answers < 64) << p->answers % 64;
        p->answers++;
    }
}

static void send_answers(struct peer *p)
{
    while (p->answers) {
        const char *text = p->none & 1 ? none : answer;
        size_t n = p->none & 1 ? sizeof(none) - 1 : answer_n;
        ssize_t r = send(p->fd, text + p->sent, n - p->sent, MSG_NOSIGNAL);
        if (r < 0) {
            return;
        }
        p->sent += (size_t)r;
        if (p->sent == n) {
            p->sent = 0;
            p->answers--;
            p->none >>= 1;
        }
    }
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
    if (r > 0) {
        p->n += (size_t)r;
        take(p);
    }
    send_answers(p);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        (void)fprintf(stderr, "usage: upstream ADDRESS BYTES|FILE [empty]\n");
        return 64;
    }
    empty = argc == 4;
    make_answer(argv[2]);
    struct sockaddr_in at = address_of(argv[1]);
    /* Edges: an event when bytes come and when there is room again. */
    serve_peers(listen_on(&at), EPOLLIN | EPOLLOUT | EPOLLET, new_peer, on_peer);
}
