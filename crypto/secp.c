/*
 * secp256k1 on libsecp256k1.
 *
 * Only signing needs a context of its own, blinded so that its timing tells nothing; all
 * else uses the library's static one.
 */
#include "crypto/secp.h"

#include "crypto/base/buf.h"
#include "crypto/base/hex.h"

#include <assert.h>
#include <errno.h>
#include <secp256k1_recovery.h>

static_assert(SECP_PUBLIC_SIZE == 65, "an uncompressed point");

/* Bytes 12 to 31 of the Keccak-256 of the point without its leading 0x04. */
void secp_address(const uint8_t public_key[SECP_PUBLIC_SIZE],
                  uint8_t address[SECP_ADDRESS_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    digest_keccak256(str_of(public_key + 1, SECP_PUBLIC_SIZE - 1), hash);
    memcpy(address, hash + DIGEST_SIZE - SECP_ADDRESS_SIZE, SECP_ADDRESS_SIZE);
}

static void point_bytes(const secp256k1_pubkey *point, uint8_t out[SECP_PUBLIC_SIZE])
{
    size_t n = SECP_PUBLIC_SIZE;
    (void)secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &n, point,
                                        SECP256K1_EC_UNCOMPRESSED);
}

/* A context that can multiply the generator, blinded by @blind; NULL without memory. */
static secp256k1_context *signing_context(const uint8_t blind[SECRET_SIZE])
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (context && !secp256k1_context_randomize(context, blind)) {
        secp256k1_context_destroy(context);
        return NULL;
    }
    return context;
}

int secp_signer_init(struct secp_signer *signer, const uint8_t secret[SECRET_SIZE],
                     const uint8_t blind[SECRET_SIZE])
{
    secp256k1_context *context = signing_context(blind);
    if (!context) {
        return -ENOMEM;
    }
    secp256k1_pubkey point;
    if (!secp256k1_ec_pubkey_create(context, &point, secret)) {
        secp256k1_context_destroy(context);
        return -EINVAL;
    }
    point_bytes(&point, signer->public_key);
    secp_address(signer->public_key, signer->address);
    memcpy(signer->secret, secret, SECRET_SIZE);
    signer->context = context;
    return 0;
}

void secp_signer_deinit(struct secp_signer *signer)
{
    if (signer->context) {
        secp256k1_context_destroy(signer->context);
    }
    secret_wipe(signer, sizeof(*signer));
}

void secp_sign(const struct secp_signer *signer, const uint8_t digest[DIGEST_SIZE],
               struct secp_signature *out)
{
    secp256k1_ecdsa_recoverable_signature signature;
    int ok = secp256k1_ecdsa_sign_recoverable(signer->context, &signature, digest,
                                              signer->secret, NULL, NULL);
    assert(ok); /* fails for an invalid key only, and init refused those */
    (void)ok;

    uint8_t rs[64];
    int v = 0;
    (void)secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, rs,
                                                                  &v, &signature);
    memcpy(out->r, rs, sizeof(out->r));
    memcpy(out->s, rs + sizeof(out->r), sizeof(out->s));
    out->v = (uint8_t)v;
}

int secp_signature_parse(struct str text, struct secp_signature *out)
{
    uint8_t bytes[SECP_SIGNATURE_SIZE];
    if (hex_decode_0x(text, bytes, sizeof(bytes)) < 0) {
        return -EINVAL;
    }
    uint8_t v = bytes[SECP_SIGNATURE_SIZE - 1];
    v = v >= 27 ? (uint8_t)(v - 27) : v;
    if (v > 1) {
        return -EINVAL;
    }
    memcpy(out->r, bytes, sizeof(out->r));
    memcpy(out->s, bytes + sizeof(out->r), sizeof(out->s));
    out->v = v;
    return 0;
}

static void compact(const struct secp_signature *signature, uint8_t rs[64])
{
    memcpy(rs, signature->r, 32);
    memcpy(rs + 32, signature->s, 32);
}

/* The signature as the library's, refused if r or s overflow or s is high. */
static int plain_signature(const uint8_t rs[64], secp256k1_ecdsa_signature *out)
{
    const secp256k1_context *context = secp256k1_context_static;
    if (!secp256k1_ecdsa_signature_parse_compact(context, out, rs) ||
        secp256k1_ecdsa_signature_normalize(context, NULL, out)) {
        return -EBADMSG;
    }
    return 0;
}

int secp_recover(const uint8_t digest[DIGEST_SIZE], const struct secp_signature *signature,
                 uint8_t address[SECP_ADDRESS_SIZE])
{
    const secp256k1_context *context = secp256k1_context_static;
    uint8_t rs[64];
    compact(signature, rs);
    secp256k1_ecdsa_signature plain;
    secp256k1_ecdsa_recoverable_signature recoverable;
    secp256k1_pubkey point;
    if (signature->v > 3 || plain_signature(rs, &plain) < 0 ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(context, &recoverable, rs,
                                                             signature->v) ||
        !secp256k1_ecdsa_recover(context, &point, &recoverable, digest)) {
        return -EBADMSG;
    }
    uint8_t public_key[SECP_PUBLIC_SIZE];
    point_bytes(&point, public_key);
    secp_address(public_key, address);
    return 0;
}

int secp_verify(const uint8_t public_key[SECP_PUBLIC_SIZE], const uint8_t digest[DIGEST_SIZE],
                const struct secp_signature *signature)
{
    const secp256k1_context *context = secp256k1_context_static;
    uint8_t rs[64];
    compact(signature, rs);
    secp256k1_ecdsa_signature plain;
    secp256k1_pubkey point;
    if (public_key[0] != 0x04 || plain_signature(rs, &plain) < 0 ||
        !secp256k1_ec_pubkey_parse(context, &point, public_key, SECP_PUBLIC_SIZE) ||
        !secp256k1_ecdsa_verify(context, &plain, digest, &point)) {
        return -EBADMSG;
    }
    return 0;
}

int secp_public_parse(const uint8_t compressed[SECP_COMPRESSED_SIZE],
                      uint8_t public_key[SECP_PUBLIC_SIZE])
{
    secp256k1_pubkey point;
    if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, compressed,
                                   SECP_COMPRESSED_SIZE)) {
        return -EINVAL;
    }
    point_bytes(&point, public_key);
    return 0;
}

void secp_address_text(const uint8_t address[SECP_ADDRESS_SIZE], char out[SECP_ADDRESS_TEXT])
{
    struct buf b = buf_fixed(out, SECP_ADDRESS_TEXT);
    buf_z(&b, "0x");
    buf_hex(&b, address, SECP_ADDRESS_SIZE);

    /* A letter is a capital where the hash of the text has a digit of 8 or more. */
    uint8_t hash[DIGEST_SIZE];
    digest_keccak256(str_of(out + 2, SECP_ADDRESS_TEXT - 2), hash);
    for (size_t i = 0; i < SECP_ADDRESS_TEXT - 2; i++) {
        int digit = i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4;
        if (digit >= 8 && out[2 + i] >= 'a') {
            out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
        }
    }
}

int secp_address_parse(struct str text, uint8_t address[SECP_ADDRESS_SIZE])
{
    uint8_t bytes[SECP_ADDRESS_SIZE];
    if (hex_decode_0x(text, bytes, sizeof(bytes)) < 0) {
        return -EINVAL;
    }
    bool lower = false;
    bool upper = false;
    for (size_t i = 2; i < text.n; i++) {
        lower = lower || text.p[i] >= 'a';
        upper = upper || (text.p[i] >= 'A' && text.p[i] <= 'F');
    }
    char checked[SECP_ADDRESS_TEXT];
    secp_address_text(bytes, checked);
    if (lower && upper && memcmp(checked, text.p, sizeof(checked)) != 0) {
        return -EINVAL;
    }
    memcpy(address, bytes, sizeof(bytes));
    return 0;
}
