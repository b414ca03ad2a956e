/*
 * An HTTP server that answers every request with the same body: the server behind the
 * proxies that are compared.
 *
 *   upstream ADDRESS BYTES|FILE [empty]
 *
 * empty: nothing is stored, so a GET without a query is answered by 404, and so are those in a
 * batch.
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
    size_t batch_n; /* of what answers a batch; 0: none is due */
    char batch[HEAD];
};

static char *answer;
static size_t answer_n;
static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
static const char batch[] = "\"type\":\"batch\"";
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

/* Answer batch @body: an empty searchset to each search, 404 to each read. */
static void take_batch(struct peer *p, const char *body, size_t n)
{
    static const char searched[] =
        "{\"resource\":{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":0},"
        "\"response\":{\"status\":\"200\"}},";
    static const char missing[] = "{\"response\":{\"status\":\"404\"}},";
    static const char url[] = "\"url\":\"";
    char list[HEAD / 2];
    size_t used = 0;
    const char *end = body + n;
    for (const char *at = body; (at = memmem(at, (size_t)(end - at), url, sizeof(url) - 1));) {
        at += sizeof(url) - 1;
        const char *quote = memchr(at, '"', (size_t)(end - at));
        bool query = quote && memchr(at, '?', (size_t)(quote - at));
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s",
                                 query ? searched : missing);
        if (used >= sizeof(list)) {
            die("batch");
        }
    }
    static const char begin[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"batch-response\",\"entry\":[";
    used -= used > 0; /* the last comma */
    p->batch_n = (size_t)snprintf(p->batch, sizeof(p->batch),
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
                                  "Content-Length: %zu\r\n\r\n%s%.*s]}",
                                  sizeof(begin) - 1 + used + 2, begin, (int)used, list);
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
        size_t body = length ? strtoull(length + 17, NULL, 10) : 0;
        p->skip = (size_t)(end - p->in) + 4 + body;
        if (empty && body && p->skip <= sizeof(p->in)) {
            if (p->n < p->skip) {
                *end = '\r';
                p->skip = 0;
                return; /* the rest comes */
            }
            if (memmem(end + 4, body, batch, sizeof(batch) - 1)) {
                take_batch(p, end + 4, body);
            }
        }
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
        const char *text = p->batch_n ? p->batch : p->none & 1 ? none : answer;
        size_t n = p->batch_n ? p->batch_n : p->none & 1 ? sizeof(none) - 1 : answer_n;
        ssize_t r = send(p->fd, text + p->sent, n - p->sent, MSG_NOSIGNAL);
        if (r < 0) {
            return;
        }
        p->sent += (size_t)r;
        if (p->sent == n) {
            p->sent = 0;
            p->batch_n = 0;
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
