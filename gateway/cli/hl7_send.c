/*
 * chartseal hl7 send: messages from a file to a receiver, one after another, each with its
 * answer.
 *
 * The file may be a batch, hold messages one after another, with or without frames. Each is
 * sent as it stands; --batch sends the whole file in one frame. A message without an answer
 * ends it: whether the receiver has that one isn't known.
 */
#include "gateway/cli/cli.h"

#include "fhir/v2/address.h"
#include "fhir/v2/batch.h"
#include "gateway/cli/hl7.h"
#include "gateway/cli/input.h"
#include "gateway/heap.h"
#include "gateway/net/mllp_client.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define COMMAND "hl7 send"

enum {
    FILE_MAX = 1 << 30, /* bytes */
    ARENA_FIRST = 64 << 10,
    SECONDS_MAX = 3600,
};

/* @number: of the message that was sent last; @code: to exit with, the worst so far */
struct sending {
    const char *seconds;
    bool batch;
    struct hl7_tls tls;
    struct event_base *loop;
    struct tls *context; /* owned, as what is below */
    struct mllp_client *client;
    struct arena *arena;
    struct str message;
    size_t number;
    int code;
    bool stop;
};

static void worse(struct sending *s, int code)
{
    s->code = s->code == EX_OK || code == EX_TEMPFAIL ? code : s->code;
}

static struct str get(const struct v2_message *ack, const char *address)
{
    struct str value;
    (void)v2_get_z(ack, address, &value);
    return value;
}

/* ERR of either form on one line: place, condition, text. */
static void say_error(const struct v2_message *ack)
{
    bool new_form = get(ack, "ERR-2").n || get(ack, "ERR-3").n;
    struct str segment = get(ack, new_form ? "ERR-2.1" : "ERR-1.1");
    struct str field = get(ack, new_form ? "ERR-2.3" : "ERR-1.3");
    struct str condition = get(ack, new_form ? "ERR-3.1" : "ERR-1.4.1");
    struct str name = get(ack, new_form ? "ERR-3.2" : "ERR-1.4.2");
    struct str text = get(ack, new_form ? "ERR-8" : "MSA-3");
    if (segment.n) {
        (void)printf(" at %.*s", (int)segment.n, segment.p);
    }
    if (field.n) {
        (void)printf("-%.*s", (int)field.n, field.p);
    }
    if (condition.n || name.n) {
        (void)printf(": %.*s %.*s", (int)condition.n, condition.p, (int)name.n, name.p);
    }
    if (text.n) {
        (void)printf(": %.*s", (int)text.n, text.p);
    }
}

/* Whether @ack is about @message: MSA-2 repeats MSH-10. */
static bool is_about(struct sending *s, const struct v2_message *ack)
{
    struct v2_message header;
    struct v2_header sent;
    if (s->batch || v2_parse_header(s->arena, s->message, &header) != 0) {
        return true;
    }
    v2_header(&header, &sent);
    return sent.control_id.n == 0 || str_eq(sent.control_id, get(ack, "MSA-2"));
}

static void say_answer(struct sending *s, struct str text)
{
    struct issues issues;
    struct v2_message ack;
    issues_init(&issues, s->arena);
    struct str code = { 0 };
    if (v2_parse(s->arena, text, &issues, &ack) == 0) {
        code = get(&ack, "MSA-1");
    }
    if (code.n != 2 || !is_about(s, &ack)) {
        (void)printf("message %zu: %s\n", s->number,
                     code.n == 2 ? "the answer is to another message" : "no readable answer");
        worse(s, EX_PROTOCOL);
        return;
    }
    (void)printf("message %zu: %.*s", s->number, (int)code.n, code.p);
    if (code.p[1] != 'A') {
        say_error(&ack);
        worse(s, code.p[1] == 'R' ? EX_TEMPFAIL : EX_DATAERR);
    }
    (void)putchar('\n');
}

/* The answer to a batch is a batch of answers, or one to all of it. */
static void say_batch(struct sending *s, struct str text)
{
    struct issues issues;
    struct v2_batch_part part;
    issues_init(&issues, s->arena);
    struct v2_batch batch = v2_batch(text, &issues);
    s->number = 0;
    while (v2_batch_next(&batch, &part)) {
        if (part.kind == V2_BATCH_MESSAGE) {
            s->number++;
            say_answer(s, part.text);
        }
    }
    cli_say_issues(stderr, &issues, true);
}

static void on_answer(void *owner, enum mllp_fail fail, struct str answer)
{
    struct sending *s = owner;
    event_base_loopbreak(s->loop);
    if (fail) {
        (void)fprintf(stderr, "chartseal " COMMAND ": message %zu: %s\n", s->number,
                      mllp_fail_text(fail));
        worse(s, fail == MLLP_FAIL_PROTOCOL ? EX_PROTOCOL : EX_TEMPFAIL);
        s->stop = true;
        return;
    }
    (s->batch ? say_batch : say_answer)(s, answer);
}

static void send_one(struct sending *s, struct str message)
{
    arena_reset(s->arena);
    s->message = message;
    s->number++;
    if (!mllp_send(s->client, message, NULL, on_answer, s)) {
        s->code = EX_OSERR;
        s->stop = true;
        return;
    }
    (void)event_base_dispatch(s->loop);
}

static void send_all(struct sending *s, struct str text)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_FIRST);
    struct v2_batch_part part;
    struct issues issues;
    if (s->batch || !arena) {
        send_one(s, text);
        return;
    }
    issues_init(&issues, arena);
    struct v2_batch batch = v2_batch(text, &issues);
    while (!s->stop && v2_batch_next(&batch, &part)) {
        if (part.kind == V2_BATCH_MESSAGE) {
            send_one(s, part.text);
        }
    }
    cli_say_issues(stderr, &issues, true);
    if (s->number == 0) {
        (void)fputs("chartseal " COMMAND ": no message\n", stderr);
        s->code = EX_DATAERR;
    }
}

/* Connect to @where; EX_OK or the code to exit with. */
static int open_client(struct sending *s, const char *where)
{
    char why[TLS_WHY_MAX];
    char name[ADDRESS_HOST_MAX + 1];
    struct str host;
    uint16_t port;
    struct mllp_client_config config = { .base = s->loop };
    long seconds = s->seconds ? strtol(s->seconds, NULL, 10) : 30;
    if (address_split(str_z(where), 0, &host, &port) != 0 || host.n > ADDRESS_HOST_MAX ||
        seconds < 1 || seconds > SECONDS_MAX) {
        return cli_usage(COMMAND " HOST:PORT: not a host with a port, or no number of seconds");
    }
    if (address_resolve(str_z(where), 0, &config.to) != 0) {
        (void)fprintf(stderr, "chartseal " COMMAND ": %s has no address\n", where);
        return EX_NOHOST;
    }
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    config.answer_ms = (int)seconds * 1000;
    if (hl7_tls_wanted(&s->tls)) {
        const struct tls_config files = { .certificate = s->tls.certificate,
                                          .key = s->tls.key,
                                          .trusted = s->tls.trusted };
        config.tls = s->context = tls_client_new(&files, why);
        config.tls_host = name;
        if (!config.tls) {
            (void)fprintf(stderr, "chartseal " COMMAND ": %s\n", why);
            return EX_CONFIG;
        }
    }
    s->client = mllp_client_new(&config);
    return s->client ? EX_OK : EX_OSERR;
}

static int run(struct sending *s, const char *where, const char *path)
{
    struct buf text;
    int code = cli_read(COMMAND, path, FILE_MAX, &text);
    s->loop = event_base_new();
    s->arena = arena_new(ARENA_FIRST);
    if (code == EX_OK) {
        code = s->loop && s->arena ? open_client(s, where) : EX_OSERR;
    }
    if (code == EX_OK) {
        send_all(s, buf_str(&text));
        code = s->code == EX_OK && fflush(stdout) != 0 ? EX_IOERR : s->code;
    }
    mllp_client_free(s->client);
    tls_free(s->context);
    arena_free(s->arena);
    if (s->loop) {
        event_base_free(s->loop);
    }
    heap_buf_free(&text);
    return code;
}

int cli_hl7_send(int argc, char **argv)
{
    struct sending s = { .code = EX_OK };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--batch", .flag = &s.batch },
        { .name = "--timeout", .value = &s.seconds },
        { .name = "--tls", .flag = &s.tls.on },
        { .name = "--trusted", .value = &s.tls.trusted },
        { .name = "--certificate", .value = &s.tls.certificate },
        { .name = "--key", .value = &s.tls.key },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n < 1 || words.n > 2) {
        return cli_usage(COMMAND " HOST:PORT [--batch] [--timeout SECONDS] [--tls]"
                                 " [--trusted FILE] [--certificate FILE --key FILE] [FILE|-]");
    }
    return run(&s, words.p[0], words.n > 1 ? words.p[1] : "-");
}
