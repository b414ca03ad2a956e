/*
 * The statement of a consent: what it says in words, which the patient signs besides the grant.
 *
 * It is made when the consent is filed and kept under the patient's key; the commitment on
 * chain covers its digest. So nobody has to sign what can't be read, and the chain tells
 * nothing.
 *
 * Spec: contracts, section 10.2
 */
#include "gateway/pipeline/fhir_consents.h"

#include "anchor/eip712.h"
#include "fhir/consent/words.h"

#include <errno.h>
#include <sodium.h>

int fhir_statement_write(struct exchange *ex, const struct store_consent *row,
                         const struct policy *policy, struct str *out)
{
    struct buf text = arena_buf(ex->arena, WORDS_MAX);
    buf_z(&text, "Consent 0x");
    buf_hex(&text, row->id, sizeof(row->id));
    buf_fmt(&text, ", version %u, of a patient at ", row->version);
    buf_str_put(&text, fhir_of(ex)->base);
    buf_z(&text, "\n\n");
    words_write(&text, policy);
    buf_z(&text, "\nIt can be taken back at any time, and that holds at once.\n");
    *out = buf_str(&text);
    return buf_failed(&text) ? -ENOMEM : 0;
}

void fhir_statement_digest(struct exchange *ex, const struct store_consent *row,
                           struct str text, uint8_t out[DIGEST_SIZE])
{
    const struct worker *worker = dossier_of(ex)->worker;
    struct eip712_domain domain = { .chain = (uint64_t)worker->config->ledger->chain_id };
    struct consent_statement statement = { .version = row->version, .text = text };
    memcpy(domain.contract, worker->consent_contract, sizeof(domain.contract));
    memcpy(statement.id, row->id, sizeof(statement.id));
    eip712_statement(&domain, &statement, out);
}

int fhir_statement_seal(struct exchange *ex, const struct vault_key *key, struct str text,
                        struct store_consent *row)
{
    uint8_t *sealed = arena_alloc(ex->arena, SEAL_NONCE_SIZE + text.n + SEAL_TAG_SIZE);
    if (!sealed) {
        return -ENOMEM;
    }
    struct seal_about about =
        vault_about(dossier_of(ex)->worker->vault, key, SEAL_STATEMENT, row->id);
    randombytes_buf(sealed, SEAL_NONCE_SIZE);
    seal_close(key->secret, &about, sealed, text, sealed + SEAL_NONCE_SIZE);
    row->statement = str_of(sealed, SEAL_NONCE_SIZE + text.n + SEAL_TAG_SIZE);
    return 0;
}

int fhir_statement_open(struct exchange *ex, const struct store_consent *row, struct str *out)
{
    struct vault *vault = dossier_of(ex)->worker->vault;
    const struct vault_key *key = vault_cached_id(vault, row->key);
    struct str sealed = row->statement;
    if (!key || sealed.n < SEAL_NONCE_SIZE + SEAL_TAG_SIZE) {
        return -EBADMSG;
    }
    struct seal_about about = vault_about(vault, key, SEAL_STATEMENT, row->id);
    struct str cipher = str_slice(sealed, SEAL_NONCE_SIZE, sealed.n);
    uint8_t *plain = arena_alloc(ex->arena, cipher.n);
    if (!plain) {
        return -ENOMEM;
    }
    *out = str_of(plain, cipher.n - SEAL_TAG_SIZE);
    return seal_open(key->secret, &about, (const uint8_t *)sealed.p, cipher, plain);
}
