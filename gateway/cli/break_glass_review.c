/*
 * chartseal break-glass show and review: who broke the glass, why, what was seen; and what the
 * review found.
 *
 * Both are recorded first. Nobody reviews what he did himself.
 */
#include "gateway/cli/audit.h"
#include "gateway/cli/break_glass.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/event.h"

#include "fhir/base/issue.h"
#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    SEEN_MAX = 1000, /* accesses shown */
    NOTE_MAX = 1000, /* bytes */
    REQUEST_MAX = 2048,
    OUTPUT_MAX = 4 << 20,
    TYPES_MAX = 16 << 10,
};

/* @record: of its opening. @who: canonical JSON of who broke it */
struct look {
    struct cli_session *session;
    struct store_glass glass;
    struct audit_record record;
    struct opening opening;
    struct str who;
    bool opened;
    bool json;
    size_t seen;
    struct json_writer w;
    struct buf out; /* owned */
};

/* --- what is known of it ------------------------------------------------------------------ */

static int take_record(void *owner, const struct db_rows *rows)
{
    struct look *look = owner;
    for (int i = 0; i < db_count(rows); i++) {
        int r = audit_take(look->session, rows, i, &look->record);
        if (r < 0 || look->record.record.interaction == RECORD_BREAK_GLASS) {
            return r;
        }
    }
    return -ENOENT;
}

/* The record of its opening, opened if its keys are there, and who it was. */
static int read_all(struct look *look)
{
    struct cli_session *s = look->session;
    struct cli_answer answer = { .read = take_record, .owner = look };
    int r =
        cli_wait(s, store_audit_exchange(s->db, look->glass.id, cli_on_rows, &answer), &answer);
    r = r < 0 ? r : audit_open(s, &look->record);
    if (r == 0 && look->record.opening.n) {
        r = audit_values(s, &look->record, &look->opening);
        look->opened = r == 0;
    }
    r = r < 0 ? r : audit_recipient(s, look->glass.recipient, &look->who);
    return r < 0 ? cli_failed(s, "record", r) : EX_OK;
}

static int record_event(struct look *look, enum record_interaction what, struct str request)
{
    static const uint8_t nobody[16];
    bool named = memcmp(look->glass.patient, nobody, sizeof(nobody)) != 0;
    const struct cli_event event = {
        .what = what,
        .log = RECORD_LOG_ACCESS,
        .exchange = look->glass.id,
        .patient = named ? look->glass.patient : NULL,
        .request = request,
    };
    return cli_record(look->session, &event);
}

static int begin(struct look *look, const char *file, const char *command, const char *id)
{
    int code = cli_begin(command, file, look->session);
    code = code == EX_OK ? cli_unlock(look->session) : code;
    code = code == EX_OK ? break_glass_find(look->session, id, &look->glass) : code;
    return code == EX_OK ? read_all(look) : code;
}

/* --- show --------------------------------------------------------------------------------- */

/* What the same one got of the same patient in that time. */
static int put_seen(void *owner, const struct db_rows *rows)
{
    struct look *look = owner;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_access row;
        char id[ID_TEXT_SIZE];
        char memory[CLOCK_UTC_SIZE];
        struct buf types = arena_buf(look->session->arena, TYPES_MAX);
        struct buf time = buf_fixed(memory, sizeof(memory));
        store_access_row(rows, i, &row);
        bool asking = memcmp(row.exchange, look->glass.id, sizeof(row.exchange)) == 0;
        if (row.recipient != look->glass.recipient || asking) {
            continue;
        }
        look->seen++;
        audit_types_put(row.types, &types);
        clock_utc_put(&time, row.time);
        id_text(row.record, id);
        if (look->json) {
            json_object(&look->w, NULL);
            json_string(&look->w, "time", buf_str(&time));
            json_z(&look->w, "record", id);
            json_bool(&look->w, "released", row.released);
            json_string(&look->w, "types", buf_str(&types));
            json_end(&look->w);
        } else {
            buf_fmt(&look->out, "%-13s%.*s  %s  %s  %.*s\n",
                    row.released ? "seen" : "asked for", (int)time.n, time.p, id,
                    row.released ? "released" : "refused ", (int)types.n, types.p);
        }
    }
    return 0;
}

static int list_seen(struct look *look)
{
    struct cli_session *s = look->session;
    const struct store_filter filter = {
        .patient = look->glass.patient,
        .from = look->glass.opened,
        .to = look->glass.until,
        .limit = SEEN_MAX,
    };
    struct cli_answer answer = { .read = put_seen, .owner = look };
    return cli_wait(s, store_audit_access(s->db, &filter, cli_on_rows, &answer), &answer);
}

static struct str request_of(const struct look *look)
{
    return look->opened && look->opening.has[COMMITMENT_REQUEST]
               ? look->opening.value[COMMITMENT_REQUEST]
               : STR("");
}

static int put_json(struct look *look)
{
    char id[ID_TEXT_SIZE];
    id_text(look->record.row.id, id);
    look->w = json_writer(&look->out);
    json_object(&look->w, NULL);
    struct buf row = arena_buf(look->session->arena, REQUEST_MAX);
    break_glass_json(&row, &look->glass, clock_utc_ms());
    json_raw(&look->w, "breakGlass", buf_str(&row));
    json_z(&look->w, "record", id);
    json_raw(&look->w, "who", look->who);
    json_string(&look->w, "request", request_of(look));
    json_array(&look->w, "accesses");
    int r = list_seen(look);
    json_end(&look->w);
    json_end(&look->w);
    buf_c(&look->out, '\n');
    return r;
}

static void put_when(struct buf *b, const char *name, int64_t ms)
{
    buf_fmt(b, "%-13s", name);
    if (ms) {
        clock_utc_put(b, ms);
    } else {
        buf_z(b, "not yet");
    }
    buf_c(b, '\n');
}

static int put_text(struct look *look)
{
    char id[ID_TEXT_SIZE];
    struct buf *b = &look->out;
    const struct store_glass *glass = &look->glass;
    struct str review = break_glass_review_word(glass, clock_utc_ms());
    struct str request = request_of(look);
    id_text(look->record.row.id, id);
    buf_fmt(b, "record       %s\nwho          %.*s\nreason       %.*s\n", id, (int)look->who.n,
            look->who.p, (int)glass->reason.n, glass->reason.p);
    buf_fmt(b, "request      %.*s\n", (int)request.n, request.n ? request.p : "");
    put_when(b, "opened", glass->opened);
    put_when(b, "until", glass->until);
    put_when(b, "officer told", glass->officer_told);
    put_when(b, "patient told", glass->patient_told);
    put_when(b, "review by", glass->review_by);
    buf_fmt(b, "review       %.*s\n", (int)review.n, review.p);
    return list_seen(look);
}

static int show(struct look *look)
{
    int code = record_event(look, RECORD_AUDIT_READ, STR("break-glass show"));
    if (code != EX_OK) {
        return code;
    }
    int r = look->json ? put_json(look) : put_text(look);
    if (look->seen == SEEN_MAX) {
        (void)fprintf(stderr, "only the last %d accesses are shown\n", SEEN_MAX);
    }
    return r < 0 ? cli_failed(look->session, "accesses", r)
                 : cli_print(look->session, &look->out);
}

int cli_break_glass_show(int argc, char **argv)
{
    const char *file = NULL;
    struct cli_session session = { 0 };
    struct look look = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--json", .flag = &look.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n != 1) {
        return cli_usage("break-glass show ID --config FILE [--json]");
    }
    int code = begin(&look, file, "break-glass show", words.p[0]);
    code = code == EX_OK ? show(&look) : code;
    heap_buf_free(&look.out);
    cli_end(&session);
    return code;
}

/* --- review ------------------------------------------------------------------------------- */

static bool is_outcome(const char *word)
{
    static const char *const words[] = { "justified", "unjustified", "follow-up" };
    for (size_t i = 0; word && i < ARRAY_LEN(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether who reviews goes by the name of who broke it. */
static bool own(struct look *look)
{
    struct issues issues;
    const struct node *root;
    struct str me = cli_operator_name(look->session);
    issues_init(&issues, look->session->arena);
    return me.n == 0 || json_parse(look->session->arena, look->who, &issues, &root) != 0 ||
           str_eq(node_text(root, "subject"), me);
}

static int note_changed(void *owner, const struct db_rows *rows)
{
    *(bool *)owner = db_changed(rows) > 0;
    return 0;
}

static int mark(struct look *look, const char *outcome)
{
    struct cli_session *s = look->session;
    bool changed = false;
    struct cli_answer answer = { .read = note_changed, .owner = &changed };
    int r = cli_wait(s,
                     store_glass_review(s->db, look->glass.id, clock_utc_ms(), str_z(outcome),
                                        cli_on_rows, &answer),
                     &answer);
    if (r < 0) {
        return cli_failed(s, "review", r);
    }
    return changed ? EX_OK : cli_complain(s, EX_DATAERR, "it was reviewed meanwhile");
}

static int review(struct look *look, const char *outcome, const char *note)
{
    struct buf request = arena_buf(look->session->arena, REQUEST_MAX);
    struct json_writer w = json_writer(&request);
    if (look->glass.reviewed) {
        return cli_complain(look->session, EX_DATAERR, "it was reviewed before");
    }
    if (own(look)) {
        return cli_complain(look->session, EX_NOPERM,
                            "who broke the glass doesn't review it: somebody else has to");
    }
    json_object(&w, NULL);
    json_z(&w, "note", note);
    json_z(&w, "outcome", outcome);
    json_end(&w);
    int code = record_event(look, RECORD_BREAK_GLASS_REVIEW, buf_str(&request));
    return code == EX_OK ? mark(look, outcome) : code;
}

int cli_break_glass_review(int argc, char **argv)
{
    const char *file = NULL;
    const char *outcome = NULL;
    const char *note = NULL;
    struct cli_session session = { 0 };
    struct look look = { .session = &session };
    struct cli_words words = { .n = 0 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--outcome", .value = &outcome },
        { .name = "--note", .value = &note },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n != 1 ||
        !is_outcome(outcome) || (note && strlen(note) > NOTE_MAX)) {
        return cli_usage("break-glass review ID --config FILE"
                         " --outcome justified|unjustified|follow-up [--note TEXT]");
    }
    int code = begin(&look, file, "break-glass review", words.p[0]);
    code = code == EX_OK ? review(&look, outcome, note ? note : "") : code;
    cli_end(&session);
    return code;
}
