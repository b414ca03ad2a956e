/*
 * What a patient's signature sets off, or his word in front of staff: a grant or a revocation
 * on its way to the chain. Staff may take back only, never grant.
 *
 *   receive → authenticate → collect → authorize → load → key → relay → seal → record → respond
 *
 * The signature is checked here as the contract will check it, so nobody can make the relayer
 * pay for what would be refused. What the chain then holds is the follower's to say.
 */
#include "gateway/pipeline/fhir_consents.h"

#include "anchor/eth_call.h"
#include "crypto/base/hex.h"
#include "fhir/format/json.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/pipeline/fhir_params.h"
#include "gateway/store/consents.h"
#include "gateway/store/sendings.h"

#include <errno.h>

enum {
    ANSWER_MAX = 8 << 10,
    REASON_MIN = 10, /* bytes */
    REASON_MAX = 2000,
};

struct fhir_grant {
    struct fhir_exchange fx;
    uint8_t id[32];
    struct store_consent row; /* its policy is gone */
    bool known;
    const struct node *given; /* Parameters */
    struct store_relay relay;
};

static struct fhir_grant *grant_of(struct exchange *ex)
{
    return ex->data;
}

static bool is_operation(const struct exchange *ex, const char *name)
{
    const struct fhir_grant *grant = ex->data;
    return str_eq(grant->fx.interaction.operation, str_z(name));
}

int fhir_consent_id(struct str text, uint8_t out[32])
{
    return str_starts(text, STR("0x")) ? hex_decode_0x(text, out, 32)
                                       : hex_decode(text, out, 32);
}

static enum step refuse_grant(struct exchange *ex, const char *text)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "consent-refused", 422, text);
}

/* --- load --------------------------------------------------------------------------------- */

static void on_loaded(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct fhir_grant *grant = grant_of(ex);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    for (int i = 0; i < db_count(rows); i++) {
        struct store_consent row;
        if (store_consent_row(rows, i, &row) == 0 &&
            (!grant->known || row.version > grant->row.version)) {
            grant->row = row;
            grant->row.sealed = STR("");
            grant->row.statement = arena_str(ex->arena, row.statement);
            grant->known = true;
        }
    }
    struct fhir_exchange *fx = &grant->fx;
    (void)fhir_person_own_known(ex);
    bool foreign = fx->only_patient && !fhir_is_own(ex, grant->row.patient);
    if (!grant->known || foreign) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_DENY, "not-found"));
        return;
    }
    exchange_move(ex, dossier_subject(ex, grant->row.patient)
                          ? STEP_NEXT
                          : exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory"));
}

static enum step load(struct exchange *ex)
{
    return exchange_wait(
        ex, store_consent_stated(dossier_of(ex)->worker->db, grant_of(ex)->id, on_loaded, ex));
}

static enum step load_enter(struct exchange *ex)
{
    struct fhir_grant *grant = grant_of(ex);
    struct fhir_exchange *fx = &grant->fx;
    fhir_people_clear(ex);
    if (fhir_consent_id(fx->interaction.id, grant->id) < 0) {
        return exchange_stop(ex, OUTCOME_DENY, "not-found");
    }
    if (fx->body.n && json_parse(ex->arena, buf_str(&fx->body), &fx->issues, &grant->given)) {
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "unreadable", 400,
                           "the body is no Parameters");
    }
    if (!fx->only_patient) {
        return load(ex);
    }
    return fhir_person_own(ex) < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
                                   : fhir_people_resolve(ex, load);
}

/* --- key: of the statement -----------------------------------------------------------------
 */

static void on_key(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "key") : STEP_NEXT);
}

static enum step key_enter(struct exchange *ex)
{
    const struct worker *worker = dossier_of(ex)->worker;
    const uint8_t *key = grant_of(ex)->row.key;
    if (!is_operation(ex, "grant") || vault_cached_id(worker->vault, key)) {
        return STEP_NEXT;
    }
    return exchange_wait(ex, vault_fetch_ids(worker->vault, worker->db, key, 1, on_key, ex));
}

/* --- what was given ----------------------------------------------------------------------- */

static struct str given(const struct exchange *ex, const char *name)
{
    return fhir_given(((const struct fhir_grant *)ex->data)->given, name);
}

static bool given_number(const struct exchange *ex, const char *name, uint64_t *out)
{
    struct str text = given(ex, name);
    uint64_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i > 14) {
            return false;
        }
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out = value;
    return text.n > 0;
}

static bool given_signature(const struct exchange *ex, const char *name,
                            struct secp_signature *out)
{
    return secp_signature_parse(given(ex, name), out) == 0;
}

/* --- relay -------------------------------------------------------------------------------- */

static struct eip712_domain domain(struct exchange *ex)
{
    const struct worker *worker = dossier_of(ex)->worker;
    struct eip712_domain out = { .chain = (uint64_t)worker->config->ledger->chain_id };
    memcpy(out.contract, worker->consent_contract, sizeof(out.contract));
    return out;
}

static bool signed_by(const uint8_t digest[DIGEST_SIZE], const struct secp_signature *signature,
                      const uint8_t address[20])
{
    uint8_t signer[SECP_ADDRESS_SIZE];
    return secp_recover(digest, signature, signer) == 0 && memcmp(signer, address, 20) == 0;
}

/* --- answers: Parameters -------------------------------------------------------------------
 */

static enum step answer(struct exchange *ex, struct json_writer *w, int status,
                        const char *basis)
{
    fhir_params_end(w);
    fhir_of(ex)->result = buf_str(w->out);
    fhir_of(ex)->status = status;
    return exchange_stop(ex, OUTCOME_DONE, basis);
}

/* --- relaying ------------------------------------------------------------------------------
 */

static void on_planned(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct exchange *ex = exchange_woken(arg);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    struct json_writer w = fhir_params_begin(&out);
    fhir_params_word(&w, "state", "planned");
    exchange_move(ex, answer(ex, &w, 202, "planned"));
}

static enum step plan(struct exchange *ex, enum store_relay_kind kind, uint16_t version,
                      const struct buf *call)
{
    struct fhir_grant *grant = grant_of(ex);
    if (buf_failed(call)) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    grant->relay = (struct store_relay){
        .sending.chain = (uint64_t)dossier_of(ex)->worker->config->ledger->chain_id,
        .version = version,
        .kind = kind,
        .call = buf_str(call),
    };
    memcpy(grant->relay.consent, grant->id, sizeof(grant->relay.consent));
    return exchange_wait(
        ex, store_relay_plan(dossier_of(ex)->worker->db, &grant->relay, on_planned, ex));
}

/* Whether @address signed what the consent says in words. */
static bool is_statement_signed(struct exchange *ex, const struct secp_signature *signature,
                                const uint8_t address[20])
{
    const struct store_consent *row = &grant_of(ex)->row;
    uint8_t digest[DIGEST_SIZE];
    struct str text;
    if (fhir_statement_open(ex, row, &text) < 0) {
        return false;
    }
    fhir_statement_digest(ex, row, text, digest);
    return signed_by(digest, signature, address);
}

static enum step relay_grant(struct exchange *ex)
{
    const struct fhir_grant *kept = grant_of(ex);
    struct consent_grant grant = { .version = kept->row.version };
    struct secp_signature signature;
    struct secp_signature read; /* of what was read */
    uint8_t digest[DIGEST_SIZE];
    uint8_t sig[ETH_CONSENT_SIGNATURE_SIZE];
    memcpy(grant.id, kept->id, sizeof(grant.id));
    memcpy(grant.commitment, kept->row.commitment, sizeof(grant.commitment));
    if (secp_address_parse(given(ex, "controller"), grant.controller) < 0 ||
        !given_number(ex, "validFrom", &grant.valid_from) ||
        !given_number(ex, "validUntil", &grant.valid_until) ||
        !given_number(ex, "deadline", &grant.deadline) ||
        !given_signature(ex, "signature", &signature) ||
        !given_signature(ex, "statementSignature", &read)) {
        return refuse_grant(ex, "controller, validFrom, validUntil, deadline, signature and "
                                "statementSignature are needed");
    }
    if ((int64_t)grant.deadline * 1000 < ex->time) {
        return refuse_grant(ex, "the deadline has passed");
    }
    struct eip712_domain where = domain(ex);
    eip712_grant(&where, &grant, digest);
    if (!signed_by(digest, &signature, grant.controller)) {
        return refuse_grant(ex, "the signature isn't the controller's");
    }
    if (!is_statement_signed(ex, &read, grant.controller)) {
        return refuse_grant(ex, "the statement's signature isn't the controller's");
    }
    dossier_of(ex)->payload = buf_str(&kept->fx.body); /* both signatures are evidence */
    dossier_of(ex)->keep = true;
    struct buf call = arena_buf(ex->arena, ETH_CALL_MAX);
    eth_consent_signature(&signature, sig);
    eth_call_grant(&grant, str_of(sig, sizeof(sig)), &call);
    return plan(ex, STORE_RELAY_GRANT, grant.version, &call);
}

static enum step relay_revoke(struct exchange *ex)
{
    const struct fhir_grant *kept = grant_of(ex);
    const struct store_consent_chain *chain = &kept->row.on_chain;
    struct consent_revoke revoke = { .version =
                                         chain->known ? chain->version : kept->row.version };
    struct secp_signature signature;
    uint8_t digest[DIGEST_SIZE];
    uint8_t sig[ETH_CONSENT_SIGNATURE_SIZE];
    uint64_t version;
    if (given_number(ex, "version", &version)) {
        revoke.version = (uint16_t)version;
    }
    memcpy(revoke.id, kept->id, sizeof(revoke.id));
    if (!given_signature(ex, "signature", &signature)) {
        return refuse_grant(ex, "a signature is needed");
    }
    struct eip712_domain where = domain(ex);
    eip712_revoke(&where, &revoke, digest);
    if (!chain->known || !signed_by(digest, &signature, chain->controller)) {
        return refuse_grant(ex, chain->known ? "the signature isn't the controller's"
                                             : "the chain holds no such grant");
    }
    struct buf call = arena_buf(ex->arena, ETH_CALL_MAX);
    eth_consent_signature(&signature, sig);
    eth_call_revoke(&revoke, str_of(sig, sizeof(sig)), &call);
    dossier_of(ex)->interaction = RECORD_CONSENT_REVOKE;
    return plan(ex, STORE_RELAY_REVOKE, revoke.version, &call);
}

/* How the patient said so is kept, under the patient's key. */
static enum step relay_attested(struct exchange *ex)
{
    const struct fhir_grant *kept = grant_of(ex);
    struct dossier *dossier = dossier_of(ex);
    const struct store_consent_chain *chain = &kept->row.on_chain;
    struct consent_revoke revoke = { .version = chain->version };
    struct str reason = given(ex, "reason");
    if (reason.n < REASON_MIN || reason.n > REASON_MAX) {
        return refuse_grant(ex, "a reason has 10 to 2000 characters: how the patient said so");
    }
    if (!chain->known || chain->revoked) {
        return refuse_grant(ex, chain->known ? "it is taken back already"
                                             : "the chain holds no such grant");
    }
    memcpy(revoke.id, kept->id, sizeof(revoke.id));
    struct buf call = arena_buf(ex->arena, ETH_CALL_MAX);
    eth_call_revoke_by_attestor(&revoke, &call);
    dossier->payload = buf_str(&kept->fx.body);
    dossier->keep = true;
    return plan(ex, STORE_RELAY_ATTEST, revoke.version, &call);
}

/* --- status ------------------------------------------------------------------------------- */

static const char *chain_word(const struct store_consent_chain *chain)
{
    return !chain->known    ? "absent"
           : chain->revoked ? "revoked"
           : chain->safe    ? "safe"
                            : "granted";
}

static void on_relays(void *arg, int r, const struct db_rows *rows)
{
    static const char *const kinds[] = { "", "grant", "revoke", "rotate", "attest" };
    struct exchange *ex = exchange_woken(arg);
    struct fhir_grant *grant = grant_of(ex);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    struct json_writer w = fhir_params_begin(&out);
    fhir_params_count(&w, "filedVersion", grant->row.version);
    fhir_params_word(&w, "chain", chain_word(&grant->row.on_chain));
    if (grant->row.on_chain.known) {
        fhir_params_count(&w, "chainVersion", grant->row.on_chain.version);
        fhir_params_count(&w, "block", grant->row.on_chain.block_number);
    }
    for (int i = 0; i < db_count(rows) && i < 20; i++) {
        struct store_relay relay;
        if (store_relay_row(rows, i, &relay) == 0 && (size_t)relay.kind < ARRAY_LEN(kinds)) {
            fhir_params_word(&w, kinds[relay.kind], store_sending_word(relay.sending.state));
        }
    }
    exchange_move(ex, answer(ex, &w, 200, "status"));
}

static enum step relay_enter(struct exchange *ex)
{
    if (is_operation(ex, "grant")) {
        return relay_grant(ex);
    }
    if (is_operation(ex, "revoke")) {
        return relay_revoke(ex);
    }
    if (is_operation(ex, "revoke-consent")) {
        return relay_attested(ex);
    }
    return exchange_wait(
        ex, store_relay_of(dossier_of(ex)->worker->db, grant_of(ex)->id, on_relays, ex));
}

/* --- authorize ---------------------------------------------------------------------------- */

enum step fhir_authorize_consent_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    struct str operation = fx->interaction.operation;
    bool files = operation.n == 0 || str_starts(operation, STR("file"));
    unsigned rights = files                              ? SCOPE_CREATE
                      : str_eq(operation, STR("status")) ? SCOPE_READ
                                                         : SCOPE_UPDATE;
    fx->dossier.log = RECORD_LOG_CONSENT;
    fx->dossier.interaction = RECORD_CONSENT_FILE;
    bool attested = str_eq(operation, STR("revoke-consent"));
    if (attested) {
        fx->dossier.interaction = RECORD_CONSENT_REVOKE;
    }
    return fhir_allow(ex, rights, attested ? ROLE_CONSENT | ROLE_ATTEST : ROLE_CONSENT);
}

static const struct stage grant_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", fhir_authorize_consent_enter, 0, WHILE_OPEN },
    { "load", load_enter, 10, WHILE_OPEN },
    { "key", key_enter, 5, WHILE_OPEN },
    { "relay", relay_enter, 5, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_grant_kind = { grant_pipeline, sizeof(struct fhir_grant),
                                           64 << 10 };
