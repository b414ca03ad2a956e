/*
 * Each proof names the site it is for, so that what was signed for another one, which may only
 * have passed on our challenge, is worth nothing here.
 */
#include "gateway/identity/login_proof.h"

#include "crypto/base/base64.h"
#include "crypto/base/hex.h"
#include "fhir/format/json.h"
#include "gateway/identity/did.h"
#include "gateway/identity/siwe.h"
#include "gateway/net/url.h"

#include <errno.h>

enum {
    STATEMENT_MAX = 4 << 10,
    SIGNATURE_MAX = 64,
};

/* --- DIDs --------------------------------------------------------------------------------- */

/* What a DID signs, and its signature, into @out. */
static int read_statement(struct arena *arena, const struct node *root,
                          const struct login_site *site, struct login_proof *out)
{
    struct str text = node_text(root, "signature");
    uint8_t *bytes = arena_alloc(arena, SIGNATURE_MAX);
    size_t n = 0;
    struct buf statement = arena_buf(arena, STATEMENT_MAX);
    if (!bytes) {
        return -ENOMEM;
    }
    if (base64_decode(BASE64_URL, text, bytes, SIGNATURE_MAX, &n) < 0) {
        return LOGIN_E_SIGNATURE;
    }
    buf_z(&statement, "chartseal login 1\n");
    buf_str_put(&statement, site->base);
    buf_c(&statement, '\n');
    buf_str_put(&statement, out->subject);
    buf_c(&statement, '\n');
    buf_str_put(&statement, out->nonce);
    out->statement = buf_str(&statement);
    out->signature = str_of(bytes, n);
    return buf_failed(&statement) ? LOGIN_E_FORM : 0;
}

static int check_did(struct arena *arena, const struct node *root,
                     const struct login_site *site, struct login_proof *out)
{
    struct did_key key;
    out->subject = node_text(root, "did");
    out->nonce = node_text(root, "nonce");
    bool web = str_starts(out->subject, STR("did:web:"));
    int r = web ? did_web_place(arena, out->subject, &out->place)
                : did_key_parse(out->subject, &key);
    if (r) {
        return r < 0 ? r : LOGIN_E_DID;
    }
    r = read_statement(arena, root, site, out);
    if (r || web) {
        out->asks_document = web;
        return r;
    }
    r = did_key_verify(&key, out->statement, out->signature);
    return r == -EBADMSG ? LOGIN_E_SIGNATURE : r;
}

int login_proof_with_document(struct arena *arena, struct str document,
                              struct login_proof *proof)
{
    struct did_web_keys keys;
    int r = did_web_read(arena, document, proof->subject, &keys);
    if (r) {
        return r < 0 ? r : LOGIN_E_DID;
    }
    r = -EBADMSG;
    for (size_t i = 0; r == -EBADMSG && i < keys.count; i++) {
        r = did_key_verify(&keys.keys[i], proof->statement, proof->signature);
    }
    return r == -EBADMSG ? LOGIN_E_SIGNATURE : r;
}

/* --- Sign-In with Ethereum ---------------------------------------------------------------- */

/* Is it for one of our origins: scheme if it names one, domain, and a URI there? */
static bool is_ours(const struct siwe *message, const struct config_strings *origins)
{
    for (size_t i = 0; i < origins->n; i++) {
        struct url at;
        struct url uri;
        if (url_parse(str_z(origins->items[i]), &at) || url_parse(message->uri, &uri)) {
            continue;
        }
        struct str scheme = at.tls ? STR("https") : STR("http");
        if (str_eq(message->domain, at.authority) && str_eq(uri.authority, at.authority) &&
            uri.tls == at.tls && (!message->scheme.n || str_eq(message->scheme, scheme))) {
            return true;
        }
    }
    return false;
}

static int check_message(const struct siwe *message, const struct login_site *site, int64_t now)
{
    if (!is_ours(message, site->origins)) {
        return LOGIN_E_ORIGIN;
    }
    if (message->chain != site->chain) {
        return LOGIN_E_CHAIN;
    }
    if (message->expires && now >= message->expires) {
        return LOGIN_E_EXPIRED;
    }
    bool early = now + LOGIN_LEEWAY_MS < message->issued || now < message->not_before;
    return early ? LOGIN_E_EARLY : 0;
}

/* What only a contract can say: whether this is its signature. */
static int ask_contract(struct arena *arena, const struct siwe *message,
                        const uint8_t digest[DIGEST_SIZE], struct str text,
                        struct login_proof *out)
{
    if (text.n < 4 || text.n / 2 - 1 > CONTRACT_SIGNATURE_MAX) {
        return LOGIN_E_SIGNATURE;
    }
    size_t n = text.n / 2 - 1;
    uint8_t *bytes = arena_alloc(arena, n);
    if (!bytes) {
        return -ENOMEM;
    }
    if (hex_decode_0x(text, bytes, n) < 0) {
        return LOGIN_E_SIGNATURE;
    }
    memcpy(out->account.address, message->address, sizeof(out->account.address));
    memcpy(out->account.digest, digest, sizeof(out->account.digest));
    out->account.signature = str_of(bytes, n);
    out->asks_contract = true;
    return 0;
}

/* Whether the account's own key signed. */
static bool key_signed(const uint8_t digest[DIGEST_SIZE], struct str text,
                       const uint8_t address[SECP_ADDRESS_SIZE])
{
    struct secp_signature signature;
    uint8_t signer[SECP_ADDRESS_SIZE];
    return secp_signature_parse(text, &signature) == 0 &&
           secp_recover(digest, &signature, signer) == 0 &&
           memcmp(signer, address, sizeof(signer)) == 0;
}

static int check_siwe(struct arena *arena, const struct node *root,
                      const struct login_site *site, int64_t now, struct login_proof *out)
{
    struct str text = node_text(root, "message");
    struct siwe message;
    struct str signature = node_text(root, "signature");
    uint8_t digest[DIGEST_SIZE];
    if (siwe_parse(text, &message)) {
        return LOGIN_E_MESSAGE;
    }
    int r = check_message(&message, site, now);
    if (r) {
        return r;
    }
    siwe_digest(text, digest);
    if (!key_signed(digest, signature, message.address)) {
        r = site->contracts ? ask_contract(arena, &message, digest, signature, out)
                            : LOGIN_E_SIGNATURE;
    }
    if (r) {
        return r;
    }
    struct buf subject = arena_buf(arena, DID_TEXT_MAX);
    did_pkh_put(&subject, message.chain, message.address);
    out->subject = buf_str(&subject);
    out->nonce = message.nonce;
    return buf_failed(&subject) ? -ENOMEM : 0;
}

/* --- passkeys ----------------------------------------------------------------------------- */

/* Member @name, which is base64url; p NULL: it is not. */
static struct str decoded(struct arena *arena, const struct node *root, const char *name)
{
    struct str text = node_text(root, name);
    uint8_t *bytes = arena_alloc(arena, base64_room(text.n));
    size_t n = 0;
    if (!bytes || text.n == 0 ||
        base64_decode(BASE64_URL, text, bytes, base64_room(text.n), &n) < 0) {
        return (struct str){ 0 };
    }
    return str_of(bytes, n);
}

static int passkey_error(int r)
{
    switch ((enum webauthn_error)r) {
    case WEBAUTHN_E_ORIGIN:
    case WEBAUTHN_E_RP: return LOGIN_E_ORIGIN;
    case WEBAUTHN_E_USER: return LOGIN_E_USER;
    case WEBAUTHN_E_SIGNATURE: return LOGIN_E_SIGNATURE;
    case WEBAUTHN_E_FORM:
    case WEBAUTHN_E_TYPE:
    case WEBAUTHN_E_KEY: return LOGIN_E_PASSKEY;
    }
    return r;
}

/* What goes by the key: its DID, and its bytes for keeping. */
static int name_key(struct arena *arena, const struct did_key *key, struct login_proof *out)
{
    struct buf subject = arena_buf(arena, DID_TEXT_MAX);
    struct buf bytes = arena_buf(arena, DID_TEXT_MAX);
    did_key_put(&subject, key);
    did_key_bytes(&bytes, key);
    out->subject = buf_str(&subject);
    out->key = buf_str(&bytes);
    return buf_failed(&subject) || buf_failed(&bytes) ? -ENOMEM : 0;
}

static int check_new_passkey(struct arena *arena, const struct node *root,
                             const struct login_site *login, struct login_proof *out)
{
    const struct webauthn_site site = { login->rp_id, login->origins };
    struct str client = decoded(arena, root, "clientDataJSON");
    struct str attestation = decoded(arena, root, "attestationObject");
    struct webauthn_made made;
    int r = client.p && attestation.p
                ? webauthn_register(arena, client, attestation, &site, &made)
                : WEBAUTHN_E_FORM;
    if (r) {
        return passkey_error(r);
    }
    out->passkey = made.id;
    out->nonce = made.seen.nonce;
    out->counter = made.seen.counter;
    return name_key(arena, &made.key, out);
}

static int read_assertion(struct arena *arena, const struct node *root, struct login_proof *out)
{
    out->passkey = decoded(arena, root, "id");
    out->made.client = decoded(arena, root, "clientDataJSON");
    out->made.authenticator = decoded(arena, root, "authenticatorData");
    out->made.signature = decoded(arena, root, "signature");
    out->asks_key = true;
    return out->passkey.p && out->passkey.n <= WEBAUTHN_ID_MAX && out->made.client.p &&
                   out->made.authenticator.p && out->made.signature.p
               ? 0
               : LOGIN_E_PASSKEY;
}

static int check_passkey(struct arena *arena, const struct node *root,
                         const struct login_site *site, struct login_proof *out)
{
    if (site->rp_id.n == 0) {
        return LOGIN_E_PASSKEY;
    }
    return node_get(root, "attestationObject") ? check_new_passkey(arena, root, site, out)
                                               : read_assertion(arena, root, out);
}

int login_proof_with_key(struct arena *arena, const struct login_site *login, struct str key,
                         struct login_proof *proof)
{
    const struct webauthn_site site = { login->rp_id, login->origins };
    struct webauthn_seen seen;
    struct did_key known;
    if (key.n == 0 || did_key_read(key, &known)) {
        return LOGIN_E_SIGNATURE;
    }
    int r = webauthn_assert(arena, &proof->made, &site, &known, &seen);
    if (r) {
        return passkey_error(r);
    }
    proof->nonce = seen.nonce;
    proof->counter = seen.counter;
    proof->asks_key = false;
    return name_key(arena, &known, proof);
}

/* --- all --------------------------------------------------------------------------------- */

int login_proof_check(struct arena *arena, struct str body, const struct login_site *site,
                      int64_t now, struct login_proof *out)
{
    struct issues issues;
    const struct node *root = NULL;
    issues_init(&issues, arena);
    int r = json_parse(arena, body, &issues, &root);
    if (r || !node_is(root, NODE_OBJECT)) {
        return r < 0 ? r : LOGIN_E_FORM;
    }
    struct login_proof proof = { .code = node_text(root, "code") };
    bool did = node_get(root, "did") != NULL;
    bool message = node_get(root, "message") != NULL;
    bool passkey = node_get(root, "clientDataJSON") != NULL;
    if (did + message + passkey != 1) {
        return LOGIN_E_FORM;
    }
    r = did       ? check_did(arena, root, site, &proof)
        : message ? check_siwe(arena, root, site, now, &proof)
                  : check_passkey(arena, root, site, &proof);
    if (r == 0) {
        *out = proof;
    }
    return r;
}

const char *login_reason(enum login_error error)
{
    switch (error) {
    case LOGIN_E_FORM: return "the body is no proof of anything";
    case LOGIN_E_DID: return "the DID is none that can be used here";
    case LOGIN_E_MESSAGE: return "the message isn't one of EIP-4361";
    case LOGIN_E_ORIGIN: return "signed for another site";
    case LOGIN_E_CHAIN: return "signed for another chain";
    case LOGIN_E_EXPIRED: return "the message has expired";
    case LOGIN_E_EARLY: return "the message isn't valid yet";
    case LOGIN_E_SIGNATURE: return "the signature isn't the key's";
    case LOGIN_E_PASSKEY: return "the passkey's words can't be used";
    case LOGIN_E_USER: return "the authenticator didn't verify its user";
    }
    return "refused";
}
