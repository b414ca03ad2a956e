/*
 * chartseal consent simulate: recorded exchanges, decided by the policy in force and by
 * another.
 *
 * Both are asked now, so that nothing but the policy can make a difference. The data isn't
 * kept: what a decision says before the data is seen is what is compared. Openings are read,
 * and that is recorded; what is shown names nobody.
 */
#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/consents.h"
#include "gateway/cli/event.h"

#include "fhir/consent/compiled.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/explained.h"
#include "gateway/heap.h"
#include "gateway/id.h"
#include "gateway/replayed.h"
#include "gateway/tenant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    LIMIT_USUAL = 1000,
    CHANGES_MAX = 256, /* kinds of change told apart */
    OUTPUT_MAX = 1 << 20,
    REQUEST_MAX = 256,
};

/* What a policy says of a question. */
struct answer {
    enum consent_decision decision;
    enum consent_basis basis;
    bool obliged;
};

/* @count: records that would end so; @newest: of them */
struct change {
    struct str route;
    enum record_interaction interaction;
    struct answer now;
    struct answer then;
    uint64_t count;
    const uint8_t *newest;
};

/* @closed: their openings can't be read; @unasked: they ask no consent; @others: changed, of
 * kinds beyond CHANGES_MAX */
struct simulation {
    struct cli_session *session;
    struct store_filter filter;
    struct tenant *tenant;       /* in force; owned; NULL: consents decide alone */
    struct tenant *draft;        /* owned */
    struct consent_index *index; /* owned */
    struct audit_record *records;
    size_t count;
    uint64_t closed;
    uint64_t unasked;
    uint64_t asked;
    uint64_t changed;
    uint64_t others;
    struct change *changes; /* in the session's arena */
    size_t n_changes;
    bool json;
    struct buf out; /* owned */
};

/* --- what there is ------------------------------------------------------------------------ */

static int load_policies(struct simulation *sim, const char *draft)
{
    struct buf report = heap_buf(OUTPUT_MAX);
    int r = tenant_load(sim->session->config, &report, &sim->tenant);
    int code = r == 0 ? EX_OK : r == -EINVAL ? EX_CONFIG : EX_OSERR;
    if (r == 0) {
        r = tenant_draft(draft, &report, &sim->draft);
        code = r == 0 ? EX_OK : r == -EINVAL ? EX_DATAERR : EX_OSERR;
    }
    if (report.n) {
        (void)fwrite(report.p, 1, report.n, stderr);
    }
    heap_buf_free(&report);
    return code;
}

static int take_records(void *owner, const struct db_rows *rows)
{
    struct simulation *sim = owner;
    size_t n = (size_t)db_count(rows);
    int r = 0;
    sim->records = arena_calloc(sim->session->arena, n + 1, sizeof(*sim->records));
    if (!sim->records) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = audit_take(sim->session, rows, (int)i, &sim->records[i]);
    }
    sim->count = n;
    return r;
}

static int read_records(struct simulation *sim)
{
    struct cli_session *s = sim->session;
    struct cli_answer answer = { .read = take_records, .owner = sim };
    int r = cli_wait(s, store_audit_list(s->db, &sim->filter, cli_on_rows, &answer), &answer);
    for (size_t i = 0; r == 0 && i < sim->count; i++) {
        if (sim->records[i].record.committed[COMMITMENT_SUBJECT]) {
            r = audit_open(s, &sim->records[i]);
        }
    }
    return r < 0 ? cli_failed(s, "records", r) : EX_OK;
}

static int record_reading(struct simulation *sim)
{
    struct buf request = arena_buf(sim->session->arena, REQUEST_MAX);
    buf_fmt(&request, "consent simulate: %zu records", sim->count);
    const struct cli_event event = {
        .what = RECORD_AUDIT_READ,
        .log = RECORD_LOG_ACCESS,
        .request = buf_str(&request),
    };
    return cli_record(sim->session, &event);
}

/* --- asking again ------------------------------------------------------------------------- */

static struct answer ask(struct simulation *sim, const struct tenant *tenant,
                         const struct replayed *question)
{
    struct consent_evidence evidence;
    consent_index_govern(sim->index, tenant_policy(tenant));
    consent_decide(sim->index, question->patient, &question->request, NULL, &evidence);
    return (struct answer){
        .decision = evidence.verdict.decision,
        .basis = evidence.verdict.basis,
        .obliged = evidence.obligations != 0,
    };
}

static bool is_same(const struct answer *a, const struct answer *b)
{
    return a->decision == b->decision && a->basis == b->basis && a->obliged == b->obliged;
}

static void count_change(struct simulation *sim, const struct change *one)
{
    sim->changed++;
    for (size_t i = 0; i < sim->n_changes; i++) {
        struct change *at = &sim->changes[i];
        if (str_eq(at->route, one->route) && at->interaction == one->interaction &&
            is_same(&at->now, &one->now) && is_same(&at->then, &one->then)) {
            at->count++;
            return;
        }
    }
    if (sim->n_changes == CHANGES_MAX) {
        sim->others++;
        return;
    }
    sim->changes[sim->n_changes++] = *one; /* records come newest first */
}

static int replay(struct simulation *sim, const struct audit_record *record)
{
    struct cli_session *s = sim->session;
    struct opening opening;
    struct replayed question;
    if (record->opening.n == 0) {
        sim->closed += record->record.committed[COMMITMENT_SUBJECT];
        sim->unasked += !record->record.committed[COMMITMENT_SUBJECT];
        return 0;
    }
    int r = audit_values(s, record, &opening);
    if (r == -EBADMSG) {
        sim->closed++;
        return 0;
    }
    if (r == 0) {
        r = replayed_read(s->arena, s->config, &record->record, &opening, &question);
    }
    if (r != 0) {
        sim->unasked += r == REPLAYED_E_FORM;
        return r == REPLAYED_E_FORM ? 0 : r;
    }
    sim->asked++;
    question.request.now = clock_utc_ms();
    const struct change change = {
        .route = record->record.route,
        .interaction = record->record.interaction,
        .now = ask(sim, sim->tenant, &question),
        .then = ask(sim, sim->draft, &question),
        .count = 1,
        .newest = record->record.id,
    };
    if (!is_same(&change.now, &change.then)) {
        count_change(sim, &change);
    }
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static int replay_all(struct simulation *sim)
{
    int r = 0;
    sim->changes = arena_calloc(sim->session->arena, CHANGES_MAX, sizeof(*sim->changes));
    if (!sim->changes) {
        return cli_failed(sim->session, "records", -ENOMEM);
    }
    for (size_t i = 0; r == 0 && i < sim->count; i++) {
        r = replay(sim, &sim->records[i]);
    }
    qsort(sim->changes, sim->n_changes, sizeof(*sim->changes), by_count);
    return r < 0 ? cli_failed(sim->session, "records", r) : EX_OK;
}

/* --- showing ------------------------------------------------------------------------------ */

static void put_answer_json(struct json_writer *w, const char *name, const struct answer *it)
{
    json_object(w, name);
    json_z(w, "decision", explained_decision(it->decision));
    json_z(w, "basis", consent_basis_name(it->basis));
    json_bool(w, "obligations", it->obliged);
    json_end(w);
}

static void show_json(struct simulation *sim)
{
    struct json_writer w = json_writer(&sim->out);
    json_object(&w, NULL);
    json_u64(&w, "records", sim->count);
    json_u64(&w, "closed", sim->closed);
    json_u64(&w, "unasked", sim->unasked);
    json_u64(&w, "asked", sim->asked);
    json_u64(&w, "changed", sim->changed);
    json_u64(&w, "others", sim->others);
    json_array(&w, "changes");
    for (size_t i = 0; i < sim->n_changes; i++) {
        const struct change *change = &sim->changes[i];
        char id[ID_TEXT_SIZE];
        id_text(change->newest, id);
        json_object(&w, NULL);
        json_string(&w, "route", change->route);
        json_z(&w, "interaction", record_interaction_name(change->interaction));
        put_answer_json(&w, "now", &change->now);
        put_answer_json(&w, "then", &change->then);
        json_u64(&w, "records", change->count);
        json_z(&w, "newest", id);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    buf_c(&sim->out, '\n');
}

static void put_answer(struct buf *out, const struct answer *it)
{
    char memory[64];
    struct buf text = buf_fixed(memory, sizeof(memory));
    buf_fmt(&text, "%s: %s%s", explained_decision(it->decision), consent_basis_name(it->basis),
            it->obliged ? ", obliged" : "");
    buf_fmt(out, "%-44.*s  ", (int)text.n, memory);
}

static void show_text(struct simulation *sim)
{
    unsigned long long asked = sim->asked;
    unsigned long long changed = sim->changed;
    unsigned long long thousandths = asked ? (changed * 1000 + asked / 2) / asked : 0;
    buf_fmt(&sim->out, "records       %zu\nnot opened    %llu\nask nothing   %llu\n",
            sim->count, (unsigned long long)sim->closed, (unsigned long long)sim->unasked);
    buf_fmt(&sim->out, "asked again   %llu\nwould change  %llu (%llu.%llu %%)\n", asked,
            changed, thousandths / 10, thousandths % 10);
    if (sim->n_changes) {
        buf_fmt(&sim->out, "\n%7s  %-16s  %-14s  %-44s  %-44s  %s\n", "RECORDS", "ROUTE",
                "INTERACTION", "NOW", "THEN", "NEWEST");
    }
    for (size_t i = 0; i < sim->n_changes; i++) {
        const struct change *change = &sim->changes[i];
        char id[ID_TEXT_SIZE];
        id_text(change->newest, id);
        buf_fmt(&sim->out, "%7llu  %-16.*s  %-14s  ", (unsigned long long)change->count,
                (int)change->route.n, change->route.p,
                record_interaction_name(change->interaction));
        put_answer(&sim->out, &change->now);
        put_answer(&sim->out, &change->then);
        buf_fmt(&sim->out, "%s\n", id);
    }
    if (sim->others) {
        buf_fmt(&sim->out, "%7llu  of other kinds\n", (unsigned long long)sim->others);
    }
}

static int show(struct simulation *sim)
{
    if (sim->json) {
        show_json(sim);
    } else {
        show_text(sim);
    }
    return cli_print(sim->session, &sim->out);
}

static int simulate(struct simulation *sim, const char *draft)
{
    int code = load_policies(sim, draft);
    code = code == EX_OK ? cli_unlock(sim->session) : code;
    code = code == EX_OK ? cli_consents(sim->session, NULL, &sim->index) : code;
    code = code == EX_OK ? read_records(sim) : code;
    code = code == EX_OK ? record_reading(sim) : code;
    code = code == EX_OK ? replay_all(sim) : code;
    return code == EX_OK ? show(sim) : code;
}

int cli_consent_simulate(int argc, char **argv)
{
    const char *file = NULL;
    const char *draft = NULL;
    const char *from = NULL;
    const char *to = NULL;
    const char *limit = NULL;
    int64_t span[2] = { 0 };
    struct cli_words words = { .n = 0 };
    struct cli_session session = { 0 };
    struct simulation sim = { .session = &session, .out = heap_buf(OUTPUT_MAX) };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file }, { .name = "--policy", .value = &draft },
        { .name = "--from", .value = &from },   { .name = "--to", .value = &to },
        { .name = "--limit", .value = &limit }, { .name = "--json", .flag = &sim.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 || !draft ||
        cli_limit("consent simulate", limit, LIMIT_USUAL, &sim.filter.limit) < 0 ||
        audit_span_read("consent simulate", from, to, span) < 0) {
        return cli_usage("consent simulate --config FILE --policy FILE [--from TIME]"
                         " [--to TIME] [--limit N] [--json]");
    }
    sim.filter.from = span[0];
    sim.filter.to = span[1];
    int code = cli_begin("consent simulate", file, &session);
    code = code == EX_OK ? simulate(&sim, draft) : code;
    heap_buf_free(&sim.out);
    consent_index_free(sim.index);
    tenant_free(sim.tenant);
    tenant_free(sim.draft);
    cli_end(&session);
    return code;
}
