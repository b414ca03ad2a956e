/*
 * chartseal audit list: what was recorded, newest first.
 *
 * Records name nobody. With --patient those about one patient are listed with who asked and
 * for what, out of their openings; that reading is recorded before it is shown.
 */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/event.h"
#include "gateway/cli/patient.h"

#include "anchor/opening.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
    LIMIT_USUAL = 50,
    OUTPUT_MAX = 256 << 20,
    REQUEST_MAX = 256,
};

struct list {
    struct cli_session *session;
    struct store_filter filter;
    bool by_patient;
    uint8_t patient[16];
    bool json;
    struct audit_record *records;
    size_t count;
    struct buf out; /* owned */
};

/* --- options ------------------------------------------------------------------------------ */

/* --- whom --------------------------------------------------------------------------------- */

static int find_patient(struct list *list, const char *text)
{
    int code = cli_patient(list->session, text, list->patient);
    list->by_patient = true;
    list->filter.patient = list->patient;
    return code;
}

/* --- reading ------------------------------------------------------------------------------ */

static int take_records(void *owner, const struct db_rows *rows)
{
    struct list *list = owner;
    size_t n = (size_t)db_count(rows);
    int r = 0;
    list->records = arena_calloc(list->session->arena, n + 1, sizeof(*list->records));
    if (!list->records) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = audit_take(list->session, rows, (int)i, &list->records[i]);
    }
    list->count = n;
    return r;
}

static int read_records(struct list *list)
{
    struct cli_session *s = list->session;
    struct cli_answer answer = { .read = take_records, .owner = list };
    int r = cli_wait(s, store_audit_list(s->db, &list->filter, cli_on_rows, &answer), &answer);
    for (size_t i = 0; r == 0 && list->by_patient && i < list->count; i++) {
        r = audit_open(s, &list->records[i]);
    }
    return r == 0 ? EX_OK : cli_failed(s, "records", r);
}

/* Say in the log that this patient's openings were read. */
static int record_reading(struct list *list)
{
    if (!list->by_patient) {
        return EX_OK;
    }
    struct buf request = arena_buf(list->session->arena, REQUEST_MAX);
    buf_fmt(&request, "audit list: %zu records", list->count);
    const struct cli_event event = {
        .what = RECORD_AUDIT_READ,
        .log = RECORD_LOG_ACCESS,
        .patient = list->patient,
        .request = buf_str(&request),
    };
    return cli_record(list->session, &event);
}

/* --- showing ------------------------------------------------------------------------------ */

/* A value of the opening, empty if it isn't there. @memory: for its text */
static struct str opened(const struct audit_record *record, enum commitment_kind kind,
                         struct buf *memory)
{
    struct opening opening;
    if (record->opening.n == 0 || opening_read(record->opening, memory, &opening, NULL) < 0 ||
        !opening.has[kind]) {
        return STR("");
    }
    return opening.value[kind];
}

static void put_json(struct list *list, const struct audit_record *record)
{
    struct json_writer w = json_writer(&list->out);
    json_object(&w, NULL);
    json_i64(&w, "index", record->row.index);
    json_raw(&w, "record", record->row.bytes);
    if (record->opening.n) {
        json_raw(&w, "opening", record->opening);
    } else if (list->by_patient) {
        json_z(&w, "closed", record->why);
    }
    json_end(&w);
    buf_c(&list->out, '\n');
}

static int put_line(struct list *list, const struct audit_record *record)
{
    char id[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE] = "-";
    const struct record *r = &record->record;
    id_text(r->id, id);
    if (r->has_exchange) {
        id_text(r->exchange, exchange);
    }
    clock_utc_put(&list->out, (int64_t)r->time);
    buf_fmt(&list->out, "  %s  %-14s %-11s %-22.*s ", id,
            record_interaction_name(r->interaction), record_outcome_name(r->outcome),
            (int)r->basis.n, r->basis.p);
    if (record->row.index < 0) {
        buf_fmt(&list->out, "%8s", "-");
    } else {
        buf_fmt(&list->out, "%8lld", (long long)record->row.index);
    }
    buf_fmt(&list->out, "  %s\n", exchange);
    if (!list->by_patient) {
        return 0;
    }
    char *p = arena_alloc(list->session->arena, record->opening.n + 1);
    if (!p) {
        return -ENOMEM;
    }
    struct buf memory = buf_fixed(p, record->opening.n + 1);
    if (record->opening.n == 0) {
        buf_fmt(&list->out, "    not opened: %s\n", record->why);
        return 0;
    }
    buf_z(&list->out, "    actor   ");
    buf_str_put(&list->out, opened(record, COMMITMENT_ACTOR, &memory));
    memory.n = 0;
    buf_z(&list->out, "\n    request ");
    buf_str_put(&list->out, opened(record, COMMITMENT_REQUEST, &memory));
    buf_c(&list->out, '\n');
    return 0;
}

static int show(struct list *list)
{
    int r = 0;
    if (!list->json) {
        buf_fmt(&list->out, "%-24s  %-36s  %-14s %-11s %-22s %8s  %s\n", "TIME", "RECORD",
                "INTERACTION", "OUTCOME", "BASIS", "INDEX", "EXCHANGE");
    }
    for (size_t i = 0; r == 0 && i < list->count; i++) {
        if (list->json) {
            put_json(list, &list->records[i]);
        } else {
            r = put_line(list, &list->records[i]);
        }
    }
    return r < 0 ? cli_failed(list->session, "output", r)
                 : cli_print(list->session, &list->out);
}

int cli_audit_list(int argc, char **argv)
{
    const char *file = NULL;
    const char *patient = NULL;
    const char *from = NULL;
    const char *to = NULL;
    const char *limit = NULL;
    int64_t span[2] = { 0 };
    struct cli_session session = { 0 };
    struct list list = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file }, { .name = "--patient", .value = &patient },
        { .name = "--from", .value = &from },   { .name = "--to", .value = &to },
        { .name = "--limit", .value = &limit }, { .name = "--json", .flag = &list.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 ||
        cli_limit("audit list", limit, LIMIT_USUAL, &list.filter.limit) < 0 ||
        audit_span_read("audit list", from, to, span) < 0) {
        return cli_usage("audit list --config FILE [--patient SYSTEM|VALUE] [--from TIME]"
                         " [--to TIME] [--limit N] [--json]");
    }
    list.filter.from = span[0];
    list.filter.to = span[1];
    int code = cli_begin("audit list", file, &session);
    if (code == EX_OK && patient) {
        code = cli_unlock(&session);
        code = code == EX_OK ? find_patient(&list, patient) : code;
    }
    code = code == EX_OK ? read_records(&list) : code;
    code = code == EX_OK ? record_reading(&list) : code;
    code = code == EX_OK ? show(&list) : code;
    heap_buf_free(&list.out);
    cli_end(&session);
    return code;
}
