/*
 * A did:key is "z" and, in base58, a number that says the kind of key, and the key.
 *
 * There is one text for each key: base58 is read strictly and points are compressed, so the
 * text itself can be what a patient is found by.
 */
#include "gateway/identity/did.h"

#include "crypto/base/base58.h"
#include "crypto/jws.h"

#include <errno.h>

enum {
    PREFIX_SIZE = 2, /* the kinds known here have numbers of two bytes */
    KEY_MAX = PREFIX_SIZE + SECP_COMPRESSED_SIZE,
    RS_SIZE = 64,
    NUMBER_SIZE = 32,
};

static const struct {
    uint8_t prefix[PREFIX_SIZE]; /* multicodec's number as a varint */
    enum did_key_kind kind;
    size_t size;
} kinds[] = {
    { { 0xed, 0x01 }, DID_KEY_ED25519, SIGN_PUBLIC_SIZE },
    { { 0x80, 0x24 }, DID_KEY_P256, SECP_COMPRESSED_SIZE },
    { { 0xe7, 0x01 }, DID_KEY_SECP256K1, SECP_COMPRESSED_SIZE },
};

static int take_key(enum did_key_kind kind, const uint8_t *bytes, size_t n, struct did_key *out)
{
    struct did_key key = { .kind = kind };
    if (kind == DID_KEY_SECP256K1) {
        if (secp_public_parse(bytes, key.bytes) < 0) {
            return DID_E_KEY;
        }
    } else {
        memcpy(key.bytes, bytes, n);
    }
    *out = key;
    return 0;
}

int did_key_read(struct str bytes, struct did_key *out)
{
    if (bytes.n < PREFIX_SIZE) {
        return DID_E_FORM;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (memcmp(bytes.p, kinds[i].prefix, PREFIX_SIZE) == 0) {
            return bytes.n == PREFIX_SIZE + kinds[i].size
                       ? take_key(kinds[i].kind, (const uint8_t *)bytes.p + PREFIX_SIZE,
                                  kinds[i].size, out)
                       : DID_E_KEY;
        }
    }
    return DID_E_KIND;
}

int did_key_parse(struct str did, struct did_key *out)
{
    const struct str before = STR("did:key:z");
    uint8_t bytes[KEY_MAX + 1];
    size_t n = 0;
    if (!str_starts(did, before)) {
        return DID_E_FORM;
    }
    int r = base58_decode(str_slice(did, before.n, did.n), bytes, sizeof(bytes), &n);
    if (r < 0) {
        return r == -ENOSPC ? DID_E_KIND : DID_E_FORM;
    }
    return did_key_read(str_of(bytes, n), out);
}

void did_key_bytes(struct buf *out, const struct did_key *key)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].kind != key->kind) {
            continue;
        }
        buf_put(out, kinds[i].prefix, PREFIX_SIZE);
        if (key->kind == DID_KEY_SECP256K1) {
            buf_c(out, (char)(2 + (key->bytes[SECP_PUBLIC_SIZE - 1] & 1)));
            buf_put(out, key->bytes + 1, SECP_COMPRESSED_SIZE - 1);
        } else {
            buf_put(out, key->bytes, kinds[i].size);
        }
    }
}

void did_key_put(struct buf *out, const struct did_key *key)
{
    uint8_t memory[KEY_MAX];
    struct buf bytes = buf_fixed(memory, sizeof(memory));
    did_key_bytes(&bytes, key);
    buf_z(out, "did:key:z");
    base58_put(out, bytes.p, bytes.n);
}

int did_key_of_p256(struct str x, struct str y, struct did_key *out)
{
    uint8_t point[SECP_PUBLIC_SIZE] = { 0x04 };
    struct jws_key made;
    if (x.n != NUMBER_SIZE || y.n != NUMBER_SIZE) {
        return -EINVAL;
    }
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    if (jws_key_init_p256(&made, str_of(point, sizeof(point)))) {
        return -EINVAL;
    }
    jws_key_deinit(&made);
    struct did_key key = { .kind = DID_KEY_P256 };
    key.bytes[0] = (uint8_t)(2 + (point[sizeof(point) - 1] & 1));
    memcpy(key.bytes + 1, x.p, x.n);
    *out = key;
    return 0;
}

static int verify_p256(const struct did_key *key, struct str message, struct str signature)
{
    struct jws_key made;
    if (jws_key_init_p256(&made, str_of(key->bytes, SECP_COMPRESSED_SIZE))) {
        return -EBADMSG;
    }
    int r = jws_verify(&made, JWS_ES256, message, signature);
    jws_key_deinit(&made);
    return r;
}

static int verify_secp(const struct did_key *key, struct str message, struct str signature)
{
    struct secp_signature rs = { .v = 0 };
    uint8_t digest[DIGEST_SIZE];
    if (signature.n != RS_SIZE) {
        return -EBADMSG;
    }
    memcpy(rs.r, signature.p, sizeof(rs.r));
    memcpy(rs.s, signature.p + sizeof(rs.r), sizeof(rs.s));
    digest_sha256(message, digest);
    return secp_verify(key->bytes, digest, &rs);
}

int did_key_verify(const struct did_key *key, struct str message, struct str signature)
{
    switch (key->kind) {
    case DID_KEY_ED25519: return sign_verify(key->bytes, message, signature);
    case DID_KEY_P256: return verify_p256(key, message, signature);
    case DID_KEY_SECP256K1: return verify_secp(key, message, signature);
    }
    return -EBADMSG;
}

void did_pkh_put(struct buf *out, uint64_t chain, const uint8_t address[SECP_ADDRESS_SIZE])
{
    char text[SECP_ADDRESS_TEXT];
    secp_address_text(address, text);
    buf_z(out, "did:pkh:eip155:");
    buf_u64(out, chain);
    buf_c(out, ':');
    buf_put(out, text, sizeof(text));
}
