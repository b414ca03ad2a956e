/* chartseal hl7 outbox: what waits or was stopped on its way to destinations. */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"
#include "gateway/store/fragments.h"
#include "gateway/store/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

enum {
    DESTINATIONS_MAX = 256,
    STOPPED_MAX = 1000, /* shown of each destination */
    OUTPUT_MAX = 64 << 20,
};

struct outbox {
    struct cli_session *session;
    bool json;
    int64_t parts; /* of messages that aren't whole yet, the oldest taken at: */
    int64_t parts_since;
    struct store_outbox_count counts[DESTINATIONS_MAX];
    size_t count;
    bool more;      /* of a destination than STOPPED_MAX */
    struct buf out; /* owned */
};

static int take_counts(void *owner, const struct db_rows *rows)
{
    struct outbox *box = owner;
    for (int i = 0; i < db_count(rows) && box->count < DESTINATIONS_MAX; i++) {
        struct store_outbox_count *count = &box->counts[box->count++];
        store_outbox_count_row(rows, i, count);
        count->destination = arena_str(box->session->arena, count->destination);
        if (!count->destination.p) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int read_counts(struct outbox *box)
{
    struct cli_session *s = box->session;
    struct cli_answer answer = { .read = take_counts, .owner = box };
    int r = cli_wait(s, store_outbox_counts(s->db, cli_on_rows, &answer), &answer);
    return r == 0 ? EX_OK : cli_failed(s, "outbox", r);
}

static int take_parts(void *owner, const struct db_rows *rows)
{
    struct outbox *box = owner;
    box->parts = store_fragment_waiting_row(rows, &box->parts_since);
    return 0;
}

static int read_parts(struct outbox *box)
{
    struct cli_session *s = box->session;
    struct cli_answer answer = { .read = take_parts, .owner = box };
    int r = cli_wait(s, store_fragment_waiting(s->db, cli_on_rows, &answer), &answer);
    return r == 0 ? EX_OK : cli_failed(s, "parts", r);
}

static void put_parts(struct outbox *box)
{
    if (box->parts == 0) {
        return;
    }
    if (box->json) {
        struct json_writer w = json_writer(&box->out);
        json_object(&w, NULL);
        json_i64(&w, "parts", box->parts);
        json_i64(&w, "oldest", box->parts_since);
        json_end(&w);
        buf_c(&box->out, '\n');
        return;
    }
    buf_fmt(&box->out,
            "\nparts of messages that wait for the next one: %lld, the oldest since ",
            (long long)box->parts);
    clock_utc_put(&box->out, box->parts_since);
    buf_c(&box->out, '\n');
}

/* --- outbox ------------------------------------------------------------------------------- */

static void put_row(struct outbox *box, const struct store_outbox *row)
{
    char exchange[ID_TEXT_SIZE];
    const char *state = store_outbox_word(row->state);
    id_text(row->exchange, exchange);
    if (box->json) {
        struct json_writer w = json_writer(&box->out);
        json_object(&w, NULL);
        json_i64(&w, "number", row->number);
        json_z(&w, "state", state);
        json_string(&w, "destination", row->destination);
        json_i64(&w, "created", row->created);
        json_i64(&w, "attempts", row->attempts);
        json_z(&w, "exchange", exchange);
        json_string(&w, "reason", row->reason);
        json_end(&w);
        buf_c(&box->out, '\n');
        return;
    }
    buf_fmt(&box->out, "%8lld  %-8s  %-16.*s  ", (long long)row->number, state,
            (int)row->destination.n, row->destination.p);
    clock_utc_put(&box->out, row->created);
    buf_fmt(&box->out, "  %3d  %s  %.*s\n", row->attempts, exchange, (int)row->reason.n,
            row->reason.p);
}

static int take_stopped(void *owner, const struct db_rows *rows)
{
    struct outbox *box = owner;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_outbox row;
        store_outbox_row(rows, i, &row);
        put_row(box, &row);
    }
    box->more |= db_count(rows) == STOPPED_MAX;
    return 0;
}

static void put_counts(struct outbox *box)
{
    if (!box->json) {
        buf_fmt(&box->out, "%-16s  %8s %8s %8s  %s\n", "DESTINATION", "WAITING", "PARKED",
                "WITHHELD", "OLDEST");
    }
    for (size_t i = 0; i < box->count; i++) {
        const struct store_outbox_count *count = &box->counts[i];
        if (box->json) {
            struct json_writer w = json_writer(&box->out);
            json_object(&w, NULL);
            json_string(&w, "destination", count->destination);
            json_i64(&w, "waiting", count->waiting);
            json_i64(&w, "parked", count->parked);
            json_i64(&w, "withheld", count->withheld);
            json_i64(&w, "oldest", count->oldest);
            json_end(&w);
            buf_c(&box->out, '\n');
            continue;
        }
        buf_fmt(&box->out, "%-16.*s  %8lld %8lld %8lld  ", (int)count->destination.n,
                count->destination.p, (long long)count->waiting, (long long)count->parked,
                (long long)count->withheld);
        if (count->waiting) {
            clock_utc_put(&box->out, count->oldest);
        }
        buf_c(&box->out, '\n');
    }
}

static int show(struct outbox *box)
{
    struct cli_session *s = box->session;
    int r = 0;
    put_counts(box);
    if (!box->json) {
        buf_fmt(&box->out, "\n%8s  %-8s  %-16s  %-24s  %3s  %-36s  %s\n", "NUMBER", "STATE",
                "DESTINATION", "CREATED", "TRY", "EXCHANGE", "REASON");
    }
    for (size_t i = 0; r == 0 && i < box->count; i++) {
        struct cli_answer answer = { .read = take_stopped, .owner = box };
        r = cli_wait(s,
                     store_outbox_stopped(s->db, box->counts[i].destination, 0, STOPPED_MAX,
                                          cli_on_rows, &answer),
                     &answer);
    }
    if (r < 0) {
        return cli_failed(s, "outbox", r);
    }
    put_parts(box);
    if (box->more) {
        (void)fprintf(stderr, "only the first %d of each destination are shown\n", STOPPED_MAX);
    }
    return cli_print(s, &box->out);
}

int cli_hl7_outbox(int argc, char **argv)
{
    const char *file = NULL;
    struct cli_session session = { 0 };
    struct outbox box = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--json", .flag = &box.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0) {
        return cli_usage("hl7 outbox --config FILE [--json]");
    }
    int code = cli_begin("hl7 outbox", file, &session);
    code = code == EX_OK ? read_counts(&box) : code;
    code = code == EX_OK ? read_parts(&box) : code;
    code = code == EX_OK ? show(&box) : code;
    heap_buf_free(&box.out);
    cli_end(&session);
    return code;
}
