/*
 * Breaking the glass: POST [base]/Patient/[id]/$break-glass.
 *
 *   receive → authenticate → collect → authorize → patient → consent → seal → record
 *     → open → respond
 *
 * Parameters: reason (a word of the configuration), justification (in words), acknowledged
 * (true: that it is recorded, told and reviewed). It takes a token whose purpose is BTG or
 * ETREAT, a role that may, and a user who has just logged in. The record, with the
 * justification sealed under the patient's key, is committed before the glass is broken: for
 * this user and this patient, for a while. The answer says which one, and until when.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json.h"
#include "gateway/consents.h"
#include "gateway/directory.h"
#include "gateway/id.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/pipeline/fhir_params.h"
#include "gateway/store/glass.h"

enum {
    JUSTIFICATION_MIN = 10, /* bytes */
    JUSTIFICATION_MAX = 2000,
    REQUEST_MAX = 80 << 10,
    ANSWER_MAX = 2 << 10,
    CLOCKS_MS = 60000, /* the issuer's clock may be ahead by this */
};

struct fhir_break {
    struct fhir_exchange fx;
    struct fhir_person *person;
    struct store_glass glass;
};

static struct fhir_break *break_of(struct exchange *ex)
{
    return ex->data;
}

static const struct config_break_glass *rules(struct exchange *ex)
{
    return dossier_of(ex)->worker->config->break_glass;
}

/* --- authorize ---------------------------------------------------------------------------- */

/* Whether the user proved who he is a short while ago. */
static bool just_logged_in(struct exchange *ex)
{
    int64_t at = fhir_of(ex)->claims.logged_in_ms;
    return at && at <= ex->time + CLOCKS_MS && ex->time - at <= rules(ex)->login;
}

static enum step refuse_path(struct exchange *ex)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "interaction", 404,
                       "the glass is broken by POST Patient/[id]/$break-glass");
}

static enum step authorize_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    fx->dossier.interaction = RECORD_BREAK_GLASS;
    if (!str_eq(fx->interaction.type, STR("Patient")) || fx->interaction.id.n == 0 ||
        !str_eq(fx->method, STR("POST"))) {
        return refuse_path(ex);
    }
    if (!rules(ex)) {
        return fhir_refuse(ex, OUTCOME_FORBIDDEN, "break-glass-off", 403,
                           "nobody breaks the glass here");
    }
    if (!fhir_glass_only(ex)) {
        return fhir_refuse(ex, OUTCOME_FORBIDDEN, "break-glass-purpose", 403,
                           "the token's purpose of use isn't BTG or ETREAT");
    }
    step = fhir_allow(ex, SCOPE_READ, ROLE_READ | ROLE_BREAK_GLASS);
    if (step == STEP_NEXT && !just_logged_in(ex)) {
        fx->login = rules(ex)->login;
        step = fhir_refuse(ex, OUTCOME_FORBIDDEN, "break-glass-login", 401,
                           "the user has to log in again to break the glass");
    }
    if (step == STEP_NEXT && fx->only_patient &&
        !str_eq(fx->claims.patient, fx->interaction.id)) {
        step = fhir_refuse(ex, OUTCOME_FORBIDDEN, "scope", 403,
                           "the token's scopes don't cover this patient");
    }
    return step;
}

/* --- patient: whose glass, and why -------------------------------------------------------- */

static bool is_reason(struct exchange *ex, struct str word)
{
    const struct config_strings *reasons = &rules(ex)->reasons;
    for (size_t i = 0; i < reasons->n; i++) {
        if (str_eq(word, str_z(reasons->items[i]))) {
            return true;
        }
    }
    return false;
}

static enum step refuse_asking(struct exchange *ex, const char *text)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "break-glass-refused", 422, text);
}

/* What was asked for, and why, is what the record commits to. */
static int note_request(struct exchange *ex, struct str reason, struct str justification)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf text = arena_buf(ex->arena, REQUEST_MAX);
    buf_str_put(&text, fx->dossier.request);
    buf_c(&text, ' ');
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    json_string(&w, "justification", justification);
    json_string(&w, "reason", reason);
    json_end(&w);
    fx->dossier.request = buf_str(&text);
    return buf_failed(&text) ? -1 : 0;
}

static enum step understand(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct node *root;
    if (json_parse(ex->arena, buf_str(&fx->body), &fx->issues, &root) != 0) {
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "unreadable", 400,
                           "the body is no Parameters");
    }
    struct str reason = fhir_given(root, "reason");
    struct str justification = fhir_given(root, "justification");
    if (!is_reason(ex, reason)) {
        return refuse_asking(ex, "reason is none of those that the configuration names");
    }
    if (justification.n < JUSTIFICATION_MIN || justification.n > JUSTIFICATION_MAX) {
        return refuse_asking(ex, "a justification has 10 to 2000 characters");
    }
    if (!fhir_given_true(root, "acknowledged")) {
        return refuse_asking(ex, "acknowledged has to be true: this is recorded, told to the "
                                 "patient and reviewed");
    }
    break_of(ex)->glass.reason = reason;
    return note_request(ex, reason, justification) < 0
               ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
               : STEP_NEXT;
}

static enum step found(struct exchange *ex)
{
    return break_of(ex)->person->state == FHIR_PERSON_KNOWN
               ? STEP_NEXT
               : exchange_stop(ex, OUTCOME_DENY, "not-found");
}

static enum step patient_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    const struct subject_ref *named = fx->interaction.patients.first;
    fhir_people_clear(ex);
    if (!named) {
        return refuse_path(ex);
    }
    if (fhir_person(ex, &named->to, NULL, &break_of(ex)->person) < 0 || !break_of(ex)->person) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    return fhir_people_resolve(ex, found);
}

/* --- consent: whether there is anything to break into ------------------------------------- */

static enum step consent_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct consents *consents = fx->dossier.worker->consents;
    const uint8_t *patient = break_of(ex)->person->number;
    struct dossier_subject *subject = dossier_subject(ex, patient);
    if (!subject) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (!fhir_decidable(ex)) {
        return fhir_refuse(ex, OUTCOME_UNAVAILABLE,
                           consents_state_name(consents_state(consents)), 503,
                           "consents can't be checked at the moment");
    }
    struct consent_evidence evidence;
    consents_decide(consents, patient, &fx->asks, NULL, &evidence);
    fx->dossier.epoch = consents_epoch(consents);
    fx->dossier.decide_again = "consent";
    dossier_rely_on(&fx->dossier, subject, &evidence);
    if (evidence.verdict.decision == CONSENT_DENY && fx->dossier.mode == RECORD_ENFORCE) {
        return fhir_refuse(ex, OUTCOME_DENY, directory_basis(&fx->asks, &evidence), 403,
                           "what the patient said leaves no glass to be broken");
    }
    return exchange_stop(ex, OUTCOME_DONE, "break-glass");
}

/* --- open: from now on -------------------------------------------------------------------- */

static int write_answer(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct store_glass *glass = &break_of(ex)->glass;
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    struct json_writer w = fhir_params_begin(&out);
    char id[ID_TEXT_SIZE];
    id_text(glass->id, id);
    fhir_params_text(&w, "id", str_z(id));
    fhir_params_time(&w, "until", glass->until);
    fhir_params_time(&w, "reviewBy", glass->review_by);
    fhir_params_end(&w);
    fx->result = buf_str(&out);
    fx->status = 201;
    return buf_failed(&out) ? -1 : 0;
}

static void on_open(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct exchange *ex = exchange_woken(arg);
    if (r == 0 && write_answer(ex) == 0) {
        ex->outcome = OUTCOME_DONE;
        metrics_add(METRIC_GLASS_BROKEN, 1);
        char id[ID_TEXT_SIZE];
        id_text(ex->id, id);
        log_line(LOG_WARN, "the glass was broken", LOG_Z("id", id));
    }
    exchange_move(ex, STEP_NEXT);
}

/* It is recorded; until it is open it isn't done, whatever the record says. */
static enum step open_enter(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    struct store_glass *glass = &break_of(ex)->glass;
    if (ex->outcome != OUTCOME_DONE || !dossier->committed) {
        return STEP_NEXT;
    }
    memcpy(glass->id, ex->id, sizeof(glass->id));
    memcpy(glass->patient, break_of(ex)->person->number, sizeof(glass->patient));
    glass->recipient = dossier->recipient_number;
    glass->opened = ex->time;
    glass->until = ex->time + rules(ex)->lasts;
    glass->review_by = ex->time + rules(ex)->review_within;
    glass->patient_due = ex->time + rules(ex)->patient_after;
    ex->outcome = OUTCOME_UNAVAILABLE;
    return exchange_wait(ex, store_glass_open(dossier->worker->db, glass, on_open, ex));
}

static const struct stage break_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", authorize_enter, 0, WHILE_OPEN },
    { "actor", fhir_actor_enter, 20, WHILE_OPEN },
    { "patient", patient_enter, 10, WHILE_OPEN },
    { "consent", consent_enter, 0, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "open", open_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_break_kind = { break_pipeline, sizeof(struct fhir_break),
                                           FHIR_FORM_MAX };
