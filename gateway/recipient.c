/* The first bytes of the hash are the id that selects the subkey: it is unique, and never
 * moves. */
#include "gateway/recipient.h"

#include "gateway/random.h"

#include <errno.h>
#include <string.h>

int recipient_seal(struct vault *vault, struct arena *arena, struct str text,
                   struct recipient *out)
{
    const struct vault_key *key = vault_tenant(vault);
    uint8_t *ciphertext = arena_alloc(arena, text.n + SEAL_TAG_SIZE);
    if (!ciphertext) {
        return -ENOMEM;
    }
    vault_recipient_hash(vault, text, out->hash);
    struct seal_about about = vault_about(vault, key, SEAL_ACCESS, out->hash);
    random_bytes(out->nonce, sizeof(out->nonce));
    seal_close(key->secret, &about, out->nonce, text, ciphertext);
    out->sealed = (struct store_sealed){
        .kind = SEAL_ACCESS,
        .nonce = str_of(out->nonce, sizeof(out->nonce)),
        .ciphertext = str_of(ciphertext, text.n + SEAL_TAG_SIZE),
    };
    memcpy(out->sealed.id, out->hash, sizeof(out->sealed.id));
    memcpy(out->sealed.key, key->id, sizeof(out->sealed.key));
    return 0;
}

int recipient_open(struct vault *vault, struct arena *arena, const struct store_sealed *sealed,
                   struct str *out)
{
    const struct vault_key *key = vault_cached_id(vault, sealed->key);
    if (!key) {
        return -ENOKEY;
    }
    if (sealed->nonce.n != SEAL_NONCE_SIZE || sealed->ciphertext.n < SEAL_TAG_SIZE) {
        return -EBADMSG;
    }
    uint8_t nonce[SEAL_NONCE_SIZE];
    uint8_t *plain = arena_alloc(arena, sealed->ciphertext.n);
    if (!plain) {
        return -ENOMEM;
    }
    struct seal_about about = vault_about(vault, key, SEAL_ACCESS, sealed->id);
    memcpy(nonce, sealed->nonce.p, sizeof(nonce));
    int r = seal_open(key->secret, &about, nonce, sealed->ciphertext, plain);
    if (r == 0) {
        *out = str_of(plain, sealed->ciphertext.n - SEAL_TAG_SIZE);
    }
    return r;
}
