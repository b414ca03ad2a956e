/*
 * Client data is JSON that the browser writes and the authenticator signs the digest of;
 * authenticator data is bytes at fixed places, a key in CBOR behind them.
 *
 * CTAP has one encoding of a key: its members in one order, nothing more. So they are read in
 * that order, and what differs is refused.
 */
#include "gateway/identity/webauthn.h"

#include "crypto/base/base64.h"
#include "crypto/cbor.h"
#include "fhir/format/json.h"

#include <errno.h>

enum {
    FLAG_PRESENT = 0x01,
    FLAG_VERIFIED = 0x04,
    FLAG_MAY_BACK_UP = 0x08,
    FLAG_BACKED_UP = 0x10,
    FLAG_KEY = 0x40,        /* attested credential data follow */
    FLAG_EXTENSIONS = 0x80, /* a map of extensions follows */
    HASH_SIZE = DIGEST_SIZE,
    AAGUID_SIZE = 16,
    RS_SIZE = 64,
    NUMBER_SIZE = 32,
};

/* Members of a COSE key, and their values. Spec: RFC 9053 sections 2 and 7 */
enum {
    COSE_KTY = 1,
    COSE_ALG = 3,
    COSE_CRV = -1,
    COSE_X = -2,
    COSE_Y = -3,
    COSE_OKP = 1,
    COSE_EC2 = 2,
    COSE_ES256 = -7,
    COSE_EDDSA = -8,
    COSE_P256 = 1,
    COSE_ED25519 = 6,
};

/* --- client data -------------------------------------------------------------------------- */

static bool has_origin(const struct config_strings *origins, struct str origin)
{
    for (size_t i = 0; i < origins->n; i++) {
        if (str_eq(origin, str_z(origins->items[i]))) {
            return true;
        }
    }
    return false;
}

static int read_client(struct arena *arena, struct str text, const char *type,
                       const struct webauthn_site *site, struct webauthn_seen *out)
{
    struct issues issues;
    const struct node *root = NULL;
    issues_init(&issues, arena);
    int r = json_parse(arena, text, &issues, &root);
    if (r || !node_is(root, NODE_OBJECT)) {
        return r < 0 ? r : WEBAUTHN_E_FORM;
    }
    if (!str_eq(node_text(root, "type"), str_z(type))) {
        return WEBAUTHN_E_TYPE;
    }
    const struct node *crossed = node_get(root, "crossOrigin");
    if (!has_origin(site->origins, node_text(root, "origin")) ||
        (crossed && !node_is(crossed, NODE_FALSE)) || node_get(root, "topOrigin")) {
        return WEBAUTHN_E_ORIGIN;
    }
    struct str challenge = node_text(root, "challenge");
    uint8_t *nonce = arena_alloc(arena, base64_room(challenge.n));
    size_t n = 0;
    if (!nonce) {
        return -ENOMEM;
    }
    if (base64_decode(BASE64_URL, challenge, nonce, base64_room(challenge.n), &n) < 0) {
        return WEBAUTHN_E_FORM;
    }
    out->nonce = str_of(nonce, n);
    return 0;
}

/* --- authenticator data ------------------------------------------------------------------- */

/* The next @n bytes of @rest; false: there are fewer. */
static bool take(struct str *rest, size_t n, struct str *out)
{
    if (rest->n < n) {
        return false;
    }
    *out = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n, rest->n);
    return true;
}

static uint64_t number(struct str bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        value = value << 8 | (uint8_t)bytes.p[i];
    }
    return value;
}

/* Hash of the relying party, flags, counter. */
static int read_head(struct str *rest, const struct webauthn_site *site, uint8_t *flags,
                     uint32_t *counter)
{
    uint8_t want[HASH_SIZE];
    struct str hash;
    struct str bits;
    struct str count;
    if (!take(rest, HASH_SIZE, &hash) || !take(rest, 1, &bits) || !take(rest, 4, &count)) {
        return WEBAUTHN_E_FORM;
    }
    digest_sha256(site->rp_id, want);
    if (memcmp(want, hash.p, sizeof(want)) != 0) {
        return WEBAUTHN_E_RP;
    }
    uint8_t seen = (uint8_t)bits.p[0];
    if (!(seen & FLAG_PRESENT) || !(seen & FLAG_VERIFIED)) {
        return WEBAUTHN_E_USER;
    }
    if (seen & FLAG_BACKED_UP && !(seen & FLAG_MAY_BACK_UP)) {
        return WEBAUTHN_E_FORM;
    }
    *flags = seen;
    *counter = (uint32_t)number(count);
    return 0;
}

/* What follows is extensions, if the flags say so, and nothing else. */
static int read_tail(struct str rest, uint8_t flags)
{
    struct cbor c = cbor(rest);
    if (flags & FLAG_EXTENSIONS) {
        struct cbor ahead = c;
        (void)cbor_map(&ahead);
        c.failed = ahead.failed;
        cbor_skip(&c);
    }
    return cbor_ended(&c) ? 0 : WEBAUTHN_E_FORM;
}

static int read_ec2(struct cbor *c, struct did_key *out)
{
    cbor_want_integer(c, COSE_ALG);
    cbor_want_integer(c, COSE_ES256);
    cbor_want_integer(c, COSE_CRV);
    cbor_want_integer(c, COSE_P256);
    cbor_want_integer(c, COSE_X);
    struct str x = cbor_bytes(c);
    cbor_want_integer(c, COSE_Y);
    struct str y = cbor_bytes(c);
    if (c->failed || x.n != NUMBER_SIZE || y.n != NUMBER_SIZE) {
        return WEBAUTHN_E_KEY;
    }
    return did_key_of_p256(x, y, out) < 0 ? WEBAUTHN_E_KEY : 0;
}

static int read_okp(struct cbor *c, struct did_key *out)
{
    cbor_want_integer(c, COSE_ALG);
    cbor_want_integer(c, COSE_EDDSA);
    cbor_want_integer(c, COSE_CRV);
    cbor_want_integer(c, COSE_ED25519);
    cbor_want_integer(c, COSE_X);
    struct str x = cbor_bytes(c);
    if (c->failed || x.n != NUMBER_SIZE) {
        return WEBAUTHN_E_KEY;
    }
    struct did_key key = { .kind = DID_KEY_ED25519 };
    memcpy(key.bytes, x.p, x.n);
    *out = key;
    return 0;
}

/* A COSE key at the beginning of @rest. */
static int read_key(struct str *rest, struct did_key *out)
{
    struct cbor c = cbor(*rest);
    uint64_t members = cbor_map(&c);
    cbor_want_integer(&c, COSE_KTY);
    int64_t kty = cbor_integer(&c);
    int r = WEBAUTHN_E_KEY;
    if (!c.failed && kty == COSE_EC2 && members == 5) {
        r = read_ec2(&c, out);
    } else if (!c.failed && kty == COSE_OKP && members == 4) {
        r = read_okp(&c, out);
    }
    *rest = c.rest;
    return r;
}

/* --- registration ------------------------------------------------------------------------- */

/* The authenticator data of an attestation object that attests nothing. */
static int read_attestation(struct str object, struct str *out)
{
    struct cbor c = cbor(object);
    c.failed = cbor_map(&c) != 3 || c.failed;
    cbor_want_text(&c, "fmt");
    cbor_want_text(&c, "none");
    cbor_want_text(&c, "attStmt");
    c.failed = cbor_map(&c) != 0 || c.failed;
    cbor_want_text(&c, "authData");
    *out = cbor_bytes(&c);
    return cbor_ended(&c) ? 0 : WEBAUTHN_E_FORM;
}

/* Attested credential data: who made it, which doesn't matter, its id and its key. */
static int read_credential(struct str *rest, struct webauthn_made *out)
{
    struct str maker;
    struct str size;
    if (!take(rest, AAGUID_SIZE, &maker) || !take(rest, 2, &size) || number(size) == 0 ||
        number(size) > WEBAUTHN_ID_MAX || !take(rest, (size_t)number(size), &out->id)) {
        return WEBAUTHN_E_FORM;
    }
    return read_key(rest, &out->key);
}

int webauthn_register(struct arena *arena, struct str client, struct str attestation,
                      const struct webauthn_site *site, struct webauthn_made *out)
{
    struct webauthn_made made = { .seen = { .counter = 0 } };
    struct str rest;
    uint8_t flags = 0;
    int r = read_client(arena, client, "webauthn.create", site, &made.seen);
    r = r ? r : read_attestation(attestation, &rest);
    r = r ? r : read_head(&rest, site, &flags, &made.seen.counter);
    if (r == 0 && !(flags & FLAG_KEY)) {
        return WEBAUTHN_E_FORM;
    }
    r = r ? r : read_credential(&rest, &made);
    r = r ? r : read_tail(rest, flags);
    if (r == 0) {
        *out = made;
    }
    return r;
}

/* --- assertion ---------------------------------------------------------------------------- */

/* The next integer of a DER sequence: positive, in its shortest form, at most 32 bytes. */
static bool take_integer(struct str *rest, uint8_t out[NUMBER_SIZE])
{
    struct str head;
    struct str value;
    if (!take(rest, 2, &head) || head.p[0] != 0x02 ||
        !take(rest, (size_t)(uint8_t)head.p[1], &value) || value.n == 0 || value.p[0] & 0x80) {
        return false;
    }
    if (value.p[0] == 0 && value.n > 1) {
        if (!(value.p[1] & 0x80)) {
            return false;
        }
        value = str_slice(value, 1, value.n);
    }
    if (value.n > NUMBER_SIZE) {
        return false;
    }
    memset(out, 0, NUMBER_SIZE);
    memcpy(out + NUMBER_SIZE - value.n, value.p, value.n);
    return true;
}

/* WebAuthn's signatures on P-256 are DER; the one form of each is taken. Spec: section 6.5.6 */
static bool plain_signature(struct str der, uint8_t rs[RS_SIZE])
{
    struct str head;
    struct str rest = der;
    return take(&rest, 2, &head) && head.p[0] == 0x30 && (uint8_t)head.p[1] == rest.n &&
           take_integer(&rest, rs) && take_integer(&rest, rs + NUMBER_SIZE) && rest.n == 0;
}

int webauthn_assert(struct arena *arena, const struct webauthn_assertion *made,
                    const struct webauthn_site *site, const struct did_key *key,
                    struct webauthn_seen *out)
{
    struct webauthn_seen seen = { .counter = 0 };
    struct str rest = made->authenticator;
    uint8_t rs[RS_SIZE];
    uint8_t flags = 0;
    int r = read_client(arena, made->client, "webauthn.get", site, &seen);
    r = r ? r : read_head(&rest, site, &flags, &seen.counter);
    if (r) {
        return r;
    }
    if (flags & FLAG_KEY || read_tail(rest, flags)) {
        return WEBAUTHN_E_FORM;
    }
    struct buf text = arena_buf(arena, made->authenticator.n + HASH_SIZE);
    char *hash = NULL;
    buf_str_put(&text, made->authenticator);
    hash = buf_extend(&text, HASH_SIZE);
    if (!hash) {
        return -ENOMEM;
    }
    digest_sha256(made->client, (uint8_t *)hash);
    struct str signature = made->signature;
    if (key->kind == DID_KEY_P256) {
        signature = plain_signature(signature, rs) ? str_of(rs, sizeof(rs)) : STR("");
    }
    r = did_key_verify(key, buf_str(&text), signature);
    if (r == 0) {
        *out = seen;
    }
    return r == -EBADMSG ? WEBAUTHN_E_SIGNATURE : r;
}
