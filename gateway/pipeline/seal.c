/*
 * Stage "seal": encrypt what is kept under the keys of those it is about.
 *
 *   seal_enter --keys in memory--> the recipient's number in memory --> next
 *   seal_enter --vault_fetch--> waiting --keys--> …  --store_recipient--> waiting --> next |
 * stop
 *
 * For each patient there is one record, whose opening (salts and what they hide) is sealed
 * under that patient's key. A payload about several patients is sealed under all of their
 * keys, one layer inside the other: it opens only while none of them was shredded.
 */
#include "gateway/pipeline/dossier.h"

#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/number_cache.h"
#include "gateway/random.h"
#include "gateway/recipient.h"
#include "gateway/worker.h"

#include <errno.h>

enum {
    LAYER_SIZE = SEAL_ID_SIZE + SEAL_NONCE_SIZE,
};

/* As number_cache.h keeps it: 16 bytes. */
union number {
    int64_t recipient;
    uint8_t bytes[16];
};

/* How the outcome of an exchange is said in its record. */
static enum record_outcome record_outcome_of(const struct exchange *ex)
{
    const struct dossier *dossier = ex->data;
    if (dossier->intent) {
        return RECORD_INTENT;
    }
    switch (ex->outcome) {
    case OUTCOME_PERMIT:
        if (dossier->interaction == RECORD_V2_RECEIVE || dossier->outbox_count) {
            return RECORD_ACCEPTED; /* what becomes of it is recorded by its deliveries */
        }
        return dossier->withheld ? RECORD_PARTIAL : RECORD_PERMIT;
    case OUTCOME_DENY:
    case OUTCOME_FORBIDDEN: return RECORD_DENY;
    case OUTCOME_WITHHELD: return RECORD_WITHHELD;
    case OUTCOME_HELD: return RECORD_HELD;
    case OUTCOME_DONE: return RECORD_DONE;
    case OUTCOME_DELIVERED: return RECORD_DELIVERED;
    case OUTCOME_RETRY: return RECORD_RETRY;
    case OUTCOME_PARKED: return RECORD_PARKED;
    case OUTCOME_BAD_REQUEST:
    case OUTCOME_UNAUTHENTICATED:
    case OUTCOME_UNSUPPORTED: return RECORD_REFUSED;
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_TIMEOUT: return RECORD_UNAVAILABLE;
    case OUTCOME_UNKNOWN: return RECORD_UNKNOWN;
    case OUTCOME_OPEN: /* a stage that forgot to decide: a defect, and closed */
    case OUTCOME_UPSTREAM:
    case OUTCOME_FAILED: return RECORD_ERROR;
    }
    return RECORD_ERROR;
}

static int fill_record(struct exchange *ex, struct dossier_subject *subject, struct str payload)
{
    struct dossier *dossier = dossier_of(ex);
    const struct worker *worker = dossier->worker;
    struct sealed_record *sealed = &subject->sealed;
    struct record *record = &sealed->record;
    struct buf decision = arena_buf(ex->arena, GROUNDS_TEXT_MAX);
    grounds_write(&subject->grounds, &decision);
    id_new(clock_utc_ms(), record->id);
    memcpy(record->exchange, ex->id, sizeof(record->exchange));
    record->has_exchange = true;
    record->log = dossier->log;
    record->mode = dossier->mode;
    record->interaction = dossier->interaction;
    record->outcome = record_outcome_of(ex);
    record->gateway = str_z(worker->config->gateway);
    record->route = dossier->route_name;
    record->basis = str_z(ex->basis ? ex->basis : "none");
    record->map = dossier->map;
    record->released = dossier->released;
    record->withheld = dossier->withheld;
    record->refused = dossier->refused;

    sealed_record_commit(sealed, COMMITMENT_ACTOR, dossier->actor);
    sealed_record_commit(sealed, COMMITMENT_DECISION, buf_str(&decision));
    sealed_record_commit(sealed, COMMITMENT_REQUEST, dossier->request);
    sealed_record_commit(sealed, COMMITMENT_PAYLOAD, payload);
    if (!subject->is_nobody) {
        sealed_record_subject(sealed, subject->patient);
    }
    return buf_failed(&decision) ? -ENOMEM : 0;
}

/* One layer around @in; @out has room for the tag. */
static struct str seal_layer(struct exchange *ex, const struct vault_key *key, struct str in,
                             uint8_t nonce[SEAL_NONCE_SIZE], uint8_t *out)
{
    struct dossier *dossier = dossier_of(ex);
    struct seal_about about =
        vault_about(dossier->worker->vault, key, SEAL_PAYLOAD, dossier->stored.id);
    random_bytes(nonce, SEAL_NONCE_SIZE);
    seal_close(key->secret, &about, nonce, in, out);
    return str_of(out, in.n + SEAL_TAG_SIZE);
}

static int seal_payload(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    size_t layers = dossier->subject_count;
    uint8_t *sealed = arena_alloc(ex->arena, dossier->payload.n + layers * SEAL_TAG_SIZE);
    struct buf outer = arena_buf(ex->arena, layers * LAYER_SIZE);
    if (!sealed) {
        return -ENOMEM;
    }
    struct batch_payload *stored = &dossier->stored;
    if (!dossier->has_stored) {
        id_new(clock_utc_ms(), stored->id);
    }
    memcpy(stored->exchange, ex->id, sizeof(stored->exchange));
    stored->kind = SEAL_PAYLOAD;

    struct str text = seal_layer(ex, dossier->subjects[0]->sealed.key, dossier->payload,
                                 stored->nonce, sealed);
    memcpy(stored->key, dossier->subjects[0]->sealed.key->id, sizeof(stored->key));
    for (size_t i = 1; i < layers; i++) {
        uint8_t nonce[SEAL_NONCE_SIZE];
        text = seal_layer(ex, dossier->subjects[i]->sealed.key, text, nonce, sealed);
        buf_put(&outer, dossier->subjects[i]->sealed.key->id, SEAL_ID_SIZE);
        buf_put(&outer, nonce, sizeof(nonce));
    }
    stored->ciphertext = text;
    stored->outer = buf_str(&outer);
    dossier->has_stored = true;
    return buf_failed(&outer) ? -ENOMEM : 0;
}

/* All keys are in memory. */
static enum step seal_under(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    struct vault *vault = dossier->worker->vault;
    uint8_t *digest = arena_alloc(ex->arena, DIGEST_SIZE);
    if (!digest) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    struct str payload = dossier->payload_digest;
    if (dossier->payload.n) {
        digest_sha256(dossier->payload, digest);
        payload = str_of(digest, DIGEST_SIZE);
    }

    int r = 0;
    for (size_t i = 0; r == 0 && i < dossier->subject_count; i++) {
        struct dossier_subject *subject = dossier->subjects[i];
        subject->sealed.key =
            subject->is_nobody ? vault_tenant(vault) : vault_cached(vault, subject->patient);
        if (!subject->sealed.key) {
            return exchange_stop(ex, OUTCOME_UNAVAILABLE, "key");
        }
        r = fill_record(ex, subject, payload);
        r = r < 0 ? r : sealed_record_close(&subject->sealed, vault, ex->arena);
    }
    if (r == 0 && dossier->keep && dossier->payload.n) {
        r = seal_payload(ex);
    }
    return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory") : STEP_NEXT;
}

/* Who gets it is known by number. */
static void on_recipient(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct dossier *dossier = dossier_of(ex);
    if (r < 0) {
        exchange_move(ex, exchange_stop(ex, OUTCOME_UNAVAILABLE, "recipient"));
        return;
    }
    union number number = { .bytes = { 0 } };
    number.recipient = store_recipient_number(rows);
    uint8_t hash[32];
    vault_recipient_hash(dossier->worker->vault, dossier->recipient, hash);
    number_cache_keep(dossier->worker->recipients, hash, 1, number.bytes);
    dossier->recipient_number = number.recipient;
    exchange_move(ex, seal_under(ex));
}

static bool about_somebody(const struct dossier *dossier)
{
    if (dossier->later_count) {
        return true;
    }
    for (size_t i = 0; i < dossier->subject_count; i++) {
        if (!dossier->subjects[i]->is_nobody) {
            return true;
        }
    }
    return false;
}

/* Keys are there; the number of who gets it may have to be asked for, or made. */
static enum step number_recipient(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    struct worker *worker = dossier->worker;
    union number number;
    struct recipient recipient;
    if (dossier->recipient.n == 0 || !about_somebody(dossier)) {
        dossier->recipient_number = RECIPIENT_NOBODY;
        return seal_under(ex);
    }
    vault_recipient_hash(worker->vault, dossier->recipient, recipient.hash);
    if (number_cache_find(worker->recipients, recipient.hash, 1, number.bytes)) {
        dossier->recipient_number = number.recipient;
        return seal_under(ex);
    }
    if (recipient_seal(worker->vault, ex->arena, dossier->recipient, &recipient) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    return exchange_wait(
        ex, store_recipient(worker->db, recipient.hash, &recipient.sealed, on_recipient, ex));
}

static void on_keys(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex,
                  r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "key") : number_recipient(ex));
}

enum step seal_enter(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    struct worker *worker = dossier->worker;
    if (dossier->subject_count == 0 && dossier_nobody(ex) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    uint8_t missing[VAULT_TOGETHER_MAX][16];
    size_t n = 0;
    for (size_t i = 0; i < dossier->subject_count; i++) {
        const struct dossier_subject *subject = dossier->subjects[i];
        if (!subject->is_nobody && !vault_cached(worker->vault, subject->patient)) {
            memcpy(missing[n++], subject->patient, 16);
        }
    }
    if (n == 0) {
        return number_recipient(ex);
    }
    return exchange_wait(ex,
                         vault_fetch(worker->vault, worker->db, missing[0], n, on_keys, ex));
}
