/*
 * chartseal hl7 listen: a receiver to try senders with. It writes what comes to standard output
 * and answers as it is told.
 *
 * Segments are written one a line, with an empty line between messages; --raw writes the bytes
 * as they came, in their frames. It keeps nothing else and has no idea of consent.
 */
#include "gateway/cli/cli.h"

#include "fhir/v2/ack.h"
#include "gateway/cli/hl7.h"
#include "gateway/clock.h"
#include "gateway/net/listener.h"
#include "gateway/net/mllp.h"
#include "gateway/net/mllp_server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define COMMAND "hl7 listen"

enum {
    ARENA_FIRST = 64 << 10,
    ACK_MAX = 64 << 10,
    ID_MAX = 24,
    COUNT_MAX = 1000000000,
};

/* @left: messages until it ends; 0: no end */
struct listening {
    const char *answer;
    const char *count;
    bool raw;
    struct hl7_tls tls;
    struct event_base *loop;
    struct mllp_server *server;
    struct arena *arena;
    enum v2_ack_code code;
    unsigned long left;
    uint64_t number;
    int exit;
};

static void write_message(const struct listening *l, struct str bytes)
{
    if (l->raw) {
        (void)putchar(MLLP_START);
        (void)fwrite(bytes.p, 1, bytes.n, stdout);
        (void)putchar(MLLP_END);
        (void)putchar(MLLP_CR);
        return;
    }
    for (size_t i = 0; i < bytes.n; i++) {
        bool end = bytes.p[i] == '\r' && i + 1 < bytes.n && bytes.p[i + 1] == '\n';
        if (!end) {
            (void)putchar(bytes.p[i] == '\r' ? '\n' : bytes.p[i]);
        }
    }
    (void)fputs(bytes.n && (bytes.p[bytes.n - 1] == '\r' || bytes.p[bytes.n - 1] == '\n')
                    ? "\n"
                    : "\n\n",
                stdout);
}

static void reply(struct listening *l, struct mllp_msg *msg, struct str bytes)
{
    char id[ID_MAX];
    char time[CLOCK_V2_SIZE];
    struct v2_message header;
    const struct v2_message *about =
        v2_parse_header(l->arena, bytes, &header) == 0 ? &header : NULL;
    clock_v2(clock_utc_ms(), time);
    int n = snprintf(id, sizeof(id), "%llu", (unsigned long long)l->number);
    const struct v2_ack ack = {
        .code = about ? l->code : V2_ACK_ERROR,
        .control_id = str_of(id, (size_t)n),
        .time = str_z(time),
        .condition = about ? V2_ACK_INTERNAL : V2_ACK_DATA_TYPE,
        .place = about ? STR("") : STR("MSH"),
        .text = about ? STR("answered as told") : STR("not a readable HL7 v2 message"),
    };
    struct buf out = arena_buf(l->arena, ACK_MAX);
    if (v2_ack_write(l->arena, about, &ack, &out) != 0) {
        mllp_close(msg);
        return;
    }
    mllp_reply(msg, buf_str(&out));
}

static void on_message(void *owner, struct mllp_msg *msg, struct str bytes)
{
    struct listening *l = owner;
    arena_reset(l->arena);
    l->number++;
    write_message(l, bytes);
    if (fflush(stdout) != 0) {
        l->exit = EX_IOERR; /* nobody reads any more: don't acknowledge what is lost */
        mllp_close(msg);
        (void)event_base_loopexit(l->loop, NULL);
        return;
    }
    reply(l, msg, bytes);
    if (l->left && --l->left == 0) {
        mllp_server_drain(l->server, NULL, NULL);
        (void)event_base_loopexit(l->loop, &(struct timeval){ .tv_usec = 100000 });
    }
}

static void on_broken(void *owner, const struct address *peer, int error)
{
    char text[ADDRESS_TEXT_MAX];
    (void)owner;
    address_text(peer, text);
    (void)fprintf(stderr, "chartseal " COMMAND ": %s: %s\n", text, mllp_error_text(error));
}

static int complain(int code, const char *what, const char *why)
{
    (void)fprintf(stderr, "chartseal " COMMAND ": %s: %s\n", what, why);
    return code;
}

static int open_tls(const struct listening *l, struct tls **out)
{
    char why[TLS_WHY_MAX];
    const struct tls_config files = { .certificate = l->tls.certificate,
                                      .key = l->tls.key,
                                      .trusted = l->tls.trusted,
                                      .client_certificate = l->tls.trusted != NULL };
    *out = NULL;
    if (!hl7_tls_wanted(&l->tls)) {
        return EX_OK;
    }
    *out = tls_server_new(&files, why);
    return *out ? EX_OK : complain(EX_CONFIG, "TLS", why);
}

/* Say where, as the system may have chosen the port. */
static void say_where(int fd)
{
    struct address at = { .n = sizeof(at.at) };
    char text[ADDRESS_TEXT_MAX];
    if (getsockname(fd, (struct sockaddr *)&at.at, &at.n) == 0) {
        address_text(&at, text);
        (void)fprintf(stderr, "listening on %s\n", text);
    }
}

static int serve(struct listening *l, const char *where)
{
    struct addresses at;
    struct tls *tls;
    int fd;
    if (address_resolve(str_z(where), 0, &at) != 0) {
        return complain(EX_USAGE, where, "not an address with a port");
    }
    int r = listener_open(&at.each[0], false, &fd);
    if (r < 0) {
        return complain(EX_UNAVAILABLE, where, strerror(-r));
    }
    int code = open_tls(l, &tls);
    const struct mllp_server_config config = {
        .base = l->loop,
        .fd = fd,
        .tls = tls,
        .owner = l,
        .on_message = on_message,
        .on_broken = on_broken,
    };
    if (code == EX_OK) {
        l->server = mllp_server_new(&config);
        code = l->server ? EX_OK : EX_OSERR;
    }
    if (code == EX_OK) {
        say_where(fd);
        (void)event_base_dispatch(l->loop);
        code = l->exit;
    }
    mllp_server_free(l->server);
    tls_free(tls);
    (void)close(fd);
    return code;
}

/* What --answer and --count say; false: nonsense. */
static bool read_options(struct listening *l)
{
    static const enum v2_ack_code codes[] = { V2_ACK_ACCEPT, V2_ACK_ERROR, V2_ACK_REJECT };
    char *end = NULL;
    bool known = !l->answer;
    for (size_t i = 0; l->answer && i < ARRAY_LEN(codes); i++) {
        if (strcmp(l->answer, v2_ack_code_name(V2_ACK_ORIGINAL, codes[i])) == 0) {
            l->code = codes[i];
            known = true;
        }
    }
    if (l->count) {
        l->left = strtoul(l->count, &end, 10);
    }
    return known && (!l->count || (*end == '\0' && l->left > 0 && l->left < COUNT_MAX));
}

int cli_hl7_listen(int argc, char **argv)
{
    struct listening l = { .code = V2_ACK_ACCEPT, .exit = EX_OK };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--answer", .value = &l.answer },
        { .name = "--count", .value = &l.count },
        { .name = "--raw", .flag = &l.raw },
        { .name = "--trusted", .value = &l.tls.trusted },
        { .name = "--certificate", .value = &l.tls.certificate },
        { .name = "--key", .value = &l.tls.key },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n != 1 ||
        !read_options(&l)) {
        return cli_usage(COMMAND " HOST:PORT [--answer AA|AE|AR] [--count N] [--raw]"
                                 " [--certificate FILE --key FILE] [--trusted FILE]");
    }
    l.loop = event_base_new();
    l.arena = arena_new(ARENA_FIRST);
    int code = l.loop && l.arena ? serve(&l, words.p[0]) : EX_OSERR;
    arena_free(l.arena);
    if (l.loop) {
        event_base_free(l.loop);
    }
    return code;
}
