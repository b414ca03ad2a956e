/*
 * HTTP load.
 *
 *   load ADDRESS PATH [-c CONNECTIONS] [-d SECONDS] [-r RATE] [-H FIELD] [-b BODY-FILE]
 *        [-m METHOD] [-n BYTES] [-t] [-w]
 *
 * Without -r closed loop: each connection asks again as soon as it has its answer. With -r
 * open loop: requests are due at even intervals, whether or not earlier ones are answered,
 * and latency counts from the time a request was due, not from when a connection was free to
 * send it: a stall is felt by everything that should have been sent meanwhile.
 *
 * -n: bytes an answer's body must have, else it counts as an error. -t: TLS 1.3, any server.
 * -w: slow readers: each asks once and takes 16 KB every 100 ms. Answers must have
 * Content-Length or be chunked. Output: one line of JSON.
 */
#include "tests/bench/common.h"

#include <openssl/ssl.h>

enum {
    BUFFER = 256 << 10,
    QUEUE = 1 << 20, /* requests due but not sent; a power of two */
    SLOW_BYTES = 16 << 10,
    SLOW_US = 100000,
};

struct client {
    int fd;
    SSL *ssl; /* NULL: plain */
    bool busy;
    int64_t due;
    size_t sent;
    size_t n; /* bytes in @in */
    bool in_body;
    bool chunked;
    int64_t left;  /* of a body of known length */
    uint64_t body; /* bytes of the body so far */
    char in[BUFFER];
};

static struct {
    struct sockaddr_in at;
    const char *path, *method, *field, *body_file;
    int connections, seconds;
    double rate;
    bool slow;
    SSL_CTX *tls;
    int64_t want;
    char *request;
    size_t request_n;
} options = { .connections = 64, .seconds = 5, .want = -1, .method = "GET" };

static struct client *clients;
static struct latencies latencies;
static uint64_t errors;
static uint64_t bytes;
static int64_t queue[QUEUE];
static size_t first;
static size_t last;

static void open_client(struct client *c)
{
    c->fd = connect_to(&options.at);
    if (options.tls) {
        int flags = fcntl(c->fd, F_GETFL);
        (void)fcntl(c->fd, F_SETFL, flags & ~O_NONBLOCK);
        c->ssl = SSL_new(options.tls);
        if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1) {
            (void)fprintf(stderr, "load: no TLS\n");
            exit(1);
        }
        (void)fcntl(c->fd, F_SETFL, flags);
    }
}

/* As send() and recv(), over TLS if there is some. */
static ssize_t put(struct client *c, const char *p, size_t n)
{
    size_t done = 0;
    if (!c->ssl) {
        return send(c->fd, p, n, MSG_NOSIGNAL);
    }
    return SSL_write_ex(c->ssl, p, n, &done) == 1 ? (ssize_t)done : -1;
}

static ssize_t get(struct client *c, char *p, size_t n)
{
    size_t done = 0;
    if (!c->ssl) {
        return recv(c->fd, p, n, 0);
    }
    int r = SSL_read_ex(c->ssl, p, n, &done);
    if (r == 1) {
        return (ssize_t)done;
    }
    errno = SSL_get_error(c->ssl, r) == SSL_ERROR_WANT_READ ? EAGAIN : ECONNRESET;
    return -1;
}

static void reconnect(int poll, struct client *c)
{
    errors++;
    SSL_free(c->ssl);
    (void)close(c->fd);
    open_client(c);
    c->busy = false;
    c->in_body = false;
    c->n = 0;
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };
    (void)epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
}

static void send_rest(struct client *c)
{
    while (c->sent < options.request_n) {
        ssize_t r = put(c, options.request + c->sent, options.request_n - c->sent);
        if (r < 0) {
            return; /* full: goes on with the next event; broken: reading tells */
        }
        c->sent += (size_t)r;
    }
}

static void ask(struct client *c, int64_t due)
{
    c->busy = true;
    c->due = due;
    c->sent = 0;
    c->body = 0;
    send_rest(c);
}

static void complete(struct client *c)
{
    int64_t now = now_us();
    c->busy = false;
    c->in_body = false;
    bytes += c->body;
    if (options.want >= 0 && c->body != (uint64_t)options.want) {
        errors++;
    }
    latency_add(&latencies, now - c->due);
    if (options.rate == 0) {
        ask(c, now);
    } else if (first != last) {
        ask(c, queue[first++ & (QUEUE - 1)]);
    }
}

static void drop(struct client *c, size_t n)
{
    memmove(c->in, c->in + n, c->n - n);
    c->n -= n;
}

/* Parse the head if it is there. Whether it was. */
static bool take_head(struct client *c)
{
    char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
    if (!end) {
        return false;
    }
    *end = '\0';
    if (strncmp(c->in, "HTTP/1.1 200", 12) != 0 && strncmp(c->in, "HTTP/1.1 201", 12) != 0) {
        errors++;
    }
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    c->chunked = !length && strcasestr(c->in, "\r\ntransfer-encoding:");
    c->left = length ? strtoll(length + 17, NULL, 10) : 0;
    c->in_body = true;
    drop(c, (size_t)(end - c->in) + 4);
    return true;
}

/* The chunks in the buffer. 1: the last one was there, 0: more to come, -1: malformed. */
static int take_chunks(struct client *c)
{
    for (;;) {
        char *line = memmem(c->in, c->n, "\r\n", 2);
        if (!line) {
            return 0;
        }
        size_t size = strtoull(c->in, NULL, 16);
        size_t whole = (size_t)(line - c->in) + 2 + size + 2;
        if (whole > sizeof(c->in)) {
            return -1;
        }
        if (c->n < whole) {
            return 0;
        }
        c->body += size;
        drop(c, whole);
        if (size == 0) {
            return 1;
        }
    }
}

static void take(int poll, struct client *c)
{
    if (!c->in_body && !take_head(c)) {
        return;
    }
    int done = 0;
    if (c->chunked) {
        done = take_chunks(c);
    } else {
        size_t n = (int64_t)c->n < c->left ? c->n : (size_t)c->left;
        c->body += n;
        c->left -= (int64_t)n;
        drop(c, n);
        done = c->left == 0;
    }
    if (done < 0) {
        reconnect(poll, c);
    } else if (done) {
        complete(c);
    }
}

static void on_event(int poll, struct client *c)
{
    if (c->busy && c->sent < options.request_n) {
        send_rest(c);
    }
    ssize_t r = 0;
    do { /* what TLS has decoded already makes no event */
        r = get(c, c->in + c->n, sizeof(c->in) - c->n);
        if (r > 0) {
            c->n += (size_t)r;
            take(poll, c);
        }
    } while (r > 0 && c->ssl && SSL_pending(c->ssl) > 0);
    if (r == 0 || (r < 0 && errno != EAGAIN)) {
        reconnect(poll, c);
        if (options.rate == 0) {
            ask(c, now_us());
        }
    }
}

/* Hand out what is due by @now; what finds no free connection queues. */
static void issue(int64_t now, int64_t start, uint64_t *issued)
{
    uint64_t due = (uint64_t)((double)(now - start) * options.rate / 1e6);
    static int next;
    while (*issued < due && last - first < QUEUE) {
        int64_t at = start + (int64_t)((double)(*issued)++ * 1e6 / options.rate);
        queue[last++ & (QUEUE - 1)] = at;
    }
    for (int i = 0; i < options.connections && first != last; i++) {
        struct client *c = &clients[next++ % options.connections];
        if (!c->busy) {
            ask(c, queue[first++ & (QUEUE - 1)]);
        }
    }
}

static void run(int poll)
{
    struct epoll_event events[256];
    int64_t start = now_us();
    int64_t end = start + (int64_t)options.seconds * 1000000;
    uint64_t issued = 0;
    for (int i = 0; i < options.connections && options.rate == 0; i++) {
        ask(&clients[i], start);
    }
    int64_t now = start;
    for (; now < end; now = now_us()) {
        if (options.rate > 0) {
            issue(now, start, &issued);
        }
        int n = epoll_wait(poll, events, ARRAY_LEN(events), 1);
        for (int i = 0; i < n; i++) {
            on_event(poll, events[i].data.ptr);
        }
    }
    report(&latencies, (double)(now - start) / 1e6, errors, bytes);
}

/* Ask once, then dawdle. */
static void run_slow(void)
{
    int64_t start = now_us();
    for (int i = 0; i < options.connections; i++) {
        int small = SLOW_BYTES;
        (void)setsockopt(clients[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        ask(&clients[i], start);
    }
    while (now_us() < start + (int64_t)options.seconds * 1000000) {
        (void)usleep(SLOW_US);
        for (int i = 0; i < options.connections; i++) {
            ssize_t r = get(&clients[i], clients[i].in, SLOW_BYTES);
            bytes += r > 0 ? (uint64_t)r : 0;
        }
    }
    report(&latencies, (double)(now_us() - start) / 1e6, errors, bytes);
}

static void make_request(void)
{
    char *body = NULL;
    long n = 0;
    if (options.body_file) {
        FILE *file = fopen(options.body_file, "rb");
        if (!file || fseek(file, 0, SEEK_END) < 0) {
            die(options.body_file);
        }
        n = ftell(file);
        rewind(file);
        body = malloc((size_t)n + 1);
        if (!body || fread(body, 1, (size_t)n, file) != (size_t)n) {
            die(options.body_file);
        }
        (void)fclose(file);
    }
    char head[4096];
    int head_n =
        snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: bench\r\n%s%s", options.method,
                 options.path, options.field ? options.field : "", options.field ? "\r\n" : "");
    if (body) {
        head_n += snprintf(head + head_n, sizeof(head) - (size_t)head_n,
                           "Content-Type: application/fhir+json\r\nContent-Length: %ld\r\n", n);
    }
    head_n += snprintf(head + head_n, sizeof(head) - (size_t)head_n, "\r\n");
    options.request_n = (size_t)head_n + (size_t)n;
    options.request = malloc(options.request_n);
    if (!options.request) {
        die("memory");
    }
    memcpy(options.request, head, (size_t)head_n);
    if (body) {
        memcpy(options.request + head_n, body, (size_t)n);
    }
    free(body);
}

int main(int argc, char **argv)
{
    int option = 0;
    while ((option = getopt(argc, argv, "c:d:r:H:b:m:n:tw")) != -1) {
        switch (option) {
        case 'c': options.connections = atoi(optarg); break;
        case 'd': options.seconds = atoi(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'H': options.field = optarg; break;
        case 'b': options.body_file = optarg; break;
        case 'm': options.method = optarg; break;
        case 'n': options.want = atoll(optarg); break;
        case 't': options.tls = SSL_CTX_new(TLS_client_method()); break;
        case 'w': options.slow = true; break;
        default: return 64;
        }
    }
    if (argc - optind != 2) {
        (void)fprintf(stderr, "usage: load ADDRESS PATH [options]; see load.c\n");
        return 64;
    }
    options.at = address_of(argv[optind]);
    options.path = argv[optind + 1];
    make_request();
    int poll = epoll_create1(0);
    clients = calloc((size_t)options.connections, sizeof(*clients));
    for (int i = 0; clients && i < options.connections; i++) {
        open_client(&clients[i]);
        struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = &clients[i] };
        (void)epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event);
    }
    if (options.slow) {
        run_slow();
    } else {
        run(poll);
    }
    return 0;
}
