/*
 * Filing a consent: POST [base]/Consent, or Consent/$file-consent with the document that the
 * patient filled in (HL7 FAST Scalable Consent Management). It is kept here and not passed on.
 *
 *   receive → authenticate → collect → authorize → patient → file → seal → record → respond
 *
 * What can't be enforced to the letter is refused with the reasons. What is filed permits
 * nothing yet: the answer holds the typed data that the patient signs, and $grant
 * (fhir_grant.c) takes the signature to the chain.
 */
#include "gateway/pipeline/fhir_consents.h"

#include "anchor/eip712.h"
#include "fhir/consent/normalise.h"
#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "gateway/consents_load.h"
#include "gateway/id.h"
#include "gateway/pipeline/fhir_params.h"
#include "gateway/store/consents.h"

#include <errno.h>
#include <sodium.h>

enum {
    ANSWER_MAX = 2 << 20,
    TYPED_MAX = 4 << 10,
    DAY_S = 24 * 60 * 60,
};

struct fhir_filing {
    struct fhir_exchange fx;
    const struct node *root;
    struct consent_filing filing;
    struct fhir_person *person;
    struct str statement;
    struct store_consent row;
    struct consent_grant grant;
    bool known; /* by its identifier, of which nothing may be filed yet */
};

static struct fhir_filing *filing_of(struct exchange *ex)
{
    return ex->data;
}

/* --- patient: who it is about ------------------------------------------------------------- */

static enum step refuse_filing(struct exchange *ex, int status, const char *text)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "consent-refused", status, text);
}

static enum step found_patient(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct fhir_exchange *fx = &filing->fx;
    if (filing->person->state != FHIR_PERSON_KNOWN) {
        return refuse_filing(ex, 422, "the consent's patient isn't known here");
    }
    (void)fhir_person_own_known(ex);
    if (fx->only_patient && !fhir_is_own(ex, filing->person->number)) {
        return fhir_refuse(ex, OUTCOME_FORBIDDEN, "scope", 403,
                           "the token's scopes don't cover this patient");
    }
    fx->dossier.keep = true; /* under the patient's key */
    struct dossier_subject *subject = dossier_subject(ex, filing->person->number);
    if (!subject) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    type_set_add(&subject->types, STR("Consent"));
    return STEP_NEXT;
}

static bool is_operation(const struct exchange *ex)
{
    return ((const struct fhir_filing *)ex->data)->fx.interaction.operation.n > 0;
}

/* The Consent among the Parameters; NULL: they aren't what the operation takes. */
static const struct node *given_consent(struct exchange *ex, const struct node *given)
{
    struct issues *issues = &fhir_of(ex)->issues;
    const struct node *consent = fhir_given_resource(given, "consent");
    struct str document = node_text(fhir_given_resource(given, "document"), "resourceType");
    if (!str_eq(node_text(consent, "resourceType"), STR("Consent"))) {
        issues_add(issues, ISSUE_ERROR, "required", STR("Parameters.parameter"),
                   "parameter consent is a Consent");
        return NULL;
    }
    if (!str_eq(document, STR("DocumentReference")) &&
        !str_eq(document, STR("QuestionnaireResponse"))) {
        issues_add(issues, ISSUE_ERROR, "required", STR("Parameters.parameter"),
                   "parameter document is a DocumentReference or a QuestionnaireResponse");
        return NULL;
    }
    return consent;
}

static int normalise(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct fhir_exchange *fx = &filing->fx;
    const struct str bases[] = { fx->out->base_url, fx->base };
    const struct consent_context context = { .bases = bases, .n_bases = ARRAY_LEN(bases) };
    int r = json_parse(ex->arena, buf_str(&fx->body), &fx->issues, &filing->root);
    if (r == 0 && is_operation(ex)) {
        const struct node *consent = given_consent(ex, filing->root);
        r = consent ? 0 : JSON_E_SYNTAX;
        filing->root = consent ? consent : filing->root;
    }
    return r ? r
             : consent_normalise(ex->arena, filing->root, &context, &fx->issues,
                                 &filing->filing);
}

static enum step patient_enter(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct fhir_exchange *fx = &filing->fx;
    fx->dossier.payload = buf_str(&fx->body);
    int r = normalise(ex);
    if (r > 0) {
        return refuse_filing(ex, filing->root ? 422 : 400,
                             "the consent can't be enforced as "
                             "it stands");
    }
    fhir_people_clear(ex);
    if (r == 0) {
        r = fhir_person(ex, &filing->filing.patient, NULL, &filing->person);
    }
    if (r == 0 && fx->only_patient) {
        r = fhir_person_own(ex);
    }
    if (r < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (!filing->person) {
        return refuse_filing(ex, 422, "the consent names no patient of this server");
    }
    filing->person->make = !fx->logged_in;
    return fhir_people_resolve(ex, found_patient);
}

/* --- file --------------------------------------------------------------------------------- */

/* Rounded outward to days; the policy holds the exact period. */
static void set_window(struct fhir_filing *filing)
{
    const struct instant_span *period = &filing->filing.period;
    int64_t from = period->from > 0 ? period->from / 1000 : 0;
    filing->grant.valid_from = (uint64_t)(from / DAY_S * DAY_S);
    filing->grant.valid_until = CONSENT_OPEN_END;
    if (period->until < INSTANT_MOST && period->until > 0) {
        filing->grant.valid_until =
            (uint64_t)((period->until / 1000 + DAY_S - 1) / DAY_S * DAY_S);
    }
}

/* Salt, statement hash and policy under the patient's key; the commitment to them. */
static int seal_policy(struct exchange *ex, const struct vault_key *key)
{
    struct fhir_filing *filing = filing_of(ex);
    struct store_consent *row = &filing->row;
    struct buf text = arena_buf(ex->arena, CONSENT_SEALED_POLICY + POLICY_TEXT_MAX);
    struct consent_opening opening = { .schema = CONSENT_SCHEMA };
    fhir_statement_digest(ex, row, filing->statement, opening.statement);
    randombytes_buf(opening.salt, sizeof(opening.salt));
    buf_put(&text, opening.salt, sizeof(opening.salt));
    buf_put(&text, opening.statement, sizeof(opening.statement));
    policy_write(&text, &filing->filing.policy);
    uint8_t *sealed = arena_alloc(ex->arena, text.n + SEAL_TAG_SIZE);
    if (buf_failed(&text) || !sealed) {
        return -ENOMEM;
    }
    digest_sha256(str_slice(buf_str(&text), CONSENT_SEALED_POLICY, text.n), opening.policy);
    memcpy(row->policy_hash, opening.policy, sizeof(row->policy_hash));
    consent_commitment(&opening, row->commitment);

    memcpy(row->patient, filing->person->number, sizeof(row->patient));
    memcpy(row->key, key->id, sizeof(row->key));
    randombytes_buf(row->nonce, sizeof(row->nonce));
    struct seal_about about =
        vault_about(filing->fx.dossier.worker->vault, key, SEAL_CONSENT, row->id);
    seal_close(key->secret, &about, row->nonce, buf_str(&text), sealed);
    row->sealed = str_of(sealed, text.n + SEAL_TAG_SIZE);
    row->filed = ex->time;
    secret_wipe(text.p, text.n);
    return 0;
}

static void put_text(struct json_writer *w, const char *url, struct str value)
{
    json_object(w, NULL);
    json_z(w, "url", url);
    json_string(w, "valueString", value);
    json_end(w);
}

static void put_hex(struct json_writer *w, const char *url, const uint8_t *bytes, size_t n)
{
    char memory[2 + 2 * 32];
    struct buf text = buf_fixed(memory, sizeof(memory));
    buf_z(&text, "0x");
    buf_hex(&text, bytes, n);
    put_text(w, url, buf_str(&text));
}

static void put_number(struct json_writer *w, const char *url, uint64_t value)
{
    char memory[24];
    struct buf text = buf_fixed(memory, sizeof(memory));
    buf_u64(&text, value);
    put_text(w, url, buf_str(&text));
}

/* What the patient signs, but for the controller's address and the deadline. */
static void put_grant(struct json_writer *w, struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    const struct worker *worker = filing->fx.dossier.worker;
    json_object(w, NULL);
    json_z(w, "url", FHIR_GRANT_EXTENSION);
    json_array(w, "extension");
    put_hex(w, "consentId", filing->row.id, sizeof(filing->row.id));
    put_hex(w, "commitment", filing->row.commitment, sizeof(filing->row.commitment));
    put_number(w, "version", filing->row.version);
    put_number(w, "validFrom", filing->grant.valid_from);
    put_number(w, "validUntil", filing->grant.valid_until);
    put_text(w, "statement", filing->statement);
    put_number(w, "chainId", (uint64_t)worker->config->ledger->chain_id);
    put_hex(w, "verifyingContract", worker->consent_contract, sizeof(worker->consent_contract));
    json_end(w);
    json_end(w);
}

/* The Consent as filed, with its id, its version and what is to be signed. */
static void put_consent(struct json_writer *w, struct exchange *ex, struct str id,
                        struct str version)
{
    const struct fhir_filing *filing = filing_of(ex);
    struct str source = buf_str(&filing->fx.body);
    json_object(w, NULL);
    json_z(w, "resourceType", "Consent");
    json_string(w, "id", id);
    json_object(w, "meta");
    json_string(w, "versionId", version);
    json_end(w);
    json_array(w, "extension");
    const struct node *old = node_get(filing->root, "extension");
    for (const struct node *at = node_first(old); at; at = at->next) {
        json_raw(w, NULL, str_slice(source, at->start, at->end));
    }
    put_grant(w, ex);
    json_end(w);
    for (const struct node *at = filing->root->first; at; at = at->next) {
        bool ours = str_eq(at->name, STR("resourceType")) || str_eq(at->name, STR("id")) ||
                    str_eq(at->name, STR("meta")) || str_eq(at->name, STR("extension"));
        struct str name = ours ? STR("") : arena_str(ex->arena, at->name);
        if (name.n) {
            json_raw(w, name.p, str_slice(source, at->start, at->end));
        }
    }
    json_end(w);
}

/* What the operation answers with, by HL7's guide; what is to be signed stands in it as well.
 */
static void put_outcome(struct json_writer *w, struct exchange *ex)
{
    json_object(w, NULL);
    json_z(w, "resourceType", "OperationOutcome");
    json_array(w, "extension");
    put_grant(w, ex);
    json_end(w);
    json_array(w, "issue");
    json_object(w, NULL);
    json_z(w, "severity", "information");
    json_z(w, "code", "informational");
    json_z(w, "diagnostics", "filed; it permits nothing before it is signed");
    json_end(w);
    json_end(w);
    json_end(w);
}

static int write_answer(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct fhir_exchange *fx = &filing->fx;
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    struct buf id = arena_buf(ex->arena, 2 * sizeof(filing->row.id));
    struct json_writer w = json_writer(&out);
    char version[8];
    struct buf number = buf_fixed(version, sizeof(version));
    buf_u64(&number, filing->row.version);
    buf_hex(&id, filing->row.id, sizeof(filing->row.id));
    if (is_operation(ex)) {
        put_outcome(&w, ex);
    } else {
        put_consent(&w, ex, buf_str(&id), buf_str(&number));
    }

    struct buf location = arena_buf(ex->arena, ANSWER_MAX);
    buf_str_put(&location, fx->base);
    buf_z(&location, "/Consent/");
    buf_str_put(&location, buf_str(&id));
    buf_z(&location, "/_history/");
    buf_str_put(&location, buf_str(&number));
    fx->answer.location = buf_str(&location);
    fx->result = buf_str(&out);
    fx->status = 201;
    return buf_failed(&out) || buf_failed(&location) ? -ENOMEM : 0;
}

static void on_filed(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct exchange *ex = exchange_woken(arg);
    if (r == -EEXIST) {
        exchange_move(ex, fhir_refuse(ex, OUTCOME_BAD_REQUEST, "consent-refused", 409,
                                      "this version is filed already"));
        return;
    }
    if (r < 0 || write_answer(ex) < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    (void)exchange_stop(ex, OUTCOME_DONE, "filed");
    exchange_move(ex, STEP_STOP);
}

static enum step file_under(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct worker *worker = filing->fx.dossier.worker;
    const struct vault_key *key = vault_cached(worker->vault, filing->person->number);
    int r =
        key ? fhir_statement_write(ex, &filing->row, &filing->filing.policy, &filing->statement)
            : -ENOKEY;
    r = r < 0 ? r : fhir_statement_seal(ex, key, filing->statement, &filing->row);
    if (r < 0 || seal_policy(ex, key) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "key");
    }
    return exchange_wait(ex, store_consent_file(worker->db, &filing->row, on_filed, ex));
}

static void on_key(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "key") : file_under(ex));
}

static enum step fetch_key(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct worker *worker = filing->fx.dossier.worker;
    set_window(filing);
    if (vault_cached(worker->vault, filing->person->number)) {
        return file_under(ex);
    }
    return exchange_wait(
        ex, vault_fetch(worker->vault, worker->db, filing->person->number, 1, on_key, ex));
}

/* A new version of a consent that is there has to be the same patient's. */
static void on_versions(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct fhir_filing *filing = filing_of(ex);
    bool same = r == 0 && (db_count(rows) > 0 || filing->known);
    for (int i = 0; same && i < db_count(rows); i++) {
        struct store_consent row;
        same = store_consent_row(rows, i, &row) == 0 &&
               memcmp(row.patient, filing->person->number, sizeof(row.patient)) == 0;
        uint16_t spent =
            row.on_chain.version > row.version ? row.on_chain.version : row.version;
        if (same && spent >= filing->row.version) {
            filing->row.version = (uint16_t)(spent + 1);
        }
    }
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    exchange_move(ex, same ? fetch_key(ex)
                           : refuse_filing(ex, 422, "this patient has no such consent"));
}

static enum step find_versions(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    return exchange_wait(ex, store_consent_by_id(filing->fx.dossier.worker->db, filing->row.id,
                                                 1, on_versions, ex));
}

static void on_identity(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    r = r < 0 ? r : store_consent_identity_row(rows, filing_of(ex)->row.id);
    exchange_move(ex, r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "database")
                            : find_versions(ex));
}

/* A Consent supersedes the patient's earlier one of the same identifier. */
static enum step find_identity(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    const struct worker *worker = filing->fx.dossier.worker;
    const struct consent_filing *filed = &filing->filing;
    struct buf system = arena_buf(ex->arena, filed->identifier_system.n + 16);
    uint8_t hash[32];
    buf_z(&system, "Consent ");
    buf_str_put(&system, filed->identifier_system);
    if (buf_failed(&system)) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    filing->known = true;
    vault_identifier_hash(worker->vault, buf_str(&system), filed->identifier_value, hash);
    return exchange_wait(ex, store_consent_identity(worker->db, filing->person->number, hash,
                                                    filing->row.id, on_identity, ex));
}

/* The id of the consent that this is a new version of; empty: a new one. */
static struct str earlier_id(const struct node *root)
{
    const struct node *at = node_first(node_get(root, "extension"));
    while (at && !str_eq(node_text(at, "url"), STR(FHIR_ID_EXTENSION))) {
        at = at->next;
    }
    return node_text(at, "valueString");
}

static enum step file_enter(struct exchange *ex)
{
    struct fhir_filing *filing = filing_of(ex);
    struct str earlier = earlier_id(filing->root);
    filing->row.version = 1;
    if (earlier.n == 0) {
        randombytes_buf(filing->row.id, sizeof(filing->row.id));
        return filing->filing.identifier_value.n ? find_identity(ex) : fetch_key(ex);
    }
    if (fhir_consent_id(earlier, filing->row.id) < 0) {
        return refuse_filing(ex, 422, "the consent's earlier id can't be read");
    }
    return find_versions(ex);
}

static const struct stage file_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", fhir_authorize_consent_enter, 0, WHILE_OPEN },
    { "patient", patient_enter, 10, WHILE_OPEN },
    { "file", file_enter, 10, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_file_kind = { file_pipeline, sizeof(struct fhir_filing), 1 << 20 };
