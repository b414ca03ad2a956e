/*
 * chartseal hl7 show: one message; what came, what it becomes, where it is.
 *
 * That is what a message browser shows. Who opens a message is recorded before anything of it
 * is shown, for each patient whom it is about.
 */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/hl7_stored.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
    OUTPUT_MAX = 512 << 20,
    REQUEST_MAX = 128,
};

/*
 * @rows:    of the outbox, one for each destination
 * @records: of the exchange
 * @opened:  by the row that was asked for
 */
struct show {
    struct cli_session *session;
    bool json;
    bool closed;
    int64_t number; /* 0: asked for by exchange */
    uint8_t exchange[16];
    struct store_outbox *rows;
    size_t row_count;
    struct audit_record *records;
    size_t record_count;
    struct hl7_stored opened;
    struct buf out; /* owned */
};

/* --- finding ------------------------------------------------------------------------------ */

static int take_exchange(void *owner, const struct db_rows *rows)
{
    struct show *show = owner;
    struct store_outbox row;
    if (db_count(rows) == 0) {
        return -ENOENT;
    }
    store_outbox_row(rows, 0, &row);
    memcpy(show->exchange, row.exchange, sizeof(show->exchange));
    return 0;
}

static int take_rows(void *owner, const struct db_rows *rows)
{
    struct show *show = owner;
    size_t n = (size_t)db_count(rows);
    int r = 0;
    show->rows = arena_calloc(show->session->arena, n + 1, sizeof(*show->rows));
    if (!show->rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = hl7_stored_row(show->session, rows, (int)i, &show->rows[i]);
    }
    show->row_count = n;
    return r;
}

static int take_records(void *owner, const struct db_rows *rows)
{
    struct show *show = owner;
    size_t n = (size_t)db_count(rows);
    int r = 0;
    show->records = arena_calloc(show->session->arena, n + 1, sizeof(*show->records));
    if (!show->records) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = audit_take(show->session, rows, (int)i, &show->records[i]);
    }
    show->record_count = n;
    return r;
}

static int find(struct show *show)
{
    struct cli_session *s = show->session;
    struct cli_answer answer = { .read = take_exchange, .owner = show };
    int r = 0;
    if (show->number) {
        r = cli_wait(s, store_outbox_of_number(s->db, show->number, cli_on_rows, &answer),
                     &answer);
    }
    if (r == 0) {
        answer = (struct cli_answer){ .read = take_rows, .owner = show };
        r = cli_wait(s, store_outbox_of_exchange(s->db, show->exchange, cli_on_rows, &answer),
                     &answer);
    }
    if (r == 0) {
        answer = (struct cli_answer){ .read = take_records, .owner = show };
        r = cli_wait(s, store_audit_exchange(s->db, show->exchange, cli_on_rows, &answer),
                     &answer);
    }
    r = r == 0 && show->row_count == 0 && show->record_count == 0 ? -ENOENT : r;
    return r == 0 ? EX_OK : cli_failed(s, "message", r);
}

/* The row that was asked for, or the first. */
static const struct store_outbox *asked_row(const struct show *show)
{
    size_t i = 0;
    while (i < show->row_count && show->number && show->rows[i].number != show->number) {
        i++;
    }
    return i < show->row_count ? &show->rows[i] : NULL;
}

static int take_first_payload(void *owner, const struct db_rows *rows)
{
    struct store_outbox *row = owner;
    struct store_sealed sealed;
    if (db_count(rows) == 0) {
        return -ENOENT;
    }
    store_sealed_row(rows, 0, &sealed);
    memcpy(row->payload, sealed.id, sizeof(row->payload));
    return 0;
}

/* What an exchange without a row kept: a part of a message, which has no way yet. */
static int find_kept(struct show *show, struct store_outbox *out)
{
    struct cli_session *s = show->session;
    struct cli_answer answer = { .read = take_first_payload, .owner = out };
    *out = (struct store_outbox){ .route = STR(""), .destination = STR("") };
    memcpy(out->exchange, show->exchange, sizeof(out->exchange));
    return cli_wait(s, store_payloads_of(s->db, show->exchange, cli_on_rows, &answer), &answer);
}

static int open_it(struct show *show)
{
    struct cli_session *s = show->session;
    const struct store_outbox *row = asked_row(show);
    struct store_outbox kept;
    struct maps *maps = NULL;
    char id[ID_TEXT_SIZE];
    show->opened.closed = "not asked for";
    if (show->closed) {
        return EX_OK;
    }
    int found = row ? 0 : find_kept(show, &kept);
    if (found < 0) {
        show->opened.closed = "none kept";
        return found == -ENOENT ? EX_OK : cli_failed(s, "message", found);
    }
    show->opened = (struct hl7_stored){ .row = row ? *row : kept };
    int code = hl7_stored_maps(s, &maps);
    if (code != EX_OK) {
        return code;
    }
    int r = hl7_stored_open(s, maps, &show->opened);
    struct buf request = arena_buf(s->arena, REQUEST_MAX);
    id_text(show->exchange, id);
    buf_fmt(&request, "hl7 show %s", id);
    code = r < 0 ? cli_failed(s, "message", r)
                 : hl7_stored_record(s, &show->opened, RECORD_AUDIT_READ, buf_str(&request));
    if (show->opened.today.maps.n) { /* it goes with the maps */
        show->opened.today.maps = arena_str(s->arena, show->opened.today.maps);
    }
    maps_free(maps);
    return code;
}

/* --- for people --------------------------------------------------------------------------- */

static void put_rows(struct show *show)
{
    struct buf *b = &show->out;
    buf_fmt(b, "\n%8s  %-16s  %-9s  %3s  %-24s  %s\n", "NUMBER", "DESTINATION", "STATE", "TRY",
            "DUE", "REASON");
    for (size_t i = 0; i < show->row_count; i++) {
        const struct store_outbox *row = &show->rows[i];
        buf_fmt(b, "%8lld  %-16.*s  %-9s  %3d  ", (long long)row->number,
                (int)row->destination.n, row->destination.p, store_outbox_word(row->state),
                row->attempts);
        if (row->state <= STORE_OUTBOX_HELD) {
            clock_utc_put(b, row->next_at);
        } else {
            buf_fmt(b, "%-24s", "-");
        }
        buf_fmt(b, "  %.*s\n", (int)row->reason.n, row->reason.p);
    }
}

static void put_records(struct show *show)
{
    struct buf *b = &show->out;
    char id[ID_TEXT_SIZE];
    buf_fmt(b, "\n%-24s  %-36s  %-12s %-10s %-18s %s\n", "TIME", "RECORD", "INTERACTION",
            "OUTCOME", "BASIS", "MAPS");
    for (size_t i = 0; i < show->record_count; i++) {
        const struct record *one = &show->records[i].record;
        id_text(one->id, id);
        clock_utc_put(b, (int64_t)one->time);
        buf_fmt(b, "  %s  %-12s %-10s %-18.*s %.*s\n", id,
                record_interaction_name(one->interaction), record_outcome_name(one->outcome),
                (int)one->basis.n, one->basis.p, (int)one->map.n, one->map.p);
    }
}

/* Segments, or JSON, which is one line. */
static void put_lines(struct buf *b, struct str text, const char *before)
{
    while (text.n) {
        struct str line = str_cut(&text, '\r');
        buf_z(b, before);
        buf_str_put(b, line);
        buf_c(b, '\n');
    }
}

static void put_message(struct show *show)
{
    struct buf *b = &show->out;
    if (show->opened.closed) {
        buf_fmt(b, "\nmessage: closed, %s\n", show->opened.closed);
        return;
    }
    buf_z(b, "\nmessage:\n");
    put_lines(b, show->opened.text, "  ");
}

static void put_became(struct show *show)
{
    struct buf *b = &show->out;
    const struct hl7_stored *it = &show->opened;
    if (it->before.maps.n) {
        buf_fmt(b, "\nbefore: maps %.*s, %s %.*s\n", (int)it->before.maps.n, it->before.maps.p,
                it->form, (int)it->before.digest.n, it->before.digest.p);
    }
    if (it->closed || it->absent) {
        if (!it->closed) {
            buf_fmt(b, "\nbecomes no %s: %s\n", it->form, it->absent);
        }
        return;
    }
    buf_fmt(b, "\ntoday: maps %.*s, %s %.*s\n", (int)it->today.maps.n, it->today.maps.p,
            it->form, (int)it->today.digest.n, it->today.digest.p);
    put_lines(b, it->made, "");
}

static void put_text(struct show *show)
{
    char id[ID_TEXT_SIZE];
    id_text(show->exchange, id);
    buf_fmt(&show->out, "exchange  %s\n", id);
    if (show->row_count) {
        buf_z(&show->out, "taken     ");
        clock_utc_put(&show->out, show->rows[0].created);
        buf_fmt(&show->out, "\nway       %.*s\n", (int)show->rows[0].route.n,
                show->rows[0].route.p);
        put_rows(show);
    }
    put_records(show);
    put_message(show);
    put_became(show);
}

/* --- for programs ------------------------------------------------------------------------- */

static void json_rows(struct show *show, struct json_writer *w)
{
    json_array(w, "rows");
    for (size_t i = 0; i < show->row_count; i++) {
        const struct store_outbox *row = &show->rows[i];
        json_object(w, NULL);
        json_i64(w, "number", row->number);
        json_string(w, "destination", row->destination);
        json_z(w, "state", store_outbox_word(row->state));
        json_string(w, "reason", row->reason);
        json_i64(w, "attempts", row->attempts);
        json_i64(w, "created", row->created);
        json_i64(w, "due", row->next_at);
        json_string(w, "way", row->route);
        json_end(w);
    }
    json_end(w);
}

static void json_became(struct json_writer *w, const char *name,
                        const struct hl7_became *became, const struct hl7_stored *made)
{
    if (became->maps.n == 0) {
        return;
    }
    json_object(w, name);
    json_string(w, "maps", became->maps);
    json_string(w, "digest", became->digest);
    if (made && strcmp(made->form, "FHIR") == 0) {
        json_raw(w, "bundle", made->made);
    } else if (made) {
        json_string(w, "message", made->made);
    }
    json_end(w);
}

static void put_json(struct show *show)
{
    char id[ID_TEXT_SIZE];
    const struct hl7_stored *it = &show->opened;
    struct json_writer w = json_writer(&show->out);
    id_text(show->exchange, id);
    json_object(&w, NULL);
    json_z(&w, "exchange", id);
    json_rows(show, &w);
    json_array(&w, "records");
    for (size_t i = 0; i < show->record_count; i++) {
        json_raw(&w, NULL, show->records[i].row.bytes);
    }
    json_end(&w);
    if (it->closed) {
        json_z(&w, "closed", it->closed);
    } else {
        json_string(&w, "message", it->text);
    }
    json_became(&w, "before", &it->before, NULL);
    if (!it->closed && it->absent) {
        json_z(&w, "absent", it->absent);
    } else if (!it->closed) {
        json_became(&w, "today", &it->today, it);
    }
    json_end(&w);
    buf_c(&show->out, '\n');
}

/* --- the command -------------------------------------------------------------------------- */

/* A row's number, or an exchange's id. */
static bool read_what(const char *text, struct show *show)
{
    char *end = NULL;
    long long number = strtoll(text, &end, 10);
    if (number > 0 && !*end) {
        show->number = number;
        return true;
    }
    return audit_id_read(text, show->exchange) == 0;
}

int cli_hl7_show(int argc, char **argv)
{
    const char *file = NULL;
    struct cli_session session = { 0 };
    struct show show = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--json", .flag = &show.json },
        { .name = "--closed", .flag = &show.closed },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n != 1 ||
        !read_what(words.p[0], &show)) {
        return cli_usage("hl7 show NUMBER|EXCHANGE --config FILE [--closed] [--json]");
    }
    int code = cli_begin("hl7 show", file, &session);
    code = code == EX_OK && !show.closed ? cli_unlock(&session) : code;
    code = code == EX_OK ? find(&show) : code;
    code = code == EX_OK ? open_it(&show) : code;
    if (code == EX_OK) {
        if (show.json) {
            put_json(&show);
        } else {
            put_text(&show);
        }
        code = cli_print(&session, &show.out);
    }
    heap_buf_free(&show.out);
    cli_end(&session);
    return code;
}
