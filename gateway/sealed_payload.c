/* Layers as gateway/pipeline/seal.c puts them: the row names the innermost, ->outer the rest.
 */
#include "gateway/sealed_payload.h"

#include <errno.h>
#include <string.h>

enum {
    LAYER_SIZE = SEAL_ID_SIZE + SEAL_NONCE_SIZE,
};

int sealed_payload_copy(struct arena *arena, const struct store_sealed *row,
                        struct sealed_payload **out)
{
    struct sealed_payload *sealed = arena_calloc(arena, 1, sizeof(*sealed));
    if (!sealed) {
        return -ENOMEM;
    }
    sealed->text = arena_str(arena, row->ciphertext);
    sealed->layers = 1 + row->outer.n / LAYER_SIZE;
    if (!sealed->text.p || row->nonce.n != SEAL_NONCE_SIZE ||
        sealed->layers > SEALED_PAYLOAD_LAYERS_MAX) {
        return sealed->text.p ? -EBADMSG : -ENOMEM;
    }
    memcpy(sealed->id, row->id, sizeof(sealed->id));
    memcpy(sealed->keys[0], row->key, SEAL_ID_SIZE);
    memcpy(sealed->nonces[0], row->nonce.p, SEAL_NONCE_SIZE);
    for (size_t i = 1; i < sealed->layers; i++) {
        const char *layer = row->outer.p + (i - 1) * LAYER_SIZE;
        memcpy(sealed->keys[i], layer, SEAL_ID_SIZE);
        memcpy(sealed->nonces[i], layer + SEAL_ID_SIZE, SEAL_NONCE_SIZE);
    }
    *out = sealed;
    return 0;
}

int sealed_payload_open(struct vault *vault, struct arena *arena,
                        const struct sealed_payload *sealed, struct str *out)
{
    struct str text = sealed->text;
    for (size_t i = sealed->layers; i > 0; i--) {
        const struct vault_key *key = vault_cached_id(vault, sealed->keys[i - 1]);
        if (!key || text.n < SEAL_TAG_SIZE) {
            return key ? -EBADMSG : -ENOKEY;
        }
        struct seal_about about = vault_about(vault, key, SEAL_PAYLOAD, sealed->id);
        uint8_t *plain = arena_alloc(arena, text.n);
        if (!plain) {
            return -ENOMEM;
        }
        int r = seal_open(key->secret, &about, sealed->nonces[i - 1], text, plain);
        if (r < 0) {
            return r;
        }
        text = str_of(plain, text.n - SEAL_TAG_SIZE);
    }
    *out = text;
    return 0;
}
