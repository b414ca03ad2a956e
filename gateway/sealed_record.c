/*
 * Salts are drawn when something is committed to; the time of a record is that of its writing,
 * so that times don't go back within an instance.
 */
#include "gateway/sealed_record.h"

#include "gateway/clock.h"
#include "gateway/random.h"

#include <errno.h>
#include <string.h>

enum {
    OPENING_MAX = 64 << 10,
};

void sealed_record_commit(struct sealed_record *it, enum commitment_kind kind, struct str value)
{
    if (value.n == 0) {
        return;
    }
    random_bytes(it->opening.salt[kind], COMMITMENT_SALT_SIZE);
    it->opening.has[kind] = true;
    it->opening.value[kind] = value;
    record_commit(&it->record, kind, it->opening.salt[kind], value);
}

void sealed_record_subject(struct sealed_record *it, const uint8_t patient[16])
{
    struct buf hex = buf_fixed(it->hex, sizeof(it->hex));
    buf_hex(&hex, patient, 16);
    sealed_record_commit(it, COMMITMENT_SUBJECT, buf_str(&hex));
}

int sealed_record_close(struct sealed_record *it, const struct vault *vault,
                        struct arena *arena)
{
    struct buf plain = arena_buf(arena, OPENING_MAX);
    opening_write(&it->opening, &plain);
    uint8_t *sealed = arena_alloc(arena, plain.n + SEAL_TAG_SIZE);
    if (buf_failed(&plain) || !sealed) {
        return -ENOMEM;
    }
    struct seal_about about = vault_about(vault, it->key, SEAL_OPENING, it->record.id);
    random_bytes(it->nonce, sizeof(it->nonce));
    seal_close(it->key->secret, &about, it->nonce, buf_str(&plain), sealed);
    secret_wipe(plain.p, plain.n);
    it->sealed = str_of(sealed, plain.n + SEAL_TAG_SIZE);
    return 0;
}

int sealed_record_open(struct vault *vault, struct arena *arena,
                       const struct store_sealed *sealed, struct str *out)
{
    if (sealed->nonce.n != SEAL_NONCE_SIZE || sealed->ciphertext.n < SEAL_TAG_SIZE) {
        return -EBADMSG;
    }
    const struct vault_key *key = vault_cached_id(vault, sealed->key);
    if (!key) {
        return -ENOKEY;
    }
    uint8_t *plain = arena_alloc(arena, sealed->ciphertext.n);
    if (!plain) {
        return -ENOMEM;
    }
    struct seal_about about = vault_about(vault, key, SEAL_OPENING, sealed->id);
    const uint8_t *nonce = (const uint8_t *)sealed->nonce.p;
    if (seal_open(key->secret, &about, nonce, sealed->ciphertext, plain) < 0) {
        return -EBADMSG;
    }
    *out = str_of(plain, sealed->ciphertext.n - SEAL_TAG_SIZE);
    return 0;
}

void sealed_record_opening(const struct sealed_record *it, struct batch_opening *out)
{
    memcpy(out->record, it->record.id, sizeof(out->record));
    memcpy(out->key, it->key->id, sizeof(out->key));
    memcpy(out->nonce, it->nonce, sizeof(out->nonce));
    out->ciphertext = it->sealed;
}

int sealed_record_fill(struct sealed_record *it, const struct batch_place *place,
                       struct batch_record *out)
{
    struct record *record = &it->record;
    memcpy(record->instance, place->instance, sizeof(record->instance));
    record->seq = place->seq;
    record->time = (uint64_t)clock_utc_ms();

    struct buf text = buf_fixed(it->text, sizeof(it->text));
    record_write(record, &text);
    if (buf_failed(&text)) {
        return -EINVAL;
    }
    struct merkle_hash leaf;
    record_leaf(buf_str(&text), &leaf);
    *out = (struct batch_record){
        .log = (int16_t)record->log,
        .time = (int64_t)record->time,
        .bytes = buf_str(&text),
    };
    memcpy(out->id, record->id, sizeof(out->id));
    memcpy(out->exchange, record->has_exchange ? record->exchange : record->id,
           sizeof(out->exchange));
    memcpy(out->leaf, leaf.b, sizeof(out->leaf));
    return 0;
}
