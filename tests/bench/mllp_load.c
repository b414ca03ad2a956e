/*
 * MLLP load: each connection sends a message, awaits its acknowledgement, sends the next.
 *
 *   mllp_load ADDRESS MESSAGE-FILE [-c CONNECTIONS] [-d SECONDS] [-n COUNT] [-r RATE]
 *             [-i FIRST] [-p PATIENTS]
 *
 * "@ID@" in the file (once, in MSH-10) becomes a number of its own for each message, from FIRST
 * on; each "@PT@" the number of one of PATIENTS patients (1,000), in turn. An answer without
 * MSA|AA| and that number is an error. With -r messages are due at even intervals and latency
 * counts from then. -n: stop after so many. Output: one line of JSON.
 */
#include "tests/bench/common.h"

enum {
    ANSWER = 16 << 10,
    ID = 20,     /* digits */
    PATIENT = 6, /* digits */
    PLACES = 32,
};

struct client {
    int fd;
    bool busy;
    int64_t due;
    uint64_t id;
    size_t sent;
    size_t n;
    char *message; /* framed */
    char in[ANSWER];
};

static char *text;
static size_t text_n;
static size_t id_at;
static size_t patient_at[PLACES];
static size_t places;
static uint64_t patients = 1000;
static struct latencies latencies;
static uint64_t errors;
static uint64_t bytes;
static uint64_t started;
static uint64_t first;
static uint64_t count = UINT64_MAX;
static double rate;
static int64_t start;

/* Append @n bytes to the text; room is left for what stands in place of a mark. */
static void append(const char *p, size_t n)
{
    memcpy(text + text_n, p, n);
    text_n += n;
}

static void load_message(const char *path)
{
    FILE *file = fopen(path, "rb");
    static char raw[1 << 20];
    size_t n = file ? fread(raw, 1, sizeof(raw), file) : 0;
    text = malloc(n + ID + (size_t)PLACES * PATIENT + 3);
    if (!text || n == 0 || n == sizeof(raw)) {
        die(path);
    }
    (void)fclose(file);
    text[text_n++] = '\x0b';
    for (size_t i = 0; i < n;) {
        bool id = i + 4 <= n && memcmp(raw + i, "@ID@", 4) == 0;
        bool patient = i + 4 <= n && memcmp(raw + i, "@PT@", 4) == 0 && places < PLACES;
        if (id) {
            id_at = text_n;
        } else if (patient) {
            patient_at[places++] = text_n;
        }
        size_t room = id ? ID : PATIENT;
        static const char zeros[ID];
        append(id || patient ? zeros : raw + i, id || patient ? room : 1);
        i += id || patient ? 4 : 1;
    }
    append("\x1c\r", 2);
    if (!id_at) {
        (void)fprintf(stderr, "%s: no @ID@\n", path);
        exit(64);
    }
}

static void send_rest(struct client *c)
{
    while (c->sent < text_n) {
        ssize_t r = send(c->fd, c->message + c->sent, text_n - c->sent, MSG_NOSIGNAL);
        if (r < 0) {
            return;
        }
        c->sent += (size_t)r;
    }
}

/* Send the next message if one is due. */
static void next(struct client *c, int64_t now)
{
    int64_t due = rate > 0 ? start + (int64_t)((double)started * 1e6 / rate) : now;
    if (started >= count || due > now) {
        c->busy = false;
        return;
    }
    char digits[ID + 1];
    c->id = first + ++started;
    c->due = due;
    c->busy = true;
    c->sent = 0;
    (void)snprintf(digits, sizeof(digits), "%0*llu", ID, (unsigned long long)c->id);
    memcpy(c->message + id_at, digits, ID);
    (void)snprintf(digits, sizeof(digits), "%0*llu", PATIENT,
                   (unsigned long long)(c->id % patients));
    for (size_t i = 0; i < places; i++) {
        memcpy(c->message + patient_at[i], digits, PATIENT);
    }
    send_rest(c);
}

static void on_answer(struct client *c)
{
    char want[64];
    (void)snprintf(want, sizeof(want), "MSA|AA|%0*llu", ID, (unsigned long long)c->id);
    errors += !memmem(c->in, c->n, want, strlen(want));
    bytes += text_n;
    c->n = 0;
    int64_t now = now_us();
    latency_add(&latencies, now - c->due);
    next(c, now);
}

static void on_event(struct client *c, const struct sockaddr_in *at, int poll)
{
    if (c->busy) {
        send_rest(c);
    }
    ssize_t r = recv(c->fd, c->in + c->n, sizeof(c->in) - c->n, 0);
    if (r > 0) {
        c->n += (size_t)r;
        if (c->n >= 2 && memcmp(c->in + c->n - 2, "\x1c\r", 2) == 0) {
            on_answer(c);
        }
    } else if (r == 0 || errno != EAGAIN) {
        errors++;
        (void)close(c->fd);
        c->fd = connect_to(at);
        c->n = 0;
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        (void)epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
        next(c, now_us());
    }
}

int main(int argc, char **argv)
{
    int connections = 64;
    int seconds = 5;
    int option = 0;
    while ((option = getopt(argc, argv, "c:d:n:r:i:p:")) != -1) {
        switch (option) {
        case 'c': connections = atoi(optarg); break;
        case 'd': seconds = atoi(optarg); break;
        case 'n': count = strtoull(optarg, NULL, 10); break;
        case 'r': rate = atof(optarg); break;
        case 'i': first = strtoull(optarg, NULL, 10); break;
        case 'p': patients = strtoull(optarg, NULL, 10); break;
        default: return 64;
        }
    }
    if (argc - optind != 2) {
        (void)fprintf(stderr, "usage: mllp_load ADDRESS MESSAGE-FILE [options]\n");
        return 64;
    }
    struct sockaddr_in at = address_of(argv[optind]);
    load_message(argv[optind + 1]);
    int poll = epoll_create1(0);
    struct client *clients = calloc((size_t)connections, sizeof(*clients));
    start = now_us();
    for (int i = 0; clients && i < connections; i++) {
        struct client *c = &clients[i];
        c->message = malloc(text_n);
        if (!c->message) {
            die("memory");
        }
        memcpy(c->message, text, text_n);
        c->fd = connect_to(&at);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        (void)epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
        next(c, now_us());
    }
    int64_t end = start + (int64_t)seconds * 1000000;
    int64_t now = now_us();
    for (; now < end && latencies.n + errors < count; now = now_us()) {
        struct epoll_event events[256];
        int n = epoll_wait(poll, events, ARRAY_LEN(events), 1);
        for (int i = 0; i < n; i++) {
            on_event(events[i].data.ptr, &at, poll);
        }
        for (int i = 0; rate > 0 && i < connections; i++) {
            if (!clients[i].busy) {
                next(&clients[i], now_us());
            }
        }
    }
    report(&latencies, (double)(now - start) / 1e6, errors, bytes);
    return errors ? 1 : 0;
}
