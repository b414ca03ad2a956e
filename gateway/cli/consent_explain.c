/*
 * chartseal consent explain: what the patient's consents say of a request, and why.
 *
 * Decides as a worker does, by the same engine on the same rows, and tells besides what each
 * consent came to. That these were read is recorded before anything is shown.
 */
#include "gateway/cli/cli.h"
#include "gateway/cli/consents.h"
#include "gateway/cli/event.h"
#include "gateway/cli/fhir_input.h"
#include "gateway/cli/patient.h"

#include "fhir/consent/compiled.h"
#include "fhir/consent/purpose.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/explained.h"
#include "gateway/heap.h"
#include "gateway/labelling.h"
#include "gateway/pipeline/facts.h"
#include "gateway/store/consents.h"
#include "gateway/tenant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
    OUTPUT_MAX = 4 << 20,
    REQUEST_MAX = 256,
    LABELS_TEXT_MAX = 1024,
    DAY_TEXT_SIZE = sizeof("11761191-01-01"), /* of the last day that 32 bits count */
};

/* @others: purposes of other systems. @ledger: milliseconds since its endpoints agreed; -1:
 * they never did */
struct explain {
    struct cli_session *session;
    struct consent_index *index; /* owned */
    struct fhir_input input;     /* owned */
    struct labelling *labelling; /* owned; NULL: nothing is labelled */
    struct tenant *tenant;       /* owned; NULL: consents decide alone */
    struct str actors[CLI_WORDS_MAX];
    struct str others[CLI_WORDS_MAX];
    struct consent_request asks;
    struct consent_facts facts;
    bool has_facts;
    int64_t ledger;
    uint8_t patient[16];
    bool json;
    struct buf out; /* owned */
    struct json_writer w;
};

/* --- the request -------------------------------------------------------------------------- */

/* "TREAT", "system|code". */
static int add_purpose(struct explain *e, const char *text)
{
    struct str code = str_z(text);
    struct str system = memchr(text, '|', code.n) ? str_cut(&code, '|') : STR("");
    uint64_t bit = purpose_bit(code);
    if (system.n && !purpose_known_system(system)) {
        e->others[e->asks.n_other_purposes++] = str_z(text);
        return EX_OK;
    }
    if (!bit) {
        (void)fprintf(stderr, "chartseal consent explain: \"%s\" is no purpose of use\n", text);
        return EX_USAGE;
    }
    e->asks.purposes |= bit;
    return EX_OK;
}

static int read_request(struct explain *e, const struct cli_words *actors,
                        const struct cli_words *purposes, const char *action, const char *at)
{
    struct instant_span when = { .from = clock_utc_ms() };
    int code = EX_OK;
    for (size_t i = 0; i < actors->n; i++) {
        e->actors[i] = str_z(actors->p[i]);
    }
    for (size_t i = 0; code == EX_OK && i < purposes->n; i++) {
        code = add_purpose(e, purposes->p[i]);
    }
    e->asks.actors = e->actors;
    e->asks.n_actors = actors->n;
    e->asks.other_purposes = e->others;
    e->asks.action = action_of(str_z(action ? action : "access"));
    if (code == EX_OK && e->asks.action == ACTION_NONE) {
        code = cli_complain(e->session, EX_USAGE,
                            "an action is access, collect, correct, disclose or use");
    }
    if (code == EX_OK && at && !instant_span(str_z(at), &when)) {
        code = cli_complain(e->session, EX_USAGE,
                            "a time is 2026, 2026-11-22 or 2026-11-22T18:00:00Z");
    }
    e->asks.now = when.from;
    return code;
}

/* What workers have besides the configuration itself. */
static int load_rules(struct explain *e)
{
    struct buf report = heap_buf(OUTPUT_MAX);
    int r = labelling_load(e->session->config, &report, &e->labelling);
    r = r ? r : tenant_load(e->session->config, &report, &e->tenant);
    if (report.n) {
        (void)fwrite(report.p, 1, report.n, stderr);
    }
    heap_buf_free(&report);
    return r == 0 ? EX_OK : r == -EINVAL ? EX_CONFIG : EX_OSERR;
}

/* The resource of @path, as a worker sees it when it passes. It lives as long as e->input. */
static int read_resource(struct explain *e, const char *path)
{
    struct resource_facts facts;
    const struct consent_context context = { 0 };
    const struct node *root = NULL;
    int code = fhir_input_open(&e->input, e->session->command, path, fhir_input_schema(NULL));
    code = code == EX_OK ? fhir_input_next(&e->input, &root) : code;
    if (code != EX_OK || !root) {
        return code ? code : cli_complain(e->session, EX_DATAERR, "there is no resource in it");
    }
    const struct labeller *labeller = labelling_labeller(e->labelling);
    int r = resource_facts_read(e->session->arena, root, &facts);
    r = r ? r : facts_for_consent(e->session->arena, &facts, &context, labeller, &e->facts);
    e->has_facts = true;
    return r ? cli_failed(e->session, "resource", r) : EX_OK;
}

/* --- what there is ------------------------------------------------------------------------ */

static int take_epoch(void *owner, const struct db_rows *rows)
{
    struct explain *e = owner;
    struct store_epoch epoch;
    store_epoch_row(rows, &epoch);
    e->ledger = epoch.agreed ? epoch.now - epoch.agreed : -1;
    return 0;
}

static int load(struct explain *e)
{
    struct cli_session *s = e->session;
    int code = cli_consents(s, e->patient, &e->index);
    if (code != EX_OK) {
        return code;
    }
    consent_index_govern(e->index, tenant_policy(e->tenant));
    struct cli_answer asked = { .read = take_epoch, .owner = e };
    int r = 0;
    if (s->config->ledger) {
        uint64_t chain = (uint64_t)s->config->ledger->chain_id;
        r = cli_wait(s, store_epoch(s->db, chain, cli_on_rows, &asked), &asked);
    }
    return r < 0 ? cli_failed(s, "consents", r) : EX_OK;
}

static int record_reading(struct explain *e)
{
    struct buf request = arena_buf(e->session->arena, REQUEST_MAX);
    buf_fmt(&request, "consent explain: %zu consents", consent_index_size(e->index).consents);
    const struct cli_event event = {
        .what = RECORD_AUDIT_READ,
        .log = RECORD_LOG_ACCESS,
        .patient = e->patient,
        .request = buf_str(&request),
    };
    return cli_record(e->session, &event);
}

/* --- showing ------------------------------------------------------------------------------ */

static void put_day(struct buf *b, uint32_t day)
{
    char text[DAY_TEXT_SIZE];
    time_t seconds = (time_t)day * 86400;
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%d", &tm);
    buf_z(b, text);
}

static void put_window(struct buf *b, const struct consent_seen *seen)
{
    if (seen->block) {
        buf_z(b, ", from ");
        put_day(b, seen->valid_from);
    }
    if (seen->valid_until != CONSENT_DAY_OPEN) {
        buf_z(b, " to before ");
        put_day(b, seen->valid_until);
    }
    if (seen->block) {
        buf_fmt(b, ", block %llu", (unsigned long long)seen->block);
    }
}

static void put_text(void *arg, const struct consent_seen *seen)
{
    struct buf *b = &((struct explain *)arg)->out;
    buf_z(b, "consent      0x");
    buf_hex(b, seen->id, CONSENT_ID_SIZE);
    buf_fmt(b, " version %u: %s", seen->version, consent_standing_name(seen->standing));
    put_window(b, seen);
    buf_z(b, "\n             ");
    explained_finding_put(b, &seen->found);
    buf_z(b, "\n             ");
    if (seen->policy) {
        policy_write(b, seen->policy);
    } else {
        buf_z(b, "its policy can't be read");
    }
    buf_c(b, '\n');
}

static void put_hex(struct json_writer *w, const char *name, const uint8_t id[CONSENT_ID_SIZE])
{
    char text[2 + 2 * CONSENT_ID_SIZE];
    struct buf hex = buf_fixed(text, sizeof(text));
    buf_z(&hex, "0x");
    buf_hex(&hex, id, CONSENT_ID_SIZE);
    json_string(w, name, buf_str(&hex));
}

static void put_json(void *arg, const struct consent_seen *seen)
{
    struct explain *e = arg;
    struct json_writer *w = &e->w;
    struct buf text = heap_buf(OUTPUT_MAX);
    json_object(w, NULL);
    put_hex(w, "id", seen->id);
    json_u64(w, "version", seen->version);
    json_z(w, "standing", consent_standing_name(seen->standing));
    explained_finding_put(&text, &seen->found);
    json_string(w, "finding", buf_str(&text));
    if (seen->policy) {
        text.n = 0;
        policy_write(&text, seen->policy);
        json_raw(w, "policy", buf_str(&text));
    }
    json_end(w);
    heap_buf_free(&text);
}

/* Whether workers refuse everything for now, whatever the consents say. */
static bool stale(const struct explain *e)
{
    const struct config_ledger *ledger = e->session->config->ledger;
    return ledger && (e->ledger < 0 || e->ledger > ledger->max_staleness);
}

/* What the resource is labelled with, by itself or by its codes. */
static void put_labels(struct buf *b, const struct consent_facts *facts)
{
    const char *between = "";
    if (facts->level != CONFIDENTIALITY_NONE) {
        buf_z(b, labels_confidentiality_name(facts->level));
        between = " ";
    }
    for (unsigned i = 0; i < LABELS_COUNT; i++) {
        if (facts->sensitivity & labels_bit(str_z(labels_name(i)))) {
            buf_fmt(b, "%s%s", between, labels_name(i));
            between = " ";
        }
    }
    if (!*between) {
        buf_z(b, facts->labelled ? "none" : "none, and nothing looked for any");
    }
}

static void tell_text(struct explain *e, const struct consent_evidence *got)
{
    struct buf *b = &e->out;
    if (e->has_facts) {
        buf_z(b, "labels       ");
        put_labels(b, &e->facts);
        buf_c(b, '\n');
    }
    buf_fmt(b, "decision     %s\nbasis        %s\n", explained_decision(got->verdict.decision),
            consent_basis_name(got->verdict.basis));
    if (got->has_consent) {
        buf_z(b, "by           0x");
        buf_hex(b, got->id, CONSENT_ID_SIZE);
        buf_fmt(b, " version %u ", got->version);
        explained_path_put(b, &got->verdict);
        buf_fmt(b, " %s\n", consent_reading_name(got->reading));
    }
    if (tenant_policy(e->tenant)) {
        buf_z(b, "policy       0x");
        buf_hex(b, got->tenant, sizeof(got->tenant));
        buf_c(b, '\n');
    }
    buf_fmt(b, "engine       %u\n", got->engine);
    for (unsigned i = 0; i < CONSENT_TENANT_OBLIGATIONS_MAX; i++) {
        if (got->obligations & (UINT32_C(1) << i)) {
            buf_fmt(b, "under        obligations[%u]\n", i);
        }
    }
    if (stale(e)) {
        buf_z(b, "ledger       too old: until it is read again the gateway refuses\n");
    }
}

static void tell_json(struct explain *e, const struct consent_evidence *got)
{
    char memory[256];
    struct buf path = buf_fixed(memory, sizeof(memory));
    explained_path_put(&path, &got->verdict);
    json_z(&e->w, "decision", explained_decision(got->verdict.decision));
    json_z(&e->w, "basis", consent_basis_name(got->verdict.basis));
    json_bool(&e->w, "stale", stale(e));
    json_u64(&e->w, "engine", got->engine);
    json_array(&e->w, "obligations");
    for (unsigned i = 0; i < CONSENT_TENANT_OBLIGATIONS_MAX; i++) {
        if (got->obligations & (UINT32_C(1) << i)) {
            json_u64(&e->w, NULL, i);
        }
    }
    json_end(&e->w);
    if (tenant_policy(e->tenant)) {
        put_hex(&e->w, "policy", got->tenant);
    }
    if (e->has_facts) {
        struct buf labels = arena_buf(e->session->arena, LABELS_TEXT_MAX);
        put_labels(&labels, &e->facts);
        json_string(&e->w, "labels", buf_str(&labels));
    }
    if (got->has_consent) {
        put_hex(&e->w, "consent", got->id);
        json_u64(&e->w, "version", got->version);
        json_string(&e->w, "path", buf_str(&path));
        json_z(&e->w, "reading", consent_reading_name(got->reading));
    }
}

static int show(struct explain *e)
{
    struct consent_evidence got;
    const struct consent_facts *facts = e->has_facts ? &e->facts : NULL;
    const struct consent_listener json = { put_json, e };
    const struct consent_listener text = { put_text, e };
    e->out = heap_buf(OUTPUT_MAX);
    e->w = json_writer(&e->out);
    consent_decide(e->index, e->patient, &e->asks, facts, &got);
    if (e->json) {
        json_object(&e->w, NULL);
        tell_json(e, &got);
        json_array(&e->w, "consents");
        consent_explain(e->index, e->patient, &e->asks, facts, &got, &json);
        json_end(&e->w);
        json_end(&e->w);
        buf_c(&e->out, '\n');
    } else {
        tell_text(e, &got);
        consent_explain(e->index, e->patient, &e->asks, facts, &got, &text);
    }
    int code = cli_print(e->session, &e->out);
    heap_buf_free(&e->out);
    return code;
}

static int explain(struct explain *e, const char *patient)
{
    int code = cli_unlock(e->session);
    code = code == EX_OK ? cli_patient(e->session, patient, e->patient) : code;
    code = code == EX_OK ? load(e) : code;
    code = code == EX_OK ? record_reading(e) : code;
    return code == EX_OK ? show(e) : code;
}

int cli_consent_explain(int argc, char **argv)
{
    const char *file = NULL;
    const char *patient = NULL;
    const char *action = NULL;
    const char *resource = NULL;
    const char *at = NULL;
    struct cli_words actors = { .n = 0 };
    struct cli_words purposes = { .n = 0 };
    struct cli_words words = { .n = 0 };
    struct cli_session session = { 0 };
    struct explain e = { .session = &session, .ledger = -1 };
    const struct cli_arg args[] = {
        { .name = "--config", .value = &file },
        { .name = "--patient", .value = &patient },
        { .name = "--actor", .many = &actors },
        { .name = "--purpose", .many = &purposes },
        { .name = "--action", .value = &action },
        { .name = "--at", .value = &at },
        { .name = "--resource", .value = &resource },
        { .name = "--json", .flag = &e.json },
    };
    if (cli_args(argc, argv, args, ARRAY_LEN(args), &words) < 0 || words.n > 0 || !patient) {
        return cli_usage("consent explain --config FILE --patient SYSTEM|VALUE"
                         " [--actor NAME]... [--purpose CODE]... [--action ACTION]"
                         " [--resource FILE] [--at TIME] [--json]");
    }
    int code = cli_begin("consent explain", file, &session);
    code = code == EX_OK ? read_request(&e, &actors, &purposes, action, at) : code;
    code = code == EX_OK ? load_rules(&e) : code;
    code = code == EX_OK && resource ? read_resource(&e, resource) : code;
    code = code == EX_OK ? explain(&e, patient) : code;
    fhir_input_close(&e.input);
    consent_index_free(e.index);
    labelling_free(e.labelling);
    tenant_free(e.tenant);
    cli_end(&session);
    return code;
}
