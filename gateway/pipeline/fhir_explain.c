/*
 * Why a request ended as it did: GET [base]/$consent-explain?request=EXCHANGE, for staff.
 *
 *   receive → authenticate → collect → authorize → find → open → explain → seal → record
 *     → respond
 *
 * EXCHANGE is the id that the refusal told (X-Request-Id, unless the client chose its own) or a
 * record names. The answer is what was recorded, and what each of the patient's consents says
 * of the same question today: by what was known of the request alone, since the data isn't
 * kept. Who asked, and for whose sake, is recorded under that patient's key before it leaves.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "anchor/record.h"
#include "crypto/base/hex.h"
#include "gateway/basis.h"
#include "gateway/consents.h"
#include "gateway/explained.h"
#include "gateway/id.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/pipeline/fhir_params.h"
#include "gateway/replayed.h"
#include "gateway/sealed_record.h"
#include "gateway/vault.h"

#include <errno.h>

enum {
    ANSWER_MAX = 4 << 20,
    FINDING_MAX = 256,
};

struct fhir_explain {
    struct fhir_exchange fx;
    uint8_t asked[16];
    struct record record; /* what is explained */
    bool found;
    struct store_sealed sealed; /* its opening; in the arena */
    struct opening opening;     /* and open */
    bool opened;
    struct replayed question;
    bool again; /* the question can be put again */
};

static struct fhir_explain *explain_of(struct exchange *ex)
{
    return ex->data;
}

/* --- authorize ---------------------------------------------------------------------------- */

/* 32 digits, with dashes or without. */
static bool read_id(struct str text, uint8_t out[16])
{
    char digits[32];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '-' && n < sizeof(digits)) {
            digits[n++] = text.p[i];
        } else if (text.p[i] != '-') {
            return false;
        }
    }
    return hex_decode(str_of(digits, n), out, 16) == 0;
}

static enum step authorize_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    fx->dossier.interaction = RECORD_AUDIT_READ;
    fx->interaction.type = STR("AuditEvent"); /* whoever may read these may ask why */
    step = fhir_allow(ex, SCOPE_READ, ROLE_EXPLAIN);
    if (step == STEP_NEXT && fx->only_patient) {
        step = fhir_refuse(ex, OUTCOME_FORBIDDEN, "scope", 403,
                           "a token for one patient explains nothing");
    }
    struct str query = fx->query;
    if (step == STEP_NEXT && (!str_eq(str_cut(&query, '='), STR("request")) ||
                              !read_id(query, explain_of(ex)->asked))) {
        step = fhir_refuse(ex, OUTCOME_BAD_REQUEST, "path", 400,
                           "ask with ?request=ID, the id of an exchange");
    }
    return step;
}

/* --- find, open --------------------------------------------------------------------------- */

static bool is_reading(enum record_interaction what)
{
    return what == RECORD_AUDIT_READ || what == RECORD_AUDIT_EXPORT ||
           what == RECORD_BREAK_GLASS_REVIEW || what == RECORD_V2_REPLAY;
}

/* The last word on it, of a patient if it has any. */
static int take_records(struct exchange *ex, const struct db_rows *rows)
{
    struct fhir_explain *explain = explain_of(ex);
    for (int i = 0; i < db_count(rows); i++) {
        struct store_record row;
        struct record record;
        int r = store_record_row(rows, i, &row);
        struct str text = r < 0 ? STR("") : arena_str(ex->arena, row.bytes);
        if (r < 0 || !text.p || record_read(text, &record, NULL) < 0) {
            return -EBADMSG;
        }
        bool better = !explain->found || record.committed[COMMITMENT_SUBJECT] ||
                      !explain->record.committed[COMMITMENT_SUBJECT];
        if (!is_reading(record.interaction) && better) {
            explain->record = record;
            explain->found = true;
        }
    }
    return 0;
}

static void on_found(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    if (r < 0 || take_records(ex, rows) < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    exchange_move(ex, explain_of(ex)->found ? STEP_NEXT
                                            : exchange_stop(ex, OUTCOME_DENY, "not-found"));
}

static enum step find_enter(struct exchange *ex)
{
    return exchange_wait(ex, store_audit_exchange(dossier_of(ex)->worker->db,
                                                  explain_of(ex)->asked, on_found, ex));
}

/* What can't be opened any more is explained by the record alone. */
static enum step open_it(struct exchange *ex)
{
    struct fhir_explain *explain = explain_of(ex);
    struct worker *worker = dossier_of(ex)->worker;
    struct str text;
    int r = sealed_record_open(worker->vault, ex->arena, &explain->sealed, &text);
    char *memory = r == 0 ? arena_alloc(ex->arena, text.n) : NULL;
    if (r == 0 && memory) {
        struct buf b = buf_fixed(memory, text.n);
        explain->opened = opening_read(text, &b, &explain->opening, NULL) == 0 &&
                          opening_check(&explain->opening, &explain->record, NULL) == 0;
    }
    r = explain->opened ? replayed_read(ex->arena, worker->config, &explain->record,
                                        &explain->opening, &explain->question)
                        : REPLAYED_E_FORM;
    explain->again = r == 0;
    return r == -ENOMEM ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory") : STEP_NEXT;
}

static void on_key(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "key") : open_it(ex));
}

static void on_opening(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct fhir_explain *explain = explain_of(ex);
    struct worker *worker = dossier_of(ex)->worker;
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    if (db_count(rows) == 0) {
        exchange_move(ex, STEP_NEXT);
        return;
    }
    store_sealed_row(rows, 0, &explain->sealed);
    explain->sealed.nonce = arena_str(ex->arena, explain->sealed.nonce);
    explain->sealed.ciphertext = arena_str(ex->arena, explain->sealed.ciphertext);
    if (vault_cached_id(worker->vault, explain->sealed.key)) {
        exchange_move(ex, open_it(ex));
        return;
    }
    exchange_move(ex, exchange_wait(ex, vault_fetch_ids(worker->vault, worker->db,
                                                        explain->sealed.key, 1, on_key, ex)));
}

static enum step open_enter(struct exchange *ex)
{
    return exchange_wait(ex, store_audit_opening(dossier_of(ex)->worker->db,
                                                 explain_of(ex)->record.id, on_opening, ex));
}

/* --- explain ------------------------------------------------------------------------------ */

struct telling {
    struct exchange *ex;
    struct json_writer *w;
};

static void put_hex(struct json_writer *w, const char *name, const uint8_t id[CONSENT_ID_SIZE])
{
    char memory[2 + 2 * CONSENT_ID_SIZE];
    struct buf text = buf_fixed(memory, sizeof(memory));
    buf_z(&text, "0x");
    buf_hex(&text, id, CONSENT_ID_SIZE);
    fhir_params_text(w, name, buf_str(&text));
}

/* A part for each consent that was looked at. */
static void put_consent(void *arg, const struct consent_seen *seen)
{
    const struct telling *telling = arg;
    struct json_writer *w = telling->w;
    struct arena *arena = telling->ex->arena;
    struct buf finding = arena_buf(arena, FINDING_MAX);
    struct buf policy = arena_buf(arena, POLICY_TEXT_MAX);
    json_object(w, NULL);
    json_z(w, "name", "consent");
    json_array(w, "part");
    put_hex(w, "id", seen->id);
    fhir_params_count(w, "version", seen->version);
    fhir_params_text(w, "standing", str_z(consent_standing_name(seen->standing)));
    explained_finding_put(&finding, &seen->found);
    fhir_params_text(w, "finding", buf_str(&finding));
    if (seen->policy) {
        policy_write(&policy, seen->policy);
        fhir_params_text(w, "policy", buf_failed(&policy) ? STR("") : buf_str(&policy));
    }
    json_end(w);
    json_end(w);
}

static void put_recorded(struct json_writer *w, const struct fhir_explain *explain)
{
    const struct record *record = &explain->record;
    enum basis_ground ground = basis_ground(record->basis);
    char id[ID_TEXT_SIZE];
    id_text(record->id, id);
    fhir_params_text(w, "record", str_z(id));
    fhir_params_time(w, "time", (int64_t)record->time);
    fhir_params_word(w, "interaction", record_interaction_name(record->interaction));
    fhir_params_word(w, "mode", record_mode_name(record->mode));
    fhir_params_word(w, "outcome", record_outcome_name(record->outcome));
    fhir_params_text(w, "basis", record->basis);
    fhir_params_word(w, "ground", basis_ground_name(ground));
    if (explain->opened && explain->opening.has[COMMITMENT_REQUEST]) {
        fhir_params_text(w, "asked", explain->opening.value[COMMITMENT_REQUEST]);
    }
    if (explain->opened && explain->opening.has[COMMITMENT_DECISION]) {
        fhir_params_text(w, "decision", explain->opening.value[COMMITMENT_DECISION]);
    }
    const char *advice = explained_advice(record->basis);
    if (*advice) {
        fhir_params_text(w, "advice", str_z(advice));
    }
}

/* What the same question comes to now. */
static void put_now(struct exchange *ex, struct json_writer *w)
{
    struct fhir_explain *explain = explain_of(ex);
    struct consent_evidence evidence;
    struct telling telling = { ex, w };
    const struct consent_listener listener = { put_consent, &telling };
    struct buf path = arena_buf(ex->arena, FINDING_MAX);
    explain->question.request.now = ex->time;
    consents_explain(dossier_of(ex)->worker->consents, explain->question.patient,
                     &explain->question.request, &evidence, &listener);
    fhir_params_text(w, "now", str_z(explained_decision(evidence.verdict.decision)));
    fhir_params_text(w, "nowBasis", str_z(consent_basis_name(evidence.verdict.basis)));
    explained_path_put(&path, &evidence.verdict);
    if (evidence.has_consent) {
        put_hex(w, "by", evidence.id);
        fhir_params_count(w, "byVersion", evidence.version);
    }
    if (path.n) {
        fhir_params_text(w, "byRule", buf_str(&path));
    }
}

static enum step explain_enter(struct exchange *ex)
{
    struct fhir_explain *explain = explain_of(ex);
    struct fhir_exchange *fx = &explain->fx;
    enum consents_state state = consents_state(fx->dossier.worker->consents);
    if (explain->again && state == CONSENTS_LOADING) {
        return fhir_refuse(ex, OUTCOME_UNAVAILABLE, consents_state_name(state), 503,
                           "consents can't be checked at the moment");
    }
    if (explain->again && !dossier_subject(ex, explain->question.patient)) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    struct json_writer w = fhir_params_begin(&out);
    put_recorded(&w, explain);
    if (explain->again) {
        put_now(ex, &w);
    }
    fhir_params_end(&w);
    if (buf_failed(&out)) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    fx->result = buf_str(&out);
    fx->status = 200;
    return exchange_stop(ex, OUTCOME_DONE, "explained");
}

static const struct stage explain_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 0, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", authorize_enter, 0, WHILE_OPEN },
    { "find", find_enter, 10, WHILE_OPEN },
    { "open", open_enter, 10, WHILE_OPEN },
    { "explain", explain_enter, 0, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_explain_kind = { explain_pipeline, sizeof(struct fhir_explain),
                                             FHIR_FORM_MAX };
