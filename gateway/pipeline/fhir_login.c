/*
 * Patients log in with keys of their own, at paths below the listener's base.
 *
 *   POST login/challenge   → { nonce, base, chain_id, rp_id, expires_in }
 *   POST login/token       a proof (gateway/identity/login_proof.h) → { access_token, … }
 *   POST login/end         with the token: its session has ended
 *
 *   receive → collect → prove → begin → seal → record → respond
 *   receive → authenticate → end → seal → record → respond
 *
 * A proof is verified before the database hears of it, but that a passkey's key is asked for;
 * nodes of the ledger are asked for contract accounts alone, and hosts for documents of
 * did:web, with a challenge that is ours. The first login with a key needs an enrolment code,
 * which links the key to the patient's record; the token leaves after that was recorded. Errors
 * are those of RFC 6749 section 5.2.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/did_hosts.h"
#include "gateway/id.h"
#include "gateway/identity/challenge.h"
#include "gateway/identity/enrol_code.h"
#include "gateway/identity/login_proof.h"
#include "gateway/identity/own_token.h"
#include "gateway/ledger/contract_account.h"
#include "gateway/random.h"
#include "gateway/store/logins.h"
#include "gateway/vault.h"

enum {
    ANSWER_MAX = 8 << 10,
};

/* @error: of RFC 6749; NULL: none */
struct fhir_login {
    struct fhir_exchange fx;
    struct login_proof proof;
    struct store_login begin;
    const char *error;
};

static struct fhir_login *login_of(struct exchange *ex)
{
    return ex->data;
}

/* --- challenge ---------------------------------------------------------------------------- */

static void answer_json(struct http_req *req, int status, const struct buf *body)
{
    const struct http_field fields[] = {
        { .name = STR("Content-Type"), .value = STR("application/json") },
        { .name = STR("Cache-Control"), .value = STR("no-store") },
    };
    bool failed = buf_failed(body);
    http_res_full(req, failed ? 500 : status, fields, ARRAY_LEN(fields),
                  failed ? STR("") : buf_str(body));
}

bool fhir_login_challenge(struct way_in *way, struct http_req *req)
{
    static char memory[ANSWER_MAX];
    const struct config_listener *config = way->config;
    const struct http_head *head = http_req_head(req);
    struct buf body = buf_fixed(memory, sizeof(memory));
    uint8_t random[CHALLENGE_RANDOM_SIZE];
    char nonce[CHALLENGE_TEXT];
    struct str path;
    if (!config->login || head->method != HTTP_POST ||
        !fhir_below(head->path, config_base(config), &path) ||
        !str_eq(path, STR("/login/challenge"))) {
        return false;
    }
    random_bytes(random, sizeof(random));
    challenge_make(way->worker->vault, config_base(config), random,
                   clock_utc_ms() + config->login->challenge, nonce);
    struct json_writer w = json_writer(&body);
    json_object(&w, NULL);
    json_string(&w, "nonce", str_of(nonce, sizeof(nonce)));
    json_string(&w, "base", config_base(config));
    json_i64(&w, "chain_id", way->worker->config->ledger->chain_id);
    if (config->login->rp_id) {
        json_z(&w, "rp_id", config->login->rp_id);
    }
    json_i64(&w, "expires_in", config->login->challenge / 1000);
    json_end(&w);
    answer_json(req, 200, &body);
    return true;
}

/* --- prove -------------------------------------------------------------------------------- */

static enum step refuse(struct exchange *ex, const char *error, const char *why)
{
    login_of(ex)->error = error;
    return fhir_unauthenticated(ex, 400, why);
}

static enum step refuse_grant(struct exchange *ex, const char *why)
{
    return refuse(ex, "invalid_grant", why);
}

/* What the database is told: hashes, and what is to begin. */
static enum step prepare(struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    const struct vault *vault = login->fx.dossier.worker->vault;
    struct store_login *begin = &login->begin;
    begin->challenge = login->proof.nonce;
    begin->until = ex->time + login->fx.way->config->login->token;
    id_random(begin->session);
    if (login->proof.passkey.n) {
        vault_login_hash(vault, STR("passkey"), login->proof.passkey, begin->passkey);
        begin->key = login->proof.key;
        begin->counter = login->proof.counter;
    }
    vault_login_hash(vault, STR("credential"), login->proof.subject, begin->credential);
    if (login->proof.code.n == 0) {
        return STEP_NEXT;
    }
    char *code = arena_alloc(ex->arena, ENROL_CODE_SIZE);
    if (!code) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (enrol_code_read(login->proof.code, code) < 0) {
        return refuse_grant(ex, "the code isn't good");
    }
    begin->code_name = str_of(code, ENROL_CODE_NAME);
    vault_login_hash(vault, STR("code"), str_of(code, ENROL_CODE_SIZE), begin->code_hash);
    return STEP_NEXT;
}

static struct login_site site_of(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct config_login *config = fx->way->config->login;
    return (struct login_site){
        .base = fx->base,
        .origins = &config->origins,
        .chain = (uint64_t)fx->dossier.worker->config->ledger->chain_id,
        .rp_id = str_z(config->rp_id),
        .contracts = config->contract_accounts,
    };
}

static void on_contract(void *owner, const struct quorum_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    int r = contract_account_signed(answer);
    exchange_move(ex, r == -EAGAIN ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "ledger")
                      : r < 0      ? refuse_grant(ex, login_reason(LOGIN_E_SIGNATURE))
                                   : prepare(ex));
}

/* The account is a contract, if it is anything: most of the nodes say whether it signed. */
static enum step ask_contract(struct exchange *ex)
{
    struct rpc *rpc = dossier_of(ex)->worker->rpc;
    const struct contract_account *account = &login_of(ex)->proof.account;
    return exchange_wait(ex, rpc ? contract_account_ask(rpc, account, on_contract, ex) : NULL);
}

/* A proof that is none. */
static enum step refuse_proof(struct exchange *ex, int r)
{
    const char *why = login_reason((enum login_error)r);
    return r < 0               ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
           : r == LOGIN_E_FORM ? refuse(ex, "invalid_request", why)
                               : refuse_grant(ex, why);
}

static void on_document(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    if (answer->fail) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "did-document"));
        return;
    }
    struct str document = arena_str(ex->arena, answer->body);
    int r = answer->head->status != 200 ? LOGIN_E_DID
            : document.p ? login_proof_with_document(ex->arena, document, &login_of(ex)->proof)
                         : -ENOMEM;
    exchange_move(ex, r ? refuse_proof(ex, r) : prepare(ex));
}

static enum step ask_document(struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    struct op *op =
        did_hosts_fetch(login->fx.dossier.worker->did_hosts, login->fx.way->config->login,
                        &login->proof.place, on_document, ex);
    return op ? exchange_wait(ex, op) : refuse_grant(ex, login_reason(LOGIN_E_DID));
}

/* The proof was looked at, with @r. */
static enum step proved(struct exchange *ex, int r)
{
    struct fhir_login *login = login_of(ex);
    if (r) {
        return refuse_proof(ex, r);
    }
    r = challenge_check(login->fx.dossier.worker->vault, login->fx.base, login->proof.nonce,
                        ex->time, &login->begin.expires);
    if (r) {
        return refuse_grant(ex, r == CHALLENGE_E_EXPIRED ? "the challenge has expired"
                                                         : "the challenge isn't ours");
    }
    return login->proof.asks_contract   ? ask_contract(ex)
           : login->proof.asks_document ? ask_document(ex)
                                        : prepare(ex);
}

static void on_passkey(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct login_site site = site_of(ex);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    exchange_move(ex, proved(ex, login_proof_with_key(ex->arena, &site, store_passkey_key(rows),
                                                      &login_of(ex)->proof)));
}

static enum step prove_enter(struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    struct worker *worker = login->fx.dossier.worker;
    struct login_site site = site_of(ex);
    uint8_t id[32];
    if (!str_eq(login->fx.path, STR("/login/token"))) {
        return refuse(ex, "invalid_request", "nothing is served at this path");
    }
    int r =
        login_proof_check(ex->arena, buf_str(&login->fx.body), &site, ex->time, &login->proof);
    if (r || !login->proof.asks_key) {
        return proved(ex, r);
    }
    vault_login_hash(worker->vault, STR("passkey"), login->proof.passkey, id);
    return exchange_wait(ex, store_passkey_find(worker->db, id, on_passkey, ex));
}

/* --- begin -------------------------------------------------------------------------------- */

/* Who it was, for the record. */
static enum step begun(struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    struct fhir_exchange *fx = &login->fx;
    fx->claims = (struct claims){ .issuer = fx->base, .subject = login->proof.subject };
    fx->dossier.route_name = str_z(fx->way->config->place.name);
    if (!dossier_subject(ex, fx->own) || fhir_actor_set(ex) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    return exchange_stop(ex, OUTCOME_DONE, login->proof.code.n ? "enrolment" : "login");
}

static void on_begun(void *arg, int r, const struct db_rows *rows)
{
    static const char *const whys[] = {
        [STORE_LOGIN_REPLAYED] = "the challenge was used before",
        [STORE_LOGIN_CODE] = "the code isn't good",
        [STORE_LOGIN_UNKNOWN] = "this key isn't linked to a patient; a code is needed",
        [STORE_LOGIN_FOREIGN] = "this key is another patient's",
        [STORE_LOGIN_COPIED] = "this passkey may have been copied",
    };
    struct exchange *ex = exchange_woken(arg);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "database"));
        return;
    }
    int outcome = store_login_outcome(rows, fhir_of(ex)->own);
    exchange_move(ex,
                  outcome == STORE_LOGIN_BEGUN ? begun(ex) : refuse_grant(ex, whys[outcome]));
}

static enum step begin_enter(struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    return exchange_wait(
        ex, store_login_begin(login->fx.dossier.worker->db, &login->begin, on_begun, ex));
}

/* --- end ---------------------------------------------------------------------------------- */

static void on_ended(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "database")
                            : exchange_stop(ex, OUTCOME_DONE, "logout"));
}

static enum step end_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->dossier.route_name = str_z(fx->way->config->place.name);
    if (!fx->logged_in) {
        return fhir_unauthenticated(ex, 401, "the token is none of a login here");
    }
    return dossier_subject(ex, fx->own)
               ? exchange_wait(
                     ex, store_login_end(fx->dossier.worker->db, fx->session, on_ended, ex))
               : exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
}

/* --- respond ------------------------------------------------------------------------------ */

static void put_token(struct json_writer *w, struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    struct own_token token = {
        .base = login->fx.base,
        .subject = login->proof.subject,
        .issued = ex->time,
        .expires = login->begin.until,
    };
    struct sign_key key;
    struct buf text = arena_buf(ex->arena, ANSWER_MAX);
    memcpy(token.session, login->begin.session, sizeof(token.session));
    vault_token_key(login->fx.dossier.worker->vault, &key);
    own_token_put(&text, &token, &key);
    secret_wipe(&key, sizeof(key));
    w->out->failed |= buf_failed(&text);
    json_string(w, "access_token", buf_str(&text));
    json_z(w, "token_type", "Bearer");
    json_i64(w, "expires_in", login->fx.way->config->login->token / 1000);
    json_z(w, "scope", OWN_TOKEN_SCOPE);
}

static enum step respond_enter(struct exchange *ex)
{
    struct fhir_login *login = login_of(ex);
    struct fhir_exchange *fx = &login->fx;
    if (!fx->req) {
        return STEP_NEXT; /* the client is gone */
    }
    struct buf body = arena_buf(ex->arena, ANSWER_MAX);
    struct json_writer w = json_writer(&body);
    json_object(&w, NULL);
    int status = 503;
    if (ex->outcome == OUTCOME_DONE && fx->dossier.committed) {
        status = 200;
        put_token(&w, ex);
    } else if (login->error) {
        status = 400;
        json_z(&w, "error", login->error);
        json_z(&w, "error_description", fx->text);
    } else {
        json_z(&w, "error", "temporarily_unavailable");
    }
    json_end(&w);
    answer_json(fx->req, status, &body);
    fx->req = NULL;
    return STEP_NEXT;
}

static const struct stage login_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "prove", prove_enter, 10, WHILE_OPEN },
    { "begin", begin_enter, 5, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", respond_enter, 0, ALWAYS },
    { 0 },
};

static const struct stage logout_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "end", end_enter, 5, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_login_kind = { login_pipeline, sizeof(struct fhir_login),
                                           LOGIN_BODY_MAX };
const struct fhir_kind fhir_logout_kind = { logout_pipeline, sizeof(struct fhir_exchange), 0 };
